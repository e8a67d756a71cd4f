package ope

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Settings documents as targets: the order that other weights and rules give to the
// courses of a recorded list.

// What of a draft is not replayed, or not wholly.
const (
	LostCandidates  = "candidates"  // courses that the draft would bring up from below what is recorded
	LostListMaking  = "list_making" // diversity, runs and shares: they are taken over as they moved courses in the log
	LostLists       = "lists"       // the draft's own settings of those
	LostTerms       = "terms"       // the draft's settings of how terms are computed: values are those of the log
	LostPreferences = "preferences" // what learners' preferences do to weights, of lists by other settings than those in use
	LostRules       = "rules"       // the draft's rules
	LostAudience    = "audience"    // rules for a part of the learners that is not recorded
	LostTerm        = "term:"       // a term that is not recorded, by name: it counts ½ for all
)

// Catalogue knows today's courses.
type Catalogue interface {
	// Facts returns what is known of a course, nil for nothing. Read only.
	Facts(id string) *rerank.Facts
}

// orderer orders recorded lists by a settings document.
type orderer struct {
	weights rerank.Reranker // of the draft
	rules   rerank.Reranker // the draft's rules alone; nil takes what is recorded
	base    rerank.Reranker // in use; nil is unknown
	courses Catalogue
	same    bool // the draft's rules are those in use
	lost    map[string]bool
}

// newOrderer readies a draft. base are the settings in use, and baseName what lists
// call them.
func newOrderer(draft, base rerank.Config, baseName string, courses Catalogue) (*orderer, error) {
	o := &orderer{courses: courses, lost: map[string]bool{LostCandidates: true, LostListMaking: true}}
	var err error
	if o.weights, err = rerank.New(draft, "draft"); err != nil {
		return nil, err
	}
	if o.base, err = rerank.New(base, baseName); err != nil {
		return nil, err
	}
	diff, err := differences(draft, base)
	if err != nil {
		return nil, err
	}
	o.same = true
	for _, path := range diff {
		switch {
		case strings.HasPrefix(path, "rules"):
			o.same = false
		case strings.HasPrefix(path, "lists"):
			o.lost[LostLists] = true
		case strings.HasPrefix(path, "terms"):
			o.lost[LostTerms] = true
		case strings.HasPrefix(path, "preferences"):
			o.lost[LostPreferences] = true
		}
	}
	if courses == nil {
		if !o.same {
			o.lost[LostRules] = true
		}
		return o, nil
	}
	plain := rerank.DefaultConfig()
	plain.Lists = rerank.ListConfig{DuplicatesFrom: 2, LimitedPlaces: plain.Lists.LimitedPlaces, DiversePlaces: plain.Lists.DiversePlaces,
		CalibratedPlaces: plain.Lists.CalibratedPlaces, DismissedFrom: plain.Lists.DismissedFrom}
	for _, r := range draft.Rules {
		if !r.Off && needsMore(r.Audience) {
			o.lost[LostAudience] = true
			continue
		}
		plain.Rules = append(plain.Rules, r)
	}
	if o.rules, err = rerank.New(plain, "rules"); err != nil {
		return nil, err
	}
	return o, nil
}

// differences are the paths at which two documents differ.
func differences(a, b rerank.Config) ([]string, error) {
	bodyA, err := rerank.Document(a)
	if err != nil {
		return nil, err
	}
	bodyB, err := rerank.Document(b)
	if err != nil {
		return nil, err
	}
	changes, err := rerank.DiffDocuments(bodyB, bodyA)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(changes))
	for i, c := range changes {
		out[i] = c.Path
	}
	return out, nil
}

// needsMore reports whether an audience asks for what no list records.
func needsMore(a rerank.Audience) bool {
	return a.MinCourses > 0 || a.MaxCourses != nil || len(a.Languages) > 0 || len(a.Regions) > 0 || len(a.Organisations) > 0 || len(a.Levels) > 0
}

// order returns the list as the draft would lay it out before exploration: its slate
// and whatever stands beside it are in the new order, scores are the draft's. Courses
// that a rule of the draft hides are gone from it. It returns also which item of r each
// of its items is.
func (o *orderer) order(r *lectern.Ranking) (*lectern.Ranking, []int) {
	x := r.Exploration
	weights := o.weightsFor(r)
	scores := make([]float64, len(x.Slate))
	for place, item := range x.Slate {
		scores[place] = score(weights, r.Items[item].Terms)
	}
	ruled := o.applyRules(r, scores)
	shift := offsets(r)
	places := make([]int, 0, len(scores)) // old ones, in the new order
	for place := range scores {
		if !ruled.hidden[place] && ruled.pin[place] < 0 {
			places = append(places, place)
		}
	}
	slices.SortStableFunc(places, func(a, b int) int {
		return cmp.Compare(scores[b]+shift[b], scores[a]+shift[a])
	})
	places, fixed := ruled.insert(places)
	return relaid(r, places, fixed, scores)
}

// weightsFor are the draft's weights for the terms of a list, beside its own.
func (o *orderer) weightsFor(r *lectern.Ranking) []float64 {
	req := requestOf(r)
	wanted := o.weights.Rerank(req, nil).Terms
	var base []lectern.TermWeight
	if o.base.Version() == r.ConfigVersion {
		base = o.base.Rerank(req, nil).Terms
	} else {
		o.lost[LostPreferences] = true
	}
	out, sum := make([]float64, len(r.Weights)), 0.0
	for _, w := range wanted {
		at := slices.IndexFunc(r.Weights, func(t lectern.TermWeight) bool { return t.Name == w.Name })
		if at < 0 {
			if w.Weight > 0 {
				o.lost[LostTerm+w.Name] = true
				sum += w.Weight
			}
			continue
		}
		out[at] = w.Weight * leaning(base, r.Weights[at])
		sum += out[at]
	}
	for i := range out {
		out[i] /= max(sum, math.SmallestNonzeroFloat64)
	}
	return out
}

// requestOf is what the reranker was asked for a list: the home list is the row for_you,
// and some rows have the weights of another surface while they have none of their own.
func requestOf(r *lectern.Ranking) rerank.Request {
	req := rerank.Request{Surface: r.Surface, Row: r.Row, At: r.CreatedAt}
	switch {
	case r.Surface == lectern.SurfaceHome && r.Row == "":
		req.Row = lectern.RowForYou
	case r.Row == lectern.RowBecause:
		req.Surface = lectern.SurfaceSimilar
	case r.Row == lectern.RowNext:
		req.Surface = lectern.SurfaceNext
	case r.Row == lectern.RowTrending:
		req.Surface = lectern.SurfaceTrending
	}
	return req
}

// leaning is by how much a learner's preferences multiplied a weight, up to a factor
// that all weights of the list share.
func leaning(base []lectern.TermWeight, recorded lectern.TermWeight) float64 {
	for _, b := range base {
		if b.Name == recorded.Name && b.Weight > 0 && recorded.Weight > 0 {
			return recorded.Weight / b.Weight
		}
	}
	return 1
}

// score is Σ weight × value; a value that is missing is neutral.
func score(weights, values []float64) float64 {
	sum := 0.0
	for i, w := range weights {
		if i < len(values) {
			sum += w * values[i]
		} else {
			sum += w / 2
		}
	}
	return min(sum, 1)
}

// offsets say, for each place of a list as it stood, by how much list making moved its
// course against its score: the score that a course of that place has by order of
// scores, less its own. With them scores that are those of the log give the log's order.
func offsets(r *lectern.Ranking) []float64 {
	x := r.Exploration
	out := make([]float64, len(x.Slate))
	var free []int
	var sorted []float64
	for place, item := range x.Slate {
		if !slices.Contains(x.Fixed, place) {
			free = append(free, place)
			sorted = append(sorted, r.Items[item].Score)
		}
	}
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(b, a) })
	for i, place := range free {
		out[place] = sorted[i] - r.Items[x.Slate[place]].Score
	}
	return out
}

// ruling is what rules make of the places of a list.
type ruling struct {
	hidden []bool
	pin    []int // place that a rule gives it; −1 is none
}

// applyRules adjusts scores by the draft's rules, and finds what they hide and pin. For
// lists by the settings in use whose rules are the draft's, too, what is recorded holds.
func (o *orderer) applyRules(r *lectern.Ranking, scores []float64) ruling {
	x := r.Exploration
	out := ruling{hidden: make([]bool, len(scores)), pin: make([]int, len(scores))}
	for place := range out.pin {
		out.pin[place] = -1
	}
	if o.rules == nil || o.same && r.ConfigVersion == o.base.Version() {
		for place, item := range x.Slate {
			scores[place] = adjusted(scores[place], r.Items[item].Adjusted)
			if slices.Contains(x.Fixed, place) {
				out.pin[place] = place
			}
		}
		return out
	}
	req := requestOf(r)
	req.Who.SignedIn = x.Segment == lectern.SegmentNew || x.Segment == lectern.SegmentActive
	var candidates []rerank.Candidate
	var of []int
	for place, item := range x.Slate {
		if f := o.courses.Facts(r.Items[item].CourseID); f != nil {
			candidates = append(candidates, rerank.Candidate{Course: f})
			of = append(of, place)
			out.hidden[place] = true // unless it is ranked
		}
	}
	for at, s := range o.rules.Rerank(req, candidates).Items {
		place := of[s.Index]
		out.hidden[place] = false
		scores[place] = adjusted(scores[place], s.Adjusted)
		if s.Pinned != "" {
			out.pin[place] = at
		}
	}
	return out
}

// adjusted is a score after boosts and buries, whose weights are their strengths.
func adjusted(score float64, by []lectern.Term) float64 {
	for _, t := range by {
		if t.Weight >= 0 {
			score += t.Weight * (1 - score)
		} else {
			score += t.Weight * score
		}
	}
	return score
}

// insert puts pinned courses at their places among the others, and returns these places.
func (u *ruling) insert(places []int) (out, fixed []int) {
	pins := map[int]int{} // new place → old one
	for place, pin := range u.pin {
		if pin >= 0 && !u.hidden[place] {
			pins[pin] = place
		}
	}
	out = places
	for _, at := range slices.Sorted(maps.Keys(pins)) {
		to := min(at, len(out))
		out = slices.Insert(out, to, pins[at])
		fixed = append(fixed, to)
	}
	return out, fixed
}

// relaid is a list with its slate in another order: its items stand in that order, too,
// without those that are gone. It returns also which item of r each of them is.
func relaid(r *lectern.Ranking, places, fixed []int, scores []float64) (*lectern.Ranking, []int) {
	old := r.Exploration
	out, x := *r, *old
	out.Exploration = &x
	out.Items = make([]lectern.RankedItem, len(places))
	x.Fixed = fixed
	x.Slate, x.Age, x.Evidence, x.Provider = make([]int, len(places)), nil, nil, nil
	origin := make([]int, len(places))
	at := make([]int, len(old.Slate)) // old place → new one
	for i := range at {
		at[i] = -1
	}
	for i, place := range places {
		at[place], x.Slate[i], origin[i] = i, i, old.Slate[place]
		out.Items[i] = r.Items[origin[i]]
		out.Items[i].Score = scores[place]
		x.Age, x.Evidence = append(x.Age, old.Age[place]), append(x.Evidence, old.Evidence[place])
		x.Provider = append(x.Provider, old.Provider[place])
	}
	x.Pool, x.Owed = pooled(old, at), moved(old.Owed, at)
	x.Places = slices.DeleteFunc(slices.Clone(old.Places), func(p int) bool {
		return p >= len(x.Slate) || slices.Contains(fixed, p)
	})
	return &out, origin
}

// pooled is the pool in another order: the courses that were in it, and those that stood
// above the first exploring place and do no longer.
func pooled(old *lectern.Exploration, at []int) []int {
	if len(old.Places) == 0 {
		return nil
	}
	first := old.Places[0]
	in := moved(old.Pool, at)
	for place := range min(first, len(at)) {
		if at[place] >= first && !slices.Contains(old.Fixed, place) {
			in = append(in, at[place])
		}
	}
	slices.Sort(in)
	return slices.Compact(in)
}

// moved translates old places into new ones, in order; those that are gone are left out.
func moved(places, at []int) []int {
	var out []int
	for _, p := range places {
		if p < len(at) && at[p] >= 0 {
			out = append(out, at[p])
		}
	}
	slices.Sort(out)
	return out
}
