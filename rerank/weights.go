package rerank

import (
	"math"
	"slices"
	"sync/atomic"

	"github.com/lectern-dev/lectern"
)

// termSet is what takes part in one kind of list. It is shared: read only.
type termSet struct {
	terms  []lectern.TermWeight // every term that applies, those of weight 0 too; the weights sum to 1
	index  []int                // term constants, in the same order
	weighs []int                // places in terms of those with a weight
}

// leanings is how many combinations of preferences there are: none, less or more of
// each.
const leanings = 3 * 3 * 3 * 3 * 3

// compiled are the weights of one surface or row, with a set for every combination of
// preferences, made when it is first asked for.
type compiled struct {
	weights [termCount]float64 // 0 for what does not apply
	applies [termCount]bool
	sets    [leanings]atomic.Pointer[termSet]
}

// weightBook finds the terms of a request. It is safe for concurrent use.
type weightBook struct {
	surfaces map[lectern.Surface]*compiled
	rows     map[lectern.Row]*compiled
	bounds   PreferenceConfig
}

// newWeightBook compiles usable settings.
func newWeightBook(cfg Config) weightBook {
	b := weightBook{
		surfaces: make(map[lectern.Surface]*compiled), rows: make(map[lectern.Row]*compiled), bounds: cfg.Preferences,
	}
	for _, s := range surfaces() {
		b.surfaces[s] = compile(cfg.Weights.of(s), cfg.Disabled, s == lectern.SurfaceSearch)
	}
	for row, w := range cfg.Weights.Rows {
		b.rows[row] = compile(w, cfg.Disabled, false)
	}
	return b
}

func compile(w TermWeights, disabled []string, search bool) *compiled {
	c := &compiled{weights: w.vector()}
	for i := range c.weights {
		c.applies[i] = applies(i, search) && !slices.Contains(disabled, termNames[i])
		if !c.applies[i] {
			c.weights[i] = 0
		}
	}
	c.sets[0].Store(c.set(c.weights))
	return c
}

// applies reports whether a term has anything to say on a surface: relevance and
// skills are about queries.
func applies(term int, search bool) bool {
	return search || term != termRelevance && term != termSkill
}

// set lays weights out, divided by their sum.
func (c *compiled) set(weights [termCount]float64) *termSet {
	sum := 0.0
	for _, weight := range weights {
		sum += weight
	}
	out := &termSet{}
	for i, weight := range weights {
		if !c.applies[i] {
			continue
		}
		if weight > 0 {
			out.weighs = append(out.weighs, len(out.terms))
		}
		out.terms = append(out.terms, lectern.TermWeight{Name: termNames[i], Weight: weight / sum})
		out.index = append(out.index, i)
	}
	out.terms = slices.Clip(out.terms)
	return out
}

// of returns the terms of a request: those of its row where it has weights, else of its
// surface, multiplied by what the learner prefers. Nothing is allocated but the first
// time.
func (b *weightBook) of(req *Request) *termSet {
	c, ok := b.rows[req.Row]
	if !ok {
		c, ok = b.surfaces[req.Surface]
	}
	if !ok {
		c = b.surfaces[lectern.SurfaceHome]
	}
	at := 0
	if len(req.Preferences) > 0 {
		at = leaningsOf(req)
	}
	if set := c.sets[at].Load(); set != nil {
		return set
	}
	set := c.set(b.preferred(c.weights, req))
	c.sets[at].Store(set)
	return set
}

// leaningsOf numbers the combination of a request's preferences; 0 is none.
func leaningsOf(req *Request) int {
	at := 0
	for _, p := range [...]lectern.Preference{
		lectern.PreferPopular, lectern.PreferNew, lectern.PreferDifferent, lectern.PreferShort, lectern.PreferChallenging,
	} {
		at *= 3
		switch req.Preferences[p] {
		case lectern.LeanLess:
			at++
		case lectern.LeanMore:
			at += 2
		}
	}
	return at
}

// preferred multiplies weights by what the learner wants more or less of. Weights that
// would all be gone stay as they are.
func (b *weightBook) preferred(weights [termCount]float64, req *Request) [termCount]float64 {
	out := weights
	for p, terms := range map[lectern.Preference][]int{
		lectern.PreferPopular:     {termPopularity, termTrend},
		lectern.PreferNew:         {termFreshness},
		lectern.PreferDifferent:   {termNovelty},
		lectern.PreferShort:       {termTime},
		lectern.PreferChallenging: {termLevel},
	} {
		for _, term := range terms {
			out[term] *= b.bounds.factor(req, p)
		}
	}
	if slices.Max(out[:]) == 0 {
		return weights
	}
	return out
}

// factor is by what a request multiplies what a preference is about; 1 changes nothing.
func (c *PreferenceConfig) factor(req *Request, p lectern.Preference) float64 {
	var b Bounds
	switch p {
	case lectern.PreferPopular:
		b = c.Popular
	case lectern.PreferNew:
		b = c.New
	case lectern.PreferDifferent:
		b = c.Different
	case lectern.PreferShort:
		b = c.Short
	case lectern.PreferChallenging:
		b = c.Challenging
	}
	switch req.Preferences[p] {
	case lectern.LeanLess:
		return b.Less
	case lectern.LeanMore:
		return b.More
	}
	return 1
}

// wantedLevel is the level that a list is made for: one step above or below the
// learner's where they want it more or less challenging, as far as there is one and the
// bounds let them.
func (c *PreferenceConfig) wantedLevel(req *Request) lectern.Level {
	step := levelStep(req.Level)
	if len(req.Preferences) == 0 || step == 0 || c.factor(req, lectern.PreferChallenging) == 1 {
		return req.Level
	}
	switch req.Preferences[lectern.PreferChallenging] {
	case lectern.LeanLess:
		step--
	case lectern.LeanMore:
		step++
	}
	return [...]lectern.Level{lectern.LevelBeginner, lectern.LevelIntermediate, lectern.LevelAdvanced}[min(max(step, 1), 3)-1]
}

// problems names the surfaces and rows that have no weight for a term that takes part
// there, and rows that there are not. Single weights are checked by fieldProblems.
func (w Weights) problems(disabled []string) []lectern.FieldError {
	v := checker{prefix: "rerank.weights."}
	for _, s := range surfaces() {
		v.weights(string(s), w.of(s), disabled, s == lectern.SurfaceSearch)
	}
	known := lectern.Rows()
	for _, row := range sortedRows(w.Rows) {
		if !slices.Contains(known, row) {
			v.check(false, "rows."+string(row), string(row), list(known))
			continue
		}
		v.weights("rows."+string(row), w.Rows[row], disabled, false)
	}
	return v.bad
}

func (v *checker) weights(key string, w TermWeights, disabled []string, search bool) {
	sum, fine := 0.0, true
	for i, weight := range w.vector() {
		ok := finite(weight) && weight >= 0
		fine = fine && ok
		if applies(i, search) && !slices.Contains(disabled, termNames[i]) {
			sum += weight
		}
	}
	// Where a weight is wrong by itself, their sum says nothing more.
	v.check(!fine || sum > 0 && !math.IsInf(sum, 0), key, sum, "at least one weight over 0 of a term that takes part")
}

func sortedRows(rows map[lectern.Row]TermWeights) []lectern.Row {
	out := make([]lectern.Row, 0, len(rows))
	for row := range rows {
		out = append(out, row)
	}
	slices.Sort(out)
	return out
}
