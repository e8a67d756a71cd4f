package retrieve

import (
	"context"
	"log/slog"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Names of what may be missing of behaviour, in List.Degraded.
const (
	DegradedCollaborative = "collaborative" // no model of what others did is ready
	DegradedNeighbours    = "neighbours"    // similar learners could not be asked
)

// asksModel reports whether a collaborative model takes part in a list. Of a learner who
// has done nothing it has nothing to say.
func (e *Engine) asksModel(p *pass) bool {
	switch p.req.Surface {
	case lectern.SurfaceSearch, lectern.SurfaceTrending:
		return false
	case lectern.SurfaceHome:
		return e.Collaborative != nil && len(p.taste.Touched) > 0
	}
	return e.Collaborative != nil
}

// chooseModel keeps a request to one collaborative model.
func (e *Engine) chooseModel(p *pass) {
	if !e.asksModel(p) {
		return
	}
	if p.model = p.trial.model; p.model != nil {
		return
	}
	if p.model = e.Collaborative.Collaborative(); p.model == nil {
		p.degrade(DegradedCollaborative)
	}
}

// modelVersion is what is recorded of the model that took part.
func (p *pass) modelVersion() int64 {
	if p.model == nil {
		return 0
	}
	return p.model.Version()
}

// allows reports whether a course may be in the list.
func (e *Engine) allows(p *pass) func(courseID string) bool {
	return func(id string) bool {
		if _, seen := p.seen[id]; seen {
			return false
		}
		en := e.Catalog.get(id)
		return en != nil && p.match.admits(en)
	}
}

// offerCollaborative adds what the model ranks first, unless its factors in the index
// were asked.
func (e *Engine) offerCollaborative(p *pass) {
	if p.model == nil || p.byFactor && !p.away {
		return
	}
	most := min(e.cfg.PerSource, 2*e.most(p))
	hits := p.model.Top(p.taste.Touched, most, e.allows(p))
	p.sources = append(p.sources, source{SourceCollaborative, "score", hits, most})
}

// neighbourAnswer is what similar learners took.
type neighbourAnswer struct {
	hits     []lectern.Hit
	outcomes func(courseID string) (started, finished float64)
	err      error
}

// askNeighbours asks what similar learners took, beside everything else. The answer
// has room to wait in, so whoever asks need not be there any more.
func (e *Engine) askNeighbours(ctx context.Context, p *pass) {
	if e.Neighbours == nil || !p.taste.Personal || len(p.profile.Entries) == 0 ||
		!p.wants(lectern.RowForYou) && !p.wants(lectern.RowLikeYou) {
		return
	}
	answer := make(chan neighbourAnswer, 1)
	p.neighbours = answer
	bounded, cancel := context.WithTimeout(ctx, p.budgets.Neighbours)
	p.neighboursDone = bounded.Done()
	k := e.rowMost(p) + len(p.seen) // of which those are no candidates
	go func() {
		defer cancel()
		hits, err := e.Neighbours.Liked(bounded, p.req.Learner, p.profile.Version, k)
		a := neighbourAnswer{hits: hits, err: err}
		if o, ok := e.Neighbours.(Outcomes); ok && err == nil {
			a.outcomes, a.err = o.Outcomes(bounded, p.req.Learner, p.profile.Version)
		}
		answer <- a
	}()
}

// offerNeighbours waits for the answer and adds it.
func (e *Engine) offerNeighbours(ctx context.Context, p *pass) {
	if p.neighbours == nil {
		return
	}
	var a neighbourAnswer
	select {
	case a = <-p.neighbours:
	case <-p.neighboursDone:
		select { // an answer that came with the bell counts
		case a = <-p.neighbours:
		default:
			a.err = context.DeadlineExceeded
		}
	}
	if a.err != nil {
		level := slog.LevelWarn
		if lectern.ErrorCode(a.err) == lectern.CodeUnavailable {
			level = slog.LevelDebug // as after a start: the list says so
		}
		e.Logger.Log(ctx, level, "similar learners not asked", "error", a.err)
		p.degrade(DegradedNeighbours)
		return
	}
	p.outcomes = a.outcomes
	p.sources = append(p.sources, source{SourceNeighbours, "weight", e.allowed(p, a.hits, e.rowMost(p)), e.rowMost(p)})
}

// allowed keeps the first hits, most at most, that the list may show.
func (e *Engine) allowed(p *pass, hits []lectern.Hit, most int) []lectern.Hit {
	allow := e.allows(p)
	out := make([]lectern.Hit, 0, min(most, len(hits)))
	for _, h := range hits {
		if len(out) == most {
			break
		}
		if allow(h.ID) {
			out = append(out, h)
		}
	}
	return out
}

// velocities is what knows the trends: the catalogue itself unless told otherwise.
func (e *Engine) velocities() Velocities {
	if e.Velocities != nil {
		return e.Velocities
	}
	return e.Catalog
}

// offerTrending adds the courses that gain on their own past.
func (e *Engine) offerTrending(p *pass) {
	most := e.cfg.PerSource
	if p.req.Surface == lectern.SurfaceHome {
		most = e.rowMost(p)
	}
	if hits := e.allowed(p, e.velocities().Trending(), most); len(hits) > 0 {
		p.sources = append(p.sources, source{SourceTrending, "trend", hits, most})
	}
}

// offerTogether adds what the same people take.
func (e *Engine) offerTogether(p *pass, seed *entry) {
	if p.model == nil {
		return
	}
	allow := e.allows(p)
	most := e.cfg.PerSource
	if p.req.Surface == lectern.SurfaceHome {
		most = e.rowMost(p)
	}
	hits := p.model.Similar(seed.facts.ID, most, func(id string) bool { return id != seed.facts.ID && allow(id) })
	p.together = make(map[string]float64, len(hits))
	for _, h := range hits {
		p.together[h.ID] = float64(h.Score)
	}
	p.sources = append(p.sources, source{SourceTogether, "score", hits, most})
}

// measureTogether is what is known of a course that the same people take: more than
// ½; of any other nothing.
func (p *pass) measureTogether(c *rerank.Candidate) {
	c.Collaborative = rerank.Signal{}
	if s, ok := p.together[c.Course.ID]; ok {
		c.Collaborative = rerank.Known(rerank.Neutral + s/2)
	}
}

// modelScores asks the model about all candidates in one call; nil when it has
// nothing to say.
func (e *Engine) modelScores(p *pass) []float64 {
	if p.model == nil || p.req.Surface != lectern.SurfaceHome || len(p.taste.Touched) == 0 || len(p.candidates) == 0 {
		return nil
	}
	ids := make([]string, len(p.candidates))
	for i := range p.candidates {
		ids[i] = p.candidates[i].Course.ID
	}
	scores := p.model.Scores(p.taste.Touched, ids)
	if len(scores) != len(ids) {
		return nil
	}
	return scores
}

// trendIndex is what was trending, by course.
type trendIndex struct {
	hits []lectern.Hit
	byID map[string]float64
}

// trendsOf lays the trends out by course; nil while none are known. Read only.
func (e *Engine) trendsOf() map[string]float64 {
	hits := e.velocities().Trending()
	if len(hits) == 0 {
		return nil
	}
	if have := e.trends.Load(); have != nil && len(have.hits) == len(hits) && &have.hits[0] == &hits[0] {
		return have.byID
	}
	out := make(map[string]float64, len(hits))
	for _, h := range hits {
		out[h.ID] = float64(h.Score)
	}
	e.trends.Store(&trendIndex{hits, out})
	return out
}

// follow notes how surely a course comes after another.
func (p *pass) follow(seed *entry, id string, value float64) {
	if p.follows == nil {
		p.follows = make(map[*entry]map[string]float64)
	}
	m := p.follows[seed]
	if m == nil {
		m = make(map[string]float64)
		p.follows[seed] = m
	}
	m[id] = max(m[id], value)
}

// What comes after a course.
const (
	levelUp   = 0.8 // a course of the same topic one level up, at most, against 1 for one that needs the course
	twoLevels = 0.6 // of that, two levels up
)

// offerSuccessors adds the courses that need a course.
func (e *Engine) offerSuccessors(p *pass, seed *entry) {
	allow := e.allows(p)
	var hits []lectern.Hit
	for _, id := range e.Catalog.after(seed.facts.ID) {
		if len(hits) < fewHits && allow(id) {
			hits = append(hits, lectern.Hit{ID: id, Score: 1})
			p.follow(seed, id, 1)
		}
	}
	if len(hits) > 0 {
		p.sources = append(p.sources, source{SourceSuccessors, "needs the course", hits, fewHits})
	}
}

// offerNext adds what people take after a course. A twin of it is no step on.
func (e *Engine) offerNext(p *pass, seed *entry, most int) {
	if p.model == nil {
		return
	}
	found := p.model.Next(seed.facts.ID, most, e.allows(p))
	hits := make([]lectern.Hit, 0, len(found))
	for i, en := range e.Catalog.lookup(idsOf(found)) {
		if en != nil && !e.twins(seed, en) {
			hits = append(hits, found[i])
			p.follow(seed, found[i].ID, float64(found[i].Score))
		}
	}
	p.sources = append(p.sources, source{SourceNext, "lift", hits, most})
}

// stepUp keeps, of what is near a course, what is on a higher level.
func (e *Engine) stepUp(p *pass, seed *entry) {
	at := slices.IndexFunc(p.sources, func(s source) bool { return s.name == SourceLevelUp })
	if at < 0 {
		return
	}
	s := &p.sources[at]
	top := highestOf(s.hits)
	stepTop := 1.0 // of the nearest course, its own twins included
	if s.unit == "cosine" {
		stepTop = max(0, top)
	}
	kept := make([]lectern.Hit, 0, fewHits)
	for i, en := range e.Catalog.lookup(idsOf(s.hits)) {
		step := 0
		if en != nil {
			step = rerank.LevelsUp(seed.facts.Level, en.facts.Level)
		}
		if step <= 0 || len(kept) == fewHits {
			continue
		}
		near := max(0, float64(s.hits[i].Score))
		if s.unit != "cosine" && top > 0 {
			near /= top
		}
		if near < serves*stepTop {
			break // of another subject: what is above it there is no step on from here
		}
		if step > 1 {
			near *= twoLevels
		}
		kept = append(kept, s.hits[i])
		p.follow(seed, s.hits[i].ID, levelUp*near)
	}
	s.hits, s.limit = kept, fewHits
}

// twins reports whether a course teaches what another teaches, on no higher level: at
// least twin_overlap of the skills of the one that states fewer.
func (e *Engine) twins(a, b *entry) bool {
	if len(a.payload.Skills) == 0 || len(b.payload.Skills) == 0 || rerank.LevelsUp(a.facts.Level, b.facts.Level) > 0 {
		return false
	}
	shared := 0
	for _, s := range b.payload.Skills {
		if slices.Contains(a.payload.Skills, s) {
			shared++
		}
	}
	return float64(shared) >= e.cfg.TwinOverlap*float64(min(len(a.payload.Skills), len(b.payload.Skills)))
}

// completedSkills finds the twins of completed courses without comparing all with all.
type completedSkills struct {
	courses []*entry
	bySkill map[string][]int // into courses
	bits    skillBits        // what a course that shares a skill shares one of
	leads   []bool           // beside courses: the learner can go on with one that needs it
}

// skillBits are one of 256 bits for each of some skills.
type skillBits [4]uint64

func (b *skillBits) add(hash uint64) { b[hash>>6&3] |= 1 << (hash & 63) }

func (b *skillBits) join(other *skillBits) {
	for i, bits := range other {
		b[i] |= bits
	}
}

func (b *skillBits) share(other *skillBits) bool {
	return b[0]&other[0]|b[1]&other[1]|b[2]&other[2]|b[3]&other[3] != 0
}

// completedMost is how many completed courses are looked at for twins.
const completedMost = 10

func newCompletedSkills(completed []*entry, follows map[*entry]map[string]float64) completedSkills {
	s := completedSkills{courses: completed[:min(completedMost, len(completed))], bySkill: make(map[string][]int)}
	s.leads = make([]bool, len(s.courses))
	for i, en := range s.courses {
		for _, v := range follows[en] {
			s.leads[i] = s.leads[i] || v == 1
		}
		s.bits.join(&en.skillBits)
		for _, skill := range en.payload.Skills {
			s.bySkill[skill] = append(s.bySkill[skill], i)
		}
	}
	return s
}

// twin finds a completed course that a course is a twin of, nil for none: of several
// one that leads on, as its successors go before its twins.
func (s completedSkills) twin(e *Engine, en *entry) *entry {
	if !s.bits.share(&en.skillBits) {
		return nil
	}
	var last, found *entry
	for _, skill := range en.payload.Skills {
		for _, i := range s.bySkill[skill] {
			c := s.courses[i]
			if c == last || c == en || found != nil && !s.leads[i] {
				continue
			}
			if last = c; e.twins(c, en) {
				if found = c; s.leads[i] {
					return c
				}
			}
		}
	}
	return found
}

// following is how surely a course comes after another.
type following struct {
	value float64
	seed  *entry
}

// surest is what each course that comes after any comes after most surely.
func (p *pass) surest() map[string]following {
	out := make(map[string]following)
	for seed, values := range p.follows {
		for id, v := range values {
			if have, ok := out[id]; !ok || v > have.value || v == have.value && seed.facts.ID < have.seed.facts.ID {
				out[id] = following{v, seed}
			}
		}
	}
	return out
}

// measureComplement lays over a candidate what is known of its coming after a course
// the learner took, if it does: 1 where it needs a completed one, ½ + half the lift, and
// 0 for a twin of a completed one.
func (e *Engine) measureComplement(c *rerank.Candidate, en *entry, after following, completed completedSkills) {
	best, of := after.value, after.seed
	c.Complement, c.FollowsID, c.FollowsTitle = rerank.Signal{}, "", ""
	switch {
	case of != nil && best == 1:
	default:
		if twin := completed.twin(e, en); twin != nil {
			c.Complement, c.TwinOf = rerank.Known(0), twin.facts.ID
			return
		}
		if of == nil {
			return
		}
	}
	c.Complement = rerank.Known(rerank.Neutral + best/2)
	c.FollowsID, c.FollowsTitle = of.facts.ID, of.facts.Title
}

// measureBehaviour lays what others do over the candidates.
func (e *Engine) measureBehaviour(p *pass) {
	if p.req.Surface == lectern.SurfaceSearch {
		return
	}
	scores := e.modelScores(p)
	trends := e.trendsOf()
	completed, after := newCompletedSkills(p.completed, p.follows), p.surest()
	for i := range p.candidates {
		c := &p.candidates[i]
		if scores != nil && !math.IsNaN(scores[i]) {
			// A model's scores say how much speaks for a course; of most, nothing does.
			c.Collaborative = rerank.Known(rerank.Neutral + scores[i]/2)
		}
		if trends != nil {
			c.Trend = rerank.Known(trends[c.Course.ID])
		}
		if p.req.Surface == lectern.SurfaceSimilar {
			p.measureTogether(c)
			continue
		}
		e.measureComplement(c, p.entries[i], after[c.Course.ID], completed)
	}
}
