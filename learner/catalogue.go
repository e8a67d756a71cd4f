package learner

import (
	"context"
	"sync"

	"github.com/lectern-dev/lectern"
)

// Catalogue holds, in memory, what profiles need to know of every course, retired
// ones included: a learner may have taken them. It follows the change feed by Apply
// and is safe for concurrent use.
type Catalogue struct {
	mu     sync.RWMutex
	byID   map[string]CourseFacts
	labels map[string]int // courses with a skill or category, folded
}

// NewCatalogue returns an empty catalogue.
func NewCatalogue() *Catalogue {
	return &Catalogue{byID: make(map[string]CourseFacts), labels: make(map[string]int)}
}

// Apply writes and deletes courses. With reset, courses that are not in upserts are
// dropped.
func (c *Catalogue) Apply(ctx context.Context, upserts []lectern.Course, deletes []string, reset bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if reset {
		clear(c.byID)
		clear(c.labels)
	}
	for _, id := range deletes {
		c.drop(id)
	}
	for _, course := range upserts {
		c.drop(course.ID)
		f := CourseFacts{
			ID: course.ID, Title: course.Title, Skills: course.Skills, Categories: course.Categories,
			Level: course.Level, Hours: course.WorkloadHours,
		}
		c.byID[course.ID] = f
		for l := range labelsOf(f) {
			c.labels[l]++
		}
	}
	return nil
}

// drop forgets a course. The caller holds c.mu.
func (c *Catalogue) drop(id string) {
	old, ok := c.byID[id]
	if !ok {
		return
	}
	delete(c.byID, id)
	for l := range labelsOf(old) {
		if c.labels[l]--; c.labels[l] <= 0 {
			delete(c.labels, l)
		}
	}
}

// Facts returns what is known of courses, in the order of ids.
func (c *Catalogue) Facts(ids []string) []CourseFacts {
	out := make([]CourseFacts, len(ids))
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i, id := range ids {
		out[i] = c.byID[id]
	}
	return out
}

// Rate is the share of all courses that have a skill or category.
func (c *Catalogue) Rate(label string) float64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if len(c.byID) == 0 {
		return 0
	}
	return float64(c.labels[label]) / float64(len(c.byID))
}

// labelsOf are the skills and categories of a course, each once, folded, with how
// it is written.
func labelsOf(f CourseFacts) map[string]string {
	out := make(map[string]string, len(f.Skills)+len(f.Categories))
	for _, list := range [][]string{f.Skills, f.Categories} {
		for _, s := range list {
			if key := lectern.FoldKey(s); key != "" {
				if _, ok := out[key]; !ok {
					out[key] = s
				}
			}
		}
	}
	return out
}
