package opinions

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// ReadReviews reads reviews from a CSV file, compressed where its name ends in .gz,
// with the columns text, stars, date and course_id and, where wanted, learner_id and
// language. A date is a day or RFC 3339.
func ReadReviews(path string) ([]lectern.Review, error) {
	return readFile(path, parseReviews)
}

// readFile reads a file, compressed where its name ends in .gz.
func readFile[T any](path string, parse func(io.Reader) ([]T, error)) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		defer func() { _ = z.Close() }()
		r = z
	}
	out, err := parse(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// columns are places by name.
type columns map[string]int

// of is the field of a row, "" where there is no such column.
func (c columns) of(row []string, name string) string {
	i, ok := c[name]
	if !ok {
		return ""
	}
	return row[i]
}

// byteOrderMark is what spreadsheets put before a CSV file.
const byteOrderMark = "\ufeff"

// readHead reads the first row, which names the columns.
func readHead(in *csv.Reader, needed ...string) (columns, error) {
	head, err := in.Read()
	if err != nil {
		return nil, err
	}
	out := columns{}
	for i, name := range head {
		out[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, byteOrderMark)))] = i
	}
	for _, name := range needed {
		if _, ok := out[name]; !ok {
			return nil, fmt.Errorf("no column %s", name)
		}
	}
	return out, nil
}

func parseReviews(r io.Reader) ([]lectern.Review, error) {
	in := csv.NewReader(r)
	column, err := readHead(in, "course_id", "stars", "date", "text")
	if err != nil {
		return nil, err
	}
	var out []lectern.Review
	for n := 1; ; n++ {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		stars, err := strconv.ParseFloat(column.of(row, "stars"), 64)
		if err != nil || stars < 1 || stars > 5 {
			return nil, fmt.Errorf("row %d: stars %q are no number from 1 to 5", n+1, column.of(row, "stars"))
		}
		at, err := parseDate(column.of(row, "date"))
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", n+1, err)
		}
		out = append(out, lectern.Review{
			ID: fmt.Sprintf("r%06d", n), CourseID: column.of(row, "course_id"), LearnerID: column.of(row, "learner_id"),
			Stars: &stars, Text: column.of(row, "text"), Language: column.of(row, "language"), WrittenAt: &at,
		})
	}
}

// parseDate reads a day, or a day with a time behind it.
func parseDate(s string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339, time.DateTime} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("date %q is no day as 2025-01-31", s)
}

// SplitByTime returns the first share of the reviews by day and the others: no day is
// on both sides.
func SplitByTime(reviews []lectern.Review, share float64) (before, after []lectern.Review) {
	sorted := slices.Clone(reviews)
	slices.SortStableFunc(sorted, func(a, b lectern.Review) int { return a.WrittenAt.Compare(*b.WrittenAt) })
	cut := int(share * float64(len(sorted)))
	if cut >= len(sorted) {
		return sorted, nil
	}
	day := *sorted[cut].WrittenAt
	for cut > 0 && !sorted[cut-1].WrittenAt.Before(day) {
		cut--
	}
	return sorted[:cut], sorted[cut:]
}

// LeaveCourseOut returns the reviews of all other courses and those of one.
func LeaveCourseOut(reviews []lectern.Review, course string) (others, of []lectern.Review) {
	for _, r := range reviews {
		if r.CourseID == course {
			of = append(of, r)
		} else {
			others = append(others, r)
		}
	}
	return others, of
}

// Classes counts the reviews of one or two, of three, and of four or five stars.
func Classes(reviews []lectern.Review) (negative, neutral, positive int) {
	for _, r := range reviews {
		switch {
		case r.Stars == nil:
		case *r.Stars <= 2:
			negative++
		case *r.Stars < 4:
			neutral++
		default:
			positive++
		}
	}
	return negative, neutral, positive
}
