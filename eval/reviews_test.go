package eval_test

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/eval"
	"github.com/lectern-dev/lectern/index"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/text"
)

// reviewLab is the serving pipeline over the real catalogue, whose courses can be
// given any review vectors.
type reviewLab struct {
	t        testing.TB
	courses  []lectern.Course
	embedder lectern.Embedder
	words    *text.Lexicon
	catalog  *retrieve.Catalog
	points   []lectern.Point // without review vectors
	index    lectern.VectorIndex
}

// noStats is a catalogue of which nothing is known but the courses.
type noStats struct{}

func (noStats) CourseStats(context.Context, []string, time.Time, time.Duration) ([]lectern.CourseStats, error) {
	return nil, nil
}

func newReviewLab(t testing.TB, courses []lectern.Course, leaveOut []lectern.CourseField) *reviewLab {
	t.Helper()
	l := &reviewLab{t: t, courses: courses, words: text.NewLexicon(text.DefaultParams())}
	texts := make([]string, len(courses))
	entries := make([]retrieve.CatalogEntry, len(courses))
	for i, c := range courses {
		texts[i] = c.EmbeddingText(leaveOut...)
		entries[i].Course = lectern.CoursePatch{Course: lectern.Course{ID: c.ID}, Fields: leaveOut}.Apply(c)
	}
	local, err := embed.Train(t.Context(), slices.Values(texts), embed.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	l.embedder = local
	vectors := l.embed(texts)
	for i, c := range courses {
		p := lectern.Point{
			ID: c.ID, Payload: lectern.PayloadOf(c), Dense: map[string][]float32{},
			Sparse: map[string]lectern.SparseVector{lectern.VectorLexical: l.words.Put(c.ID, text.CourseDocument(c, leaveOut...))},
		}
		if vectors[i] != nil {
			p.Dense[lectern.VectorContent] = vectors[i]
		}
		l.points = append(l.points, p)
	}
	l.catalog = retrieve.NewCatalog(retrieve.DefaultConfig(), noStats{}, lectern.SystemClock)
	if err := l.catalog.Apply(t.Context(), entries, nil, true); err != nil {
		t.Fatal(err)
	}
	l.review(nil)
	return l
}

func (l *reviewLab) embed(texts []string) [][]float32 {
	l.t.Helper()
	vectors, err := l.embedder.Embed(context.Background(), lectern.EmbedDocument, texts)
	if err != nil {
		l.t.Fatal(err)
	}
	return vectors
}

// review puts review vectors in the place of those that were there.
func (l *reviewLab) review(vectors map[string][]float32) {
	l.t.Helper()
	points := slices.Clone(l.points)
	for i := range points {
		if v := vectors[points[i].ID]; v != nil {
			points[i].Dense = maps.Clone(points[i].Dense)
			points[i].Dense[lectern.VectorReviews] = v
		}
	}
	l.index = index.New(index.Options{})
	if err := l.index.Upsert(context.Background(), points); err != nil {
		l.t.Fatal(err)
	}
}

// Generation implements retrieve.Generations.
func (l *reviewLab) Generation() (lectern.VectorIndex, lectern.Embedder) { return l.index, l.embedder }

// ranker is what is served, with a weight for reviews.
func (l *reviewLab) ranker(name string, weight float64) eval.SearchRanker {
	l.t.Helper()
	cfg := retrieve.DefaultConfig()
	cfg.ReviewsWeight = weight
	cfg.Budgets.Candidates, cfg.Budgets.Embed = time.Minute, time.Minute // a busy machine is no reason to lose hits
	linear, err := rerank.NewLinear(rerank.DefaultConfig())
	if err != nil {
		l.t.Fatal(err)
	}
	profiles, err := learner.NewProfiles(nil, learner.DefaultConfig(), lectern.SystemClock)
	if err != nil {
		l.t.Fatal(err)
	}
	engine, err := retrieve.New(retrieve.Deps{ // nobody asks, and TopIDs records nothing and reads no course
		Catalog: l.catalog, Generations: l, Words: l.words, Profiles: profiles,
		Rerankers: rerank.Always{R: linear}, Clock: lectern.SystemClock, Logger: slog.New(slog.DiscardHandler),
	}, cfg)
	if err != nil {
		l.t.Fatal(err)
	}
	return eval.SearchRanker{Name: name, Search: func(ctx context.Context, q string, k int) ([]string, error) {
		return engine.TopIDs(ctx, lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: q, Limit: k}, k)
	}}
}

func (l *reviewLab) rankers(weights []float64) []eval.SearchRanker {
	var out []eval.SearchRanker
	for _, w := range weights {
		out = append(out, l.ranker(fmt.Sprintf("weight %.2f", w), w))
	}
	return out
}

// readReviews reads the real reviews, newest first.
func readReviews(t testing.TB) []lectern.Review {
	t.Helper()
	file := filepath.Join(dataDir(t), "coursera-reviews", "reviews_en.csv.gz")
	if _, err := os.Stat(file); err != nil {
		t.Skip("no reviews among the test data")
	}
	var out []lectern.Review
	for _, r := range readRows(t, file) {
		at, err := time.Parse(time.DateOnly, r["date"])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, lectern.Review{CourseID: r["course_id"], LearnerID: r["learner_id"], Text: r["text"], WrittenAt: &at})
	}
	slices.SortStableFunc(out, func(a, b lectern.Review) int { return b.WrittenAt.Compare(*a.WrittenAt) })
	return out
}

// fate says by a learner's name what becomes of their reviews: 0 and 1 go into
// review vectors, 2 makes queries to tune on, 3 makes queries to report on.
func fate(r lectern.Review) uint32 {
	h := fnv.New32a()
	h.Write([]byte(r.LearnerID))
	return h.Sum32() >> 7 & 3
}

// reviewVectors makes review vectors of the reviews that do not make queries.
func (l *reviewLab) reviewVectors(reviews []lectern.Review) map[string][]float32 {
	l.t.Helper()
	cfg := indexing.DefaultConfig()
	byCourse := make(map[string][]lectern.Review)
	for _, r := range reviews {
		if fate(r) < 2 && len(byCourse[r.CourseID]) < cfg.ReviewsPerCourse {
			byCourse[r.CourseID] = append(byCourse[r.CourseID], r)
		}
	}
	out := make(map[string][]float32)
	for id, rs := range byCourse {
		v, err := cfg.ReviewVector(l.t.Context(), l.embedder, rs)
		if err != nil {
			l.t.Fatal(err)
		}
		out[id] = v
	}
	return out
}

var sentenceEnd = regexp.MustCompile(`[.!?]+\s+|\n+`)

// The length of a sentence that can be a query, in words.
const shortest, longest = 5, 20

// perCourse bounds the queries of one course in one half, so that the one with
// most reviews is not all there is.
const perCourse = 100

// sentences are those of a review that can be queries: of a fair length, and
// without the title of the course, which would make them a search for that.
func sentences(r lectern.Review, title []string) []string {
	var out []string
	for _, s := range sentenceEnd.Split(r.Text, -1) {
		s = strings.Join(strings.Fields(s), " ")
		if n := strings.Count(s, " ") + 1; n < shortest || n > longest {
			continue
		}
		terms := text.Terms(s, "en")
		if len(title) > 0 && !slices.ContainsFunc(title, func(w string) bool { return !slices.Contains(terms, w) }) {
			continue
		}
		out = append(out, s)
	}
	return out
}

// knownItems makes a query of every review of one fate: its most telling sentence,
// by the mean rarity of its words among the catalogue's, with the course that was
// reviewed for an answer. Words that the catalogue does not have say nothing of
// how telling a sentence is.
func (l *reviewLab) knownItems(reviews []lectern.Review, of uint32) ([]eval.Query, eval.Qrels) {
	titles := make(map[string][]string)
	for _, c := range l.courses {
		for _, w := range text.Terms(c.Title, "en") {
			if w != "introduct" && w != "to" {
				titles[c.ID] = append(titles[c.ID], w)
			}
		}
	}
	var queries []eval.Query
	qrels := make(eval.Qrels)
	made := make(map[string]int)
	seen := make(map[string]bool)
	for _, r := range reviews {
		if fate(r) != of || made[r.CourseID] == perCourse {
			continue
		}
		best, most := "", 0.0
		for _, s := range sentences(r, titles[r.CourseID]) {
			if d := l.telling(s); d > most {
				best, most = s, d
			}
		}
		if best == "" || seen[strings.ToLower(best)] {
			continue
		}
		seen[strings.ToLower(best)] = true
		made[r.CourseID]++
		id := fmt.Sprintf("%s/%d", r.CourseID, made[r.CourseID])
		queries = append(queries, eval.Query{ID: id, Text: best})
		qrels[id] = eval.Relevant{r.CourseID: 1}
	}
	slices.SortFunc(queries, func(a, b eval.Query) int { return cmp.Compare(a.ID, b.ID) })
	return queries, qrels
}

// telling is the mean inverse document frequency of a sentence's known words.
func (l *reviewLab) telling(s string) float64 {
	u := l.words.Understand(s+" ", text.QueryOptions{Mode: text.ModeWord})
	sum, n := 0.0, 0
	for _, w := range u.Words {
		if w.Trust == 1 {
			sum += w.IDF
			n++
		}
	}
	if n < 2 {
		return 0
	}
	return sum / float64(n)
}

// macro averages the mean of each course, so that courses count alike.
func macro(s eval.RankerScore) (mean eval.QueryScore, byCourse map[string]eval.QueryScore) {
	byCourse = make(map[string]eval.QueryScore)
	n := make(map[string]float64)
	for _, q := range s.PerQuery {
		id, _, _ := strings.Cut(q.QueryID, "/")
		m := byCourse[id]
		byCourse[id] = eval.QueryScore{NDCG: m.NDCG + q.NDCG, Recall: m.Recall + q.Recall, MRR: m.MRR + q.MRR}
		n[id]++
	}
	for id, m := range byCourse {
		m = eval.QueryScore{NDCG: m.NDCG / n[id], Recall: m.Recall / n[id], MRR: m.MRR / n[id]}
		byCourse[id] = m
		c := float64(len(byCourse))
		mean.NDCG, mean.Recall, mean.MRR = mean.NDCG+m.NDCG/c, mean.Recall+m.Recall/c, mean.MRR+m.MRR/c
	}
	return mean, byCourse
}

// rotated gives each course another's reviews: what is gained with these is gained
// by having reviews at all, not by what they say.
func rotated(vectors map[string][]float32) map[string][]float32 {
	ids := slices.Sorted(maps.Keys(vectors))
	out := make(map[string][]float32)
	for i, id := range ids {
		out[id] = vectors[ids[(i+1)%len(ids)]]
	}
	return out
}

// pretended are review vectors for every other course: a dozen real sentences each
// that name no topic, and one that names the title.
func (l *reviewLab) pretended(reviews []lectern.Review) map[string][]float32 {
	var plain []string
	for _, r := range reviews {
		for _, s := range sentences(r, nil) {
			low := strings.ToLower(s)
			if !strings.Contains(low, "financ") && !strings.Contains(low, "psych") && !strings.Contains(low, "market") && !strings.Contains(low, "shiller") {
				plain = append(plain, s)
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	out := make(map[string][]float32)
	cfg := indexing.DefaultConfig()
	for _, c := range l.courses {
		if rng.IntN(2) == 0 {
			continue
		}
		rs := []lectern.Review{{Text: "A great course on " + c.Title}}
		for range 12 {
			rs = append(rs, lectern.Review{Text: plain[rng.IntN(len(plain))]})
		}
		v, err := cfg.ReviewVector(l.t.Context(), l.embedder, rs)
		if err != nil {
			l.t.Fatal(err)
		}
		out[c.ID] = v
	}
	return out
}

// TestReviewsInSearch measures what review vectors do to search, and prints the
// tables of docs/measured/reviews.md. It fails when the default weight makes
// queries worse that reviews do not speak about, gains nothing on those that they
// do, or gains as much with the reviews of another course.
func TestReviewsInSearch(t *testing.T) {
	if testing.Short() {
		t.Skip("trains twice on 3,529 courses")
	}
	courses, reviews := courseraCourses(t), readReviews(t)
	served := retrieve.DefaultConfig().ReviewsWeight
	weights := []float64{0, served}
	if testing.Verbose() {
		weights = []float64{0, served, 0.1, 0.3, 0.5, 1}
	}
	l := newReviewLab(t, courses, nil)
	vectors := l.reviewVectors(reviews)
	l.likeness(vectors)
	for _, half := range []struct {
		name string
		fate uint32
	}{{"tuned on", 2}, {"held out", 3}} {
		queries, qrels := l.knownItems(reviews, half.fate)
		l.review(vectors)
		own := l.known(half.name, weights, queries, qrels)
		l.review(rotated(vectors))
		others := l.known(half.name+", the reviews of another course", weights, queries, qrels)
		// The first ten hardly ever hold such a course, so that their mean gain may be
		// nothing; the first fifty must gain.
		if own.NDCG < 0 || own.Recall <= 0 || others.Recall >= own.Recall/2 {
			t.Errorf("%s: reviews gain %+v, those of another course %+v", half.name, own, others)
		}
	}

	set, qrels := eval.SkillQueries(courses)
	l = newReviewLab(t, courses, set.LeaveOut)
	l.review(l.reviewVectors(reviews))
	l.skills("skills, three courses with reviews", weights, set, qrels)
	l.review(l.pretended(reviews))
	l.skills("skills, pretended reviews for half of the courses", weights, set, qrels)
}

// likeness prints how near courses' reviews are to one another, and their contents.
func (l *reviewLab) likeness(vectors map[string][]float32) {
	ids := slices.Sorted(maps.Keys(vectors))
	content, err := l.index.Vectors(l.t.Context(), lectern.VectorContent, ids)
	if err != nil {
		l.t.Fatal(err)
	}
	for i := range ids {
		j := (i + 1) % len(ids)
		l.t.Logf("%s and %s: cosine of reviews %.3f, of contents %.3f; of the first's reviews and content %.3f",
			ids[i], ids[j], vek32.Dot(vectors[ids[i]], vectors[ids[j]]), vek32.Dot(content[i], content[j]), vek32.Dot(vectors[ids[i]], content[i]))
	}
}

// known prints the table of one half of the known-item queries and returns what
// the second weight gains over the first, courses counting alike.
func (l *reviewLab) known(name string, weights []float64, queries []eval.Query, qrels eval.Qrels) eval.QueryScore {
	l.t.Helper()
	r, err := eval.Search(l.t.Context(), l.rankers(weights), queries, qrels)
	if err != nil {
		l.t.Fatal(err)
	}
	if testing.Verbose() {
		fmt.Printf("\nknown items, %s: %d queries; nDCG@10, Recall@50, MRR@10, courses counting alike, and each\n", name, r.Queries)
		for _, s := range r.Rankers {
			mean, by := macro(s)
			fmt.Printf("%s  %.4f %.4f %.4f", s.Name, mean.NDCG, mean.Recall, mean.MRR)
			for _, id := range slices.Sorted(maps.Keys(by)) {
				fmt.Printf("  %s %.3f %.3f %.3f", id, by[id].NDCG, by[id].Recall, by[id].MRR)
			}
			fmt.Println()
		}
		l.gained(r.Rankers[0], r.Rankers[1])
	}
	before, _ := macro(r.Rankers[0])
	after, _ := macro(r.Rankers[1])
	return eval.QueryScore{NDCG: after.NDCG - before.NDCG, Recall: after.Recall - before.Recall, MRR: after.MRR - before.MRR}
}

// gained prints what one ranker gains over another, query by query.
func (l *reviewLab) gained(base, better eval.RankerScore) {
	ndcg, recall := gain(base, better)
	fmt.Printf("gain of %s over %s, queries counting alike: nDCG@10 %.4f [%.4f, %.4f], Recall@50 %.4f [%.4f, %.4f]\n", better.Name, base.Name,
		ndcg.Mean, ndcg.Low, ndcg.High, recall.Mean, recall.Low, recall.High)
}

// What the skill queries may lose, which reviews speak about by chance only.
const mayLose = 0.001

// skills prints the table of the skill queries, which must not become worse.
func (l *reviewLab) skills(name string, weights []float64, set eval.QuerySet, qrels eval.Qrels) {
	l.t.Helper()
	r, err := eval.Search(l.t.Context(), l.rankers(weights), set.Queries, qrels)
	if err != nil {
		l.t.Fatal(err)
	}
	if testing.Verbose() {
		fmt.Printf("\n%s\n", name)
		_ = r.WriteTable(os.Stdout)
		l.gained(r.Rankers[0], r.Rankers[1])
	}
	if ndcg, recall := gain(r.Rankers[0], r.Rankers[1]); ndcg.Mean < -mayLose || recall.Mean < -mayLose {
		l.t.Errorf("%s: %s changes nDCG@10 by %.4f and Recall@50 by %.4f", name, r.Rankers[1].Name, ndcg.Mean, recall.Mean)
	}
}
