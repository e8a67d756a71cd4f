package searchlog

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// Reader is the part of lectern.SearchStore that Phrases needs.
type Reader interface {
	SearchCounts(ctx context.Context, q lectern.SearchCountQuery) ([]lectern.SearchCount, error)
	RecentSearches(ctx context.Context, ref lectern.LearnerRef, limit int) ([]lectern.Search, error)
}

// Phrase is a query that people searched for and then opened something of.
type Phrase struct {
	Text    string  // the newest spelling, without punctuation around words
	Folded  string  // see Fold
	Weight  float64 // in (0, 1], 1 for the first of its list
	Openers int     // distinct learners and visitors who opened something
}

// Snapshot is what may be shown to anybody at one time. It is shared: read only.
type Snapshot struct {
	Version  int64    // rises when anything of it changes; 0 before the first reading
	Phrases  []Phrase // by weight, the largest first; no folded form twice
	Trending []Phrase // searched for more than before, the strongest rise first
}

// Phrases keeps what people searched for and then opened. Run reads it anew in
// the background, so that asking costs nothing. It is safe for concurrent use.
type Phrases struct {
	store  Reader
	cfg    Config
	block  blockList
	clock  lectern.Clock
	logger *slog.Logger

	now    atomic.Pointer[Snapshot]
	reads  sync.Mutex // one reading at a time
	recent recentCache
}

// NewPhrases returns phrases without any. Run fills them.
func NewPhrases(store Reader, cfg Config, clock lectern.Clock, logger *slog.Logger) *Phrases {
	p := &Phrases{
		store: store, cfg: cfg, block: newBlockList(cfg.Block), clock: clock, logger: logger,
		recent: newRecentCache(),
	}
	p.now.Store(&Snapshot{})
	return p
}

// Snapshot returns the latest reading.
func (p *Phrases) Snapshot() Snapshot { return *p.now.Load() }

// Phrases returns the phrases of the latest reading with its version. They are
// shared: read only.
func (p *Phrases) Phrases() (version int64, phrases []Phrase) {
	s := p.now.Load()
	return s.Version, s.Phrases
}

// Run reads at once and then from time to time, until ctx ends. A reading that
// fails leaves the one before in place.
func (p *Phrases) Run(ctx context.Context) error {
	tick := time.NewTicker(p.cfg.Refresh)
	defer tick.Stop()
	for {
		if err := p.Refresh(ctx); err != nil && ctx.Err() == nil {
			p.logger.Warn("searched phrases are not up to date", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

const (
	// halfLives is how far back searches are counted: older ones weigh less than
	// a thousandth.
	halfLives = 10
	// maxPhraseLetters bounds what is offered as the rest of a query.
	maxPhraseLetters = 80
	// maxTrending bounds the trending queries kept, and trendingPool how many are
	// looked at.
	maxTrending, trendingPool = 50, 500
	// trendPrior is added to both sides of the ratio of a trend, so that one search
	// after none is no trend.
	trendPrior = 5.0
	// minTrend is the ratio from which a query is trending.
	minTrend = 1.2
)

// Refresh reads phrases and trends anew.
func (p *Phrases) Refresh(ctx context.Context) error {
	p.reads.Lock()
	defer p.reads.Unlock()
	now := p.clock()
	phrases, err := p.readPhrases(ctx, now)
	if err != nil {
		return err
	}
	trending, err := p.readTrending(ctx, now)
	if err != nil {
		return err
	}
	old := p.now.Load()
	if old.Version > 0 && slices.Equal(old.Phrases, phrases) && slices.Equal(old.Trending, trending) {
		return nil
	}
	p.now.Store(&Snapshot{Version: old.Version + 1, Phrases: phrases, Trending: trending})
	return nil
}

// readPhrases returns what was searched for and opened, the weightiest first.
func (p *Phrases) readPhrases(ctx context.Context, now time.Time) ([]Phrase, error) {
	if p.cfg.MaxPhrases == 0 {
		return nil, nil
	}
	window := min(p.cfg.Retention, halfLives*p.cfg.HalfLife)
	counts, err := p.store.SearchCounts(ctx, lectern.SearchCountQuery{
		From: now.Add(-window), To: now.Add(time.Microsecond),
		HalfLife: p.cfg.HalfLife, MinOpeners: p.cfg.MinOpeners, Order: lectern.SearchesByWeight,
		Limit: p.cfg.MaxPhrases + p.cfg.MaxPhrases/10, // some are not fit to be shown
	})
	if err != nil {
		return nil, err
	}
	return p.list(counts, p.cfg.MaxPhrases, func(c lectern.SearchCount) float64 { return c.Weight }), nil
}

// readTrending returns what was searched for more than before.
func (p *Phrases) readTrending(ctx context.Context, now time.Time) ([]Phrase, error) {
	counts, err := p.store.SearchCounts(ctx, lectern.SearchCountQuery{
		From: now.Add(-p.cfg.TrendingPeriod), To: now.Add(time.Microsecond),
		HalfLife: p.cfg.HalfLife, MinOpeners: p.cfg.MinOpeners, Order: lectern.SearchesByGrowing, Limit: trendingPool,
	})
	if err != nil {
		return nil, err
	}
	counts = slices.DeleteFunc(slices.Clone(counts), func(c lectern.SearchCount) bool { return trend(c) < minTrend })
	return p.list(counts, maxTrending, trend), nil
}

// trend is how much more a query was searched for than before, smoothed.
func trend(c lectern.SearchCount) float64 {
	return (float64(c.Searches) + trendPrior) / (float64(c.Before) + trendPrior)
}

// list makes phrases of the counts that may be shown, by weight.
func (p *Phrases) list(counts []lectern.SearchCount, limit int, weigh func(lectern.SearchCount) float64) []Phrase {
	out := make([]Phrase, 0, len(counts))
	for _, c := range counts {
		if w := weigh(c); w > 0 && p.fit(c) {
			out = append(out, Phrase{Text: shown(c.Query, c.Folded), Folded: c.Folded, Weight: w, Openers: c.Openers})
		}
	}
	slices.SortStableFunc(out, func(a, b Phrase) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Folded, b.Folded))
	})
	out = out[:min(len(out), limit)]
	normalise(out)
	return out
}

// normalise scales weights to (0, 1]. The root keeps the tail apart from zero, and
// rounding keeps weights as they are while nothing but time passes.
func normalise(sorted []Phrase) {
	const steps = 1000
	if len(sorted) == 0 {
		return
	}
	top := sorted[0].Weight
	for i := range sorted {
		sorted[i].Weight = math.Max(1, math.Round(steps*math.Sqrt(sorted[i].Weight/top))) / steps
	}
}

// fit reports whether a query may be shown to others.
func (p *Phrases) fit(c lectern.SearchCount) bool {
	switch {
	case c.Openers < p.cfg.MinOpeners || c.Folded == "":
		return false
	case utf8.RuneCountInString(c.Query) > maxPhraseLetters || utf8.RuneCountInString(c.Folded) > maxPhraseLetters:
		return false
	case personal(c.Query) || personal(c.Folded):
		return false
	}
	return !p.block.blocks(c.Folded)
}
