package retrieve_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

// TestDemoLists holds lists on the demo platform, whose latent interests are known,
// against what they must do. No setting was chosen on this seed.
func TestDemoLists(t *testing.T) {
	d := newDemoWorld(t, 1)
	top := func(req lectern.ListRequest) []string {
		t.Helper()
		out, err := d.engine.TopIDs(context.Background(), req, 10)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	some := make([]*demoLearner, 0, 200)
	for i := 0; i < len(d.people) && len(some) < cap(some); i++ {
		some = append(some, &d.people[i])
	}
	t.Run("recovery", func(t *testing.T) {
		var lists, popular, alone quality
		var taste learner.Taste
		d.tastes = func(t *learner.Taste) { taste = *t }
		var byPopularity []string
		d.build(patient(), rerank.Popularity{})
		byPopularity = top(home(lectern.LearnerRef{}))
		d.build(patient(), linearDefault(t))
		for _, l := range some {
			relevant := d.relevant(l)
			lists.add(d.judge(l, top(home(l.ref)), relevant))
			popular.add(d.judge(l, byPopularity, relevant))
			alone.add(d.judge(l, d.modelAlone(l, taste), relevant))
		}
		d.tastes = nil
		lists, popular, alone = lists.over(len(some)), popular.over(len(some)), alone.over(len(some))
		t.Logf("\nlists      %v\nmodel      %v\npopularity %v", lists, alone, popular)
		if lists.recall < alone.recall || lists.latent < alone.latent {
			t.Errorf("lists %v are behind the model that they are made from, %v", lists, alone)
		}
		if lists.recall < 10*popular.recall || lists.recall < 0.45 || lists.latent < 0.4 {
			t.Errorf("lists %v, popularity %v", lists, popular)
		}
	})
	t.Run("two interests", func(t *testing.T) {
		both, of := 0, 0
		for i := range d.people {
			l := &d.people[i]
			a, b, ok := d.twoTopics(l)
			if !ok {
				continue
			}
			of++
			topics := d.topicsOf(top(home(l.ref)))
			if topics[a] > 0 && topics[b] > 0 {
				both++
			}
		}
		t.Logf("%d of %d learners see both", both, of)
		if of < 10 || both*100 < of*90 {
			t.Errorf("%d of %d learners see both of their interests in the first ten", both, of)
		}
	})
	t.Run("dismissed", func(t *testing.T) {
		left, of := 0, 0
		for _, l := range some {
			id, ok := d.strange(l, top(home(l.ref)))
			if !ok {
				continue
			}
			of++
			before := d.profiles[l.ref]
			d.act(l.ref, lectern.EventDismiss, id)
			if d.topicsOf(top(home(l.ref)))[d.courses[id].Topic] > 0 {
				left++
			}
			before.Version += 2
			d.profiles[l.ref] = before
		}
		t.Logf("%d of %d dismissed topics are left", left, of)
		if of < 20 || left*100 > of*10 {
			t.Errorf("%d of %d dismissed topics are still in the first ten", left, of)
		}
	})
	t.Run("successors", func(t *testing.T) {
		first, above, of := d.successors(top)
		t.Logf("of %d completed beginner courses, %d bring a successor into the first ten and none of their twins above it; next names one first for %d", of, above, first)
		if of < 20 || first*100 < of*95 || above*100 < of*80 {
			t.Errorf("of %d: next %d, home %d", of, first, above)
		}
	})
}

// modelAlone is what the collaborative model puts first, of what home may show.
func (d *demoWorld) modelAlone(l *demoLearner, taste learner.Taste) []string {
	seen := map[string]bool{}
	for _, e := range d.profiles[l.ref].Entries {
		seen[e.CourseID] = e.State&lectern.StateSeen != 0
	}
	hits := d.others.Collaborative.Collaborative().Top(taste.Touched, 10, func(id string) bool {
		c := d.world.courses[id]
		return !seen[id] && retrieve.Allows(lectern.Filter{Eligible: &lectern.Eligibility{
			At: d.cut, Region: d.profiles[l.ref].Learner.Region, Organisations: d.profiles[l.ref].Learner.Organisations,
		}}, c)
	})
	var ids []string
	for _, h := range hits {
		ids = append(ids, h.ID)
	}
	return ids
}

// topicsOf counts courses by topic.
func (d *demoWorld) topicsOf(ids []string) map[string]int {
	out := map[string]int{}
	for _, id := range ids {
		out[d.courses[id].Topic]++
	}
	return out
}

// liked counts what a learner took, by topic.
func (d *demoWorld) liked(l *demoLearner) map[string]int {
	out := map[string]int{}
	for _, e := range d.profiles[l.ref].Entries {
		if e.State&(lectern.StateEnrolled|lectern.StateCompleted) != 0 && e.Weight > 0 {
			out[d.courses[e.CourseID].Topic]++
		}
	}
	return out
}

// consents reports whether a learner allows personal lists.
func (d *demoWorld) consents(l *demoLearner) bool {
	c := d.profiles[l.ref].Learner.Consent
	return c == nil || c.Personalisation
}

// twoTopics are two latent interests of a learner who took two courses of each, and
// can take more.
func (d *demoWorld) twoTopics(l *demoLearner) (a, b string, ok bool) {
	liked, left := d.liked(l), map[string]int{}
	if !d.consents(l) {
		return "", "", false
	}
	taken := map[string]bool{}
	for _, e := range d.profiles[l.ref].Entries {
		taken[e.CourseID] = e.State&lectern.StateSeen != 0
	}
	for id, c := range d.world.courses {
		if !taken[id] && c.Availability.Status != lectern.StatusRetired && c.Language == "en" {
			left[d.courses[id].Topic]++
		}
	}
	var topics []string
	for _, in := range l.truth.Interests {
		if in.Weight >= 0.2 && liked[in.Topic] >= 2 && left[in.Topic] >= 3 {
			topics = append(topics, in.Topic)
		}
	}
	if len(topics) < 2 {
		return "", "", false
	}
	return topics[0], topics[1], true
}

// strange finds a course in a list whose topic the learner never took a course of.
func (d *demoWorld) strange(l *demoLearner, list []string) (string, bool) {
	liked := d.liked(l)
	if !d.consents(l) {
		return "", false
	}
	for _, id := range list {
		if liked[d.courses[id].Topic] == 0 && !slices.ContainsFunc(l.truth.Interests, func(in demo.InterestTruth) bool { return in.Topic == d.courses[id].Topic }) {
			return id, true
		}
	}
	return "", false
}

// successors lets new learners complete one beginner course each that another course
// needs.
func (d *demoWorld) successors(top func(lectern.ListRequest) []string) (first, above, of int) {
	needs := map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(d.world.courses)) {
		for _, need := range d.world.courses[id].Prerequisites {
			if a := d.world.courses[id].Availability; len(a.Regions)+len(a.Organisations) == 0 && a.Status != lectern.StatusRetired && a.Status != lectern.StatusUnlisted && a.EnrolFrom == nil && a.EnrolUntil == nil {
				needs[need] = append(needs[need], id)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(needs)) {
		if d.world.courses[id].Level != lectern.LevelBeginner || d.courses[needs[id][0]].Topic != d.courses[id].Topic || of == 60 {
			continue
		}
		of++
		ref := lectern.LearnerRef{ID: "new-" + id}
		d.act(ref, lectern.EventComplete, id)
		if next := top(lectern.ListRequest{Surface: lectern.SurfaceNext, CourseID: id, Learner: ref}); len(next) > 0 && slices.Contains(needs[id], next[0]) {
			first++
		}
		list := top(home(ref))
		at := slices.IndexFunc(list, func(c string) bool { return slices.Contains(needs[id], c) })
		twin := slices.IndexFunc(list, func(c string) bool {
			return d.courses[c].Topic == d.courses[id].Topic && d.courses[c].Level == 0
		})
		if at >= 0 && (twin < 0 || twin > at) {
			above++
		}
	}
	return first, above, of
}
