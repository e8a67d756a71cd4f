package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

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
	if err := checkCourse(c); err != nil {
		return sqlcgen.Course{}, err
	}
	extra, err := encodeExtra(c.Extra)
	if err != nil {
		return sqlcgen.Course{}, err
	}
	hash := lectern.HashContent(c.EmbeddingText())
	return sqlcgen.Course{
		Title:         c.Title,
		Description:   c.Description,
		Language:      c.Language,
		Provider:      c.Provider,
		Instructors:   listOf(c.Instructors),
		Categories:    listOf(c.Categories),
		Skills:        listOf(c.Skills),
		Level:         string(c.Level),
		WorkloadHours: c.WorkloadHours,
		Syllabus:      listOf(c.Syllabus),
		Prerequisites: listOf(c.Prerequisites),
		PublishedAt:   timestampOrNil(c.PublishedAt),
		UpdatedAt:     timestampOrNil(c.UpdatedAt),
		Status:        string(status),
		EnrolFrom:     timestampOrNil(c.Availability.EnrolFrom),
		EnrolUntil:    timestampOrNil(c.Availability.EnrolUntil),
		Regions:       listOf(c.Availability.Regions),
		Organisations: listOf(c.Availability.Organisations),
		Url:           c.URL,
		ImageUrl:      c.ImageURL,
		RatingMean:    c.Stated.RatingMean,
		RatingCount:   int64(c.Stated.RatingCount),
		Enrolments:    int64(c.Stated.Enrolments),
		Extra:         extra,
		ContentHash:   hash[:],
	}, nil
}

// checkCourse refuses what PostgreSQL cannot keep.
func checkCourse(c lectern.Course) error {
	err := errors.Join(
		checkText("title", c.Title), checkText("description", c.Description),
		checkText("language", c.Language), checkText("provider", c.Provider),
		checkText("instructors", c.Instructors...), checkText("categories", c.Categories...),
		checkText("skills", c.Skills...), checkText("syllabus", c.Syllabus...),
		checkText("prerequisites", c.Prerequisites...), checkText("url", c.URL),
		checkText("image_url", c.ImageURL), checkText("regions", c.Availability.Regions...),
		checkText("organisations", c.Availability.Organisations...),
	)
	for field, at := range map[string]*time.Time{
		"published_at": c.PublishedAt, "updated_at": c.UpdatedAt,
		"availability.enrol_from": c.Availability.EnrolFrom, "availability.enrol_until": c.Availability.EnrolUntil,
	} {
		if at != nil {
			err = errors.Join(err, checkTime(field, *at))
		}
	}
	if first, ok := errors.AsType[*lectern.Error](err); ok {
		return first
	}
	return nil
}

// encodeExtra writes the extra fields as JSON text, which is kept as it is.
func encodeExtra(extra map[string]json.RawMessage) ([]byte, error) {
	if len(extra) == 0 {
		return []byte("{}"), nil
	}
	b, err := json.Marshal(extra) // sorts keys and compacts values
	if err != nil {
		return nil, lectern.Invalid("extra is not JSON",
			lectern.NewFieldError("extra", err, "is not valid JSON", ""))
	}
	if !utf8.Valid(b) {
		return nil, lectern.Invalid("extra is not text",
			lectern.NewFieldError("extra", "", "is not valid UTF-8", ""))
	}
	return b, nil
}

// courseOf decodes a row.
func courseOf(externalID string, r sqlcgen.Course) (lectern.Course, error) {
	c := lectern.Course{
		ID:            externalID,
		Title:         r.Title,
		Description:   r.Description,
		Language:      r.Language,
		Provider:      r.Provider,
		Instructors:   listOrNil(r.Instructors),
		Categories:    listOrNil(r.Categories),
		Skills:        listOrNil(r.Skills),
		Level:         lectern.Level(r.Level),
		WorkloadHours: r.WorkloadHours,
		Syllabus:      listOrNil(r.Syllabus),
		Prerequisites: listOrNil(r.Prerequisites),
		PublishedAt:   r.PublishedAt,
		UpdatedAt:     r.UpdatedAt,
		Availability: lectern.Availability{
			Status:        lectern.Status(r.Status),
			EnrolFrom:     r.EnrolFrom,
			EnrolUntil:    r.EnrolUntil,
			Regions:       listOrNil(r.Regions),
			Organisations: listOrNil(r.Organisations),
		},
		URL:      r.Url,
		ImageURL: r.ImageUrl,
		Stated: lectern.StatedStats{
			RatingMean:  r.RatingMean,
			RatingCount: int(r.RatingCount),
			Enrolments:  int(r.Enrolments),
		},
	}
	if string(r.Extra) != "{}" {
		if err := json.Unmarshal(r.Extra, &c.Extra); err != nil {
			return lectern.Course{}, fmt.Errorf("course %q: extra: %w", externalID, err)
		}
	}
	return c, nil
}
