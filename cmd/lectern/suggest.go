package main

import (
	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/skills"
	"github.com/lectern-dev/lectern/suggest"
)

// newSuggester wires what completes queries. The generations are asked for late:
// the pipeline that has them hands courses to the suggester.
func newSuggester(e *engine) (*suggest.Suggester, error) {
	o := suggest.Options{
		Config: e.config.Suggest, Clock: lectern.SystemClock, Logger: e.log,
		Generations: suggestGenerations{e}, Local: lectern.KnowsCatalogueOnly, // what learnt from the catalogue works in this process
		Profiles: countedProfiles{e.store, e.courseFacts, e.config.Learner}, Searches: &suggestSearches{phrases: e.searches.phrases}, Recents: e.searches.phrases,
		Synonyms: suggestSynonyms{e.words}, Hidden: e.hiddenFromSearch,
	}
	if e.skills != nil {
		o.Concepts = suggestConcepts{e.skills}
	}
	return suggest.NewWith(o)
}

// hiddenFromSearch tells which courses the rules hide from somebody's searches, for what
// completes them. Rules for a part of all people ask for more than is read while somebody
// types: of audiences only whether they are signed in is known.
func (e *engine) hiddenFromSearch(ref lectern.LearnerRef) func(courseID string) bool {
	if e.settings == nil {
		return nil
	}
	linear, ok := e.settings.Reranker().(*rerank.Linear)
	if !ok {
		return nil
	}
	hides := linear.Hides(rerank.Request{
		Surface: lectern.SurfaceSearch, At: lectern.SystemClock(), Who: rerank.Who{SignedIn: ref.ID != ""},
	})
	if hides == nil {
		return nil
	}
	return func(courseID string) bool {
		facts := e.catalog.Facts(courseID)
		return facts != nil && hides(facts)
	}
}

// suggestGenerations are those of the engine: the pipeline's, or an evaluation's own.
type suggestGenerations struct{ *engine }

var _ suggest.Generations = suggestGenerations{}

func (g suggestGenerations) Generation() (lectern.VectorIndex, lectern.Embedder) {
	if g.generations == nil {
		return nil, nil
	}
	return g.generations.Generation()
}

var _ retrieve.Generations = suggestGenerations{}

// suggestConcepts hands the skill graph on to what completes queries.
type suggestConcepts struct{ index *skills.Index }

var _ suggest.Concepts = suggestConcepts{}

func (c suggestConcepts) Version() uint64 { return c.index.Version() }

func (c suggestConcepts) Concepts() []suggest.Concept {
	var out []suggest.Concept
	for n := range c.index.Names() {
		out = append(out, suggest.Concept(n))
	}
	return out
}

func (c suggestConcepts) Courses(id string, n int) []string {
	found := c.index.Courses(id)
	out := make([]string, min(n, len(found)))
	for i := range out {
		out[i] = found[i].CourseID
	}
	return out
}

func (c suggestConcepts) Tags(courseID string) []string {
	tags := c.index.Tags(courseID)
	out := make([]string, len(tags))
	for i, t := range tags {
		out[i] = t.SkillID
	}
	return out
}

func (c suggestConcepts) Expand(query string) []suggest.Asked {
	terms := c.index.Matcher().ExpandPrefix(query) // the last word is still being typed
	out := make([]suggest.Asked, len(terms))
	for i, t := range terms {
		out[i] = suggest.Asked{ID: t.SkillID, Weight: t.Weight, Misspelt: t.Why.Misspelt}
	}
	return out
}
