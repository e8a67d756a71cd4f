package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode"

	lectern "github.com/lectern-dev/lectern"
)

// writer puts courses into words. It remembers titles and ids, which are all
// different.
type writer struct {
	cat       *catalogue
	titles    map[string]bool
	ids       map[string]int // times a base id was taken
	providers map[string][]string
}

func newWriter(c *catalogue) *writer {
	w := &writer{
		cat:       c,
		titles:    make(map[string]bool, len(c.courses)),
		ids:       make(map[string]int, len(c.courses)),
		providers: map[string][]string{},
	}
	for _, p := range c.banks.providers {
		switch {
		case p.language != "":
			w.providers["lang "+p.language] = append(w.providers["lang "+p.language], p.name)
		default:
			for _, s := range c.banks.subjects {
				if p.subjects == nil || p.subjects[s.name] {
					w.providers[s.name] = append(w.providers[s.name], p.name)
				}
			}
		}
	}
	return w
}

// draft is one course while it is being written.
type draft struct {
	units, skills []string
	tools         []string
	audience      []string
	project       string
	goal          string
	topic         string
	hours, weeks  string
	instructor    string
	provider      string
	prereq        string
}

// fill returns the value of a slot, "" where this course has none.
func (d *draft) fill(slot string) string {
	switch slot {
	case "topic":
		return d.topic
	case "u1":
		return at(d.units, 0)
	case "u2":
		return at(d.units, 1)
	case "u3":
		return at(d.units, 2)
	case "s1":
		return at(d.skills, 0)
	case "s2":
		return at(d.skills, 1)
	case "tool":
		return at(d.tools, 0)
	case "audience":
		return at(d.audience, 0)
	case "audience2":
		return at(d.audience, 1)
	case "project":
		return d.project
	case "aGoal":
		return withArticle(d.goal)
	case "hours":
		return d.hours
	case "weeks":
		return d.weeks
	case "instructor":
		return d.instructor
	case "provider":
		return withThe(d.provider)
	case "prereq":
		return d.prereq
	}
	return ""
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

func withArticle(noun string) string {
	if noun == "" {
		return ""
	}
	if strings.ContainsRune("aeiouAEIO", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// withThe writes "the University of Northmere" but "Kestrel Bay University".
func withThe(school string) string {
	for _, prefix := range []string{"University of ", "Open College of ", "Royal College of "} {
		if strings.HasPrefix(school, prefix) {
			return "the " + school
		}
	}
	return school
}

// write fills in course i, all but its id, prerequisites and availability.
func (w *writer) write(i int, r *rand.Rand) {
	l, c := &w.cat.latent[i], &w.cat.courses[i]
	subject := l.topic.subject
	c.Language = "en"
	providers := w.providers[subject.name]
	if l.lang != nil {
		c.Language = l.lang.tag
		providers = w.providers["lang "+l.lang.tag]
	}
	c.Provider = pick(r, providers)
	c.Instructors = w.instructors(l, r)
	c.Categories = []string{subject.name, capitalise(l.topic.name)}
	c.Level = levels[l.level]
	if !chance(r, 0.03) {
		c.WorkloadHours = &l.hours
	}
	w.dates(c, l, r)

	var d draft
	if l.lang != nil {
		d = w.localDraft(l, r)
	} else {
		d = w.draft(l, c, r)
	}
	w.tags(c, l, &d, r)
	if l.lang != nil {
		w.localWords(c, l, &d, r)
	} else {
		w.words(c, l, &d, r)
	}
	c.URL = "https://learn.example.org/courses/"
}

func (w *writer) dates(c *lectern.Course, l *latentCourse, r *rand.Rand) {
	published := l.published
	c.PublishedAt = &published
	if age := w.cat.now.Sub(published); chance(r, 0.6) && age > 30*day {
		updated := published.Add(time.Duration(math.Sqrt(r.Float64()) * float64(age))).Truncate(time.Minute)
		c.UpdatedAt = &updated
	}
}

// instructors invents one to three names.
func (w *writer) instructors(l *latentCourse, r *rand.Rand) []string {
	n := 1
	if chance(r, 0.3) {
		n += 1 + r.IntN(2)
	}
	out := make([]string, 0, n)
	for range n {
		c := pick(r, w.cat.banks.cultures)
		name := pick(r, c.given) + " " + pick(r, c.family)
		if c.familyFirst {
			name = pick(r, c.family) + " " + pick(r, c.given)
		}
		out = append(out, name)
	}
	return out
}

// window returns the part of a list, which rises from basic to advanced, that
// suits a level.
func window[T any](list []T, level int) []T {
	n := len(list)
	switch level {
	case beginner:
		return list[:(n*3+4)/5]
	case intermediate:
		return list[n/4 : n-n/6]
	case advanced:
		return list[n*2/5:]
	}
	return list
}

func (w *writer) draft(l *latentCourse, c *lectern.Course, r *rand.Rand) draft {
	t := l.topic
	d := draft{
		topic:      t.name,
		units:      sample(r, window(t.units, l.level), 4+r.IntN(4)),
		skills:     sample(r, window(t.skills, l.level), 3+r.IntN(3)),
		tools:      shuffled(r, t.tools),
		audience:   shuffled(r, t.subject.audience),
		goal:       pick(r, t.subject.goals),
		project:    pick(r, t.projects),
		instructor: c.Instructors[0],
		provider:   c.Provider,
	}
	weeks := int(math.Max(1, math.Round(l.hours/(2.5+3*r.Float64()))))
	d.hours, d.weeks = numberOf(int(math.Ceil(l.hours)), "hour"), numberOf(weeks, "week")
	return d
}

func shuffled(r *rand.Rand, list []string) []string {
	out := append([]string(nil), list...)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// numberOf writes "three weeks" or "25 hours".
func numberOf(n int, unit string) string {
	words := [...]string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}
	s := fmt.Sprint(n)
	if n < len(words) {
		s = words[n]
	}
	if n != 1 {
		unit += "s"
	}
	return s + " " + unit
}

// tags sets the skills: the draft's own, now and then a tool whose name is a
// skill, and one from a topic that this topic needs.
func (w *writer) tags(c *lectern.Course, l *latentCourse, d *draft, r *rand.Rand) {
	add := func(s string) {
		s = capitalise(s)
		for _, have := range c.Skills {
			if strings.EqualFold(have, s) {
				return
			}
		}
		c.Skills = append(c.Skills, s)
	}
	for _, s := range d.skills {
		add(s)
	}
	if chance(r, 0.45) {
		add(l.topic.name)
	}
	for _, tool := range d.tools {
		if unicode.IsUpper([]rune(tool)[0]) && chance(r, 0.35) {
			add(tool)
		}
	}
	if len(l.topic.needs) > 0 && chance(r, 0.4) {
		add(pick(r, window(pick(r, l.topic.needs).skills, l.level)))
	}
}

// words writes the title, the syllabus and the description in English.
func (w *writer) words(c *lectern.Course, l *latentCourse, d *draft, r *rand.Rand) {
	for _, u := range d.units {
		c.Syllabus = append(c.Syllabus, capitalise(u))
	}
	style := r.IntN(5)
	for i, s := range c.Syllabus {
		switch style {
		case 0:
			c.Syllabus[i] = fmt.Sprintf("Week %d: %s", i+1, s)
		case 1:
			c.Syllabus[i] = fmt.Sprintf("Module %d. %s", i+1, s)
		}
	}
	if chance(r, 0.5) {
		c.Syllabus = append(c.Syllabus, "Project: "+d.project)
	}
	// The prose speaks of three units in the order they are taught, not always
	// the first three.
	all := d.units
	d.units = sample(r, all, 3)
	c.Title = w.title(l, d, all, r)
	d.units = sample(r, all, 3)
	c.Description = w.describe(l, d, r)
}

// title finds one that no other course has: first a short one, then wider ones.
func (w *writer) title(l *latentCourse, d *draft, units []string, r *rand.Rand) string {
	phrases := w.cat.banks.phrases
	// "X and Y and Z" reads badly: rather name units of one thing.
	if single := slices.DeleteFunc(slices.Clone(units), func(u string) bool { return strings.Contains(u, " and ") }); len(single) >= 3 {
		units = single
	}
	short := phrases["title."+string(levels[l.level])]
	for try := range 24 {
		t := pick(r, short)
		if try > 4 {
			t = pick(r, phrases["title.long"])
		}
		d.units = shuffled(r, units)
		d.tools, d.audience = shuffled(r, d.tools), shuffled(r, d.audience)
		if title := w.render(t, d, titleCase); title != "" && w.claim(title) {
			return title
		}
	}
	base := w.render(phrases["title.long"][0], d, titleCase)
	for part := 2; ; part++ {
		if title := fmt.Sprintf("%s, Part %d", base, part); w.claim(title) {
			return title
		}
	}
}

// claim takes a title, unless it is taken or too long to read.
func (w *writer) claim(title string) bool {
	key := strings.ToLower(title)
	if w.titles[key] || len([]rune(title)) > 110 {
		return false
	}
	w.titles[key] = true
	return true
}

// render fills a template, "" where a slot stays empty.
func (w *writer) render(t template, d *draft, finish func(string) string) string {
	if !t.fillable(d.fill) {
		return ""
	}
	var b strings.Builder
	t.render(&b, d.fill)
	return finish(b.String())
}

// describe writes four to seven sentences.
func (w *writer) describe(l *latentCourse, d *draft, r *rand.Rand) string {
	p := w.cat.banks.phrases
	level := string(levels[l.level])
	open := p["open."+level]
	if chance(r, 0.35) {
		open = p["open.any"]
	}
	parts := [][]template{open, p["covers"]}
	if chance(r, 0.5) {
		parts = [][]template{l.topic.about, open, p["covers"]}
		if chance(r, 0.3) {
			parts = [][]template{l.topic.about, p["covers"]}
		}
	}
	if chance(r, 0.35) {
		parts = append(parts, p["covers"])
	}
	middle := [][]template{}
	for _, m := range []struct {
		p    float64
		from []template
	}{
		{0.45, l.topic.subject.methods}, {0.35, p["method"]}, {0.6, p["project"]}, {0.3, p["tool"]},
	} {
		if chance(r, m.p) {
			middle = append(middle, m.from)
		}
	}
	r.Shuffle(len(middle), func(i, j int) { middle[i], middle[j] = middle[j], middle[i] })
	parts = append(parts, middle...)
	if chance(r, 0.4) {
		parts = append(parts, p["audience"])
	}
	if chance(r, 0.15) {
		parts = append(parts, p["goal"])
	}
	if chance(r, 0.45) {
		parts = append(parts, p["close"])
	}
	return w.paragraph(parts, d, r)
}

// paragraph renders one sentence from each list; none comes twice.
func (w *writer) paragraph(parts [][]template, d *draft, r *rand.Rand) string {
	var b strings.Builder
	used := map[*segment]bool{}
	for _, from := range parts {
		for range 4 {
			t := pick(r, from)
			if used[&t[0]] || !t.fillable(d.fill) {
				continue
			}
			used[&t[0]] = true
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			t.render(&b, d.fill)
			break
		}
	}
	return b.String()
}
