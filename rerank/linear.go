package rerank

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Linear scores by a weighted sum of terms. It is safe for concurrent use.
type Linear struct {
	cfg     Config
	version string
	weights weightBook
	recent  int       // which of Facts.Recent is for the half-life of ratings; -1 is none
	params  sync.Pool // of sharedParams
	rules   *rulebook
	lists   sync.Pool // of *slate
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
		rules:   newRulebook(cfg.Rules),
		recent:  recentOf(cfg.Terms.RatingHalfLifeDays),

		freshFor: days(cfg.Terms.FreshnessHalfLifeDays),
		ratedFor: days(cfg.Terms.RatingHalfLifeDays),
	}
	l.params.New = func() any { return make(sharedParams) }
	l.lists.New = func() any { return new(slate) }
	return l, nil
}

// Version names the settings.
func (l *Linear) Version() string { return l.version }

// Config returns the settings. Read only.
func (l *Linear) Config() Config { return l.cfg }

// Rerank scores every candidate, applies the rules and puts the list in order: see
// slate.arrange.
func (l *Linear) Rerank(req Request, candidates []Candidate) Ranked {
	set, by := l.weights.of(&req), l.scoring(&req)
	s := l.lists.Get().(*slate)
	defer l.lists.Put(s)
	by.score(set, candidates, s)
	s.begin(l, &req, candidates)
	defer s.end()
	s.arrange()
	out := s.items()
	by.fill(set, candidates, out, s.values)
	by.addReasons(set, candidates, out)
	return Ranked{Terms: set.terms, Items: out}
}

// score gives every candidate its score, and keeps the values of the terms that have a
// weight, one row per candidate.
func (s *scoring) score(set *termSet, candidates []Candidate, into *slate) {
	width := len(set.weighs)
	into.values = slices.Grow(into.values[:0], len(candidates)*width)[:len(candidates)*width]
	into.scores = slices.Grow(into.scores[:0], len(candidates))[:len(candidates)]
	for i := range candidates {
		values := into.values[i*width : (i+1)*width]
		score := 0.0
		for k, j := range set.weighs {
			values[k] = s.value(set.index[j], &candidates[i])
			score += set.terms[j].Weight * values[k]
		}
		into.scores[i] = min(score, 1)
	}
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
