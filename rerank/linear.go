package rerank

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// Linear scores by a weighted sum of terms. It is safe for concurrent use.
type Linear struct {
	cfg     Config
	version string
	weights weightBook
	recent  int       // which of Facts.Recent is for the half-life of ratings; -1 is none
	params  sync.Pool // of sharedParams
	scratch sync.Pool // of *[]float64
	ratings ratingWords

	freshFor, ratedFor time.Duration // half-lives
}

var _ Reranker = (*Linear)(nil)

// NewLinear returns a reranker for settings that no store has a version of: it is
// named after their hash. Errors: CodeInvalid naming the keys at fault.
func NewLinear(cfg Config) (*Linear, error) {
	doc, err := json.Marshal(cfg)
	if err != nil { // a number that JSON does not know
		doc = fmt.Appendf(nil, "%+v", cfg)
	}
	sum := sha256.Sum256(doc)
	return New(cfg, "v0-"+hex.EncodeToString(sum[:6]))
}

// New returns a reranker of a named version. Errors: CodeInvalid naming the keys at
// fault.
func New(cfg Config, version string) (*Linear, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	l := &Linear{
		cfg:     cfg,
		version: version,
		weights: newWeightBook(cfg),
		recent:  recentOf(cfg.Terms.RatingHalfLifeDays),

		freshFor: days(cfg.Terms.FreshnessHalfLifeDays),
		ratedFor: days(cfg.Terms.RatingHalfLifeDays),
	}
	l.params.New = func() any { return make(sharedParams) }
	l.scratch.New = func() any { return new([]float64) }
	return l, nil
}

// Version names the settings.
func (l *Linear) Version() string { return l.version }

// Config returns the settings. Read only.
func (l *Linear) Config() Config { return l.cfg }

// Pins returns the courses that rules pin for a request.
func (l *Linear) Pins(Request) []string { return nil }

// Rerank scores every candidate and orders by falling score, then rising id. On
// home the list is then arranged: see arrange.
func (l *Linear) Rerank(req Request, candidates []Candidate) Ranked {
	set, by := l.weights.of(&req), l.scoring(&req)
	scratch := l.scratch.Get().(*[]float64)
	defer l.scratch.Put(scratch)
	out := by.score(set, candidates, scratch)
	slices.SortFunc(out, func(a, b Scored) int {
		if a.Score != b.Score {
			return cmp.Compare(b.Score, a.Score)
		}
		return cmp.Compare(candidates[a.Index].Course.ID, candidates[b.Index].Course.ID)
	})
	if req.Surface == lectern.SurfaceHome {
		out = l.arrange(req, out, candidates)
	}
	if req.Depth > 0 && len(out) > req.Depth {
		out = out[:req.Depth:req.Depth]
	}
	by.fill(set, candidates, out, *scratch)
	by.addReasons(set, candidates, out)
	return Ranked{Terms: set.terms, Items: out}
}

// score returns the candidates in their order, each with its score. The values of the
// terms that have a weight go into scratch, one row per candidate.
func (s *scoring) score(set *termSet, candidates []Candidate, scratch *[]float64) []Scored {
	width := len(set.weighs)
	*scratch = slices.Grow((*scratch)[:0], len(candidates)*width)[:len(candidates)*width]
	out := make([]Scored, len(candidates))
	for i := range candidates {
		values := (*scratch)[i*width : (i+1)*width]
		score := 0.0
		for k, j := range set.weighs {
			values[k] = s.value(set.index[j], &candidates[i])
			score += set.terms[j].Weight * values[k]
		}
		out[i].Index, out[i].Score = i, min(score, 1)
	}
	return out
}

// fill gives the items of a list the values of all terms. Those without a weight are
// computed for them alone.
func (s *scoring) fill(set *termSet, candidates []Candidate, items []Scored, scratch []float64) {
	width, weighed := len(set.terms), len(set.weighs)
	backing := make([]float64, len(items)*width)
	for i := range items {
		at := items[i].Index
		known, next := scratch[at*weighed:(at+1)*weighed], 0
		values := backing[i*width : (i+1)*width : (i+1)*width]
		for j, term := range set.index {
			if next < weighed && set.weighs[next] == j {
				values[j] = known[next]
				next++
				continue
			}
			values[j] = s.value(term, &candidates[at])
		}
		items[i].Values = values
	}
}

// arrange is what happens to a home list beyond its scores: what is nearer to what
// the learner turned down than to anything they like goes last, the first places keep
// to the shares of the interests, runs of one provider or category are broken up,
// courses wait for their prerequisites, and twins of a completed course for its
// successor.
func (l *Linear) arrange(req Request, in []Scored, candidates []Candidate) []Scored {
	kept, last := dismissedLast(in, candidates, l.cfg.Lists.DismissedFrom)
	kept = calibrate(kept, candidates, req.Shares, l.cfg.Lists.Calibration.Interests, l.cfg.Lists.CalibratedPlaces)
	if req.Depth > 0 { // what lies far below the list cannot come into it
		kept = kept[:min(len(kept), req.Depth+2*lookAhead)]
	}
	kept = breakRuns(kept, candidates, l.cfg.Lists.MaxProviderRun, l.cfg.Lists.MaxCategoryRun, l.cfg.Lists.MaxVarietyLoss)
	kept = afterPrerequisites(kept, candidates)
	kept = beforeTwins(kept, candidates)
	return append(kept, last...)
}
