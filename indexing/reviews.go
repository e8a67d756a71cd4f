package indexing

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// reviewCourses is how many courses' reviews are embedded together.
const reviewCourses = 20

// EmbedReviews is the worker for lectern.EmbedReviewsJob: it makes the vector
// that stands for what each course's reviews say, under the active embedder and,
// while a new one is being prepared, under that too.
func (p *Pipeline) EmbedReviews(ctx context.Context, job lectern.EmbedReviewsJob) error {
	if err := p.Load(ctx); err != nil {
		return err
	}
	for _, e := range p.embedders() {
		if err := p.embedReviews(ctx, e, job.CourseIDs); err != nil {
			return err
		}
	}
	p.Notify()
	return nil
}

// embedAllReviews does so for every course that has reviews.
func (p *Pipeline) embedAllReviews(ctx context.Context, e lectern.Embedder) error {
	stats, err := p.stats(ctx, nil)
	if err != nil {
		return err
	}
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(stats)) {
		if stats[id].ReviewCount > 0 {
			ids = append(ids, id)
		}
	}
	return p.embedReviews(ctx, e, ids)
}

// embedReviews brings the review vectors of courses up to date.
func (p *Pipeline) embedReviews(ctx context.Context, e lectern.Embedder, courseIDs []string) error {
	if p.o.Config.ReviewsPerCourse == 0 {
		return nil
	}
	for ids := range slices.Chunk(courseIDs, reviewCourses) {
		told := make(map[string][]told, len(ids))
		texts := map[lectern.ContentHash]string{}
		var hashes []lectern.ContentHash
		for _, id := range ids {
			reviews, err := p.o.Store.Reviews(ctx, id, "", p.o.Config.ReviewsPerCourse)
			if err != nil {
				return fmt.Errorf("read reviews to embed: %w", err)
			}
			told[id] = p.o.Config.weigh(reviews)
			for _, r := range told[id] {
				if _, dup := texts[r.hash]; !dup {
					texts[r.hash] = r.text
					hashes = append(hashes, r.hash)
				}
			}
		}
		if _, err := p.embedTexts(ctx, e, hashes, texts); err != nil {
			return err
		}
		if err := p.putReviewVectors(ctx, e, ids, told, hashes); err != nil {
			return err
		}
	}
	return nil
}

// putReviewVectors stores those of the courses' review vectors that changed.
func (p *Pipeline) putReviewVectors(
	ctx context.Context, e lectern.Embedder, ids []string, reviews map[string][]told, hashes []lectern.ContentHash,
) error {
	vectors, err := p.o.Store.VectorsByHash(ctx, e.Fingerprint(), hashes)
	if err != nil {
		return fmt.Errorf("read review vectors: %w", err)
	}
	old, err := p.o.Store.ReviewVectors(ctx, e.Fingerprint(), ids)
	if err != nil {
		return fmt.Errorf("read review vectors: %w", err)
	}
	fresh := map[string][]float32{}
	for _, id := range ids {
		v := meanVector(reviews[id], vectors, e.Dim())
		if !slices.Equal(v, old[id]) {
			fresh[id] = v
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := p.o.Store.PutReviewVectors(ctx, e.Fingerprint(), fresh); err != nil {
		return fmt.Errorf("store review vectors: %w", err)
	}
	return nil
}

// ReviewVector makes the vector that the pipeline makes of one course's newest
// reviews, without a store: for evaluations. It is nil where they say too little,
// or nothing that the embedder knows. Errors: the embedder's.
func (c Config) ReviewVector(ctx context.Context, e lectern.Embedder, reviews []lectern.Review) ([]float32, error) {
	told := c.weigh(reviews)
	if len(told) == 0 {
		return nil, nil
	}
	texts := make([]string, len(told))
	for i, r := range told {
		texts[i] = r.text
	}
	made, err := e.Embed(ctx, lectern.EmbedDocument, texts)
	if err != nil {
		return nil, fmt.Errorf("embed reviews: %w", err)
	}
	vectors := make(map[lectern.ContentHash][]float32, len(made))
	for i, v := range made {
		vectors[told[i].hash] = v
	}
	return meanVector(told, vectors, e.Dim()), nil
}

// told is a review with its weight among those of its course.
type told struct {
	text   string
	hash   lectern.ContentHash
	weight float64
}

// fullWords is the length from which a review no longer gains by being longer.
const fullWords = 40

// weigh drops the reviews that say too little and weighs the others: by how many
// found one helpful (logarithmically), by its age (half after ReviewHalfLife; an
// unknown age is that of the oldest), and by its length up to fullWords. Only the
// ratio of weights counts, so the same reviews have the same vector on any day.
func (c Config) weigh(reviews []lectern.Review) []told {
	var newest, oldest time.Time
	for _, r := range reviews {
		if r.WrittenAt == nil {
			continue
		}
		if newest.IsZero() || r.WrittenAt.After(newest) {
			newest = *r.WrittenAt
		}
		if oldest.IsZero() || r.WrittenAt.Before(oldest) {
			oldest = *r.WrittenAt
		}
	}
	out := make([]told, 0, len(reviews))
	for _, r := range reviews {
		words := len(strings.Fields(r.Text))
		if words < c.ReviewMinWords || words == 0 {
			continue
		}
		at := oldest
		if r.WrittenAt != nil {
			at = *r.WrittenAt
		}
		age := newest.Sub(at)
		weight := (1 + math.Log1p(float64(max(0, r.Helpful)))) *
			math.Exp2(-float64(age)/float64(c.ReviewHalfLife)) *
			math.Sqrt(float64(min(words, fullWords))/fullWords)
		out = append(out, told{text: r.Text, hash: lectern.HashContent(r.Text), weight: weight})
	}
	return out
}

// meanVector is the weighted mean of the reviews' vectors at unit length, nil
// where none has one or they cancel out.
func meanVector(reviews []told, vectors map[lectern.ContentHash][]float32, dim int) []float32 {
	sum := make([]float64, dim)
	for _, r := range reviews {
		if v := vectors[r.hash]; len(v) == dim {
			for i, x := range v {
				sum[i] += r.weight * float64(x)
			}
		}
	}
	norm := 0.0
	for _, x := range sum {
		norm += x * x
	}
	if norm = math.Sqrt(norm); norm < 1e-9 {
		return nil
	}
	out := make([]float32, dim)
	for i, x := range sum {
		out[i] = float32(x / norm)
	}
	return out
}

// reviewVectors reads the review vectors of listed courses.
func (p *Pipeline) reviewVectors(ctx context.Context, e lectern.Embedder, items []item) (map[string][]float32, error) {
	if p.o.Config.ReviewsPerCourse == 0 {
		return nil, nil
	}
	var ids []string
	for i := range items {
		if listed(&items[i].Course) {
			ids = append(ids, items[i].Course.ID)
		}
	}
	vectors, err := p.o.Store.ReviewVectors(ctx, e.Fingerprint(), ids)
	if err != nil {
		return nil, fmt.Errorf("read review vectors: %w", err)
	}
	maps.DeleteFunc(vectors, func(_ string, v []float32) bool { return len(v) != e.Dim() })
	return vectors, nil
}
