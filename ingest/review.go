package ingest

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lectern-dev/lectern"
)

type review = lectern.Review

var reviewSchema = newSchema(Reviews, nil,
	binding[review]{idField("id", false), func(r *review, v value) { r.ID = v.text }},
	binding[review]{textField("source", MaxNameChars), func(r *review, v value) { r.Source = v.text }},
	binding[review]{idField("course_id", true), func(r *review, v value) { r.CourseID = v.text }},
	binding[review]{idField("learner_id", false), func(r *review, v value) { r.LearnerID = v.text }},
	binding[review]{numberField("stars", TypeStars, lectern.MinStars, lectern.MaxStars), func(r *review, v value) { r.Stars = v.numberPtr() }},
	binding[review]{textField("text", MaxReviewChars), func(r *review, v value) { r.Text = v.text }},
	binding[review]{plainField("language", TypeLanguage), func(r *review, v value) { r.Language = v.text }},
	binding[review]{numberField("helpful", TypeInteger, 0, MaxCount), func(r *review, v value) { r.Helpful = int(v.number) }},
	binding[review]{plainField("written_at", TypeTime), func(r *review, v value) { r.WrittenAt = v.timePtr() }},
)

// DecodeReview decodes canonical JSON. A review without an id gets DeriveReviewID.
func DecodeReview(data []byte) (lectern.Review, error) { return Decoder{}.Review(data) }

// Review decodes canonical JSON.
func (d Decoder) Review(data []byte) (lectern.Review, error) {
	return decodeJSON(d, Reviews, data, d.ReviewRecord)
}

// ReviewRecord decodes a record.
func (d Decoder) ReviewRecord(rec Record) (lectern.Review, error) {
	rec, problems := d.withID(rec)
	r := lectern.Review{Source: d.Source}
	_, more := reviewSchema.read(rec, &r)
	problems = append(problems, more...)
	if r.Stars == nil && r.Text == "" && !named(problems, "stars") && !named(problems, "text") {
		problems = append(problems, missing("text", "is required where there are no stars", "a text, or stars, or both"))
	}
	if err := invalid(Reviews, problems); err != nil {
		return lectern.Review{}, err
	}
	if r.ID == "" {
		r.ID = DeriveReviewID(r)
	}
	return r, nil
}

// reviewIDs is the name space of derived review ids.
var reviewIDs = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://lectern.dev/ns/review"))

// DeriveReviewID is the id of a review that came without one: a UUIDv5 of its
// source, course, learner, time and text, so that the same review read twice is
// one review.
func DeriveReviewID(r lectern.Review) string {
	at := ""
	if r.WrittenAt != nil {
		at = r.WrittenAt.UTC().Format(time.RFC3339Nano)
	}
	var b strings.Builder
	for _, part := range []string{r.Source, r.CourseID, r.LearnerID, at, r.Text} {
		fmt.Fprintf(&b, "%d:%s", len(part), part) // lengths keep parts from running together
	}
	return uuid.NewSHA1(reviewIDs, []byte(b.String())).String()
}
