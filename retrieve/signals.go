package retrieve

import (
	"context"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/text"
)

// queryWord is one word of a query as it was typed, with what it counts as.
type queryWord struct {
	shown string
	terms []uint32
}

// queryWords splits a query; words that carry grammar only are left out unless
// there is nothing else.
func (e *Engine) queryWords(q, language string) []queryWord {
	var content, all []queryWord
	for _, w := range strings.Fields(q) {
		tokens := e.Catalog.analyzer.Tokens(w, language)
		if len(tokens) == 0 {
			continue
		}
		word := queryWord{shown: w, terms: e.Catalog.termIDs(w, language)}
		all = append(all, word)
		if slices.ContainsFunc(tokens, func(t text.Token) bool { return !t.Stop }) {
			content = append(content, word)
		}
	}
	if len(content) == 0 {
		return all
	}
	return content
}

// unite makes one list of candidates of all sources, each course once, and drops
// those that memory does not know or that the filter no longer lets pass: the
// index may lag a moment behind. In search the order is the fused one; elsewhere
// the sources take turns, rank by rank.
func (e *Engine) unite(p *pass) {
	u := p.union()
	lists := newSourceLists(p.sources)
	if p.req.Surface == lectern.SurfaceSearch {
		for _, s := range p.sources {
			if s.name == SourceTitle {
				for _, h := range s.hits {
					u.place(h.ID)
				}
			}
		}
		for _, h := range p.fused {
			u.place(h.ID)
		}
	}
	for rank := 0; ; rank++ {
		more := false
		for i := range p.sources {
			if s := &p.sources[i]; rank < len(s.hits) {
				more = true
				list := &u.lists[u.place(s.hits[rank].ID)]
				*list = lists.with(*list, i)
			}
		}
		if !more {
			break
		}
	}
	ids := u.ids
	p.entries = make([]*entry, 0, len(ids)+underWayMost)
	p.candidates = p.room(len(ids) + underWayMost)
	for i, en := range e.Catalog.lookup(ids) {
		if p.seed != nil && p.seed.facts.ID == ids[i] {
			continue // memory, unlike the index, was not told to leave it out
		}
		if en == nil {
			p.dropped[ids[i]] = "memory does not hold it yet"
			continue
		}
		if _, seen := p.seen[ids[i]]; seen || !p.match.admits(en) {
			p.dropped[ids[i]] = "the filter stage took it out"
			continue
		}
		p.append(en, lists.lists[u.lists[i]])
	}
}

// union is the courses of all sources, each once.
type union struct {
	at    map[string]int // by course: its place
	ids   []string
	lists []int // beside ids: into sourceLists.lists
}

// place is the place of a course, which is the last one where it is new.
func (u *union) place(id string) int {
	at, ok := u.at[id]
	if !ok {
		at = len(u.ids)
		u.at[id] = at
		u.ids, u.lists = append(u.ids, id), append(u.lists, 0)
	}
	return at
}

// clear makes a union empty, and keeps its memory.
func (u *union) clear() {
	clear(u.at)
	clear(u.ids)
	u.ids, u.lists = u.ids[:0], u.lists[:0]
}

// sourceLists are the lists of source names that courses have, each once: a few lists
// stand for all courses. The first is the empty one.
type sourceLists struct {
	names []string   // of the sources
	lists [][]string // read only
	next  [][]int    // by list and source: which one it becomes with that one's name; 0 is to be found out
}

func newSourceLists(sources []source) *sourceLists {
	l := &sourceLists{names: make([]string, len(sources)), lists: make([][]string, 1, 32), next: make([][]int, 1, 32)}
	for i := range sources {
		l.names[i] = sources[i].name
	}
	return l
}

// with is the list that a list becomes with the name of a source, unless it holds that.
func (l *sourceLists) with(at, source int) int {
	if l.next[at] == nil {
		l.next[at] = make([]int, len(l.names))
	}
	if to := l.next[at][source]; to > 0 {
		return to
	}
	to, name := at, l.names[source]
	if have := l.lists[at]; !slices.Contains(have, name) {
		more := append(slices.Clone(have), name)
		if to = slices.IndexFunc(l.lists, func(list []string) bool { return slices.Equal(list, more) }); to < 0 {
			to = len(l.lists)
			l.lists = append(l.lists, slices.Clip(more))
			l.next = append(l.next, nil)
		}
	}
	l.next[at][source] = to
	return to
}

// append adds a candidate.
func (p *pass) append(en *entry, sources []string) {
	p.entries = append(p.entries, en)
	p.candidates = append(p.candidates, rerank.Candidate{Course: &en.facts, Sources: sources})
}

// measure fills in the signals of every candidate.
func (e *Engine) measure(ctx context.Context, p *pass) error {
	if p.req.Surface == lectern.SurfaceSearch {
		measureRelevance(p)
		e.measureSkills(p)
	}
	if err := e.readVectors(ctx, p); err != nil {
		return err
	}
	e.measureBehaviour(p)
	e.measureGoal(p)
	p.measureHistory()
	p.measureHoursLeft()
	wordScores := p.similarityByWords()
	interests := e.interestTerms(p)
	p.measureNovelty(e.likedCourses(p))
	p.cosines = make([]float64, len(p.candidates))
	home := p.req.Surface == lectern.SurfaceHome
	if home {
		e.measureTaste(p)
	}
	for i := range p.candidates {
		c, en := &p.candidates[i], p.entries[i]
		var v []float32
		if p.vectors != nil {
			v = p.vectors[i]
		}
		c.Vector = v
		if c.Similarity.Known {
		} else if best, ok := nearest(v, p.taste.Vectors); ok {
			p.cosines[i] = best
			c.Similarity = rerank.Matched(best)
		} else if s, ok := wordScores[en.facts.ID]; ok {
			c.Similarity = rerank.Matched(s)
		}
		if p.req.Surface == lectern.SurfaceSimilar {
			c.NearestID, c.NearestTitle, c.NearestSim = p.seed.facts.ID, p.seed.facts.Title, c.Similarity.Value
			continue
		}
		measureInterest(c, en, v, interests)
	}
	return nil
}

// measureRelevance lays the fused scores over the candidates of a search.
func measureRelevance(p *pass) {
	scores := make(map[string]float64, len(p.fused))
	for _, h := range p.fused {
		scores[h.ID] = float64(h.Score)
	}
	for i := range p.candidates {
		c, en := &p.candidates[i], p.entries[i]
		c.Relevance = rerank.Known(p.sure * scores[en.facts.ID])
		c.ExactTitle = slices.Contains(p.titleIDs, en.facts.ID)
		for _, w := range p.query {
			if !slices.ContainsFunc(w.terms, func(t uint32) bool { return !en.holds(t) }) {
				c.MatchedTerms = append(c.MatchedTerms, p.shown(w.shown))
			}
		}
		for j, w := range p.understood.Words {
			if p.held[en.facts.ID].Read&(1<<j) != 0 && !slices.Contains(c.Mentioned, w.Shown) {
				c.Mentioned = append(c.Mentioned, w.Shown)
			}
		}
	}
}

// similarityByWords stands in for cosines where a word query took the place of a
// vector: scores over the best one.
func (p *pass) similarityByWords() map[string]float64 {
	if p.req.Surface == lectern.SurfaceSearch {
		return nil
	}
	for _, s := range p.sources {
		if s.name == SourceWords && len(s.hits) > 0 && s.hits[0].Score > 0 {
			out := make(map[string]float64, len(s.hits))
			for _, h := range s.hits {
				out[h.ID] = float64(h.Score) / float64(s.hits[0].Score)
			}
			return out
		}
	}
	return nil
}

// interest is a stated interest with its hashed terms.
type interest struct {
	learner.Interest
	terms []uint32
}

func (e *Engine) interestTerms(p *pass) []interest {
	out := make([]interest, len(p.taste.Interests))
	for i, in := range p.taste.Interests {
		terms := e.Catalog.termIDs(in.Text, p.language())
		slices.Sort(terms)
		out[i] = interest{in, slices.Compact(terms)}
	}
	return out
}

// measureInterest finds the interest that a course matches best: by cosine, or by
// words, where all of them in title, skills or categories make 1 and a share of
// them half that share.
func measureInterest(c *rerank.Candidate, en *entry, v []float32, interests []interest) {
	for _, in := range interests {
		match := 0.0
		if v != nil && len(in.Vector) == len(v) {
			match = dot(v, in.Vector)
		}
		held := 0
		for _, t := range in.terms {
			if en.holds(t) {
				held++
			}
		}
		if held > 0 {
			share := float64(held) / float64(len(in.terms))
			if held < len(in.terms) {
				share /= 2
			}
			match = max(match, share)
		}
		s := rerank.Matched(match)
		if !c.Interest.Known || s.Value > c.Interest.Value {
			c.Interest, c.InterestText, c.InterestGoal = s, in.Text, in.Goal
		}
	}
}

// stateTaken are the states of a course that the learner has, or is at.
const stateTaken = lectern.StateEnrolled | lectern.StateProgressed | lectern.StateCompleted

// measureReadiness holds a course's direct prerequisites against what the
// learner has taken and not dropped.
func (p *pass) measureReadiness(c *rerank.Candidate, en *entry) {
	next := p.req.Surface == lectern.SurfaceNext // the course asked about counts as taken
	if !p.taste.Personal && !next || len(en.needs) == 0 {
		return
	}
	for _, id := range en.needs {
		if next && id == p.seed.facts.ID {
			continue
		}
		s := p.states[id]
		if s&stateTaken == 0 || s&lectern.StateDropped != 0 && s&lectern.StateCompleted == 0 {
			c.Missing = append(c.Missing, id)
		}
	}
	c.Readiness = rerank.Known(1 - float64(len(c.Missing))/float64(len(en.needs)))
}

// likedCourse is a liked course with its title.
type likedCourse struct {
	learner.Liked
	title string
}

func (e *Engine) likedCourses(p *pass) []likedCourse {
	ids := make([]string, len(p.taste.Liked))
	for i, l := range p.taste.Liked {
		ids[i] = l.CourseID
	}
	var out []likedCourse
	for i, en := range e.Catalog.lookup(ids) {
		if en != nil {
			out = append(out, likedCourse{p.taste.Liked[i], en.facts.Title})
		}
	}
	return out
}

// measureNearest notes a liked course with a candidate if none before was nearer to it.
func measureNearest(c *rerank.Candidate, v []float32, l *likedCourse) {
	if v == nil || len(l.Vector) != len(v) || l.CourseID == c.Course.ID {
		return
	}
	if s := dot(v, l.Vector); c.NearestID == "" || s > c.NearestSim {
		c.NearestID, c.NearestTitle, c.NearestSim = l.CourseID, l.title, s
	}
}

// nearest returns the highest cosine of v to any of the others.
func nearest(v []float32, others [][]float32) (float64, bool) {
	best, ok := 0.0, false
	for _, o := range others {
		if v == nil || len(o) != len(v) {
			continue
		}
		if s := dot(v, o); !ok || s > best {
			best, ok = s, true
		}
	}
	return best, ok
}
