package homes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// Dismissed says what is left of a topic after learners dismissed courses of it.
type Dismissed struct {
	Topic    string  `json:"topic"`      // taken: the learner has taken a course of it; looked: only looked at some; strange: neither, and no latent topic
	Times    int     `json:"dismissals"` // courses of it dismissed, one after another
	Learners int     `json:"learners"`
	Gone     float64 `json:"gone"`   // share whose next first ten has no course of the topic
	Course   float64 `json:"course"` // share whose next first ten lacks the dismissed courses themselves
	Others   float64 `json:"others"` // share of the learner's other latent topics shown before that still are
}

// mostDismissals is how many courses of a topic a learner dismisses.
const mostDismissals = 3

// Dismissals lets up to n learners dismiss what their list shows of their weaker
// topic, or of one that is none of theirs, and looks at the next list each time.
func (j *Judge) Dismissals(ctx context.Context, n int) ([]Dismissed, error) {
	people, all, err := j.warm(ctx, n, 3)
	if err != nil {
		return nil, err
	}
	kinds := []string{"taken", "looked", "strange"}
	sums := map[string]*[mostDismissals]Dismissed{}
	for _, k := range kinds {
		sums[k] = &[mostDismissals]Dismissed{}
	}
	others := map[string]*[mostDismissals]int{"taken": {}, "looked": {}, "strange": {}}
	for i, p := range people {
		list, err := j.top(ctx, home(p.Ref))
		if err != nil {
			return nil, err
		}
		topic, kind := j.weaker(p, all[i], list)
		if topic == "" {
			continue
		}
		if err := j.dismiss(ctx, p, topic, list, sums[kind], others[kind]); err != nil {
			return nil, err
		}
	}
	var out []Dismissed
	for _, kind := range kinds {
		for t := range mostDismissals {
			d := sums[kind][t]
			d.Topic, d.Times = kind, t+1
			f := float64(max(d.Learners, 1))
			d.Gone, d.Course, d.Others = d.Gone/f, d.Course/f, d.Others/float64(max(others[kind][t], 1))
			out = append(out, d)
		}
	}
	return out, nil
}

// weaker is the topic that a learner will dismiss: of the latent ones in a list the one
// that least was done in, where there are two; else one of the list that is none of
// theirs.
func (j *Judge) weaker(p Person, k known, list []string) (topic, kind string) {
	shown := j.topics(list)
	own := 0
	for _, in := range p.Truth.Interests {
		if !shown[in.Topic] {
			continue
		}
		own++
		if less := k.taken[in.Topic] - k.taken[topic]; topic == "" || less < 0 || less == 0 && k.touched[in.Topic] < k.touched[topic] {
			topic = in.Topic
		}
	}
	switch {
	case own >= 2 && k.taken[topic] > 0:
		return topic, "taken"
	case own >= 2:
		return topic, "looked"
	}
	for _, id := range list {
		t := j.truth[id].Topic
		if k.touched[t] == 0 && !slices.ContainsFunc(interestsOf(p), func(o string) bool { return o == t }) {
			return t, "strange"
		}
	}
	return "", ""
}

func interestsOf(p Person) []string {
	var out []string
	for _, in := range p.Truth.Interests {
		out = append(out, in.Topic)
	}
	return out
}

// dismiss turns down what is shown of a topic, one course at a time.
func (j *Judge) dismiss(ctx context.Context, p Person, topic string, list []string, sums *[mostDismissals]Dismissed, others *[mostDismissals]int) error {
	before := j.topics(list)
	var turned []string
	shown := list
	for t := range mostDismissals {
		if i := slices.IndexFunc(shown, func(id string) bool { return j.truth[id].Topic == topic }); i >= 0 {
			turned = append(turned, shown[i])
			e := j.event(p.Ref, lectern.EventDismiss, shown[i], "dismiss", t)
			if err := j.site.Append(ctx, []lectern.Event{e}); err != nil {
				return err
			}
		}
		next, err := j.top(ctx, home(p.Ref))
		if err != nil {
			return err
		}
		after := j.topics(next)
		d := &sums[t]
		d.Learners++
		if !after[topic] {
			d.Gone++
		}
		if !slices.ContainsFunc(turned, func(id string) bool { return slices.Contains(next, id) }) {
			d.Course++
		}
		for _, in := range p.Truth.Interests {
			if in.Topic != topic && before[in.Topic] {
				others[t]++
				if after[in.Topic] {
					d.Others++
				}
			}
		}
		shown = next
	}
	return nil
}

// event is something that a learner does now.
func (j *Judge) event(ref lectern.LearnerRef, kind lectern.EventType, course, why string, n int) lectern.Event {
	return lectern.Event{
		ID: fmt.Sprintf("%s-%s-%s-%s-%d", why, strings.Join([]string{ref.ID, ref.AnonymousID}, ""), kind, course, n), Type: kind,
		LearnerID: ref.ID, AnonymousID: ref.AnonymousID, CourseID: course, OccurredAt: j.site.Now(),
	}
}

// Successors says what a completed beginner course brings.
type Successors struct {
	Completed   int     `json:"completed"`    // beginner courses with a successor of their topic that a learner could take
	WithTwin    int     `json:"with_twin"`    // of these, with a twin: another beginner course of the topic
	NextFirst   float64 `json:"next_first"`   // the row next begins with a successor
	NextTwin    float64 `json:"next_twin"`    // the row next has a twin above every successor, or without one; of those with a twin
	ListShows   float64 `json:"list_shows"`   // the first ten of the list have a successor
	ListTwin    float64 `json:"list_twin"`    // they have a twin above every successor, or without one; of those with a twin
	BeforeShows float64 `json:"before_shows"` // the first ten had one before
	PageShows   float64 `json:"page_shows"`   // the home page has a successor in for_you or next
}

// Successors lets up to n learners complete a beginner course of a topic of theirs
// that another course of the topic needs.
func (j *Judge) Successors(ctx context.Context, n int) (Successors, error) {
	needs, twins := j.chains()
	people, all, err := j.warm(ctx, len(j.people), 2)
	if err != nil {
		return Successors{}, err
	}
	var out Successors
	for i, p := range people {
		if out.Completed == n {
			break
		}
		course, after := j.beginner(p, all[i], needs)
		if course == "" {
			continue
		}
		alike := slices.DeleteFunc(slices.Clone(twins[course]), func(id string) bool { return all[i].gone[id] || !j.reads(p, id) })
		if err := j.complete(ctx, p, course, after, alike, &out); err != nil {
			return out, err
		}
	}
	f, t := float64(max(out.Completed, 1)), float64(max(out.WithTwin, 1))
	out.NextFirst, out.ListShows, out.BeforeShows, out.PageShows = out.NextFirst/f, out.ListShows/f, out.BeforeShows/f, out.PageShows/f
	out.NextTwin, out.ListTwin = out.NextTwin/t, out.ListTwin/t
	return out, nil
}

// chains are, for each open beginner course, the open courses of its topic that need
// it, and those that are like it.
func (j *Judge) chains() (needs, twins map[string][]string) {
	needs, twins = map[string][]string{}, map[string][]string{}
	byTopic := map[string][]string{}
	for _, id := range j.open {
		if j.truth[id].Level == 0 {
			byTopic[j.truth[id].Topic] = append(byTopic[j.truth[id].Topic], id)
		}
		for _, need := range j.course[id].Prerequisites {
			if j.truth[need].Level == 0 && j.truth[need].Topic == j.truth[id].Topic && j.course[need].ID != "" && j.truth[id].Level > 0 {
				needs[need] = append(needs[need], id)
			}
		}
	}
	for _, ids := range byTopic {
		for _, id := range ids {
			twins[id] = slices.DeleteFunc(slices.Clone(ids), func(o string) bool { return o == id })
		}
	}
	return needs, twins
}

// beginner is a beginner course of the learner's heaviest topic that has successors,
// none of them taken, and those that then lack no other prerequisite.
func (j *Judge) beginner(p Person, k known, needs map[string][]string) (course string, after []string) {
	for _, in := range p.Truth.Interests {
		for _, id := range j.open {
			if j.truth[id].Topic != in.Topic || k.gone[id] || !j.reads(p, id) {
				continue
			}
			for _, next := range needs[id] {
				lacks := slices.ContainsFunc(j.course[next].Prerequisites, func(need string) bool { return need != id && !k.gone[need] })
				if !lacks && !k.gone[next] && j.reads(p, next) {
					after = append(after, next)
				}
			}
			if len(after) > 0 {
				return id, after
			}
		}
	}
	return "", nil
}

// reads reports whether a course is in a language of the learner's.
func (j *Judge) reads(p Person, id string) bool {
	tag, _, _ := strings.Cut(j.course[id].Language, "-")
	return tag == "en" || tag == p.Truth.Language
}

// complete lets a learner enrol in a course and complete it, and looks at what comes.
func (j *Judge) complete(ctx context.Context, p Person, course string, after, twins []string, out *Successors) error {
	before, err := j.top(ctx, home(p.Ref))
	if err != nil {
		return err
	}
	enrol, done := j.event(p.Ref, lectern.EventEnrol, course, "successor", 0), j.event(p.Ref, lectern.EventComplete, course, "successor", 1)
	enrol.OccurredAt = enrol.OccurredAt.Add(-20 * 24 * time.Hour)
	if err := j.site.Append(ctx, []lectern.Event{enrol, done}); err != nil {
		return err
	}
	req := home(p.Ref)
	req.Row = lectern.RowNext
	next, err := j.top(ctx, req)
	if err != nil {
		return err
	}
	list, err := j.top(ctx, home(p.Ref))
	if err != nil {
		return err
	}
	page, err := j.site.Home(ctx, lectern.HomeRequest{Learner: p.Ref, Limit: TopK})
	if err != nil {
		return err
	}
	out.Completed++
	if len(twins) > 0 {
		out.WithTwin++
	}
	count := func(sum *float64, yes bool) {
		if yes {
			*sum++
		}
	}
	first := func(list, of []string) int {
		return slices.IndexFunc(list, func(id string) bool { return slices.Contains(of, id) })
	}
	ahead := func(list []string) bool { // a twin stands above every successor
		s, t := first(list, after), first(list, twins)
		return t >= 0 && (s < 0 || t < s)
	}
	count(&out.NextFirst, first(next, after) == 0)
	count(&out.NextTwin, ahead(next))
	count(&out.ListShows, first(list, after) >= 0)
	count(&out.ListTwin, ahead(list))
	count(&out.BeforeShows, first(before, after) >= 0)
	count(&out.PageShows, slices.ContainsFunc(page.Rows, func(r lectern.HomeRow) bool {
		return (r.Row == lectern.RowNext || r.Row == lectern.RowForYou) && slices.ContainsFunc(r.List.Items, func(it lectern.Item) bool { return slices.Contains(after, it.Course.ID) })
	}))
	return nil
}
