package openai

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	goopenai "github.com/sashabaranov/go-openai"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
)

// Options are what an Embedder is made of.
type Options struct {
	Config     Config
	Clock      lectern.Clock // nil is the system's
	Logger     *slog.Logger
	HTTPClient *http.Client // nil is one of its own, which follows no redirects
}

// Embedder asks a server for vectors. It is safe for concurrent use.
type Embedder struct {
	cfg     Config
	dim     int // 0 only while Connect finds it out
	clock   lectern.Clock
	log     *slog.Logger
	client  *goopenai.Client
	scrub   scrubber
	breaker *gobreaker.CircuitBreaker[[][]float32]
	blamed  atomic.Pointer[failure] // the latest that the breaker counted
	slots   chan struct{}           // one for each request for documents under way
	stats   counters
}

var _ lectern.Embedder = (*Embedder)(nil)

// New returns an embedder whose dimension is configured. It sends nothing, so
// that a process can start while the server is away. Errors: CodeInvalid.
func New(o Options) (*Embedder, error) {
	if o.Config.Dimensions == 0 {
		return nil, lectern.Invalid("the embedder's dimension is not known without asking its server",
			lectern.NewFieldError("embed.openai.dimensions", 0, "is needed", "above 0"))
	}
	return build(o)
}

// Connect returns an embedder, and asks the server for one vector where the
// dimension is not configured. Errors: CodeInvalid; CodeUnavailable and
// CodeDeadline when the server had to be asked and did not answer well.
func Connect(ctx context.Context, o Options) (*Embedder, error) {
	e, err := build(o)
	if err != nil || e.dim > 0 {
		return e, err
	}
	vectors, err := e.Embed(ctx, lectern.EmbedDocument, []string{probe})
	if err != nil {
		return nil, err
	}
	e.dim = len(vectors[0])
	return e, nil
}

// probe is what is embedded to hear from a server.
const probe = "Lectern"

func build(o Options) (*Embedder, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		return nil, lectern.Errorf(lectern.CodeInternal, "the OpenAI-compatible embedder lacks a logger")
	}
	key, err := o.Config.key()
	if err != nil {
		return nil, err
	}
	e := &Embedder{
		cfg: o.Config, dim: o.Config.Dimensions, clock: o.Clock, log: o.Logger,
		slots: make(chan struct{}, o.Config.Concurrency),
		scrub: newScrubber(key, o.Config.Headers),
	}
	if e.clock == nil {
		e.clock = lectern.SystemClock
	}
	client := o.HTTPClient
	if client == nil {
		client = newHTTPClient(o.Config.Concurrency)
	}
	settings := goopenai.DefaultConfig(key)
	settings.BaseURL = strings.TrimRight(o.Config.BaseURL, "/")
	settings.OrgID = o.Config.Organisation
	settings.HTTPClient = doer{client: client, header: o.Config.header()}
	e.client = goopenai.NewClientWithConfig(settings)
	e.breaker = gobreaker.NewCircuitBreaker[[][]float32](e.breakerSettings())
	return e, nil
}

// Dim is the length of every vector.
func (e *Embedder) Dim() int { return e.dim }

// Model is the model's name.
func (e *Embedder) Model() string { return e.cfg.Model }

// Check embeds one short text, past the breaker and without a retry, and says
// how long that took. Errors as Embed.
func (e *Embedder) Check(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	_, err := e.request(ctx, e.cfg.Timeout, []string{e.prepare(lectern.EmbedDocument, 0, probe).text})
	if err != nil {
		return time.Since(start), asError(err)
	}
	return time.Since(start), nil
}

// Embed returns one unit-length vector per text, in order; a text of nothing but
// white space and control characters yields nil and is not sent. Documents wait for a free slot and are
// retried; queries do neither and end within the query timeout. Either all texts
// are embedded or none.
//
// Errors: CodeUnavailable when the server cannot be reached, refuses, fails, is
// spared by the breaker or answers with what is not usable; CodeDeadline when
// time ran out or the caller went away. OutcomeOf tells them apart further.
func (e *Embedder) Embed(ctx context.Context, kind lectern.EmbedKind, texts []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, asError(ended(err))
	}
	out := make([][]float32, len(texts))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(e.cfg.Concurrency)
	start := time.Now()
	for _, b := range e.batches(kind, texts) {
		group.Go(func() error {
			vectors, err := e.embedBatch(groupCtx, kind, start, b)
			for i, v := range vectors {
				out[b[i].at] = v
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, asError(err)
	}
	e.stats.embedded(kind, out)
	return out, nil
}

// embedBatch embeds a batch; one that is too large for the server goes in
// halves, and a single text that is too long is cut in half.
func (e *Embedder) embedBatch(ctx context.Context, kind lectern.EmbedKind, start time.Time, b []item) ([][]float32, error) {
	vectors, err := e.try(ctx, kind, start, b)
	if err == nil || OutcomeOf(err) != OutcomeTooLarge {
		return vectors, err
	}
	if len(b) == 1 {
		half := b[0].tokens / 2
		if half < minTextTokens {
			return nil, err
		}
		shorter := b[0]
		shorter.text, shorter.tokens = cutTokens(shorter.text, half)
		if !shorter.cut {
			shorter.cut = true
			e.stats.cutText()
		}
		return e.embedBatch(ctx, kind, start, []item{shorter})
	}
	e.stats.halvedBatch()
	first, err := e.embedBatch(ctx, kind, start, b[:len(b)/2])
	if err != nil {
		return nil, err
	}
	second, err := e.embedBatch(ctx, kind, start, b[len(b)/2:])
	return append(first, second...), err
}

// try sends a batch under the rules of its kind.
func (e *Embedder) try(ctx context.Context, kind lectern.EmbedKind, start time.Time, b []item) ([][]float32, error) {
	if kind == lectern.EmbedQuery {
		return e.tryQuery(ctx, start, textsOf(b))
	}
	select {
	case e.slots <- struct{}{}: // kept while waiting between attempts: others would fare no better
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return nil, ended(ctx.Err())
	}
	return e.tryDocuments(ctx, textsOf(b))
}
