package opinion

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment"
)

const (
	reviewPage  = 500 // reviews read together
	authorPage  = 500 // authors looked up together
	rereadTimes = 3   // tries to page through reviews of which some are deleted meanwhile
)

// known reports whether a course has a summary.
func (k *Keeper) known(ctx context.Context, courseID string) (bool, error) {
	_, err := k.o.Store.ReviewSummary(ctx, courseID)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return false, nil
	}
	return err == nil, err
}

// Refresh reads the reviews of courses again, decides which are held back, and
// stores the summaries.
func (k *Keeper) Refresh(ctx context.Context, courseIDs ...string) error {
	if len(courseIDs) == 0 {
		return nil
	}
	r := k.current()
	counts, err := k.countReviews(ctx, courseIDs)
	if err != nil {
		return err
	}
	courses, err := k.o.Store.Courses(ctx, courseIDs)
	if err != nil {
		return fmt.Errorf("read courses: %w", err)
	}
	summaries := make([]lectern.ReviewSummary, 0, len(courses))
	for i := range courses {
		s, err := k.readCourse(ctx, r, &courses[i], counts[courses[i].ID])
		if err != nil {
			return fmt.Errorf("read the reviews of %q: %w", courses[i].ID, err)
		}
		if s != nil {
			summaries = append(summaries, *s)
		}
	}
	if err := k.o.Store.PutReviewSummaries(ctx, summaries); err != nil {
		return fmt.Errorf("store what reviews say: %w", err)
	}
	k.count(func(s *Stats) { s.Read += int64(len(courseIDs)) })
	if len(summaries) > 0 {
		k.o.Changed()
	}
	return nil
}

// countReviews returns how many reviews with text each course has.
func (k *Keeper) countReviews(ctx context.Context, courseIDs []string) (map[string]int, error) {
	stats, err := k.o.Store.CourseStats(ctx, courseIDs, k.o.Clock(), time.Hour)
	if err != nil {
		return nil, fmt.Errorf("count reviews: %w", err)
	}
	out := make(map[string]int, len(stats))
	for _, s := range stats {
		out[s.CourseID] = s.ReviewCount
	}
	return out, nil
}

// readCourse makes the summary of one course, nil for one that never had reviews.
func (k *Keeper) readCourse(ctx context.Context, r *reader, course *lectern.Course, count int) (*lectern.ReviewSummary, error) {
	courseID := course.ID
	reviews, all, err := k.newestReviews(ctx, courseID)
	if err != nil {
		return nil, err
	}
	now := lectern.Timestamp(k.o.Clock())
	held, err := k.hold(ctx, courseID, all, now)
	if err != nil {
		return nil, err
	}
	if len(reviews) == 0 {
		known, err := k.known(ctx, courseID)
		if err != nil || !known {
			return nil, err
		}
		return &lectern.ReviewSummary{CourseID: courseID, Model: r.name(), MadeAt: now}, nil
	}
	scores := k.scored(ctx, r, reviews)
	options := sentiment.DefaultSummaryOptions()
	options.Now, options.HalfLife, options.Aspects, options.Held = now, k.o.Config.HalfLife, r.aspects, held
	options.Names = append(slices.Clone(course.Instructors), course.Provider)
	s := sentiment.Summarise(reviews, scores, options)
	s.CourseID, s.Model, s.MadeAt = courseID, r.name(), now
	s.Reviews = max(count, len(reviews))
	s.Positive, s.Trend = scores.trend(reviews, held)
	return &s, nil
}

// newestReviews returns the reviews of a course that are read, newest first, and those
// that the rules look at: stars without text can be an attack too.
func (k *Keeper) newestReviews(ctx context.Context, courseID string) (read, judged []lectern.Review, err error) {
	limit := k.o.Config.MaxReviews
	if judged, err = pageThrough(ctx, k.o.Store.AllReviews, courseID, limit); err != nil {
		return nil, nil, err
	}
	if len(judged) == limit {
		read, err = pageThrough(ctx, k.o.Store.Reviews, courseID, limit)
		return read, judged, err
	}
	for _, r := range judged {
		if r.Text != "" {
			read = append(read, r)
		}
	}
	return read, judged, nil
}

// pageThrough returns up to limit reviews of a course, newest first.
func pageThrough(ctx context.Context, reviews func(ctx context.Context, courseID, after string, limit int) ([]lectern.Review, error),
	courseID string, limit int,
) ([]lectern.Review, error) {
	for try := 1; ; try++ {
		var out []lectern.Review
		var err error
		for after := ""; len(out) < limit; after = out[len(out)-1].ID {
			n := min(reviewPage, limit-len(out))
			var page []lectern.Review
			if page, err = reviews(ctx, courseID, after, n); err != nil {
				break
			}
			out = append(out, page...)
			if len(page) < n {
				return out, nil
			}
		}
		if lectern.ErrorCode(err) != lectern.CodeNotFound || try == rereadTimes {
			return out, err
		}
	}
}

// hold holds back what the rules find suspicious, and returns the ids of all reviews
// that do not count.
func (k *Keeper) hold(ctx context.Context, courseID string, reviews []lectern.Review, now time.Time) (map[string]bool, error) {
	authors, err := k.authors(ctx, courseID, reviews)
	if err != nil {
		return nil, err
	}
	verdict := sentiment.Suspicious(reviews, sentiment.BombingContext{Authors: authors}, k.o.Config.Bombing)
	status := make(map[string]lectern.HoldStatus, len(reviews))
	out := map[string]bool{}
	pending := 0
	for _, r := range reviews {
		status[r.ID] = r.Held
		switch {
		case r.Held == lectern.HoldPending:
			pending++
		case !r.Held.Counts():
			out[r.ID] = true
		}
	}
	verdict = slices.DeleteFunc(verdict, func(h lectern.HeldReview) bool {
		s := status[h.ReviewID]
		return s != "" && s != lectern.HoldPending // somebody has decided
	})
	for i := range verdict {
		h := &verdict[i]
		h.CourseID, h.HeldAt, h.Status = courseID, now, lectern.HoldPending
		out[h.ReviewID] = true
	}
	if pending == 0 && len(verdict) == 0 {
		return out, nil
	}
	same, err := k.heldAlready(ctx, courseID, verdict, pending)
	if err != nil || same {
		return out, err
	}
	if err := k.o.Store.PutHeldReviews(ctx, courseID, verdict); err != nil {
		return nil, fmt.Errorf("hold reviews back: %w", err)
	}
	k.o.Logger.InfoContext(ctx, "reviews are held back", slog.String("course", courseID),
		slog.Int("pending", len(verdict)), slog.Int("before", pending))
	return out, nil
}

// heldAlready reports whether just these are pending, so that nothing is written.
func (k *Keeper) heldAlready(ctx context.Context, courseID string, verdict []lectern.HeldReview, pending int) (bool, error) {
	if len(verdict) != pending {
		return false, nil
	}
	before, err := k.o.Store.HeldReviews(ctx, courseID, lectern.HoldPending, "", pending+1)
	if err != nil {
		return false, fmt.Errorf("read held reviews: %w", err)
	}
	type verdictOf struct{ review, rule, detail string }
	had := make(map[verdictOf]bool, len(before))
	for _, h := range before {
		had[verdictOf{h.ReviewID, h.Rule, h.Detail}] = true
	}
	return len(before) == pending && !slices.ContainsFunc(verdict, func(h lectern.HeldReview) bool {
		return !had[verdictOf{h.ReviewID, h.Rule, h.Detail}]
	}), nil
}

// authors looks up who wrote the reviews.
func (k *Keeper) authors(ctx context.Context, courseID string, reviews []lectern.Review) (map[string]sentiment.Author, error) {
	ids := make([]string, 0, len(reviews))
	for _, r := range reviews {
		if r.LearnerID != "" {
			ids = append(ids, r.LearnerID)
		}
	}
	slices.Sort(ids)
	out := make(map[string]sentiment.Author, len(ids))
	for page := range slices.Chunk(slices.Compact(ids), authorPage) {
		found, err := k.o.Store.ReviewAuthors(ctx, courseID, page)
		if err != nil {
			return nil, fmt.Errorf("look authors up: %w", err)
		}
		for id, a := range found {
			out[id] = sentiment.Author{Reviews: a.Reviews, Since: a.Since, Took: a.Took}
		}
	}
	return out, nil
}

// scores are what a reader says of the reviews of one course. It remembers, so that
// no review is read twice for one summary.
type scores struct {
	sentiment.SentenceClassifier
	name string
	by   map[string]answer // of whole reviews, by text
	chat map[string]float64
}

type answer struct {
	p  float64
	ok bool
}

var _ sentiment.SentenceClassifier = (*scores)(nil)

// scored asks beforehand what is asked outside of this process.
func (k *Keeper) scored(ctx context.Context, r *reader, reviews []lectern.Review) *scores {
	s := &scores{SentenceClassifier: r.classifier, name: r.name(), by: make(map[string]answer, len(reviews))}
	if k.chat != nil {
		s.chat = k.chat.ask(ctx, reviews)
	}
	return s
}

// Name implements sentiment.Classifier.
func (s *scores) Name() string { return s.name }

// Score implements sentiment.Classifier.
func (s *scores) Score(text, language string) (float64, bool) {
	if p, ok := s.chat[text]; ok {
		return p, true
	}
	key := language + "\x00" + text
	a, ok := s.by[key]
	if !ok {
		a.p, a.ok = s.SentenceClassifier.Score(text, language)
		s.by[key] = a
	}
	return a.p, a.ok
}

// positive calls a review with probability p positive or not, where the model has learnt
// to cut; a chat model cuts in the middle.
func (s *scores) positive(p float64, text, language string) bool {
	if _, asked := s.chat[text]; asked {
		return p >= 0.5
	}
	return sentiment.Positive(s.SentenceClassifier, p, text, language)
}

// trendMonths is how many months a trend has at most, the newest.
const trendMonths = 36

// trend returns the share of positive reviews, and what they say by month.
func (s *scores) trend(reviews []lectern.Review, held map[string]bool) (positive float64, months []lectern.OpinionMonth) {
	by := map[time.Time]*lectern.OpinionMonth{}
	read, good := 0, 0
	for _, r := range reviews {
		p, ok := s.Score(r.Text, r.Language)
		if !ok || held[r.ID] {
			continue
		}
		read++
		if s.positive(p, r.Text, r.Language) {
			good++
		}
		if r.WrittenAt == nil {
			continue
		}
		month := time.Date(r.WrittenAt.UTC().Year(), r.WrittenAt.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
		m := by[month]
		if m == nil {
			m = &lectern.OpinionMonth{Month: month}
			by[month] = m
		}
		m.Read++
		m.Score += p
	}
	for _, m := range by {
		m.Score /= float64(m.Read)
		months = append(months, *m)
	}
	slices.SortFunc(months, func(a, b lectern.OpinionMonth) int { return a.Month.Compare(b.Month) })
	months = months[max(0, len(months)-trendMonths):]
	if read == 0 {
		return 0, months
	}
	return float64(good) / float64(cmp.Or(read, 1)), months
}
