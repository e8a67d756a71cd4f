package opinions

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// ReadReviews reads reviews with stars from a CSV file, compressed where its name
// ends in .gz, with the columns course_id, learner_id, stars, date and text.
func ReadReviews(path string) (_ []lectern.Review, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		defer z.Close()
		r = z
	}
	out, err := parseReviews(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

func parseReviews(r io.Reader) ([]lectern.Review, error) {
	in := csv.NewReader(r)
	head, err := in.Read()
	if err != nil {
		return nil, err
	}
	column := map[string]int{}
	for i, name := range head {
		column[name] = i
	}
	for _, name := range []string{"course_id", "learner_id", "stars", "date", "text"} {
		if _, ok := column[name]; !ok {
			return nil, fmt.Errorf("no column %s", name)
		}
	}
	var out []lectern.Review
	for n := 1; ; n++ {
		row, err := in.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		stars, err := strconv.ParseFloat(row[column["stars"]], 64)
		if err != nil {
			return nil, fmt.Errorf("row %d: stars %q", n, row[column["stars"]])
		}
		at, err := time.Parse(time.DateOnly, row[column["date"]])
		if err != nil {
			return nil, fmt.Errorf("row %d: date %q", n, row[column["date"]])
		}
		out = append(out, lectern.Review{
			ID: fmt.Sprintf("r%06d", n), CourseID: row[column["course_id"]], LearnerID: row[column["learner_id"]],
			Stars: &stars, Text: row[column["text"]], WrittenAt: &at,
		})
	}
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
