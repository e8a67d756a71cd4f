package retrieve

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/fusion"
	"github.com/lectern-dev/lectern/rerank"
)

// Concept is a skill that a query asks for.
type Concept struct {
	ID     string
	Name   string
	Weight float64 // in (0, 1]; those of one query add up to at most 1
}

// Concepts knows which skills a query asks for and which courses teach them: what
// an embedder that was trained on the catalogue alone cannot know. Implementations
// are safe for concurrent use.
type Concepts interface {
	// Ready reports whether it knows nearly all courses. Until it does, lists are
	// made without it: half of the courses would win over the other half.
	Ready() bool
	// Expand returns the skills that a query asks for, weightiest first; none where
	// none is recognised.
	Expand(query string) []Concept
	// Rank returns the k courses that teach them best, best first, of those that
	// allow lets pass. A score is Σ weight × how well the course teaches the skill,
	// in (0, 1].
	Rank(asked []Concept, k int, allow func(courseID string) bool) []lectern.Hit
	// Taught names the skill of a course that says most for its rank, "" for none.
	Taught(asked []Concept, courseID string) string
	// Teaching returns how surely a course teaches each of the named skills: it fills
	// sure, beside names, with values in [0, 1]. stated are the skills that the platform
	// says of the course, folded with lectern.FoldKey. What it returns is for one request.
	Teaching(names []string) func(courseID string, stated []string, sure []float64)
}

// askConcepts reads which skills the query asks for. Words that the catalogue does
// not know may be names all the same, so where there are such the query as it was
// typed is read as well.
func (e *Engine) askConcepts(p *pass) {
	if e.Concepts == nil || e.cfg.SkillsWeight == 0 {
		return
	}
	if !e.Concepts.Ready() {
		p.degrade(DegradedSkills)
		return
	}
	p.concepts = e.Concepts.Expand(p.understood.Text)
	if p.understood.Text == p.req.Query {
		return
	}
	if typed := e.Concepts.Expand(p.req.Query); total(typed) > total(p.concepts) {
		p.concepts = typed
	}
}

// total is the share of a query that skills were recognised in.
func total(concepts []Concept) float64 {
	sum := 0.0
	for _, c := range concepts {
		sum += c.Weight
	}
	return sum
}

// offerSkills adds the courses that teach what the query asks for.
func (e *Engine) offerSkills(p *pass) {
	if len(p.concepts) == 0 {
		return
	}
	hits := e.Concepts.Rank(p.concepts, e.cfg.PerSource, func(id string) bool {
		en := e.Catalog.get(id)
		return en != nil && p.match.admits(en)
	})
	p.sources = append(p.sources, source{SourceSkills, "match", hits, e.cfg.PerSource})
}

// skillEvidence is how well the best course must teach what a query asks for, when
// the query's words themselves are no evidence that the catalogue has it.
const skillEvidence = 0.4

// taughtSurely is how well the best course teaches what the query asks for, 0
// where that is no evidence.
func (p *pass) taughtSurely() float64 {
	s := p.source(SourceSkills)
	if s == nil || len(s.hits) == 0 || s.hits[0].Score < skillEvidence {
		return 0
	}
	return float64(s.hits[0].Score)
}

// leading is the order of words and meaning with what skills add to it: the
// courses that feedback follows.
func (e *Engine) leading(p *pass) []lectern.Hit {
	s := p.source(SourceSkills)
	if s == nil || len(s.hits) == 0 {
		return p.fused
	}
	return fusion.Sum([][]lectern.Hit{p.fused, s.hits}, []float64{1, e.cfg.SkillsWeight}, e.cfg.Feedback)
}

// moveToSkills moves a query's vector towards the names of the skills that it asks
// for. An embedder that comes with knowledge of its own needs no such help.
func (e *Engine) moveToSkills(ctx context.Context, p *pass, query []float32) []float32 {
	if query == nil || len(p.concepts) == 0 || e.cfg.SkillsInQuery == 0 || !e.knownWordsOnly(p.embedder) {
		return query
	}
	names := make([]string, len(p.concepts))
	for i, c := range p.concepts {
		names[i] = c.Name
	}
	bounded, cancel := context.WithTimeout(ctx, p.budgets.Embed)
	defer cancel()
	vectors, err := p.embedder.Embed(bounded, lectern.EmbedQuery, names)
	if err != nil || len(vectors) != len(names) {
		e.Logger.WarnContext(ctx, "names of skills not embedded; the query stands alone", "error", err)
		return query
	}
	weights := make([]float64, len(p.concepts))
	for i, c := range p.concepts {
		weights[i] = e.cfg.SkillsInQuery * c.Weight
	}
	return fusion.Towards(query, vectors, weights)
}

// measureSkills lays what courses teach over the candidates of a search.
func (e *Engine) measureSkills(p *pass) {
	s := p.source(SourceSkills)
	if s == nil || len(s.hits) == 0 {
		return // nothing teaches it, so it says nothing of any course
	}
	taught := make(map[string]float64, len(s.hits))
	for _, h := range s.hits {
		taught[h.ID] = float64(h.Score)
	}
	want := p.wantedLanguages()
	for i := range p.candidates {
		c, en := &p.candidates[i], p.entries[i]
		id := en.facts.ID
		c.Skills = rerank.Known(taught[id] * p.keeps(en, want, id))
		if taught[id] > 0 {
			c.Skill = e.Concepts.Taught(p.concepts, id)
		}
	}
}
