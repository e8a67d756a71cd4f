package qdranttest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// DefaultVersion is the version that the server reports.
const DefaultVersion = "1.17.0"

// Options say what server to start. The zero value is a server on a free port
// that forgets everything when it is killed.
type Options struct {
	Addr    string // host:port to listen on; empty for a free loopback port
	Version string // reported by the health check; empty for DefaultVersion
	APIKey  string // demanded of every call but the health check; empty for none
	Durable bool   // acknowledged writes survive Kill and Restart

	// RequireIndexes refuses a filter on a payload key that has no fitting index,
	// as strict mode does, in every collection that does not say otherwise.
	RequireIndexes bool
}

// Option changes Options in Start.
type Option func(*Options)

// Durable makes what was acknowledged survive Kill and Restart.
func Durable() Option { return func(o *Options) { o.Durable = true } }

// RequireIndexes refuses a filter on a payload key that has no fitting index.
func RequireIndexes() Option { return func(o *Options) { o.RequireIndexes = true } }

// WithVersion sets the version that the health check reports.
func WithVersion(v string) Option { return func(o *Options) { o.Version = v } }

// WithAPIKey makes the server demand a key.
func WithAPIKey(key string) Option { return func(o *Options) { o.APIKey = key } }

// WithAddr sets the host:port to listen on.
func WithAddr(addr string) Option { return func(o *Options) { o.Addr = addr } }

// Server is a running, or killed, fake Qdrant. Its methods are safe for
// concurrent use.
type Server struct {
	opts   Options
	faults *faults

	mu   sync.Mutex
	addr string
	db   *database
	run  *run // nil while killed
}

// run is the time between a start and a kill.
type run struct {
	grpc *grpc.Server
	done chan struct{} // closed when Serve has returned

	// dead is guarded by the database's lock, so that a call that was under way
	// when the server was killed changes nothing afterwards.
	dead bool
}

// New starts a server. The caller closes it.
func New(opts Options) (*Server, error) {
	if opts.Addr == "" {
		opts.Addr = "127.0.0.1:0"
	}
	if opts.Version == "" {
		opts.Version = DefaultVersion
	}
	s := &Server{opts: opts, faults: newFaults(), addr: opts.Addr, db: newDatabase()}
	if err := s.Restart(); err != nil {
		return nil, err
	}
	return s, nil
}

// Start starts a server that ends with the test.
func Start(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	var o Options
	for _, opt := range opts {
		opt(&o)
	}
	s, err := New(o)
	if err != nil {
		tb.Fatalf("qdranttest: %v", err)
	}
	tb.Cleanup(s.Close)
	return s
}

// Addr is the host:port of the server, the same after a Restart.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// HostPort is Addr in the two parts that go-client's Config takes.
func (s *Server) HostPort() (host string, port int) {
	tcp, err := net.ResolveTCPAddr("tcp", s.Addr())
	if err != nil {
		return "", 0
	}
	return tcp.IP.String(), tcp.Port
}

// Kill ends the server at once: it drops every connection and stops listening.
// Calls under way fail, and change nothing from then on.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return
	}
	s.db.mu.Lock()
	s.run.dead = true
	s.db.mu.Unlock()
	s.run.grpc.Stop()
	<-s.run.done
	s.run = nil
	if !s.opts.Durable {
		s.db = newDatabase()
	}
}

// Seal does what the optimiser of a server does in its own time: it moves every
// stored point into a sealed segment. An upsert of a sealed point, in Qdrant 1.17
// and 1.18, keeps the named vectors that it does not name, and the payload where
// it brings none; after that the point is not sealed any more. No searches change.
func (s *Server) Seal() {
	s.mu.Lock()
	db := s.db
	s.mu.Unlock()
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, c := range db.collections {
		for i, p := range c.points {
			sealed := p.clone()
			sealed.sealed, sealed.stale = true, nil // its index is built anew
			c.points[i] = sealed
		}
	}
}

// Close ends the server for good. It may be called twice.
func (s *Server) Close() { s.Kill() }

// Restart listens again on the address from before. On a running server it
// does nothing.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil {
		return nil
	}
	listener, err := listen(s.addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.addr, err)
	}
	s.addr = listener.Addr().String()

	r := &run{done: make(chan struct{})}
	r.grpc = grpc.NewServer(
		grpc.MaxRecvMsgSize(1<<30), // Qdrant sets no limit
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(s.faults.intercept, authorise(s.opts.APIKey), refuseUnsupported),
	)
	core := &core{db: s.db, run: r}
	qdrant.RegisterQdrantServer(r.grpc, &healthService{version: s.opts.Version})
	collections := &collectionsService{core: core}
	if s.opts.RequireIndexes {
		collections.strict = requireIndexes()
	}
	qdrant.RegisterCollectionsServer(r.grpc, collections)
	qdrant.RegisterPointsServer(r.grpc, &pointsService{core: core})
	s.run = r
	go func() {
		defer close(r.done)
		_ = r.grpc.Serve(listener) // returns when Kill stops it
	}()
	return nil
}

// listen retries for a moment: the sockets of the run before may still close.
func listen(addr string) (net.Listener, error) {
	var lc net.ListenConfig
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for {
		l, err := lc.Listen(ctx, "tcp", addr)
		if err == nil {
			return l, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// healthService answers the health check.
type healthService struct {
	qdrant.UnimplementedQdrantServer
	version string
}

// HealthCheck reports the version.
func (h *healthService) HealthCheck(context.Context, *qdrant.HealthCheckRequest) (*qdrant.HealthCheckReply, error) {
	return &qdrant.HealthCheckReply{Title: "qdrant - vector search engine", Version: h.version}, nil
}
