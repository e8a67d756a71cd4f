package qdranttest

import (
	"context"
	"crypto/subtle"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// faults holds what tests asked to go wrong, and counts calls.
type faults struct {
	mu     sync.Mutex
	calls  map[string]int
	rules  []*rule
	delays map[string]time.Duration
	hook   func(method string, request any) error
}

// rule fails calls of one method.
type rule struct {
	method     string
	code       codes.Code
	left       int // below 0: always
	after      bool
	retryAfter time.Duration
}

func newFaults() *faults {
	return &faults{calls: map[string]int{}, delays: map[string]time.Duration{}}
}

// Fail makes the next calls of a method, as many as times, fail with the code
// before they do anything; below 0 is until ClearFaults. A method is named
// "Points/Upsert" or, where two services have none of the same name, "Upsert";
// "*" is every method.
func (s *Server) Fail(method string, code codes.Code, times int) {
	s.faults.add(&rule{method: method, code: code, left: times})
}

// FailAfter is Fail for calls whose work is done and whose answer is lost.
func (s *Server) FailAfter(method string, code codes.Code, times int) {
	s.faults.add(&rule{method: method, code: code, left: times, after: true})
}

// RateLimit makes calls fail with ResourceExhausted and a retry-after header in
// whole seconds, as Qdrant's rate limiter does.
func (s *Server) RateLimit(method string, retryAfter time.Duration, times int) {
	s.faults.add(&rule{method: method, code: codes.ResourceExhausted, left: times, retryAfter: retryAfter})
}

// Delay makes every call of a method wait before it does anything; 0 ends it.
func (s *Server) Delay(method string, d time.Duration) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if d <= 0 {
		delete(s.faults.delays, method)
		return
	}
	s.faults.delays[method] = d
}

// Hook calls f at the start of every call, with the method as in "Points/Upsert"
// and the request; an error of f is the call's answer. Nil ends it.
func (s *Server) Hook(f func(method string, request any) error) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.hook = f
}

// ClearFaults ends every Fail, FailAfter, RateLimit, Delay and Hook.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules, s.faults.hook = nil, nil
	clear(s.faults.delays)
}

// Calls counts the calls of a method that reached the server, failed ones
// included, since it was made.
func (s *Server) Calls(method string) int {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	n := 0
	for full, count := range s.faults.calls {
		if names(method, full) {
			n += count
		}
	}
	return n
}

// names reports whether a test's name of a method means this one.
func names(pattern, method string) bool {
	if pattern == "*" || pattern == method {
		return true
	}
	_, short, _ := strings.Cut(method, "/")
	return pattern == short
}

func (f *faults) add(r *rule) {
	if r.left == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, r)
}

// take uses up one failure for the method, nil when there is none.
func (f *faults) take(method string, after bool) *rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, r := range f.rules {
		if r.after != after || !names(r.method, method) {
			continue
		}
		if r.left > 0 {
			r.left--
		}
		if r.left == 0 {
			f.rules = append(f.rules[:i:i], f.rules[i+1:]...)
		}
		return r
	}
	return nil
}

// begin counts a call and returns what is to happen to it.
func (f *faults) begin(method string) (delay time.Duration, hook func(string, any) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[method]++
	for pattern, d := range f.delays {
		if names(pattern, method) {
			delay = max(delay, d)
		}
	}
	return delay, f.hook
}

// intercept is the outermost interceptor.
func (f *faults) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	method := strings.TrimPrefix(info.FullMethod, "/qdrant.")
	delay, hook := f.begin(method)
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		case <-timer.C:
		}
	}
	if hook != nil {
		if err := hook(method, req); err != nil {
			return nil, err
		}
	}
	if r := f.take(method, false); r != nil {
		return nil, r.fail(ctx)
	}
	res, err := handler(ctx, req)
	if err != nil {
		return nil, err
	}
	if r := f.take(method, true); r != nil {
		return nil, r.fail(ctx)
	}
	return res, nil
}

func (r *rule) fail(ctx context.Context) error {
	if r.retryAfter > 0 {
		seconds := int64((r.retryAfter + time.Second - 1) / time.Second)
		// Qdrant sends it with the status, which go-client reads as the trailer.
		_ = grpc.SetTrailer(ctx, metadata.Pairs("retry-after", strconv.FormatInt(seconds, 10)))
		return status.Error(r.code, "Rate limiting exceeded: asked for by a test")
	}
	return status.Errorf(r.code, "%s: asked for by a test", r.code)
}

// authorise demands the key of every call but the health check.
func authorise(key string) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if key == "" || info.FullMethod == "/qdrant.Qdrant/HealthCheck" {
			return handler(ctx, req)
		}
		md, _ := metadata.FromIncomingContext(ctx)
		got := md.Get("api-key")
		if len(got) == 0 {
			return nil, status.Error(codes.Unauthenticated, "Must provide an API key or an Authorization bearer token")
		}
		if subtle.ConstantTimeCompare([]byte(got[0]), []byte(key)) != 1 {
			return nil, status.Error(codes.Unauthenticated, "Invalid API key or JWT")
		}
		return handler(ctx, req)
	}
}
