package retrieve

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// The codes of what stands above a row, with the parameters each carries.
const (
	TitleContinue = "home_continue"
	TitleForYou   = "home_for_you"
	TitlePopular  = "home_popular" // for_you of somebody of whom nothing is known
	TitleBecause  = "home_because" // course_id, title: a completed course
	TitleLike     = "home_like"    // course_id, title: a course asked about that was not completed
	TitleNext     = "home_next"    // course_id, title
	TitleLikeYou  = "home_like_you"
	TitleTrending = "home_trending"
	TitleNew      = "home_new"
	TitleExplore  = "home_explore"
)

// RowTitles lists every code that may stand above a row.
func RowTitles() []string {
	return []string{
		TitleContinue, TitleForYou, TitlePopular, TitleBecause, TitleLike, TitleNext, TitleLikeYou,
		TitleTrending, TitleNew, TitleExplore,
	}
}

// homeRow is one row in the making.
type homeRow struct {
	name       lectern.Row
	title      lectern.Reason
	candidates []rerank.Candidate
	common     int             // candidates before those that rules pin
	scored     []rerank.Scored // best first, indices into candidates
	weights    []lectern.TermWeight
	strength   float64 // see arrangeRows
	explored   *lectern.Exploration
	teams      map[int]int // of an interleaved row: whose candidates are
	even       bool        // every course that no rule pins had the same chance of every place
}

// rowSurface is the surface whose weights a row is scored with.
func rowSurface(row lectern.Row) lectern.Surface {
	switch row {
	case lectern.RowBecause:
		return lectern.SurfaceSimilar
	case lectern.RowNext:
		return lectern.SurfaceNext
	case lectern.RowTrending:
		return lectern.SurfaceTrending
	}
	return lectern.SurfaceHome
}

// makeRow picks a row's candidates among those of the page and puts them in order.
func (e *Engine) makeRow(p *pass, name lectern.Row) *homeRow {
	row := e.rowOf(p, name)
	if len(row.candidates) == 0 {
		return row
	}
	if p.trialFor(name).against != nil {
		arrange := func(by rerank.Reranker, items []rerank.Scored) []rerank.Scored {
			return e.arrangeRow(p, row, by, items)
		}
		drafted := e.interleave(p, name, e.rowRequest(p, name), row.candidates, row.common, arrange)
		row.scored, row.weights, row.teams = drafted.scored, drafted.weights, drafted.teams
	} else {
		by := p.rankerOf(name)
		ranked := by.Rerank(e.rowRequest(p, name), row.candidates)
		row.scored, row.weights = e.arrangeRow(p, row, by, ranked.Items), ranked.Terms
	}
	row.strength = strength(row)
	return row
}

// rowOf picks a row's candidates: those of its sources, then those that a rule pins.
func (e *Engine) rowOf(p *pass, name lectern.Row) *homeRow {
	row := &homeRow{name: name}
	switch name {
	case lectern.RowContinue:
		row.title.Code = TitleContinue
		row.candidates = p.candidates[p.offered:]
		lead(row.candidates, rerank.ReasonInProgress)
		row.common = len(row.candidates)
	case lectern.RowForYou:
		row.title.Code = TitleForYou
		if !p.knowsTaste() {
			row.title.Code = TitlePopular
		}
		row.candidates, row.common = p.candidates[:p.forYou:p.forYou], p.common
	case lectern.RowBecause:
		e.becauseRow(p, row)
	case lectern.RowNext:
		nextRow(p, row)
	case lectern.RowLikeYou:
		row.title.Code = TitleLikeYou
		row.candidates = p.from(SourceNeighbours)
		lead(row.candidates, rerank.ReasonTakenByLikeYou)
		p.pinInto(row, nil)
	case lectern.RowTrending:
		row.title.Code = TitleTrending
		row.candidates = p.from(SourceTrending)
		lead(row.candidates, rerank.ReasonTrending)
		p.pinInto(row, nil)
	case lectern.RowNew:
		row.title.Code = TitleNew
		row.candidates = p.from(SourceNew)
		if len(p.taste.Vectors) > 0 && p.vectors != nil { // near what they like
			row.candidates = slices.DeleteFunc(row.candidates, func(c rerank.Candidate) bool { return c.Interested == 0 })
		}
		p.pinInto(row, nil)
	case lectern.RowExplore:
		row.title.Code = TitleExplore
		row.candidates = p.unlikeSeen(p.from(SourcePopular))
		lead(row.candidates, rerank.ReasonUnlikeOthers)
		p.pinInto(row, nil)
	}
	return row
}

// rowRequest lays out who asks for a row, which is scored with the weights of its
// surface.
func (e *Engine) rowRequest(p *pass, name lectern.Row) rerank.Request {
	depth := e.cfg.Home.RowDepth
	switch name {
	case lectern.RowForYou:
		depth = e.cfg.Depth
	case lectern.RowContinue, lectern.RowExplore:
		depth = 0
	}
	req := e.rerankRequest(p, depth)
	req.Surface, req.Row = rowSurface(name), name
	if name != lectern.RowForYou {
		req.Shares, req.Mix = nil, nil
	}
	return req
}

// arrangeRow puts what is under way in order by date, and what there is to explore by
// lot, where anything is tried out on who asks.
func (e *Engine) arrangeRow(p *pass, row *homeRow, by rerank.Reranker, scored []rerank.Scored) []rerank.Scored {
	switch row.name {
	case lectern.RowContinue:
		reorder(scored, func(a, b rerank.Scored) int { return cmp.Compare(a.Index, b.Index) })
	case lectern.RowExplore:
		scored = scored[:min(len(scored), explorePool)]
		if e.drawsLots(p, row.name) {
			drawLots(row.candidates, scored, p.req.Learner, p.at)
			row.even = true
		}
		scored = limited(by, row, scored)
		scored = scored[:min(len(scored), e.cfg.Home.RowDepth)]
	}
	return scored
}

// from copies the candidates that a source brought.
func (p *pass) from(source string) []rerank.Candidate {
	out := p.room(p.hitsOf(source))
	for i := range p.candidates[:p.common] {
		if slices.Contains(p.candidates[i].Sources, source) {
			out = append(out, p.candidates[i])
		}
	}
	return out
}

// hitsOf is how many candidates a source offered.
func (p *pass) hitsOf(source string) int {
	n := 0
	for i := range p.sources {
		if p.sources[i].name == source {
			n += len(p.sources[i].hits)
		}
	}
	return n
}

// lead puts a reason before all others of the candidates.
func lead(candidates []rerank.Candidate, code string) {
	r := &lectern.Reason{Code: code}
	for i := range candidates {
		candidates[i].Lead = r
	}
}

// knowsTaste reports whether anything says what the learner likes.
func (p *pass) knowsTaste() bool {
	t := &p.taste
	return t.Personal && (len(t.Vectors) > 0 || len(t.Interests) > 0 || len(t.Liked) > 0)
}

// aboutCourse is a title that names a course.
func aboutCourse(code string, en *entry) lectern.Reason {
	return lectern.Reason{Code: code, Params: map[string]string{"course_id": en.facts.ID, "title": en.facts.Title}}
}

// becauseRow is what is like a completed course, by content and by who takes it: scored
// as courses similar to it.
func (e *Engine) becauseRow(p *pass, row *homeRow) {
	seed := p.because
	if seed == nil {
		return
	}
	row.title = aboutCourse(TitleBecause, seed)
	if p.states[seed.facts.ID]&lectern.StateCompleted == 0 {
		row.title.Code = TitleLike
	}
	v := p.seedVectors[seed.facts.ID]
	words := p.scoresOver(SourceContent)
	fit := func(c *rerank.Candidate, i int) {
		c.Similarity = rerank.Match{}
		if p.vectors != nil && v != nil && len(p.vectors[i]) == len(v) {
			c.Similarity = rerank.Matched(dot(v, p.vectors[i]))
		} else if s, ok := words[c.Course.ID]; ok && v == nil {
			c.Similarity = rerank.Matched(s)
		}
		c.NearestID, c.NearestTitle, c.NearestSim = seed.facts.ID, seed.facts.Title, c.Similarity.Value
		p.measureTogether(c)
	}
	row.candidates = p.room(p.hitsOf(SourceContent) + p.hitsOf(SourceTogether))
	for i := range p.candidates[:p.common] {
		if of := &p.candidates[i]; of.Course.ID == seed.facts.ID || !slices.Contains(of.Sources, SourceContent) && !slices.Contains(of.Sources, SourceTogether) {
			continue
		}
		c := p.candidates[i]
		if seed == p.after && p.follows[seed][c.Course.ID] > 0 && rerank.LevelsUp(seed.facts.Level, c.Course.Level) > 0 {
			continue // a step on from the course, which RowNext is about
		}
		fit(&c, i)
		row.candidates = append(row.candidates, c)
	}
	row.candidates = likeSeed(row.candidates)
	p.pinInto(row, fit)
}

// likeSeed keeps what is like the course that a row is about: at a good part of the
// nearest one's cosine. Who takes it says in which order, not that it is alike.
func likeSeed(in []rerank.Candidate) []rerank.Candidate {
	top := 0.0
	for i := range in {
		if in[i].Similarity.Known {
			top = max(top, in[i].Similarity.Value)
		}
	}
	return slices.DeleteFunc(in, func(c rerank.Candidate) bool {
		return c.Similarity.Known && c.Similarity.Value < serves*top
	})
}

// scoresOver are the scores of a source over its best one.
func (p *pass) scoresOver(name string) map[string]float64 {
	for _, s := range p.sources {
		if top := highestOf(s.hits); s.name == name && top > 0 {
			out := make(map[string]float64, len(s.hits))
			for _, h := range s.hits {
				out[h.ID] = float64(h.Score) / top
			}
			return out
		}
	}
	return nil
}

// nextRow is what comes after the latest course: complements, not twins.
func nextRow(p *pass, row *homeRow) {
	seed := p.after
	if seed == nil {
		return
	}
	row.title = aboutCourse(TitleNext, seed)
	follows := p.follows[seed]
	why := aboutCourse(rerank.ReasonNextAfter, seed)
	row.candidates = p.room(len(follows))
	for i := range p.candidates[:p.common] {
		if !p.candidates[i].Complement.Known {
			continue // it comes after nothing
		}
		id := p.candidates[i].Course.ID
		value := follows[id]
		if value <= 0 || id == seed.facts.ID {
			continue
		}
		c := p.candidates[i]
		c.Complement = rerank.Known(rerank.Neutral + value/2)
		c.FollowsID, c.FollowsTitle, c.Lead = seed.facts.ID, seed.facts.Title, &why
		row.candidates = append(row.candidates, c)
	}
	p.pinInto(row, func(c *rerank.Candidate, _ int) {
		c.Complement, c.FollowsID, c.FollowsTitle = rerank.Signal{}, "", ""
	})
}

// unlikeSeen keeps what is good and serves none of the learner's interests.
func (p *pass) unlikeSeen(in []rerank.Candidate) []rerank.Candidate {
	return slices.DeleteFunc(in, func(c rerank.Candidate) bool {
		rated := c.Course.RatingWeight > 0 && c.Course.RatingMean >= p.view.means.rating
		unrated := c.Course.RatingWeight == 0 && p.view.means.rating == 0
		away := c.Away.Known && c.Away.Value > max(c.Similarity.Value, 0)
		return !rated && !unrated || c.Interested > 0 || c.NearestID != "" && c.NearestSim >= serves || away
	})
}

// explorePool is how many courses lots are drawn among.
const explorePool = 100

// drawLots orders a row by a hash of learner, day and course: the same through a day,
// another on the next.
func drawLots(candidates []rerank.Candidate, scored []rerank.Scored, ref lectern.LearnerRef, at time.Time) {
	day := at.UTC().Unix() / int64(24*time.Hour/time.Second)
	lot := func(id string) uint64 {
		h := fnv.New64a()
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(day))
		for _, part := range [][]byte{[]byte(ref.ID), {0}, []byte(ref.AnonymousID), b[:], []byte(id)} {
			_, _ = h.Write(part) // a hash never fails
		}
		x := h.Sum64()
		x ^= x >> 33 // the finaliser of MurmurHash3: FNV's high bits move little
		x *= 0xff51afd7ed558ccd
		x ^= x >> 33
		return x
	}
	lots := make([]uint64, len(candidates))
	for _, s := range scored {
		lots[s.Index] = lot(candidates[s.Index].Course.ID)
	}
	reorder(scored, func(a, b rerank.Scored) int {
		return cmp.Or(cmp.Compare(lots[a.Index], lots[b.Index]), cmp.Compare(a.Index, b.Index))
	})
}

// strengthItems is how many courses of a row say how strong it is.
const strengthItems = 5

// strength is how much a row promises this learner: the mean over its first courses
// of similarity to the taste and of what the collaborative model says, each ½ where it
// is not known.
func strength(row *homeRow) float64 {
	sum, n := 0.0, min(strengthItems, len(row.scored))
	for _, s := range row.scored[:n] {
		c := &row.candidates[s.Index]
		similarity, others := rerank.Neutral, rerank.Neutral
		if c.Similarity.Known {
			similarity = (1 + c.Similarity.Value) / 2
		}
		if c.Collaborative.Known {
			others = c.Collaborative.Value
		}
		sum += (similarity + others) / 2
	}
	return sum / max(1, float64(n))
}

// arrangeRows puts rows in order: continue first if the learner was at it of late,
// else second; for_you; then by strength; and explore last.
func arrangeRows(rows []*homeRow, p *pass, activeWithin time.Duration) {
	place := func(r *homeRow) int {
		switch r.name {
		case lectern.RowContinue:
			if p.activeSince(activeWithin) {
				return 0
			}
			return 2
		case lectern.RowForYou:
			return 1
		case lectern.RowExplore:
			return 4
		}
		return 3
	}
	slices.SortStableFunc(rows, func(a, b *homeRow) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(b.strength, a.strength))
	})
}

// limiter is a reranker with a limit of courses of one provider. *rerank.Linear is one.
type limiter interface {
	Limited(items []rerank.Scored, candidates []rerank.Candidate) []rerank.Scored
}

// limited holds a row that is not in the reranker's order, or not whole, to its limit.
func limited(by rerank.Reranker, row *homeRow, scored []rerank.Scored) []rerank.Scored {
	if l, ok := by.(limiter); ok && row.name != lectern.RowContinue {
		return l.Limited(scored, row.candidates)
	}
	return scored
}

// withoutShown drops from a row what rows above it show.
func (e *Engine) withoutShown(p *pass, row *homeRow, shown map[string]bool) {
	whole := len(row.scored)
	row.scored = dropShown(row.scored, func(s rerank.Scored) bool {
		return shown[row.candidates[s.Index].Course.ID]
	})
	if len(row.scored) < whole {
		row.scored = limited(p.rankerOf(row.name), row, row.scored)
	}
}

// recordRow makes the record of a row and hands it to the recorder.
func (e *Engine) recordRow(p *pass, req lectern.ListRequest, row *homeRow) lectern.Ranking {
	r := e.recordOf(p, req, row.candidates, row.scored, row.weights)
	nameTeams(&r, row.scored, row.teams)
	r.CourseID = cmp.Or(p.aboutOf(row.name), r.CourseID)
	explore(&r, row.explored)
	if row.even {
		free := 0
		for i := range r.Items {
			if r.Items[i].Pinned == "" {
				free++
			}
		}
		for i := range r.Items {
			if r.Items[i].Pinned == "" {
				r.Items[i].Propensity = 1 / float64(free)
			}
		}
	}
	if !e.Rankings.Record(r) {
		p.degrade(DegradedRecording)
	}
	return r
}

// aboutOf is the course that a row is about, "" for none.
func (p *pass) aboutOf(row lectern.Row) string {
	switch row {
	case lectern.RowBecause:
		return idOf(p.because)
	case lectern.RowNext:
		return idOf(p.after)
	}
	return ""
}

// exploreRow fills the exploring places of a row.
func (e *Engine) exploreRow(p *pass, row *homeRow) {
	row.explored = e.explored(p, row.name, p.aboutOf(row.name), row.candidates, row.scored, row.weights)
}

func idOf(en *entry) string {
	if en == nil {
		return ""
	}
	return en.facts.ID
}
