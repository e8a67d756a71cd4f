package retrieve

import (
	"context"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Bounds of what one list holds against each other.
const (
	leading     = 200 // candidates whose vectors are read where they tell duplicates alone
	touchedMost = 20  // courses of the learner, the latest, that novelty is told from
	goalMost    = 20  // skills of a goal, the most important
	goalNames   = 3   // of them are named of one course
)

// goalSure is how surely a course must teach a skill of the goal for that to be said.
const goalSure = 0.4

// listMaker is a reranker whose lists depend on how near courses are to each other.
// *rerank.Linear is one.
type listMaker interface{ Config() rerank.Config }

// comparesCourses reports whether lists of this surface spread out what is near to each
// other, and whether they leave out duplicates.
func (p *pass) comparesCourses() (diverse, distinct bool) {
	for _, r := range p.rankers() {
		if l, ok := r.(listMaker); ok {
			c := l.Config().Lists
			diverse = diverse || c.DiversePlaces > 0 && diversityOf(c.Diversity, p.req.Surface) > 0
			distinct = distinct || c.DuplicatesFrom <= 1
		}
	}
	return diverse, distinct
}

func diversityOf(d rerank.PerSurface, s lectern.Surface) float64 {
	switch s {
	case lectern.SurfaceSearch:
		return d.Search
	case lectern.SurfaceSimilar:
		return d.Similar
	case lectern.SurfaceNext:
		return d.Next
	case lectern.SurfaceTrending:
		return d.Trending
	}
	return max(d.Home, d.Similar, d.Next, d.Trending) // rows are scored as several surfaces
}

// readVectors reads the candidates' vectors: all of them where a taste is held against
// them or they are spread out, since one without a vector would seem unlike all others;
// and the leading ones where only duplicates are looked for. With them come those of the
// courses that the learner touched. Where no taste needs them, a slow index is not waited
// for.
func (e *Engine) readVectors(ctx context.Context, p *pass) error {
	if p.embedder == nil || p.away || len(p.candidates) == 0 {
		return nil
	}
	t := &p.taste
	tasted := len(t.Vectors) > 0 || t.Away != nil || t.Recent != nil || len(p.seedVectors) > 0
	first, read := len(p.entries), p.patience.view
	if !tasted {
		diverse, distinct := p.comparesCourses()
		if !diverse && !distinct {
			return nil
		}
		if read = p.patience.glance; !diverse {
			first = min(leading, p.common) // and what rules pin, which comes last
		}
	}
	touched := p.touchedIDs()
	ids := make([]string, 0, len(p.entries)+len(touched))
	for i, en := range p.entries {
		if i < first || i >= p.common {
			ids = append(ids, en.facts.ID)
		}
	}
	ids = append(ids, touched...)
	vectors, err := read(ctx, lectern.VectorContent, ids)
	switch {
	case err == nil && len(vectors) == len(ids):
		own := len(ids) - len(touched)
		p.vectors, p.touched = vectors[:own:own], vectors[own:]
		if missing := len(p.entries) - own; missing > 0 {
			p.vectors = slices.Insert(p.vectors, first, make([][]float32, missing)...)
		}
	case ctx.Err() != nil:
		return overdue(ctx)
	case tasted:
		e.Logger.WarnContext(ctx, "vectors not read; scoring without similarity", "error", err)
		p.degrade(DegradedSemantic)
	default:
		e.Logger.WarnContext(ctx, "vectors not read; listing without diversity", "error", err)
	}
	return nil
}

// touchedIDs are the courses that the learner did something with, the latest first, but
// for the liked ones, whose vectors the taste has.
func (p *pass) touchedIDs() []string {
	if len(p.taste.Touched) == 0 {
		return nil
	}
	liked := make(map[string]bool, len(p.taste.Liked))
	for _, l := range p.taste.Liked {
		liked[l.CourseID] = l.Vector != nil
	}
	var out []string
	for i := len(p.taste.Touched) - 1; i >= 0 && len(out) < touchedMost; i-- {
		if id := p.taste.Touched[i].CourseID; !liked[id] {
			out = append(out, id)
		}
	}
	return out
}

// measureNovelty finds the liked course that is nearest to each candidate, and how unlike
// it is to all that the learner touched. A few candidates are held against one course
// after the other, so that neither leaves the processor's cache.
func (p *pass) measureNovelty(liked []likedCourse) {
	const few = 8
	if p.vectors == nil {
		return
	}
	for from := 0; from < len(p.candidates); from += few {
		some := p.candidates[from:min(from+few, len(p.candidates))]
		vectors := p.vectors[from : from+len(some)]
		for k := range liked {
			for i, v := range vectors {
				measureNearest(&some[i], v, &liked[k])
			}
		}
		var best [few]float64
		var known [few]bool
		for _, o := range p.touched {
			for i, v := range vectors {
				if v == nil || len(o) != len(v) {
					continue
				}
				if s := dot(v, o); !known[i] || s > best[i] {
					best[i], known[i] = s, true
				}
			}
		}
		for i := range some {
			p.setNovelty(&some[i], best[i], known[i])
		}
	}
}

// setNovelty takes the nearest of the liked and of the other courses that the learner
// touched, if any is known. A course that they touched themselves is nothing new.
func (p *pass) setNovelty(c *rerank.Candidate, nearestOf float64, known bool) {
	if c.NearestID != "" && (!known || c.NearestSim > nearestOf) {
		nearestOf, known = c.NearestSim, true
	}
	if _, own := p.states[c.Course.ID]; own && known {
		nearestOf = 1
	}
	if known {
		c.Novelty = rerank.Known(1 - max(0, nearestOf))
	}
}

// measureGoal lays over the candidates which of the skills that the goal asks for, and the
// learner lacks, they teach: Σ w × sure / Σ w with w = 1/(1 + place).
func (e *Engine) measureGoal(p *pass) {
	wanted := p.taste.Wanted[:min(len(p.taste.Wanted), goalMost)]
	if len(wanted) == 0 {
		return
	}
	total := 0.0
	for place := range wanted {
		total += 1 / float64(1+place)
	}
	teaching := e.teaching(wanted)
	sure := make([]float64, len(wanted))
	for i := range p.candidates {
		c := &p.candidates[i]
		teaching(c.Course.ID, c.Course.Skills, sure)
		share := 0.0
		for place, s := range sure {
			share += s / float64(1+place)
			if s >= goalSure && len(c.GoalSkills) < goalNames {
				c.GoalSkills = append(c.GoalSkills, wanted[place])
			}
		}
		c.Goal = rerank.Known(share / total)
	}
}

// teaching says how surely courses teach skills: as the skill graph does, or without one
// by the names that the platform gives.
func (e *Engine) teaching(names []string) func(courseID string, stated []string, sure []float64) {
	if e.Concepts != nil {
		return e.Concepts.Teaching(names)
	}
	places := make(map[string]int, len(names))
	for place, name := range names {
		places[lectern.FoldKey(name)] = place
	}
	return func(_ string, stated []string, sure []float64) {
		clear(sure)
		for _, s := range stated {
			if place, ok := places[s]; ok {
				sure[place] = 1
			}
		}
	}
}

// measureHistory lays over the candidates what they ask for of the learner, and who
// finished them: while the entries are at hand, as vectors take their place in the
// processor's cache.
func (p *pass) measureHistory() {
	for i := range p.candidates {
		c, en := &p.candidates[i], p.entries[i]
		if p.req.Surface != lectern.SurfaceSimilar {
			p.measureReadiness(c, en)
		}
		p.measureFinishers(c, en)
	}
}

// measureFinishers says who started and finished a course: similar learners, and where
// none of them did all learners.
func (p *pass) measureFinishers(c *rerank.Candidate, en *entry) {
	if p.outcomes != nil {
		if started, finished := p.outcomes(c.Course.ID); started > 0 {
			c.Starters, c.Finishers, c.Alike = started, finished, true
			return
		}
	}
	c.Starters, c.Finishers = en.finishers.started, en.finishers.finished
}

// measureHoursLeft says how much work a course under way still is.
func (p *pass) measureHoursLeft() {
	if !p.wants(lectern.RowContinue) {
		return
	}
	done := make(map[string]float64, len(p.profile.Entries))
	for i := range p.profile.Entries {
		done[p.profile.Entries[i].CourseID] = p.profile.Entries[i].Progress
	}
	for i := p.offered; i < len(p.candidates); i++ {
		c := &p.candidates[i]
		if c.Course.Hours != nil {
			left := *c.Course.Hours * (1 - min(max(done[c.Course.ID], 0), 1))
			if !math.IsNaN(left) {
				c.HoursLeft = &left
			}
		}
	}
}
