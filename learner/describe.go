package learner

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Describe says in words what is known of a learner. index and embedder belong
// together; embedder may be nil: then interests are told apart by the skills and
// categories of their courses. Errors: CodeNotFound for a learner nobody knows,
// CodeUnavailable when index or embedder does not answer, and those of the store.
func (p *Profiles) Describe(
	ctx context.Context, ref lectern.LearnerRef, index lectern.VectorIndex, embedder lectern.Embedder,
) (Description, error) {
	k, err := p.load(ctx, ref, index, embedder)
	if err != nil {
		return Description{}, err
	}
	if k.known.taste.Partial {
		return Description{}, lectern.Errorf(lectern.CodeUnavailable, "what is known of the learner cannot be read now: try again")
	}
	return p.describe(k), nil
}

// describe lays out what is known.
func (p *Profiles) describe(k kept) Description {
	l, n := k.profile.Learner, &k.known
	d := Description{
		Personalisation: n.taste.Personal,
		Stated: Stated{
			Interests: append([]string{}, l.Interests...), Goal: l.Goal, WeeklyHours: l.WeeklyHours,
			PreferredLevel: l.PreferredLevel, Languages: l.Languages,
		},
		Interests: []InterestNote{}, TurnedDown: []TopicNote{}, SkillsGained: []SkillNote{}, SkillsWanted: []SkillNote{},
		RemovedInterests: append([]string{}, k.profile.Corrections.RemovedInterests...),
		Preferences:      preferenceNotes(k.profile.Corrections),
		Feedback:         p.feedbackNotes(k.profile.Feedback),
		UpdatedAt:        l.UpdatedAt,
	}
	for _, f := range d.Feedback {
		if f.At.After(d.UpdatedAt) {
			d.UpdatedAt = f.At
		}
	}
	d.Level, d.Pace, d.WeeklyHours = p.measures(k)
	if !n.taste.Personal {
		return d
	}
	facts := factsOf(n.facts)
	taken := make(map[string]bool)
	for _, i := range p.interests(n, facts, taken) {
		d.Interests = append(d.Interests, i.InterestNote)
	}
	d.Recent = p.topic(n.recent, facts, make(map[string]bool))
	turned := make(map[string]bool)
	for _, points := range n.away {
		if t := p.topic(points, facts, turned); t != nil {
			d.TurnedDown = append(d.TurnedDown, *t)
		}
	}
	d.SkillsGained, d.SkillsWanted = p.skillNotes(n.gained), p.skillNotes(n.wanted)
	d.EventsCounted = n.counts
	for _, e := range n.entries {
		if !onlySaid(e) {
			d.Courses++
		}
		if e.at.After(d.UpdatedAt) {
			d.UpdatedAt = e.at
		}
	}
	return d
}

// named is an interest with what it is made of.
type named struct {
	InterestNote
	points []point
}

// interests names the groups, then adds what is stated beyond them.
func (p *Profiles) interests(n *known, facts map[string]CourseFacts, taken map[string]bool) []named {
	said := make(map[int]bool) // what is stated that belongs to a group
	groups := n.parts.groups
	if len(groups) == 0 {
		groups = p.alike(n, facts)
	}
	out := make([]named, 0, len(groups))
	for _, g := range groups { // what is stated keeps its words
		note := named{InterestNote: InterestNote{Weight: g.share, Source: SourceBehaviour, Courses: []CourseNote{}}, points: g.points}
		for _, pt := range g.points {
			if pt.stated < 0 {
				if pt.at.After(note.LastAt) {
					note.LastAt = pt.at
				}
				continue
			}
			said[pt.stated] = true
			in := n.taste.Interests[pt.stated]
			switch {
			case !in.Goal && note.Source != SourceStated:
				note.Source, note.Name = SourceStated, in.Text
			case in.Goal && note.Source == SourceBehaviour:
				note.Source = SourceGoal
			}
		}
		taken[lectern.FoldKey(note.Name)] = true
		out = append(out, note)
	}
	for i := range out {
		note := &out[i]
		if note.Name == "" {
			note.Name = p.from.name(courses(note.points), facts, taken)
		}
		if note.Name == "" && note.Source == SourceGoal {
			note.Name = n.goal()
		}
		note.Courses = p.cite(note.points, facts)
	}
	out = slices.DeleteFunc(out, func(n named) bool { return n.Name == "" }) // nothing is known of its courses
	for i, in := range n.taste.Interests {
		key := lectern.FoldKey(in.Text)
		if said[i] || taken[key] {
			continue
		}
		taken[key] = true
		source := SourceStated
		if in.Goal {
			source = SourceGoal
		}
		out = append(out, named{InterestNote: InterestNote{Name: in.Text, Source: source, Courses: []CourseNote{}}})
	}
	return out
}

// goal is the goal's text.
func (k *known) goal() string {
	for _, in := range k.taste.Interests {
		if in.Goal {
			return in.Text
		}
	}
	return ""
}

// courses are the points that are courses.
func courses(points []point) []point {
	return slices.DeleteFunc(slices.Clone(points), func(p point) bool { return p.stated >= 0 })
}

// alike groups courses by the skills and categories that they share, for when there
// are no vectors: what most of them have in common beyond the catalogue makes the
// first group, and so on with the rest.
func (p *Profiles) alike(n *known, facts map[string]CourseFacts) []group {
	var rest []point
	total := 0.0
	for _, e := range p.cfg.heaviest(n.entries) {
		if e.weight > 0 && !e.out && facts[e.id].ID != "" {
			rest = append(rest, point{id: e.id, stated: -1, weight: e.weight, at: e.at})
			total += e.weight
		}
	}
	var out []group
	for len(rest) > 0 && len(out) < p.cfg.MaxVectors {
		labels := p.from.labels(rest, facts)
		if len(labels) == 0 || labels[0].score <= 0 {
			break
		}
		var g group
		rest = slices.DeleteFunc(rest, func(pt point) bool {
			_, has := labelsOf(facts[pt.id])[labels[0].key]
			if has {
				g.points = append(g.points, pt)
				g.weight += pt.weight
			}
			return has
		})
		out = append(out, g)
	}
	total = 0
	for _, g := range out {
		total += g.weight
	}
	for i := range out {
		out[i].share = out[i].weight / total
	}
	slices.SortStableFunc(out, func(a, b group) int { return cmp.Compare(b.share, a.share) })
	return out
}

// topic names what courses are about, nil when nothing is known of them.
func (p *Profiles) topic(points []point, facts map[string]CourseFacts, taken map[string]bool) *TopicNote {
	name := p.from.name(points, facts, taken)
	if name == "" {
		return nil
	}
	return &TopicNote{Name: name, Courses: p.cite(points, facts)}
}

// cite lists the courses among points.
func (p *Profiles) cite(points []point, facts map[string]CourseFacts) []CourseNote {
	out := []CourseNote{}
	for _, pt := range points {
		if pt.stated < 0 && len(out) < p.cfg.MaxCited {
			out = append(out, CourseNote{ID: pt.id, Title: facts[pt.id].Title, Weight: pt.weight})
		}
	}
	return out
}

func (p *Profiles) skillNotes(skills []skill) []SkillNote {
	out := make([]SkillNote, 0, min(len(skills), p.cfg.MaxSkills))
	for _, s := range skills[:min(len(skills), p.cfg.MaxSkills)] {
		note := SkillNote{ID: s.ID, Name: s.Name, Amount: s.Amount, Courses: s.courses}
		if len(note.Courses) > p.cfg.MaxCited {
			note.Courses = note.Courses[:p.cfg.MaxCited]
		}
		out = append(out, note)
	}
	return out
}

// measures are level, pace and hours, with where they come from.
func (p *Profiles) measures(k kept) (LevelNote, PaceNote, HoursNote) {
	n, l := &k.known, k.profile.Learner
	taste := n.taste
	if !taste.Personal { // then nothing is estimated, but what is stated still holds
		taste.Level, taste.WeeklyHours, taste.Pace = l.PreferredLevel, l.WeeklyHours, k.profile.Corrections.Pace
	}
	source := func(known, stated bool) Source {
		switch {
		case !known:
			return SourceUnknown
		case stated:
			return SourceStated
		}
		return SourceEstimated
	}
	return LevelNote{taste.Level, source(taste.Level != "", l.PreferredLevel != ""), n.level.evidence},
		PaceNote{taste.Pace, source(taste.Pace != "", k.profile.Corrections.Pace != ""), n.hours.evidence},
		HoursNote{taste.WeeklyHours, source(taste.WeeklyHours != nil, l.WeeklyHours != nil), n.hours.evidence}
}

// Names lists the interests of a description.
func (d Description) Names() []string {
	out := make([]string, len(d.Interests))
	for i, in := range d.Interests {
		out[i] = in.Name
	}
	return out
}

// listed joins names for a message.
func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
