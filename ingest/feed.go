package ingest

import (
	"context"
	"fmt"
	"io"

	"github.com/lectern-dev/lectern"
)

// FeedResult is what a full catalogue feed did.
type FeedResult struct {
	Lines   []LineResult // one per line, in order
	Retired int          // courses that were missing from the feed
}

// Feed takes the whole catalogue as NDJSON, one course a line. Each line
// replaces its course, and every open or unlisted course that is missing from
// the feed is retired. A line that is rejected keeps its course as it is, as
// long as its id can be read.
//
// Nothing at all is changed, and CodeRefused returned, when the feed is empty,
// when a line's id cannot be read (what it stands for would be retired), or when
// more than maxShare (in [0, 1]) of the courses would be retired. When the store
// fails half way its error is returned; sending the feed again is safe.
func (s Service) Feed(ctx context.Context, r io.Reader, limits Limits, maxShare float64) (FeedResult, error) {
	limits = limits.orDefault()
	lines, err := readLines(r, limits)
	if err != nil {
		return FeedResult{}, err
	}
	keep, err := feedIDs(lines)
	if err != nil {
		return FeedResult{}, err
	}
	// Retiring comes first because it may be refused; it is one transaction.
	var res FeedResult
	if res.Retired, err = s.Courses.RetireMissing(ctx, keep, maxShare); err != nil {
		return FeedResult{}, err
	}
	d := Decoder{Clock: s.Clock, Replace: true}
	res.Lines, err = writeLines(ctx, lines, limits, d.Course,
		func(p lectern.CoursePatch) string { return p.Course.ID }, s.PutCourses)
	return res, err
}

// feedIDs returns the id of every line, or why the feed cannot be trusted.
func feedIDs(lines []line) ([]string, error) {
	if len(lines) == 0 {
		return nil, lectern.Errorf(lectern.CodeRefused, "the feed is empty: it would retire the whole catalogue")
	}
	keep := make([]string, 0, len(lines))
	e := lectern.Errorf(lectern.CodeRefused, "the feed has lines without a readable id: their courses would be retired")
	const maxShown = 20
	for _, l := range lines {
		id := readableID(l.data)
		if id == "" {
			if len(e.Fields) < maxShown {
				e.Fields = append(e.Fields, lectern.FieldError{Field: "id", Reason: fmt.Sprintf("line %d has no readable id", l.number)})
			}
			continue
		}
		keep = append(keep, id)
	}
	if e.Fields != nil {
		return nil, e
	}
	return keep, nil
}
