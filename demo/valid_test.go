package demo

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	lectern "github.com/lectern-dev/lectern"
)

// problems lists what a strict reader would refuse in a platform.
func problems(p *Platform, now time.Time) []string {
	c := &checker{now: now, courses: map[string]bool{}, learners: map[string]bool{}, ids: map[string]bool{}}
	for _, course := range p.Courses {
		c.id("course", course.ID)
		c.courses[course.ID] = true
	}
	for _, course := range p.Courses {
		c.course(course)
	}
	for _, l := range p.Learners {
		c.id("learner", l.ID)
		c.learners[l.ID] = true
		c.check(l.CreatedAt.IsZero() && l.UpdatedAt.IsZero(), "%s: times that the server sets", l.ID)
	}
	last := time.Time{}
	for _, r := range p.Reviews {
		c.id("review", r.ID)
		c.review(r)
		c.check(!r.WrittenAt.Before(last), "%s: out of order", r.ID)
		last = *r.WrittenAt
	}
	last = time.Time{}
	for _, e := range p.Events {
		c.id("event", e.ID)
		c.event(e)
		c.check(!e.OccurredAt.Before(last), "%s: out of order", e.ID)
		last = e.OccurredAt
	}
	return c.problems
}

type checker struct {
	now                    time.Time
	courses, learners, ids map[string]bool
	problems               []string
}

func (c *checker) check(ok bool, format string, args ...any) {
	if !ok && len(c.problems) < 30 {
		c.problems = append(c.problems, fmt.Sprintf(format, args...))
	}
}

func (c *checker) id(kind, id string) {
	c.check(id != "" && len(id) <= lectern.MaxIDBytes, "%s id %q", kind, id)
	c.check(!c.ids[kind+id], "%s id %q twice", kind, id)
	c.ids[kind+id] = true
	plain := strings.IndexFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
	c.check(plain < 0, "%s id %q is not plain", kind, id)
}

func (c *checker) time(id string, t time.Time) {
	c.check(!t.After(c.now), "%s: %s is in the future", id, t)
	c.check(t.After(c.now.AddDate(-catalogueYears, 0, -15)), "%s: %s is too old", id, t)
	c.check(t.Equal(lectern.Timestamp(t)) && t.Location() == time.UTC, "%s: %s is no timestamp", id, t)
}

func (c *checker) course(k lectern.Course) {
	c.check(k.Title != "" && k.Description != "" && k.Provider != "" && k.Language != "", "%s: %+v lacks a field", k.ID, k)
	c.check(utf8.ValidString(k.Title) && utf8.ValidString(k.Description), "%s: bad UTF-8", k.ID)
	c.check(slices.Contains(lectern.Levels(), k.Level), "%s: level %q", k.ID, k.Level)
	c.check(slices.Contains(lectern.Statuses(), k.Availability.Status), "%s: status %q", k.ID, k.Availability.Status)
	c.check(len(k.Instructors) > 0 && len(k.Categories) == 2, "%s: %v %v", k.ID, k.Instructors, k.Categories)
	c.check(len(k.Skills) >= 3 && len(k.Syllabus) >= 3, "%s: %v %v", k.ID, k.Skills, k.Syllabus)
	c.check(k.WorkloadHours == nil || *k.WorkloadHours > 0 && *k.WorkloadHours <= 160, "%s: hours", k.ID)
	_, err := url.ParseRequestURI(k.URL)
	c.check(err == nil && strings.HasSuffix(k.URL, k.ID), "%s: url %q", k.ID, k.URL)
	c.time(k.ID, *k.PublishedAt)
	if k.UpdatedAt != nil {
		c.time(k.ID, *k.UpdatedAt)
		c.check(!k.UpdatedAt.Before(*k.PublishedAt), "%s: updated before it was published", k.ID)
	}
	if a := k.Availability; a.EnrolFrom != nil && a.EnrolUntil != nil {
		c.check(a.EnrolFrom.Before(*a.EnrolUntil), "%s: window ends before it starts", k.ID)
	}
	for i, s := range k.Skills {
		for _, other := range k.Skills[i+1:] {
			c.check(!strings.EqualFold(s, other), "%s: skill %q twice", k.ID, s)
		}
	}
	for _, id := range k.Prerequisites {
		c.check(c.courses[id] && id != k.ID, "%s: prerequisite %q", k.ID, id)
	}
}

func (c *checker) review(r lectern.Review) {
	c.check(c.courses[r.CourseID], "%s: course %q", r.ID, r.CourseID)
	c.check(r.LearnerID == "" || c.learners[r.LearnerID], "%s: learner %q", r.ID, r.LearnerID)
	c.check(*r.Stars >= lectern.MinStars && *r.Stars <= lectern.MaxStars, "%s: %v stars", r.ID, *r.Stars)
	c.check(r.Text != "" && utf8.ValidString(r.Text) && !strings.ContainsAny(r.Text, "{}|"), "%s: text %q", r.ID, r.Text)
	c.check(r.Helpful >= 0, "%s: %d votes", r.ID, r.Helpful)
	c.time(r.ID, *r.WrittenAt)
}

func (c *checker) event(e lectern.Event) {
	c.check(slices.Contains(lectern.EventTypes(), e.Type), "%s: type %q", e.ID, e.Type)
	c.check(e.SchemaVersion == lectern.EventSchemaVersion, "%s: schema version", e.ID)
	c.check(e.LearnerID != "" || e.AnonymousID != "", "%s: by nobody", e.ID)
	c.check(e.LearnerID == "" || c.learners[e.LearnerID], "%s: learner %q", e.ID, e.LearnerID)
	c.check(e.SessionID != "" && len(e.SessionID) <= lectern.MaxIDBytes, "%s: session %q", e.ID, e.SessionID)
	c.check(e.Surface == "" || slices.Contains(lectern.Surfaces(), e.Surface), "%s: surface %q", e.ID, e.Surface)
	c.check(e.Position == nil || *e.Position >= 0, "%s: position", e.ID)
	c.check(e.RankingID == "" && e.ReceivedAt.IsZero(), "%s: claims what only the server knows", e.ID)
	c.time(e.ID, e.OccurredAt)
	if e.Type == lectern.EventSearch {
		c.check(e.CourseID == "" && strings.TrimSpace(e.Query) != "", "%s: query %q", e.ID, e.Query)
	} else {
		c.check(c.courses[e.CourseID] && e.Query == "", "%s: course %q", e.ID, e.CourseID)
	}
	switch e.Type {
	case lectern.EventProgress:
		c.check(e.Value != nil && *e.Value >= 0 && *e.Value <= 1, "%s: progress %v", e.ID, e.Value)
	case lectern.EventRate:
		c.check(e.Value != nil && *e.Value >= lectern.MinStars && *e.Value <= lectern.MaxStars, "%s: stars %v", e.ID, e.Value)
	default:
		c.check(e.Value == nil, "%s: a value on %s", e.ID, e.Type)
	}
}
