package qdrant

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	pb "github.com/qdrant/go-client/qdrant"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/lectern-dev/lectern"
)

// oldestServer is the first version of Qdrant that keeps metadata of a
// collection, where the spec of an index is.
var oldestServer = [2]int{1, 16}

// spread sends calls to every node that the address resolves to, in turn, and to
// none that does not answer.
const spread = `{"loadBalancingConfig": [{"round_robin": {}}]}`

// maxAnswerBytes bounds one answer: a few thousand points with all their vectors.
const maxAnswerBytes = 512 << 20

// Options are what Connect needs.
type Options struct {
	Config Config
	Logger *slog.Logger

	// Owner names the database whose courses the indexes hold. Collections that
	// another owner made are left alone, unless TakeOver is set. "" owns nothing
	// and respects nothing.
	Owner    string
	TakeOver bool

	Observe   func(Call)         // told of each call, for the metrics; may be nil
	OnBreaker func(state string) // told of each change: closed, open, half-open; may be nil
	Dial      []grpc.DialOption  // besides the package's own; may be empty
}

// Indexes are the indexes in one Qdrant. It is safe for concurrent use.
type Indexes struct {
	cfg    Config
	log    *slog.Logger
	owner  string
	takes  bool // what others own, too
	client *pb.Client
	conns  []*grpc.ClientConn // the client's own
	call   *caller
	writes *semaphore.Weighted // one for each batch on its way
}

var _ lectern.SharedIndexes = (*Indexes)(nil)

// Connect reaches Qdrant and checks that it is one that Lectern can use. Errors:
// CodeInvalid for bad settings, CodeUnavailable when there is no answer within
// connect_timeout, CodePrecondition for a version that is too old.
func Connect(ctx context.Context, o Options) (*Indexes, error) {
	x, err := New(o)
	if err != nil {
		return nil, err
	}
	if err := x.Greet(ctx); err != nil {
		_ = x.Close() // nothing was in flight
		return nil, err
	}
	return x, nil
}

// New is Connect for a process that must start while Qdrant is away: it sends
// nothing. Errors: CodeInvalid.
func New(o Options) (*Indexes, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		return nil, lectern.Errorf(lectern.CodeInternal, "the Qdrant indexes lack a logger")
	}
	client, err := dial(o)
	if err != nil {
		return nil, err
	}
	x := &Indexes{
		cfg: o.Config, log: o.Logger, owner: o.Owner, takes: o.TakeOver, client: client,
		call:   newCaller(o.Config, o.Logger, o.Observe, o.OnBreaker),
		writes: semaphore.NewWeighted(int64(o.Config.Concurrency)),
	}
	for range o.Config.Connections { // it gives them in turn
		x.conns = append(x.conns, client.GetConnection())
	}
	return x, nil
}

// Close ends the connections. Calls under way and later ones fail with
// CodeUnavailable. It may be called twice.
func (x *Indexes) Close() error {
	var failed error
	for _, conn := range x.conns { // the client's own Close lets later calls panic
		if err := conn.Close(); err != nil && status.Code(err) != codes.Canceled {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// dial makes the client; the connections come up with the first call.
func dial(o Options) (*pb.Client, error) {
	cfg := o.Config
	host, port, err := cfg.hostPort()
	if err != nil {
		return nil, err
	}
	trust, err := tlsConfig(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.APIKey != "" && !cfg.TLS {
		o.Logger.Warn("the Qdrant API key travels unencrypted; set index.qdrant.tls", "address", cfg.Address)
	}
	options := []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswerBytes)),
		grpc.WithDefaultServiceConfig(spread),
		// The default waits up to two minutes before it looks for a server again.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: cfg.BreakerOpen,
			},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithChainUnaryInterceptor(withKey(cfg.APIKey)),
	}
	if trust != nil {
		options = append(options, grpc.WithTransportCredentials(credentials.NewTLS(trust)))
	}
	client, err := pb.NewClient(&pb.Config{
		Host: host, Port: port, PoolSize: uint(cfg.Connections),
		SkipCompatibilityCheck: true, // greet does it, and logs where it should
		KeepAliveTime:          20, KeepAliveTimeout: 5,
		GrpcOptions: append(options, o.Dial...),
	})
	if err != nil {
		return nil, lectern.Errorf(lectern.CodeInvalid, "cannot use index.qdrant.address %q: %w", cfg.Address, err)
	}
	return client, nil
}

// withKey adds the API key to each call. The client's own way of doing so writes
// to the process's default logger.
func withKey(key string) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if key != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "api-key", key)
		}
		return next(ctx, method, req, reply, cc, opts...)
	}
}

// tlsConfig is nil where the connection is not encrypted.
func tlsConfig(cfg Config) (*tls.Config, error) {
	if !cfg.TLS {
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.TLSCA == "" {
		return out, nil
	}
	pem, err := os.ReadFile(cfg.TLSCA)
	if err != nil {
		return nil, lectern.Errorf(lectern.CodeInvalid, "cannot read index.qdrant.tls_ca: %w", err)
	}
	out.RootCAs = x509.NewCertPool()
	if !out.RootCAs.AppendCertsFromPEM(pem) {
		return nil, lectern.Errorf(lectern.CodeInvalid, "index.qdrant.tls_ca: %s holds no certificate", cfg.TLSCA)
	}
	return out, nil
}

// Greet waits for the server's first answer and checks its version. Errors as
// Connect.
func (x *Indexes) Greet(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, x.cfg.ConnectTimeout)
	defer cancel()
	const patient = 1000 // the deadline ends it
	reply, err := again(within, x.call, "say its version", patient, func() (*pb.HealthCheckReply, error) {
		attempt, cancel := context.WithTimeout(within, x.cfg.SearchTimeout)
		defer cancel()
		return x.client.HealthCheck(attempt)
	})
	switch {
	case err == nil:
		return checkVersion(reply.GetVersion())
	case ctx.Err() != nil:
		return checkContext(ctx)
	case retryable(err):
		return &lectern.Error{
			Code: lectern.CodeUnavailable,
			Message: "no answer from Qdrant at " + x.cfg.Address + " within " + x.cfg.ConnectTimeout.String() +
				"; is it running, and is this its gRPC port?",
			Err: err,
		}
	}
	return wrap(ctx, "say its version", "", err)
}

// checkVersion refuses servers that are too old, or do not say how old they are.
func checkVersion(version string) error {
	major, minor, ok := parseVersion(version)
	if !ok {
		return lectern.Errorf(lectern.CodePrecondition, "Qdrant gives %q as its version; Lectern needs %d.%d or later",
			version, oldestServer[0], oldestServer[1])
	}
	if major < oldestServer[0] || (major == oldestServer[0] && minor < oldestServer[1]) {
		return lectern.Errorf(lectern.CodePrecondition, "Qdrant is version %s, but Lectern needs %d.%d or later: upgrade it one minor version at a time",
			version, oldestServer[0], oldestServer[1])
	}
	return nil
}

// parseVersion reads "1.17.1" and "v1.18.0-dev".
func parseVersion(version string) (major, minor int, ok bool) {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return 0, 0, false
	}
	major, err := strconv.Atoi(parts[0])
	if err != nil {
		return 0, 0, false
	}
	digits, _, _ := strings.Cut(parts[1], "-")
	minor, err = strconv.Atoi(digits)
	return major, minor, err == nil
}
