package retrieve

import (
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// configured is a reranker whose limits can be read. *rerank.Linear is one.
type configured interface{ Config() rerank.Config }

var _ configured = (*rerank.Linear)(nil)

// settled is an explorer whose settings have a name: pages of others are not served.
type settled interface{ SettingsName() string }

// willing is an explorer that can tell whether anything at all is tried out on somebody.
type willing interface {
	Tries(ref lectern.LearnerRef, allowed bool) bool
}

// drawsLots reports whether a row that is in the order of lots may be so: exploration has
// one switch, and protects whom it protects there, too. Evaluations without an explorer
// draw.
func (e *Engine) drawsLots(p *pass, row lectern.Row) bool {
	x, ok := e.Explorer.(willing)
	return !ok || !p.trialFor(row).Plain && x.Tries(p.req.Learner, p.allowsExploring())
}

// explored fills the exploring places of a list that is served. What is about to be
// recorded is put in the order that comes of it, with how that came about; nil where
// nothing is explored. about is the course that a row is about.
func (e *Engine) explored(p *pass, name lectern.Row, about string, candidates []rerank.Candidate, scored []rerank.Scored, weights []lectern.TermWeight) *lectern.Exploration {
	assigned := p.trialFor(name)
	if e.Explorer == nil || !p.served || assigned.Plain || assigned.Interleaved != nil || len(scored) == 0 || p.sortKey() != nil {
		return nil
	}
	room, _ := e.trials.Get().(*trialRoom)
	if room == nil {
		room = new(trialRoom)
	}
	defer func() { e.trials.Put(room.cleared()) }()
	req := &room.req
	*req = lectern.ExploreRequest{
		Learner: p.req.Learner, Surface: p.req.Surface, Row: name, About: about, Segment: p.segment, At: p.at,
		Allowed: p.allowsExploring(), Served: p.req.Limit, Policy: assigned.Policy,
		Terms: weights, Items: slices.Grow(req.Items[:0], len(scored))[:len(scored)],
	}
	switch {
	case about != "":
	case p.req.Surface == lectern.SurfaceSearch:
		req.About = p.req.Query
	default:
		req.About = p.req.CourseID
	}
	if c, ok := p.rankerOf(name).(configured); ok {
		lists := c.Config().Lists
		req.PerProvider, req.LimitedPlaces = lists.MaxPerProvider, lists.LimitedPlaces
	}
	held := p.heldBack(name, candidates, scored)
	for i, s := range scored {
		f := candidates[s.Index].Course
		req.Items[i] = lectern.ExploreItem{
			CourseID: f.ID, Provider: f.Provider, Score: s.Score, Values: s.Values, Fixed: s.Pinned != "", Held: held(i),
			Age: p.ageOf(f), Evidence: rounded(f.RatingWeight + f.Views),
		}
	}
	order, x := e.Explorer.Explore(req)
	if x == nil {
		return nil
	}
	room.before = append(room.before[:0], scored[:len(x.Slate)]...) // beyond it nothing moved
	for at, i := range order[:len(x.Slate)] {
		scored[at] = room.before[i]
	}
	for _, at := range x.Places {
		if s := &scored[at]; len(s.Reasons) > 0 && raised(order[:len(x.Slate)], at, req) {
			s.Reasons = append(s.Reasons, lectern.Reason{Code: rerank.ReasonExploring})
		}
	}
	return x
}

// trialRoom is memory for what an explorer is asked, used again: an explorer keeps none
// of it.
type trialRoom struct {
	req    lectern.ExploreRequest
	before []rerank.Scored
}

// cleared holds nobody's courses.
func (r *trialRoom) cleared() *trialRoom {
	clear(r.req.Items)
	clear(r.before)
	r.req = lectern.ExploreRequest{Items: r.req.Items[:0]}
	r.before = r.before[:0]
	return r
}

// raised reports whether what was put at a place would have stood lower.
func raised(order []int, at int, req *lectern.ExploreRequest) bool {
	return slices.ContainsFunc(order[at+1:], func(i int) bool { return i < order[at] && !req.Items[i].Fixed })
}

// ageOf is how many days ago a course came out, to the hundredth; below 0 is unknown.
func (p *pass) ageOf(f *rerank.Facts) float64 {
	if f.PublishedAt.IsZero() {
		return -1
	}
	return rounded(max(0, p.at.Sub(f.PublishedAt).Hours()/24))
}

// rounded keeps records short.
func rounded(x float64) float64 { return math.Round(x*100) / 100 }

// allowsExploring reports whether anything may be tried out on who asks. Of somebody
// who cannot be read nobody knows.
func (p *pass) allowsExploring() bool {
	l := &p.profile.Learner
	if l.Minor || slices.Contains(p.degraded, DegradedProfile) {
		return false
	}
	consent := lectern.DefaultConsent()
	if l.Consent != nil {
		consent = *l.Consent
	}
	return consent.Personalisation && consent.Exploration
}

// heldBack tells which courses of a list may not rise: those that wait for another one
// in it, that teach a completed course again, or are near what was turned down.
func (p *pass) heldBack(name lectern.Row, candidates []rerank.Candidate, scored []rerank.Scored) func(i int) bool {
	from := 2.0 // no cosine
	if c, ok := p.rankerOf(name).(configured); ok && p.req.Surface == lectern.SurfaceHome {
		from = c.Config().Lists.DismissedFrom
	}
	var listed map[string]bool
	waits := func(c *rerank.Candidate) bool {
		if len(c.Missing) == 0 {
			return false
		}
		if listed == nil {
			listed = make(map[string]bool, len(scored))
			for _, s := range scored {
				listed[candidates[s.Index].Course.ID] = true
			}
		}
		return slices.ContainsFunc(c.Missing, func(id string) bool { return listed[id] })
	}
	return func(i int) bool {
		c := &candidates[scored[i].Index]
		return c.TwinOf != "" || c.Away.Known && c.Away.Value >= from && c.Away.Value > c.Similarity.Value || waits(c)
	}
}

// explore notes in a record how places were filled. The probabilities of what may have
// changed are not known before it is finished, which 0 says.
func explore(r *lectern.Ranking, x *lectern.Exploration) {
	if x == nil || len(x.Places) == 0 {
		return
	}
	r.Exploration = x
	for at := x.Places[0]; at < min(len(x.Slate), len(r.Items)); at++ {
		r.Items[at].Propensity = 0
	}
}
