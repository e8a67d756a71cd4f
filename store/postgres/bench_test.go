package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
)

// perSecond reports rows per second of a benchmark.
func perSecond(b *testing.B, what string, n int64) {
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), what+"/s")
}

func BenchmarkPutRatings(b *testing.B) {
	for _, size := range []int{1000, 5000, 20_000} {
		b.Run(fmt.Sprint("batch", size), func(b *testing.B) {
			s := open(b, pgtest.Start(b).DSN(b))
			batch := make([]lectern.Rating, size)
			var n int64
			b.ReportAllocs()
			for b.Loop() {
				for i := range batch {
					n++
					batch[i] = lectern.Rating{
						CourseID: fmt.Sprint("course-", n%600), Day: time.Unix(86400*(n/3000), 0),
						Stars: float64(1 + n%5), Occurrence: 1 + i%3,
					}
				}
				if _, err := s.PutRatings(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b, "ratings", n)
		})
	}
}

func BenchmarkPutCourses(b *testing.B) {
	s := open(b, pgtest.Start(b).DSN(b))
	batch := make([]lectern.CoursePatch, 2000)
	var n int64
	for b.Loop() {
		for i := range batch {
			n++
			batch[i] = course(fmt.Sprint("course-", n))
			batch[i].Course.Description = "Some lines on what is taught, to whom, and to which end."
			batch[i].Course.Skills = []string{"one", "two", "three"}
		}
		if _, err := s.PutCourses(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, "courses", n)
}

func BenchmarkPutReviews(b *testing.B) {
	s := open(b, pgtest.Start(b).DSN(b))
	batch := make([]lectern.Review, 5000)
	var n int64
	for b.Loop() {
		for i := range batch {
			n++
			stars, at := float64(1+n%5), time.Unix(n*60, 0)
			batch[i] = lectern.Review{
				ID: fmt.Sprint("review-", n), CourseID: fmt.Sprint("course-", n%600), Stars: &stars, WrittenAt: &at,
				Text: "Clear and to the point, with exercises that I could use at once.",
			}
		}
		if _, err := s.PutReviews(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, "reviews", n)
}
