package sqlite_test

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// BenchmarkRatingsFile imports every rating of the development data, in batches
// as an import does, and then asks for the statistics of all courses.
func BenchmarkRatingsFile(b *testing.B) {
	ratings := readRatings(b)
	for b.Loop() {
		s := open(b, filepath.Join(b.TempDir(), "lectern.db"))
		known := map[string]bool{}
		for start := 0; start < len(ratings); start += 5000 {
			batch := ratings[start:min(start+5000, len(ratings))]
			for _, r := range batch {
				known[r.CourseID] = true
			}
			if _, err := s.PutRatings(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		for id := range known {
			if _, err := s.PutCourses(b.Context(), []lectern.CoursePatch{course(id)}); err != nil {
				b.Fatal(err)
			}
		}
		asked := time.Now()
		stats, err := s.CourseStats(b.Context(), nil, time.Now(), time.Hour)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(asked).Milliseconds()), "ms/stats-of-all")
		total := 0
		for _, st := range stats {
			total += st.RatingCount
		}
		if total != len(ratings) {
			b.Fatalf("%d ratings are counted of %d", total, len(ratings))
		}
	}
	perSecond(b, "ratings", int64(b.N*len(ratings)))
}

func readRatings(b *testing.B) []lectern.Rating {
	b.Helper()
	dir := os.Getenv("LECTERN_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(dir, "coursera-ratings", "ratings.csv.gz"))
	if err != nil {
		b.Skip("no test data: set LECTERN_TEST_DATA")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	rows := csv.NewReader(z)
	rows.ReuseRecord = true
	if _, err := rows.Read(); err != nil {
		b.Fatal(err)
	}
	var out []lectern.Rating
	seen := map[[3]string]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			b.Fatal(err)
		}
		day, errDay := time.Parse(time.DateOnly, row[0])
		stars, errStars := strconv.ParseFloat(row[1], 64)
		if err := errors.Join(errDay, errStars); err != nil {
			b.Fatal(err)
		}
		key := [3]string{row[0], row[1], row[2]}
		seen[key]++
		out = append(out, lectern.Rating{CourseID: row[2], Day: day, Stars: stars, Occurrence: seen[key]})
	}
}
