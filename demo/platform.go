package demo

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	lectern "github.com/lectern-dev/lectern"
)

// The sizes that DefaultOptions asks for.
const (
	DefaultCourses  = 1500
	DefaultLearners = 3000
	DefaultReviews  = 8000
	DefaultEvents   = 80000
)

// Options says what to generate. Counts are exact; a count of zero or less
// leaves that part out. Without courses there are no reviews and no events,
// without learners no events.
type Options struct {
	Seed     uint64
	Courses  int
	Learners int
	Reviews  int
	Events   int
	Now      time.Time // the platform's present; every date is relative to it
}

// DefaultOptions are the sizes of the platform that `make run` shows.
func DefaultOptions(now time.Time) Options {
	return Options{
		Seed:     1,
		Courses:  DefaultCourses,
		Learners: DefaultLearners,
		Reviews:  DefaultReviews,
		Events:   DefaultEvents,
		Now:      now,
	}
}

// Platform is a whole generated platform. Everything but Truth is what a real
// platform would hand over.
type Platform struct {
	Courses  []lectern.Course
	Reviews  []lectern.Review  // oldest first
	Learners []lectern.Learner // signed-in learners only; visitors are known by their events
	Events   []lectern.Event   // oldest first
	Truth    Truth
}

// Generate makes the platform that the options describe. It depends on nothing
// but them.
func Generate(o Options) *Platform {
	o.Now = lectern.Timestamp(o.Now)
	b := loadBanks()
	cat := newCatalogue(b, o)
	people := newPopulation(cat, o)
	events, outcomes := simulate(cat, people, o)
	reviews := writeReviews(cat, outcomes, o)
	return &Platform{
		Courses:  cat.courses,
		Reviews:  reviews,
		Learners: people.learners,
		Events:   events,
		Truth:    newTruth(cat, people),
	}
}

// Catalog returns only the courses, for load tests and benchmarks. Titles and
// ids are distinct however many are asked for.
func Catalog(n int, seed uint64, now time.Time) []lectern.Course {
	o := Options{Seed: seed, Courses: n, Now: lectern.Timestamp(now)}
	return newCatalogue(loadBanks(), o).courses
}

// stream returns the random source of one purpose, so that asking for more of
// one thing does not change the others.
func stream(seed uint64, purpose string, n int) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(purpose)) // never fails
	return rand.New(rand.NewPCG(seed^h.Sum64(), uint64(n)*0x9e3779b97f4a7c15+1))
}

// pick returns a random element; list must not be empty.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// chance is true with probability p.
func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

// sample returns up to k distinct elements in their original order.
func sample[T any](r *rand.Rand, list []T, k int) []T {
	if k >= len(list) {
		return append([]T(nil), list...)
	}
	out := make([]T, 0, k)
	for i, v := range list {
		// Selection sampling: take v with (still wanted)/(still left).
		if r.IntN(len(list)-i) < k-len(out) {
			out = append(out, v)
		}
	}
	return out
}
