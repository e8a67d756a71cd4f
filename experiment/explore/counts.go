package explore

import (
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
)

// Counts is what this day's exploration has shown, and how often new courses were
// shown since they came out, as far as it is known here. It is safe for concurrent use.
type Counts struct {
	mu        sync.Mutex
	day       int64            // since 1970-01-01 UTC
	people    map[uint32]int32 // by personDay: explored items today
	courses   map[string]int32 // explored items today
	providers map[string]int32
	explored  int32 // items today

	shown map[string]int32 // impressions of new courses
	ready bool             // what others showed is counted, too
}

// mostPeople bounds the people who are counted in a day; further ones explore no more
// that day.
const mostPeople = 2_000_000

// NewCounts returns counts of a process that stands alone. See Follow for others.
func NewCounts() *Counts {
	return &Counts{
		people: make(map[uint32]int32), courses: make(map[string]int32), providers: make(map[string]int32),
		shown: make(map[string]int32), ready: true,
	}
}

func dayOf(at time.Time) int64 { return at.Unix() / int64(24*time.Hour/time.Second) }

// turn begins another day. The caller holds c.mu.
func (c *Counts) turn(at time.Time) {
	if day := dayOf(at); day > c.day {
		c.day, c.explored = day, 0
		clear(c.people)
		clear(c.courses)
		clear(c.providers)
	}
}

// left is how many items a person may still be shown today.
func (c *Counts) left(seed uint64, most int, at time.Time) int {
	if most == 0 {
		return 1 << 30
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(at)
	n, known := c.people[personDay(seed)]
	if !known && len(c.people) >= mostPeople {
		return 0
	}
	return max(0, most-int(n))
}

// fewExplored is how many explored items a day has before shares of them say anything.
const fewExplored = 20

// over reports whether a course, or its provider, was shown as often today as its cap
// allows.
func (c *Counts) over(course, provider string, caps *Caps, at time.Time) bool {
	if caps.PerCourse == 0 && caps.PerProvider == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(at)
	if caps.PerCourse > 0 && int(c.courses[course]) >= caps.PerCourse {
		return true
	}
	return caps.PerProvider > 0 && provider != "" && c.explored >= fewExplored &&
		float64(c.providers[provider]+1) > caps.PerProvider*float64(c.explored+1)
}

// impressions is how often a new course was shown, and whether that is known.
func (c *Counts) impressions(course string) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(c.shown[course]), c.ready
}

// tried counts an explored item.
func (c *Counts) tried(seed uint64, course, provider string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(at)
	if dayOf(at) < c.day {
		return
	}
	c.explored++
	c.people[personDay(seed)]++
	c.courses[course]++
	if provider != "" {
		c.providers[provider]++
	}
}

// show counts an impression of a new course.
func (c *Counts) show(course string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shown[course]++
}

var _ lectern.Explorer = (*Explorer)(nil)
