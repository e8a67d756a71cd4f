package postgres

import (
	"bytes"
	"context"
	"reflect"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// PutCourses implements lectern.CourseStore.
func (s *Store) PutCourses(ctx context.Context, patches []lectern.CoursePatch) ([]lectern.WriteResult, error) {
	results := make([]lectern.WriteResult, len(patches))
	if len(patches) == 0 {
		return results, nil
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		w, err := startCourseWrite(ctx, tx, patches)
		if err != nil {
			return err
		}
		for i, p := range patches {
			if results[i], err = w.apply(p); err != nil {
				return err
			}
		}
		return w.store(ctx)
	})
	return resultsOrNil(results, err)
}

// courseWrite is one batch of patches on its way in. Other writes of the same
// courses wait until it is committed, so that no patch is applied to what is
// about to change.
type courseWrite struct {
	tx     *writeTx
	byID   map[string]*courseState
	staged []*courseState // changed, in the order of their first change
}

// courseState is a course as the batch has left it so far.
type courseState struct {
	id      int64
	exists  bool
	created bool
	staged  bool
	row     sqlcgen.Course
}

func startCourseWrite(ctx context.Context, tx *writeTx, patches []lectern.CoursePatch) (*courseWrite, error) {
	w := &courseWrite{tx: tx, byID: map[string]*courseState{}}
	var mentioned []string
	for _, p := range patches {
		if checkID("id", p.Course.ID) == nil {
			mentioned = append(mentioned, p.Course.ID)
		}
	}
	refs, err := tx.courseIDs(ctx, mentioned, true)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, 0, len(refs))
	byID := make(map[int64]*courseState, len(refs))
	for externalID, ref := range refs {
		st := &courseState{id: ref.id}
		w.byID[externalID], byID[ref.id] = st, st
		ids = append(ids, ref.id)
	}
	if err := tx.q.LockCourseIDs(ctx, ids); err != nil {
		return nil, err
	}
	rows, err := tx.q.LockCourses(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		st := byID[r.CourseID]
		st.exists, st.row = true, r
	}
	return w, nil
}

// apply applies one patch to what the patches before it have left.
func (w *courseWrite) apply(p lectern.CoursePatch) (lectern.WriteResult, error) {
	if err := checkID("id", p.Course.ID); err != nil {
		return rejected(err), nil
	}
	st := w.byID[p.Course.ID]
	var base lectern.Course
	if st.exists {
		var err error
		if base, err = courseOf(p.Course.ID, st.row); err != nil {
			return lectern.WriteResult{}, err
		}
	}
	row, err := courseRow(p.Apply(base))
	if err != nil {
		return rejected(err), nil
	}
	row.CourseID, row.StoredAt = st.id, st.row.StoredAt
	if st.exists && reflect.DeepEqual(row, st.row) {
		return outcome(lectern.OutcomeUnchanged), nil
	}
	if !bytes.Equal(row.ContentHash, st.row.ContentHash) {
		w.tx.embedCourses = append(w.tx.embedCourses, p.Course.ID)
	}
	if !st.staged {
		st.staged = true
		w.staged = append(w.staged, st)
	}
	st.row = row
	if st.exists {
		return outcome(lectern.OutcomeUpdated), nil
	}
	st.exists, st.created = true, true
	return outcome(lectern.OutcomeCreated), nil
}

// store writes what the patches came to.
func (w *courseWrite) store(ctx context.Context) error {
	if len(w.staged) == 0 {
		return nil
	}
	rows := make([]sqlcgen.UpsertCourseParams, len(w.staged))
	var created []int64
	for i, st := range w.staged {
		st.row.StoredAt = w.tx.now
		rows[i] = sqlcgen.UpsertCourseParams(st.row)
		w.tx.changed(lectern.ChangeCourse, st.id)
		if st.created {
			created = append(created, st.id)
		}
	}
	if err := execAll(w.tx.q.UpsertCourse(ctx, rows)); err != nil || len(created) == 0 {
		return err
	}
	// Reviews that came before their course are embedded when it comes.
	reviewed, err := w.tx.q.CoursesWithReviews(ctx, created)
	w.tx.embedReviews = append(w.tx.embedReviews, reviewed...)
	return err
}

// batchResults is what the generated batches return.
type batchResults interface{ Exec(f func(int, error)) }

// execAll runs a batch to its end and returns its first error.
func execAll(batch batchResults) error {
	var first error
	batch.Exec(func(_ int, err error) {
		if first == nil {
			first = err
		}
	})
	return first
}

// Courses implements lectern.CourseStore.
func (s *Store) Courses(ctx context.Context, ids []string) ([]lectern.Course, error) {
	if len(ids) == 0 {
		return nil, ctx.Err()
	}
	var out []lectern.Course
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.CoursesByExternalID(ctx, textsOf(ids))
		if err != nil {
			return err
		}
		byID := make(map[string]lectern.Course, len(rows))
		for _, r := range rows {
			if byID[r.ExternalID], err = courseOf(r.ExternalID, r.Course); err != nil {
				return err
			}
		}
		out = make([]lectern.Course, 0, len(rows))
		for _, id := range ids {
			if c, ok := byID[id]; ok {
				out = append(out, c)
			}
		}
		return nil
	})
	return out, err
}

// ScanCourses implements lectern.CourseStore.
func (s *Store) ScanCourses(ctx context.Context, after int64, limit int) ([]lectern.Course, int64, error) {
	if limit <= 0 {
		return nil, 0, ctx.Err()
	}
	var out []lectern.Course
	var next int64
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.CoursesAfter(ctx, after, rowLimit(limit))
		if err != nil {
			return err
		}
		out, next = make([]lectern.Course, len(rows)), 0
		for i, r := range rows {
			if out[i], err = courseOf(r.ExternalID, r.Course); err != nil {
				return err
			}
		}
		if len(rows) == limit {
			next = rows[limit-1].Course.CourseID
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return out, next, nil
}

// CountCourses returns how many courses are open or unlisted.
func (s *Store) CountCourses(ctx context.Context) (n int, err error) {
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		listed, err := q.CountListedCourses(ctx)
		n = int(listed)
		return err
	})
	return n, err
}

// DeleteCourses implements lectern.CourseStore.
func (s *Store) DeleteCourses(ctx context.Context, ids []string) (int, error) {
	deleted := 0
	if len(ids) == 0 {
		return 0, ctx.Err()
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		refs, err := tx.courseIDs(ctx, textsOf(ids), false)
		if err != nil {
			return err
		}
		all := make([]int64, 0, len(refs))
		for _, ref := range refs {
			all = append(all, ref.id)
		}
		if err := tx.q.LockCourseIDs(ctx, all); err != nil {
			return err
		}
		for _, remove := range []func(context.Context, []int64) error{
			tx.q.DeleteReviewsOfCourses, tx.q.DeleteRatingsOfCourses, tx.q.DeleteReviewEmbeddingsOfCourses,
		} {
			if err := remove(ctx, all); err != nil {
				return err
			}
		}
		gone, err := tx.q.DeleteCourses(ctx, all)
		deleted = len(gone)
		tx.changed(lectern.ChangeDeleted, gone...)
		return err
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

// RetireMissing implements lectern.CourseStore.
func (s *Store) RetireMissing(ctx context.Context, keep []string, maxShare float64) (int, error) {
	retired := 0
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		missing, err := tx.q.MissingCourses(ctx, textsOf(keep))
		if err != nil {
			return err
		}
		listed, err := tx.q.CountListedCourses(ctx)
		if err != nil {
			return err
		}
		if !(float64(len(missing)) <= maxShare*float64(listed)) { // also refuses NaN
			return lectern.Errorf(lectern.CodeRefused,
				"this would retire %d of %d courses, more than the share of %g that is allowed at once",
				len(missing), listed, maxShare)
		}
		retired = len(missing)
		if retired == 0 {
			return nil
		}
		tx.changed(lectern.ChangeCourse, missing...)
		return tx.q.RetireCourses(ctx, tx.now, missing)
	})
	if err != nil {
		return 0, err
	}
	return retired, nil
}

// CourseChanges implements lectern.CourseStore.
func (s *Store) CourseChanges(ctx context.Context, after int64, limit int) ([]lectern.CourseChange, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	var out []lectern.CourseChange
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.CourseChangesAfter(ctx, after, rowLimit(limit))
		out = make([]lectern.CourseChange, len(rows))
		for i, r := range rows {
			out[i] = lectern.CourseChange{Seq: r.Seq, CourseID: r.ExternalID, Kind: lectern.ChangeKind(r.Kind)}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
