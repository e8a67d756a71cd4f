package postgres_test

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

	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
)

const importBatch = 5000 // as an import does

// BenchmarkRatingsFile imports every rating of the development data by one
// process, and by two of which each has every other batch.
func BenchmarkRatingsFile(b *testing.B) {
	ratings := readRatings(b)
	server := pgtest.Start(b)
	for name, replicas := range map[string]int{"one": 1, "two": 2} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				dsn := server.DSN(b)
				stores := make([]*postgres.Store, replicas)
				for i := range stores {
					stores[i] = open(b, dsn)
				}
				importRatings(b, stores, ratings)
				asked := time.Now()
				checkRatings(b, stores[0], ratings)
				b.ReportMetric(float64(time.Since(asked).Milliseconds()), "ms/stats-of-all")
			}
			perSecond(b, "ratings", int64(b.N*len(ratings)))
		})
	}
}

// TestRatingsFile imports a part of the real ratings by two replicas at once,
// with batches in common, and counts them.
func TestRatingsFile(t *testing.T) {
	if testing.Short() {
		t.Skip("imports real ratings")
	}
	ratings := readRatings(t)
	ratings = ratings[:min(len(ratings), 60_000)]
	dsn := pgtest.Start(t).DSN(t)
	stores := []*postgres.Store{open(t, dsn), open(t, dsn)}
	importRatings(t, stores, ratings)
	importRatings(t, []*postgres.Store{stores[1], stores[0]}, ratings) // what the other one has imported
	checkRatings(t, stores[0], ratings)
}

// importRatings deals batches to stores, which work at the same time.
func importRatings(tb testing.TB, stores []*postgres.Store, ratings []lectern.Rating) {
	tb.Helper()
	var g errgroup.Group
	for i, s := range stores {
		g.Go(func() error {
			for n := i; n*importBatch < len(ratings); n += len(stores) {
				batch := ratings[n*importBatch : min((n+1)*importBatch, len(ratings))]
				if _, err := s.PutRatings(tb.Context(), batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		tb.Fatal(err)
	}
}

// checkRatings makes all rated courses known and compares the count.
func checkRatings(tb testing.TB, s *postgres.Store, ratings []lectern.Rating) {
	tb.Helper()
	known := map[string]bool{}
	var patches []lectern.CoursePatch
	for _, r := range ratings {
		if !known[r.CourseID] {
			known[r.CourseID] = true
			patches = append(patches, course(r.CourseID))
		}
	}
	if _, err := s.PutCourses(tb.Context(), patches); err != nil {
		tb.Fatal(err)
	}
	stats, err := s.CourseStats(tb.Context(), nil, time.Now(), time.Hour)
	if err != nil {
		tb.Fatal(err)
	}
	total := 0
	for _, st := range stats {
		total += st.RatingCount
	}
	if total != len(ratings) || len(stats) != len(known) {
		tb.Fatalf("%d ratings of %d courses are counted, want %d of %d", total, len(stats), len(ratings), len(known))
	}
}

func course(id string) lectern.CoursePatch {
	return lectern.CoursePatch{Course: lectern.Course{ID: id, Title: "Title of " + id}, Replace: true}
}

func readRatings(tb testing.TB) []lectern.Rating {
	tb.Helper()
	dir := os.Getenv("LECTERN_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(dir, "coursera-ratings", "ratings.csv.gz"))
	if err != nil {
		tb.Skip("no test data: set LECTERN_TEST_DATA")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	rows := csv.NewReader(z)
	rows.ReuseRecord = true
	if _, err := rows.Read(); err != nil {
		tb.Fatal(err)
	}
	var out []lectern.Rating
	seen := map[[3]string]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			tb.Fatal(err)
		}
		day, errDay := time.Parse(time.DateOnly, row[0])
		stars, errStars := strconv.ParseFloat(row[1], 64)
		if err := errors.Join(errDay, errStars); err != nil {
			tb.Fatal(err)
		}
		key := [3]string{row[0], row[1], row[2]}
		seen[key]++
		out = append(out, lectern.Rating{CourseID: row[2], Day: day, Stars: stars, Occurrence: seen[key]})
	}
}
