package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// PutCourses implements lectern.CourseStore.
func (s *Store) PutCourses(ctx context.Context, patches []lectern.CoursePatch) ([]lectern.WriteResult, error) {
	results := make([]lectern.WriteResult, len(patches))
	if len(patches) == 0 {
		return results, nil
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		ids, err := lookUpCourses(ctx, tx, patchIDs(patches))
		if err != nil {
			return err
		}
		var embed, created []string
		for i, p := range patches {
			out, textChanged, err := tx.putCourse(ctx, ids, p)
			if err != nil {
				return fmt.Errorf("course %q: %w", p.Course.ID, err)
			}
			results[i] = out
			if textChanged {
				embed = append(embed, p.Course.ID)
			}
			if out.Outcome == lectern.OutcomeCreated {
				created = append(created, p.Course.ID)
			}
		}
		if err := s.enqueueEmbed(ctx, tx, distinct(embed)); err != nil {
			return err
		}
		return s.enqueueParkedReviews(ctx, tx, created)
	})
	return resultsOrNil(results, err)
}

func patchIDs(patches []lectern.CoursePatch) []string {
	ids := make([]string, 0, len(patches))
	for _, p := range patches {
		if checkID("id", p.Course.ID) == nil {
			ids = append(ids, p.Course.ID)
		}
	}
	return ids
}

func resultsOrNil(results []lectern.WriteResult, err error) ([]lectern.WriteResult, error) {
	if err != nil {
		return nil, err
	}
	return results, nil
}

// putCourse applies one patch and says whether the embedded text changed.
func (tx *writeTx) putCourse(ctx context.Context, ids *courseIDs, p lectern.CoursePatch) (lectern.WriteResult, bool, error) {
	if err := checkID("id", p.Course.ID); err != nil {
		return rejected(err), false, nil
	}
	var (
		ref    = ids.byID[p.Course.ID]
		stored sqlcgen.Course
		base   lectern.Course
		err    error
	)
	if ref.known {
		if stored, err = tx.q.CourseByID(ctx, ref.id); err != nil {
			return lectern.WriteResult{}, false, err
		}
		if base, err = courseOf(p.Course.ID, stored); err != nil {
			return lectern.WriteResult{}, false, err
		}
	}
	row, err := courseRow(p.Apply(base))
	if err != nil {
		return rejected(err), false, nil
	}
	if ref.known {
		row.CourseID, row.StoredAt = stored.CourseID, stored.StoredAt
		if reflect.DeepEqual(row, stored) {
			return outcome(lectern.OutcomeUnchanged), false, nil
		}
	} else if ref, err = ids.ref(ctx, p.Course.ID); err != nil {
		return lectern.WriteResult{}, false, err
	}
	row.CourseID, row.StoredAt = ref.id, micros(tx.now)
	if err := tx.q.UpsertCourse(ctx, sqlcgen.UpsertCourseParams(row)); err != nil {
		return lectern.WriteResult{}, false, err
	}
	if err := tx.changed(ctx, ref.id, lectern.ChangeCourse); err != nil {
		return lectern.WriteResult{}, false, err
	}
	done := lectern.OutcomeCreated
	if ref.known {
		done = lectern.OutcomeUpdated
	}
	ids.byID[p.Course.ID] = courseRef{id: ref.id, known: true}
	return outcome(done), !bytes.Equal(row.ContentHash, stored.ContentHash), nil
}

// Courses implements lectern.CourseStore.
func (s *Store) Courses(ctx context.Context, ids []string) ([]lectern.Course, error) {
	if len(ids) == 0 {
		return nil, ctx.Err()
	}
	rows, err := s.read.CoursesByExternalID(ctx, jsonText(distinct(ids)))
	if err != nil {
		return nil, err
	}
	byID := make(map[string]lectern.Course, len(rows))
	for _, r := range rows {
		if byID[r.ExternalID], err = courseOf(r.ExternalID, r.Course); err != nil {
			return nil, err
		}
	}
	out := make([]lectern.Course, 0, len(rows))
	for _, id := range ids {
		if c, ok := byID[id]; ok {
			out = append(out, c)
		}
	}
	return out, nil
}

// ScanCourses implements lectern.CourseStore.
func (s *Store) ScanCourses(ctx context.Context, after int64, limit int) ([]lectern.Course, int64, error) {
	if limit <= 0 {
		return nil, 0, ctx.Err()
	}
	rows, err := s.read.CoursesAfter(ctx, after, int64(limit))
	if err != nil {
		return nil, 0, err
	}
	out := make([]lectern.Course, len(rows))
	for i, r := range rows {
		if out[i], err = courseOf(r.ExternalID, r.Course); err != nil {
			return nil, 0, err
		}
	}
	if len(rows) < limit {
		return out, 0, nil
	}
	return out, rows[len(rows)-1].Course.CourseID, nil
}

// CountCourses returns how many courses are open or unlisted.
func (s *Store) CountCourses(ctx context.Context) (int, error) {
	n, err := s.read.CountListedCourses(ctx)
	return int(n), err
}

// DeleteCourses implements lectern.CourseStore.
func (s *Store) DeleteCourses(ctx context.Context, ids []string) (int, error) {
	deleted := 0
	if len(ids) == 0 {
		return 0, ctx.Err()
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		deleted = 0
		known, err := lookUpCourses(ctx, tx, ids)
		if err != nil {
			return err
		}
		for _, id := range distinct(ids) {
			ref, ok := known.byID[id]
			if !ok {
				continue
			}
			n, err := tx.deleteCourse(ctx, ref.id)
			if err != nil {
				return err
			}
			deleted += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

func (tx *writeTx) deleteCourse(ctx context.Context, courseID int64) (int, error) {
	if err := tx.q.DeleteCourseReviews(ctx, courseID); err != nil {
		return 0, err
	}
	if err := tx.q.DeleteCourseRatings(ctx, courseID); err != nil {
		return 0, err
	}
	if err := tx.q.DeleteCourseReviewEmbeddings(ctx, courseID); err != nil {
		return 0, err
	}
	n, err := tx.q.DeleteCourse(ctx, courseID)
	if err != nil || n == 0 {
		return 0, err
	}
	return int(n), tx.changed(ctx, courseID, lectern.ChangeDeleted)
}

// RetireMissing implements lectern.CourseStore.
func (s *Store) RetireMissing(ctx context.Context, keep []string, maxShare float64) (int, error) {
	retired := 0
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		retired = 0
		listed, err := tx.q.CountListedCourses(ctx)
		if err != nil {
			return err
		}
		missing, err := tx.q.MissingCourses(ctx, jsonText(distinct(keep)))
		if err != nil {
			return err
		}
		if !(float64(len(missing)) <= maxShare*float64(listed)) { // also refuses NaN
			return lectern.Errorf(lectern.CodeRefused,
				"this would retire %d of %d courses, more than the share of %g that is allowed at once",
				len(missing), listed, maxShare)
		}
		for _, id := range missing {
			if err := tx.q.RetireCourse(ctx, micros(tx.now), id); err != nil {
				return err
			}
			if err := tx.changed(ctx, id, lectern.ChangeCourse); err != nil {
				return err
			}
		}
		retired = len(missing)
		return nil
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
	rows, err := s.read.CourseChangesAfter(ctx, after, int64(limit))
	if err != nil {
		return nil, err
	}
	out := make([]lectern.CourseChange, len(rows))
	for i, r := range rows {
		out[i] = lectern.CourseChange{Seq: r.Seq, CourseID: r.ExternalID, Kind: lectern.ChangeKind(r.Kind)}
	}
	return out, nil
}

// courseRow encodes a course; its errors reject the course. CourseID and
// StoredAt are left to the caller.
func courseRow(c lectern.Course) (sqlcgen.Course, error) {
	if strings.TrimSpace(c.Title) == "" {
		return sqlcgen.Course{}, lectern.Invalid("a course needs a title",
			lectern.NewFieldError("title", c.Title, "is empty", ""))
	}
	status := c.Availability.Status
	if status == "" {
		status = lectern.StatusOpen
	}
	if !slices.Contains(lectern.Statuses(), status) {
		return sqlcgen.Course{}, lectern.Invalid("unknown status",
			lectern.NewFieldError("availability.status", status, "is unknown", fmt.Sprint(lectern.Statuses())))
	}
	if c.Level != "" && !slices.Contains(lectern.Levels(), c.Level) {
		return sqlcgen.Course{}, lectern.Invalid("unknown level",
			lectern.NewFieldError("level", c.Level, "is unknown", fmt.Sprint(lectern.Levels())))
	}
	extra := "{}"
	if len(c.Extra) > 0 {
		b, err := json.Marshal(c.Extra) // sorts keys and compacts values
		if err != nil {
			return sqlcgen.Course{}, lectern.Invalid("extra is not JSON",
				lectern.NewFieldError("extra", err, "is not valid JSON", ""))
		}
		extra = string(b)
	}
	hash := lectern.HashContent(c.EmbeddingText())
	return sqlcgen.Course{
		Title:         c.Title,
		Description:   c.Description,
		Language:      c.Language,
		Provider:      c.Provider,
		Instructors:   encodeList(c.Instructors),
		Categories:    encodeList(c.Categories),
		Skills:        encodeList(c.Skills),
		Level:         string(c.Level),
		WorkloadHours: c.WorkloadHours,
		Syllabus:      encodeList(c.Syllabus),
		Prerequisites: encodeList(c.Prerequisites),
		PublishedAt:   microsOrNil(c.PublishedAt),
		UpdatedAt:     microsOrNil(c.UpdatedAt),
		Status:        string(status),
		EnrolFrom:     microsOrNil(c.Availability.EnrolFrom),
		EnrolUntil:    microsOrNil(c.Availability.EnrolUntil),
		Regions:       encodeList(c.Availability.Regions),
		Organisations: encodeList(c.Availability.Organisations),
		Url:           c.URL,
		ImageUrl:      c.ImageURL,
		RatingMean:    c.Stated.RatingMean,
		RatingCount:   int64(c.Stated.RatingCount),
		Enrolments:    int64(c.Stated.Enrolments),
		Extra:         extra,
		ContentHash:   hash[:],
	}, nil
}

// courseOf decodes a row.
func courseOf(externalID string, r sqlcgen.Course) (lectern.Course, error) {
	c := lectern.Course{
		ID:            externalID,
		Title:         r.Title,
		Description:   r.Description,
		Language:      r.Language,
		Provider:      r.Provider,
		Level:         lectern.Level(r.Level),
		WorkloadHours: r.WorkloadHours,
		PublishedAt:   timeOrNil(r.PublishedAt),
		UpdatedAt:     timeOrNil(r.UpdatedAt),
		Availability: lectern.Availability{
			Status:     lectern.Status(r.Status),
			EnrolFrom:  timeOrNil(r.EnrolFrom),
			EnrolUntil: timeOrNil(r.EnrolUntil),
		},
		URL:      r.Url,
		ImageURL: r.ImageUrl,
		Stated: lectern.StatedStats{
			RatingMean:  r.RatingMean,
			RatingCount: int(r.RatingCount),
			Enrolments:  int(r.Enrolments),
		},
	}
	for _, l := range []struct {
		into *[]string
		from string
	}{
		{&c.Instructors, r.Instructors},
		{&c.Categories, r.Categories},
		{&c.Skills, r.Skills},
		{&c.Syllabus, r.Syllabus},
		{&c.Prerequisites, r.Prerequisites},
		{&c.Availability.Regions, r.Regions},
		{&c.Availability.Organisations, r.Organisations},
	} {
		list, err := decodeList(l.from)
		if err != nil {
			return lectern.Course{}, fmt.Errorf("course %q: %w", externalID, err)
		}
		*l.into = list
	}
	if r.Extra != "{}" {
		if err := json.Unmarshal([]byte(r.Extra), &c.Extra); err != nil {
			return lectern.Course{}, fmt.Errorf("course %q: extra: %w", externalID, err)
		}
	}
	return c, nil
}
