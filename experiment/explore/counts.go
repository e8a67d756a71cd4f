package explore

import (
	"sync"
	"time"
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
	own   map[uint64]own   // by seed: lists that were counted when they were made
	today bool             // what others tried today is counted, too
	all   bool             // and what was shown of new courses since they came out
}

// own is lists of one seed that the log has not brought yet.
type own struct {
	lists int
	since time.Time
}

// mostPeople bounds the people who are counted in a day; further ones explore no more
// that day.
const mostPeople = 2_000_000

// NewCounts returns counts of a process that stands alone. See Follow for others.
func NewCounts() *Counts {
	return &Counts{
		people: make(map[uint32]int32), courses: make(map[string]int32), providers: make(map[string]int32),
		shown: make(map[string]int32), own: make(map[uint64]own), today: true, all: true,
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
// allows. The caller holds c.mu, and has turned the day.
func (c *Counts) over(course, provider string, caps *Caps) bool {
	if caps.PerCourse > 0 && int(c.courses[course]) >= caps.PerCourse {
		return true
	}
	return caps.PerProvider > 0 && provider != "" && c.explored >= fewExplored &&
		float64(c.providers[provider]) > caps.PerProvider*float64(c.explored+1) // one more than its share: two halves must not wait for each other
}

// impressions is how often a new course was shown, and whether that is known. The
// caller holds c.mu.
func (c *Counts) impressions(course string) (int, bool) { return int(c.shown[course]), c.all }

// counting reports whether what others tried today is not counted yet.
func (c *Counts) counting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.today
}

// tried counts an explored item.
func (c *Counts) tried(seed uint64, course, provider string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.triedLocked(seed, course, provider, at)
}

func (c *Counts) triedLocked(seed uint64, course, provider string, at time.Time) {
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

// show counts impressions of new courses.
func (c *Counts) show(courses []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.showLocked(courses)
}

func (c *Counts) showLocked(courses []string) {
	for _, id := range courses {
		c.shown[id]++
	}
}

// know says how much of the log is counted.
func (c *Counts) know(today, all bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.today, c.all = today, all || c.all && today
}

// madeLocked notes that a list is counted: the log need not. The caller holds c.mu.
func (c *Counts) madeLocked(seed uint64, at time.Time) {
	c.own[seed] = own{c.own[seed].lists + 1, at}
}

// isOwn reports whether a list of the log was counted when it was made.
func (c *Counts) isOwn(seed uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, ok := c.own[seed]
	switch {
	case !ok:
	case o.lists == 1:
		delete(c.own, seed)
	default:
		c.own[seed] = own{o.lists - 1, o.since}
	}
	return ok
}

// ownFor is how long a list that was made here may take into the log.
const ownFor = 5 * time.Minute

// tidy forgets own lists that never came into the log, and courses that are new no
// longer.
func (c *Counts) tidy(at time.Time, isNew func(course string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for seed, o := range c.own {
		if at.Sub(o.since) > ownFor {
			delete(c.own, seed)
		}
	}
	for id := range c.shown {
		if !isNew(id) {
			delete(c.shown, id)
		}
	}
}
