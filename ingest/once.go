package ingest

import (
	"cmp"
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
)

// The methods below write a batch in which an id may stand several times. Its
// rows are laid over each other in order and written as one, so that what counts
// as a change is what the batch as a whole does: the same batch again changes
// nothing, even where its rows contradict each other.
//
// Every row has a result. Rows of one id share theirs, except that only the
// first is created, and the others then updated.

// PutCoursesOnce is PutCourses with the patches of each course written as one.
// Patches without a title that come before a course's first title are rejected
// where the course does not exist, as they are one by one.
func (s Service) PutCoursesOnce(ctx context.Context, patches []lectern.CoursePatch) ([]lectern.WriteResult, error) {
	type key struct {
		id      string
		refused bool
	}
	keys := make([]key, len(patches))
	for i, p := range patches {
		keys[i].id = p.Course.ID
	}
	if len(patches) == 0 || distinct(keys) {
		return s.PutCourses(ctx, patches)
	}
	refused, err := s.CheckCourses()(ctx, patches)
	if err != nil {
		return nil, err
	}
	for i := range keys {
		keys[i].refused = refused[i] != nil
	}
	return putOnce(ctx, patches, keys, joinCourses, s.PutCourses)
}

// CheckCourses returns a function that says of batch after batch which patches
// PutCourses would reject, nil for those that it would take, without writing.
// What earlier patches would create counts as being there.
func (s Service) CheckCourses() func(context.Context, []lectern.CoursePatch) ([]error, error) {
	known := map[string]bool{}
	return func(ctx context.Context, patches []lectern.CoursePatch) ([]error, error) {
		var ask []string // only patches without a title need the course to be there
		for _, p := range patches {
			if id := p.Course.ID; !titled(p) && !known[id] {
				ask = append(ask, id)
			}
		}
		if ask != nil {
			found, err := s.Courses.Courses(ctx, ask)
			if err != nil {
				return nil, err
			}
			for _, c := range found {
				known[c.ID] = true
			}
		}
		refused := make([]error, len(patches))
		for i, p := range patches {
			switch id := p.Course.ID; {
			case titled(p):
				known[id] = true
			case !known[id]:
				refused[i] = lectern.Invalid("a course needs a title", missing("title", "is required for a new course", "a text"))
			}
		}
		return refused, nil
	}
}

func titled(p lectern.CoursePatch) bool {
	return p.Course.Title != "" && (p.Replace || slices.Contains(p.Fields, lectern.FieldTitle))
}

// joinCourses is the patch that does what a and then b do.
func joinCourses(a, b lectern.CoursePatch) lectern.CoursePatch {
	switch {
	case b.Replace:
		return b
	case a.Replace:
		return lectern.CoursePatch{Course: b.Apply(a.Course), Replace: true}
	}
	return lectern.CoursePatch{Course: b.Apply(a.Apply(lectern.Course{})), Fields: union(a.Fields, b.Fields)}
}

// PutReviewsOnce is PutReviews with each review written once: the last of an id
// counts.
func (s Service) PutReviewsOnce(ctx context.Context, reviews []lectern.Review) ([]lectern.WriteResult, error) {
	keys := make([]string, len(reviews))
	for i, r := range reviews {
		keys[i] = r.ID
	}
	return putOnce(ctx, reviews, keys, func(_, b lectern.Review) lectern.Review { return b }, s.PutReviews)
}

// PutLearnersOnce is PutLearners with the patches of each learner written as one.
func (s Service) PutLearnersOnce(ctx context.Context, patches []LearnerPatch) ([]lectern.WriteResult, error) {
	type key struct {
		id        string
		anonymous bool
	}
	keys := make([]key, len(patches))
	for i, p := range patches {
		keys[i] = key{p.Learner.ID, p.Learner.Anonymous}
	}
	return putOnce(ctx, patches, keys, joinLearners, s.PutLearners)
}

// joinLearners is the patch that does what a and then b do. Consent that b does
// not mention is a's.
func joinLearners(a, b LearnerPatch) LearnerPatch {
	consent := cmp.Or(b.Learner.Consent, a.Learner.Consent)
	out := LearnerPatch{Learner: b.Learner, Replace: true}
	switch {
	case b.Replace:
	case a.Replace:
		out.Learner = b.Apply(a.Learner)
	default:
		out = LearnerPatch{Learner: b.Apply(a.Apply(lectern.Learner{})), Fields: union(a.Fields, b.Fields)}
	}
	out.Learner.Consent, out.Learner.Anonymous = consent, b.Learner.Anonymous
	return out
}

// distinct reports whether no key comes twice.
func distinct[K comparable](keys []K) bool {
	seen := make(map[K]bool, len(keys))
	for _, k := range keys {
		seen[k] = true
	}
	return len(seen) == len(keys)
}

// union is a and what b has besides, in order; a is not changed.
func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// putOnce joins rows with the same key, at the place of the first, and gives
// every row its result.
func putOnce[T any, K comparable](ctx context.Context, rows []T, keys []K, join func(a, b T) T,
	put func(context.Context, []T) ([]lectern.WriteResult, error),
) ([]lectern.WriteResult, error) {
	joined := make([]T, 0, len(rows))
	places := make(map[K]int, len(rows)) // in joined
	at := make([]int, len(rows))
	for i, row := range rows {
		place, again := places[keys[i]]
		if again {
			joined[place] = join(joined[place], row)
		} else {
			place = len(joined)
			places[keys[i]] = place
			joined = append(joined, row)
		}
		at[i] = place
	}
	written, err := put(ctx, joined)
	if err != nil || len(joined) == len(rows) || len(written) != len(joined) {
		return written, err
	}
	results := make([]lectern.WriteResult, len(rows))
	for i, place := range at {
		results[i] = written[place]
		if results[i].Outcome == lectern.OutcomeCreated {
			written[place].Outcome = lectern.OutcomeUpdated // of the rows that follow
		}
	}
	return results, nil
}
