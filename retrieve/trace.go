package retrieve

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// The stages of a trace, in order, and the outcome of a course that passed all.
const (
	StageExists      = "exists"      // the store has the course
	StageLearner     = "learner"     // who asks; never loses a course
	StageIndexed     = "indexed"     // ranking holds it in memory
	StageEligibility = "eligibility" // status, enrolment window, region, organisation
	StageFilters     = "filters"     // the caller's own
	StageSeen        = "seen"        // home: taken or refused before
	StageCandidates  = "candidates"  // a source brought it
	StageScored      = "scored"      // its terms were summed
	StageDepth       = "depth"       // its place is within the list

	OutcomeRanked = "ranked"
)

// Trace follows one course through the stages of a list. Its score is computed
// wherever the course was lost. Lists similar to a course cannot be traced.
func (e *Engine) Trace(ctx context.Context, req lectern.TraceRequest) (lectern.Trace, error) {
	if req.Surface == "" {
		req.Surface = lectern.SurfaceHome
	}
	if req.CourseID == "" {
		return lectern.Trace{}, lectern.Invalid("no course to trace",
			lectern.NewFieldError("course", "", "is empty", "the id of a course"))
	}
	if req.Surface == lectern.SurfaceSimilar {
		return lectern.Trace{}, lectern.Invalid("this surface cannot be traced",
			lectern.NewFieldError("surface", req.Surface, "names no course to be similar to", "home, search"))
	}
	list := lectern.ListRequest{Surface: req.Surface, Learner: req.Learner, Query: req.Query, Filter: req.Filter, Limit: 1}
	if err := checkRequest(list); err != nil {
		return lectern.Trace{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, e.cfg.Budgets.Courses)
	defer cancel()
	found, err := e.Courses.Courses(bounded, []string{req.CourseID})
	if err != nil {
		return lectern.Trace{}, unavailable(ctx, "the course could not be read", err)
	}
	if len(found) == 0 {
		return lectern.Trace{}, lectern.Errorf(lectern.CodeNotFound, "there is no course %q", req.CourseID)
	}
	p := e.newPass(list)
	p.served = true // as it would be
	return e.follow(ctx, p, found[0])
}

// follow runs the stages with the course among the candidates, and lays out what
// became of it.
func (e *Engine) follow(ctx context.Context, p *pass, course lectern.Course) (lectern.Trace, error) {
	if err := e.prepare(ctx, p); err != nil {
		return lectern.Trace{}, err
	}
	if err := e.gather(ctx, p); err != nil {
		return lectern.Trace{}, err
	}
	e.unite(p)
	e.pin(p)
	held := e.Catalog.get(course.ID)
	en := held
	if en == nil {
		en = e.Catalog.newEntry(course, lectern.CourseStats{CourseID: course.ID})
	}
	at := slices.IndexFunc(p.entries, func(x *entry) bool { return x.facts.ID == course.ID })
	candidate := at >= 0
	if !candidate {
		at = len(p.entries)
		p.append(en, nil)
	}
	if err := e.measure(ctx, p); err != nil {
		return lectern.Trace{}, err
	}
	ranked := p.reranker.Rerank(e.rerankRequest(p, 0), p.candidates)
	p.weights = ranked.Terms
	scored := ranked.Items
	t := tracer{Trace: lectern.Trace{CourseID: course.ID, ConfigVersion: p.reranker.Version()}}
	t.pass(StageExists, fmt.Sprintf("the store has it: %q", course.Title))
	t.pass(StageLearner, p.whoAsks())
	t.check(StageIndexed, held != nil, "memory holds it", "it is stored, but memory does not hold it yet")
	t.checkSame(StageEligibility, p.match.ineligible(&en.payload) == "", p.match.ineligibleDetail(&en.payload))
	t.checkSame(StageFilters, p.match.filtered(course.ID, &en.payload) == "", p.match.filteredDetail(course.ID, &en.payload))
	if p.req.Surface == lectern.SurfaceHome {
		state, seen := p.seen[course.ID]
		t.check(StageSeen, !seen, "the learner has neither taken nor refused it",
			"the learner has "+states(state)+" it; home leaves such courses out")
	}
	t.checkSame(StageCandidates, candidate, p.sourcesDetail(at, candidate))
	e.place(&t, p, scored, at, candidate)
	if t.Outcome == "" {
		t.Outcome = OutcomeRanked
	}
	return t.Trace, nil
}

// place adds the score and the position.
func (e *Engine) place(t *tracer, p *pass, scored []rerank.Scored, at int, candidate bool) {
	position := slices.IndexFunc(scored, func(s rerank.Scored) bool { return s.Index == at })
	if position < 0 {
		t.check(StageScored, false, "", e.leftOut(p, scored, at))
		return
	}
	s := scored[position]
	t.Score = s.Score
	t.Terms = rerank.Explain(p.weights, s.Values, s.Adjusted)
	t.pass(StageScored, fmt.Sprintf("%.6f, the sum of %d terms, among %d candidates", s.Score, len(t.Terms), len(scored)))
	within := candidate && position < e.cfg.Depth
	detail := fmt.Sprintf("place %d of %d; the list holds %d", position, len(scored), e.cfg.Depth)
	if s.Pinned != "" {
		detail += fmt.Sprintf("; the rule %q put it there", s.Pinned)
	}
	if within && t.Outcome == "" {
		t.Position = &position
	}
	t.checkSame(StageDepth, within, detail)
}

// hider is a reranker that says which rule hides a course. *rerank.Linear is one.
type hider interface {
	HiddenBy(req rerank.Request, f *rerank.Facts) string
}

// leftOut says why the reranker left a candidate out.
func (e *Engine) leftOut(p *pass, scored []rerank.Scored, at int) string {
	for _, s := range scored {
		if slices.Contains(s.Duplicates, at) {
			return fmt.Sprintf("it teaches the same as %q, which is listed in its place", p.candidates[s.Index].Course.ID)
		}
	}
	if h, ok := p.reranker.(hider); ok {
		if rule := h.HiddenBy(e.rerankRequest(p, 0), p.candidates[at].Course); rule != "" {
			return fmt.Sprintf("the rule %q hides it", rule)
		}
	}
	return "the reranker left it out"
}

// tracer gathers stages until one loses the course.
type tracer struct{ lectern.Trace }

func (t *tracer) pass(stage, detail string) { t.checkSame(stage, true, detail) }

func (t *tracer) check(stage string, ok bool, passed, lost string) {
	if ok {
		t.checkSame(stage, true, passed)
		return
	}
	t.checkSame(stage, false, lost)
}

func (t *tracer) checkSame(stage string, ok bool, detail string) {
	if t.Outcome != "" {
		return
	}
	t.Stages = append(t.Stages, lectern.TraceStage{Stage: stage, Passed: ok, Detail: detail})
	if !ok {
		t.Outcome = stage
	}
}

// whoAsks says in a sentence what the list knows of the learner.
func (p *pass) whoAsks() string {
	switch {
	case slices.Contains(p.degraded, DegradedProfile):
		return "the learner could not be read; a list for nobody"
	case p.req.Learner.IsZero():
		return "no learner is named; a list for nobody"
	case p.profile.Version == 0 && p.profile.Learner.ID == "":
		return "the learner is unknown; a list for nobody"
	case !p.taste.Personal:
		return "the learner does not allow personal lists; only eligibility and what was seen count"
	}
	return fmt.Sprintf("profile version %d with %d courses, %d stated interests and %d taste vectors",
		p.profile.Version, len(p.profile.Entries), len(p.taste.Interests), len(p.taste.Vectors))
}

// sourcesDetail says for each source where the course stands in it.
func (p *pass) sourcesDetail(at int, candidate bool) string {
	en, c := p.entries[at], &p.candidates[at]
	var parts []string
	for _, s := range p.sources {
		rank := slices.IndexFunc(s.hits, func(h lectern.Hit) bool { return h.ID == en.facts.ID })
		if rank >= 0 {
			parts = append(parts, fmt.Sprintf("%s: place %d of %d (%s %.3f)", s.name, rank, len(s.hits), s.unit, s.hits[rank].Score))
			continue
		}
		part := fmt.Sprintf("%s: not within the top %d", s.name, s.limit)
		switch s.name {
		case SourceProfile, SourceContent:
			if c.Similarity.Known {
				part += fmt.Sprintf(" (cosine %.3f", p.cosines[at])
				if len(s.hits) > 0 {
					part += fmt.Sprintf(", the last one has %.3f", s.hits[len(s.hits)-1].Score)
				}
				part += ")"
			}
		case SourceReviews:
			part = fmt.Sprintf("reviews: none, or no nearer than reviews are at large (cosine %.3f)", p.usual)
		case SourcePopular:
			part += fmt.Sprintf(" (popularity %.3f)", en.facts.Popularity.Value)
		case SourceNew:
			part += " (" + age(en, p) + ")"
		case SourceTitle:
			part = "title: the query is not its title"
		}
		parts = append(parts, part)
	}
	if why, ok := p.dropped[en.facts.ID]; ok && !candidate {
		parts = append(parts, why)
	}
	if slices.Contains(c.Sources, SourcePinned) {
		parts = append(parts, "a rule pins it to the list")
	}
	if len(parts) == 0 {
		return "no source had anything to ask for"
	}
	return strings.Join(parts, "; ")
}

func age(en *entry, p *pass) string {
	if en.facts.FreshAt.IsZero() {
		return "it has no date"
	}
	return fmt.Sprintf("%.0f days old", p.daysOld(en))
}

// states names the states of a course, most telling first.
func states(s lectern.CourseState) string {
	var out []string
	for _, x := range []struct {
		bit  lectern.CourseState
		word string
	}{
		{lectern.StateCompleted, "completed"}, {lectern.StateDropped, "dropped"}, {lectern.StateDismissed, "dismissed"},
		{lectern.StateEnrolled, "enrolled in"}, {lectern.StateProgressed, "worked on"}, {lectern.StateRated, "rated"}, {lectern.StateLeftOut, "given feedback on"},
	} {
		if s&x.bit != 0 {
			out = append(out, x.word)
		}
	}
	return strings.Join(out, ", ")
}
