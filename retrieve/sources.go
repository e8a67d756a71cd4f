package retrieve

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/fusion"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/text"
)

// The candidate sources.
const (
	SourceProfile   = "profile"            // home: nearest to the learner's taste
	SourceInterests = "interests"          // home: stated interests and goal, by words and meaning
	SourcePopular   = rerank.SourcePopular // home: most popular
	SourceNew       = rerank.SourceNew     // home: newest
	SourceWords     = rerank.SourceWords   // search: shared words; home and similar: in place of vectors
	SourceMeaning   = "meaning"            // search: nearest to the query
	SourceReviews   = rerank.SourceReviews // search: nearest to the query by what learners say
	SourceSkills    = "skills"             // search: teach the skills that the query asks for
	SourceTitle     = "title"              // search: the query is the title
	SourceContent   = "content"            // similar, because: nearest to the course

	SourceRecent        = "recent"                // home: nearest to what the last session was about
	SourceCollaborative = "collaborative"         // home: what the collaborative model ranks first
	SourceNeighbours    = rerank.SourceNeighbours // home: what similar learners took
	SourceTrending      = rerank.SourceTrending   // home, trending: gain on their own past
	SourceNext          = "next"                  // home, next: what others took after a course
	SourceSuccessors    = "successors"            // home, next: need the course
	SourceLevelUp       = "level_up"              // next: like the course, on a higher level
	SourceTogether      = "together"              // similar, because: taken by the same people
	SourceContinue      = "continue"              // home: under way
)

// source is what one candidate source offered.
type source struct {
	name  string
	unit  string // what its scores are
	hits  []lectern.Hit
	limit int // how many it was asked for
}

// asked is one index query with the source that its answer is for.
type asked struct {
	name   string
	unit   string
	weight float64 // in the source's own fusion
	query  lectern.VectorQuery
	apart  bool // not fused with the source's other answers
	k      int  // hits; 0 is per_source
}

// gather asks every source of the surface, the index with one call.
func (e *Engine) gather(ctx context.Context, p *pass) error {
	var questions []asked
	switch p.req.Surface {
	case lectern.SurfaceSearch:
		questions = e.searchQueries(ctx, p)
	case lectern.SurfaceSimilar, lectern.SurfaceNext:
		var err error
		if questions, err = e.similarQueries(ctx, p); err != nil {
			return err
		}
	case lectern.SurfaceTrending:
	default:
		var err error
		if questions, err = e.homeQueries(ctx, p); err != nil {
			return err
		}
		e.askNeighbours(ctx, p)
	}
	questions, answers, err := e.ask(ctx, p, questions)
	if err != nil {
		return err
	}
	e.collect(p, questions, answers)
	switch p.req.Surface {
	case lectern.SurfaceSearch:
		p.usual = usuallySaid(questions, answers)
		e.offerSkills(p)
		e.weighEvidence(p)
		e.feedback(ctx, p, questions)
		e.addReviews(p)
		e.addTitles(p)
		e.offerTitles(p)
	case lectern.SurfaceSimilar:
		e.offerTogether(p, p.seed)
	case lectern.SurfaceNext:
		e.stepUp(p, p.seed)
		e.offerSuccessors(p, p.seed)
		e.offerNext(p, p.seed, e.cfg.PerSource)
	case lectern.SurfaceTrending:
		e.offerTrending(p)
	case lectern.SurfaceHome:
		e.homeSources(ctx, p)
	}
	return nil
}

// ask searches the index. When it does not answer, a list is made of what memory
// holds; it returns the questions that the answers are for.
func (e *Engine) ask(ctx context.Context, p *pass, questions []asked) ([]asked, [][]lectern.Hit, error) {
	if len(questions) == 0 {
		return nil, nil, nil
	}
	if !p.away {
		answers, err := e.search(ctx, p, questions)
		switch {
		case err == nil:
			return questions, answers, nil
		case ctx.Err() != nil:
			return nil, nil, overdue(ctx)
		case p.variant: // what memory says of it could not be compared with the list
			return nil, nil, unavailable(ctx, "the index does not answer", err)
		}
		e.lose(ctx, p, err)
	}
	questions, answers := e.remember(p, questions)
	return questions, answers, nil
}

// search puts the questions to the index, within what the request has left of its
// budget.
func (e *Engine) search(ctx context.Context, p *pass, questions []asked) ([][]lectern.Hit, error) {
	filter := p.indexFilter()
	queries := make([]lectern.VectorQuery, len(questions))
	for i, q := range questions {
		q.query.Filter, q.query.K = filter, e.hitsOf(q)
		queries[i] = q.query
	}
	return p.index.Search(ctx, queries)
}

// hitsOf is how many hits a question is for.
func (e *Engine) hitsOf(q asked) int {
	if q.k > 0 {
		return min(q.k, e.cfg.PerSource)
	}
	return e.cfg.PerSource
}

// indexFilter is the request's filter with what the surface leaves out.
func (p *pass) indexFilter() lectern.Filter {
	f := p.filter
	f.ExcludeIDs = slices.Clone(f.ExcludeIDs)
	for id := range p.seen {
		f.ExcludeIDs = append(f.ExcludeIDs, id)
	}
	slices.Sort(f.ExcludeIDs)
	if p.seed != nil {
		f.ExcludeIDs = append(f.ExcludeIDs, p.seed.facts.ID)
	}
	return f
}

// collect turns answers into sources; several answers of one source are fused.
func (e *Engine) collect(p *pass, questions []asked, answers [][]lectern.Hit) {
	for i := 0; i < len(questions); {
		q := questions[i]
		var lists [][]lectern.Hit
		var weights []float64
		total := 0.0
		for first := i; i < len(questions) && questions[i].name == q.name && (i == first || !q.apart); i++ {
			hits := answers[i]
			if questions[i].query.Dense != nil {
				hits = e.nearEnough(hits)
			}
			lists = append(lists, hits)
			weights = append(weights, questions[i].weight)
			total += questions[i].weight
		}
		hits := lists[0]
		if len(lists) > 1 {
			for j := range weights {
				weights[j] /= total
			}
			hits = fusion.MaxNorm(lists, weights, e.cfg.PerSource)
		}
		p.sources = append(p.sources, source{q.name, q.unit, hits, e.hitsOf(q)})
	}
}

// nearEnough cuts a falling list of cosines at the least that counts.
func (e *Engine) nearEnough(hits []lectern.Hit) []lectern.Hit {
	n, _ := slices.BinarySearchFunc(hits, e.cfg.MinSimilarity, func(h lectern.Hit, least float64) int {
		if float64(h.Score) >= least {
			return -1
		}
		return 1
	})
	return hits[:n]
}

// likedWords is a word query of what the learner liked most, for when there are
// no vectors.
func (e *Engine) likedWords(p *pass) lectern.SparseVector {
	const most = 3
	ids := make([]string, 0, most)
	for _, l := range p.taste.Liked[:min(most, len(p.taste.Liked))] {
		ids = append(ids, l.CourseID)
	}
	var words []string
	language := ""
	for _, en := range e.Catalog.lookup(ids) {
		if en != nil {
			words = append(words, en.words())
			language = en.facts.Language
		}
	}
	if len(words) == 0 {
		return lectern.SparseVector{}
	}
	return e.Words.QueryVector(closed(strings.Join(words, " ")), text.QueryOptions{Language: language})
}

// words is a course as a word query: title and skills.
func (e *entry) words() string {
	return strings.Join(append([]string{e.facts.Title}, e.skills...), " ")
}

// closed ends a text so that its last word is not taken for a beginning.
func closed(s string) string { return s + " " }

// searchQueries asks for shared words and for nearness in meaning.
func (e *Engine) searchQueries(ctx context.Context, p *pass) []asked {
	options := e.queryOptions(p)
	p.understood = e.Words.Understand(p.req.Query, options)
	meant := p.req.Query
	known := e.knownWordsOnly(p.embedder)
	if known {
		meant = p.understood.Text
	}
	e.askConcepts(p)
	p.query = e.queryWords(p.understood.Text, options.Language)
	p.titleIDs = e.Catalog.titled(e.Catalog.normalTitle(p.req.Query, options.Language))
	var out []asked
	if e.cfg.LexicalWeight > 0 {
		if v := e.Words.QueryVector(p.req.Query, options); len(v.Indices) > 0 {
			out = append(out, asked{name: SourceWords, unit: "BM25", weight: e.cfg.LexicalWeight, query: sparseQuery(v)})
		}
	}
	if e.cfg.vectors() && p.embedder != nil && (p.understood.Known() > 0 || !known) {
		v := e.embedQuery(ctx, p, meant)
		if v != nil && e.cfg.SemanticWeight > 0 {
			out = append(out, asked{name: SourceMeaning, unit: "cosine", weight: e.cfg.SemanticWeight, query: denseQuery(e.moveToSkills(ctx, p, v))})
		}
		if v != nil && e.cfg.ReviewsWeight > 0 {
			out = append(out, e.reviewsQuery(v))
		}
	}
	return out
}

// vectors reports whether searches embed their query.
func (c Config) vectors() bool { return c.SemanticWeight > 0 || c.ReviewsWeight > 0 }

// embedQuery embeds the query within its budget.
func (e *Engine) embedQuery(ctx context.Context, p *pass, q string) []float32 {
	if p.embedded.vector != nil && p.embedded.text == q {
		return p.embedded.vector
	}
	bounded, cancel := context.WithTimeout(ctx, p.budgets.Embed)
	defer cancel()
	vectors, err := p.embedder.Embed(bounded, lectern.EmbedQuery, []string{q})
	if err != nil || len(vectors) != 1 {
		e.Logger.WarnContext(ctx, "query not embedded; words answer alone", "error", err)
		p.degrade(DegradedSemantic)
		return nil
	}
	p.embedded = embeddedQuery{q, vectors[0]}
	return vectors[0]
}

// fuse merges words and meaning; reviews are added to what comes of it.
func (e *Engine) fuse(p *pass) {
	lists := make([][]lectern.Hit, len(p.sources))
	weights := make([]float64, len(p.sources))
	total := 0.0
	lexical, semantic := e.shares(len(p.understood.Words))
	for i, s := range p.sources {
		switch s.name {
		case SourceMeaning:
			lists[i], weights[i] = s.hits, semantic
		case SourceWords:
			lists[i], weights[i] = e.covering(p, s.hits), lexical
		}
		total += weights[i]
	}
	for i := range weights {
		weights[i] /= total
	}
	p.parts = newFusedParts(p.sources, lists, weights)
	p.fused = fusion.MaxNorm(lists, weights, 2*e.cfg.PerSource)
	e.favourLanguage(p)
}

// shares are the weights of words and meaning for a query of so many words. Whoever
// types one or two words means those; whoever describes in many what they want is
// seldom answered in the same words.
func (e *Engine) shares(words int) (lexical, semantic float64) {
	lexical, semantic = e.cfg.LexicalWeight, e.cfg.SemanticWeight
	if brief := e.cfg.LexicalWords; brief > 0 && words > brief && semantic > 0 {
		kept := lexical * float64(brief) / float64(words)
		lexical, semantic = kept, semantic+lexical-kept
	}
	return lexical, semantic
}

// offerTitles adds the courses with the query for a title, first.
func (e *Engine) offerTitles(p *pass) {
	if len(p.titleIDs) == 0 {
		return
	}
	hits := make([]lectern.Hit, 0, len(p.titleIDs))
	for _, id := range p.titleIDs {
		if en := e.Catalog.get(id); en != nil && p.match.admits(en) {
			hits = append(hits, lectern.Hit{ID: id, Score: 1})
		}
	}
	p.sources = slices.Insert(p.sources, 0, source{SourceTitle, "exact", hits, len(hits)})
}

// walk takes the first courses of an order, most at most, that the request allows.
func (e *Engine) walk(p *pass, order []*entry, score func(*entry) float64, most int) []lectern.Hit {
	out := make([]lectern.Hit, 0, min(most, len(order)))
	for _, en := range order {
		if len(out) == most {
			break
		}
		if _, seen := p.seen[en.facts.ID]; seen || !p.match.admits(en) {
			continue
		}
		out = append(out, lectern.Hit{ID: en.facts.ID, Score: float32(score(en))})
	}
	return out
}

// recent is the part of the order by date that is new enough, without what lies
// in the future.
func (e *Engine) recent(p *pass) []*entry {
	fresh := p.view.fresh
	from, _ := slices.BinarySearchFunc(fresh, p.at, func(en *entry, at time.Time) int {
		if en.facts.FreshAt.After(at) {
			return -1
		}
		return 1
	})
	to, _ := slices.BinarySearchFunc(fresh, p.at.Add(-e.cfg.NewWithin), func(en *entry, oldest time.Time) int {
		if !en.facts.FreshAt.Before(oldest) {
			return -1
		}
		return 1
	})
	return fresh[from:max(from, to)]
}

func popularityOf(en *entry) float64 { return en.facts.Popularity.Value }

func (p *pass) daysOld(en *entry) float64 { return p.at.Sub(en.facts.FreshAt).Hours() / 24 }

// language is the learner's first, "" when unknown.
func (p *pass) language() string {
	if p.taste.Personal && len(p.profile.Learner.Languages) > 0 {
		return p.profile.Learner.Languages[0]
	}
	return ""
}

func denseQuery(v []float32) lectern.VectorQuery {
	return lectern.VectorQuery{Vector: lectern.VectorContent, Dense: v}
}

func sparseQuery(v lectern.SparseVector) lectern.VectorQuery {
	return lectern.VectorQuery{Vector: lectern.VectorLexical, Sparse: &v}
}
