package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"

	lectern "github.com/lectern-dev/lectern"
)

// localDraft prepares a course in a language other than English. Its skills
// stay in English: they are the platform's own controlled tags.
func (w *writer) localDraft(l *latentCourse, r *rand.Rand) draft {
	return draft{
		topic:  l.local.name,
		units:  sample(r, l.local.units, 4),
		skills: sample(r, window(l.topic.skills, l.level), 3+r.IntN(3)),
		hours:  fmt.Sprint(int(l.hours + 0.5)),
	}
}

// localWords writes the title, the syllabus and the description.
func (w *writer) localWords(c *lectern.Course, l *latentCourse, d *draft, r *rand.Rand) {
	for i, u := range d.units {
		c.Syllabus = append(c.Syllabus, fmt.Sprintf("%s %d: %s", l.lang.label, i+1, capitalise(u)))
	}
	units := d.units
	c.Title = w.localTitle(l, d, r)
	d.units = sample(r, units, 3)
	parts := [][]template{}
	if chance(r, 0.6) {
		parts = append(parts, l.local.about)
	}
	p := l.lang.phrases
	parts = append(parts, p["open."+string(levels[l.level])], p["covers"], p["method"])
	if chance(r, 0.6) {
		parts = append(parts, p["close"])
	}
	c.Description = w.paragraph(parts, d, r)
	if l.lang.tag == "zh" {
		c.Description = strings.ReplaceAll(c.Description, " ", "")
	}
}

func (w *writer) localTitle(l *latentCourse, d *draft, r *rand.Rand) string {
	phrases := l.lang.phrases["title."+string(levels[l.level])]
	units := l.local.units
	title := ""
	for range 24 {
		d.units = shuffled(r, units)
		title = w.render(pick(r, phrases), d, capitalise)
		if title != "" && w.claim(title) {
			return title
		}
	}
	for part := 2; ; part++ {
		if numbered := fmt.Sprintf("%s (%d)", title, part); w.claim(numbered) {
			return numbered
		}
	}
}
