package main

import (
	"context"
	"fmt"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/text"
)

// searchBench is the serving pipeline over a catalogue in memory, made for one
// evaluation: its embedder is trained, and its words are counted, without the
// fields that the queries were made from.
type searchBench struct {
	*engine
	index    lectern.VectorIndex
	embedder lectern.Embedder
	unaided  *retrieve.Engine // the ranker without the skill graph; nil where that is off anyway
}

// Generation gives the bench's own index, so that the ranker never meets the
// store's vectors.
func (b *searchBench) Generation() (lectern.VectorIndex, lectern.Embedder) {
	return b.index, b.embedder
}

func newSearchBench(ctx context.Context, env environment, courses []lectern.Course, leaveOut []lectern.CourseField) (*searchBench, error) {
	e, err := newEngine(ctx, env)
	if err != nil {
		return nil, err
	}
	b := &searchBench{engine: e, index: newIndex()}
	texts := make([]string, len(courses))
	for i, c := range courses {
		texts[i] = c.EmbeddingText(leaveOut...)
	}
	embedder, _, err := localTrainer(env.config.Embed)(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("train on the catalogue: %w", err)
	}
	b.embedder = embedder
	vectors, err := embedder.Embed(ctx, lectern.EmbedDocument, texts)
	if err != nil {
		return nil, fmt.Errorf("embed the catalogue: %w", err)
	}
	words := courseWords{lexicon: e.words, leaveOut: leaveOut}
	reviews, err := reviewVectors(ctx, env, embedder, courses)
	if err != nil {
		return nil, err
	}
	points := make([]lectern.Point, 0, len(courses))
	entries := make([]retrieve.CatalogEntry, 0, len(courses))
	for i, c := range courses {
		p := lectern.Point{ID: c.ID, Payload: lectern.PayloadOf(c), Sparse: map[string]lectern.SparseVector{lectern.VectorLexical: words.Put(c)}}
		p.Dense = map[string][]float32{}
		if vectors[i] != nil {
			p.Dense[lectern.VectorContent] = vectors[i]
		}
		if v := reviews[c.ID]; v != nil {
			p.Dense[lectern.VectorReviews] = v
		}
		points = append(points, p)
		entries = append(entries, retrieve.CatalogEntry{Course: without(c, leaveOut)})
	}
	if err := b.index.Upsert(ctx, points); err != nil {
		return nil, err
	}
	if err := e.catalog.Apply(ctx, entries, nil, true); err != nil {
		return nil, err
	}
	if err := e.catalog.RefreshStats(ctx); err != nil {
		return nil, err
	}
	if err := fillSuggester(ctx, e.suggest, courses, leaveOut); err != nil {
		return nil, err
	}
	if err := fillSkills(ctx, e.skills, courses, leaveOut); err != nil {
		return nil, err
	}
	e.generations = b
	if err := e.suggest.Mean(ctx); err != nil {
		return nil, err
	}
	if e.ranker, err = newRanker(ctx, e, b); err != nil {
		return b, err
	}
	if e.skills != nil && env.config.Retrieve.SkillsWeight > 0 {
		without := *e
		without.config.Retrieve.SkillsWeight = 0
		b.unaided, err = newRanker(ctx, &without, b)
	}
	return b, err
}

// reviewVectors makes the review vectors of the courses that have any.
func reviewVectors(ctx context.Context, env environment, embedder lectern.Embedder, courses []lectern.Course) (map[string][]float32, error) {
	cfg := env.config.Indexing
	out := make(map[string][]float32)
	if cfg.ReviewsPerCourse == 0 || env.config.Retrieve.ReviewsWeight == 0 {
		return out, nil
	}
	for _, c := range courses {
		reviews, err := env.store.Reviews(ctx, c.ID, "", cfg.ReviewsPerCourse)
		if err != nil {
			return nil, fmt.Errorf("read reviews: %w", err)
		}
		if out[c.ID], err = cfg.ReviewVector(ctx, embedder, reviews); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// without empties the fields that must not help.
func without(c lectern.Course, fields []lectern.CourseField) lectern.Course {
	return lectern.CoursePatch{Course: lectern.Course{ID: c.ID}, Fields: fields}.Apply(c)
}

// rankers are the baselines and what is served.
func (b *searchBench) rankers() []eval.SearchRanker {
	out := []eval.SearchRanker{
		{Name: "bm25", Search: b.byWords},
		{Name: "latent", Search: b.byMeaning},
	}
	if b.unaided != nil {
		out = append(out, eval.SearchRanker{Name: "hybrid-skills-off", Search: servedBy(b.unaided)})
	}
	return append(out, eval.SearchRanker{Name: "hybrid", Search: b.served})
}

// served ranks as /v1/search does.
func (b *searchBench) served(ctx context.Context, query string, k int) ([]string, error) {
	return servedBy(b.ranker)(ctx, query, k)
}

// servedBy searches as /v1/search does with an engine.
func servedBy(e *retrieve.Engine) func(ctx context.Context, query string, k int) ([]string, error) {
	return func(ctx context.Context, query string, k int) ([]string, error) {
		return e.TopIDs(ctx, lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: query, Limit: k}, k)
	}
}

func (b *searchBench) byWords(ctx context.Context, query string, k int) ([]string, error) {
	v := b.words.QueryVector(query, text.QueryOptions{Mode: text.ModeWord})
	return b.top(ctx, lectern.VectorQuery{Vector: lectern.VectorLexical, Sparse: &v, K: k})
}

func (b *searchBench) byMeaning(ctx context.Context, query string, k int) ([]string, error) {
	vectors, err := b.embedder.Embed(ctx, lectern.EmbedQuery, []string{query})
	if err != nil || vectors[0] == nil {
		return nil, err
	}
	return b.top(ctx, lectern.VectorQuery{Vector: lectern.VectorContent, Dense: vectors[0], K: k})
}

func (b *searchBench) top(ctx context.Context, q lectern.VectorQuery) ([]string, error) {
	if q.Sparse != nil && len(q.Sparse.Indices) == 0 {
		return nil, nil
	}
	lists, err := b.index.Search(ctx, []lectern.VectorQuery{q})
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(lists[0]))
	for i, h := range lists[0] {
		ids[i] = h.ID
	}
	return ids, nil
}

// allCourses reads the open courses of the store.
func allCourses(ctx context.Context, env environment) ([]lectern.Course, error) {
	var out []lectern.Course
	for after := int64(0); ; {
		page, next, err := env.store.ScanCourses(ctx, after, 1000)
		if err != nil {
			return nil, fmt.Errorf("read the catalogue: %w", err)
		}
		for _, c := range page {
			if s := c.Availability.Status; s == "" || s == lectern.StatusOpen {
				out = append(out, c)
			}
		}
		if next == 0 {
			break
		}
		after = next
	}
	if len(out) == 0 {
		return nil, lectern.Errorf(lectern.CodeInvalid, "the catalogue in %s is empty: import courses first", env.config.Data)
	}
	return out, nil
}
