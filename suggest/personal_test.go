package suggest

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// people are profiles in memory.
type people struct {
	remote
	profiles map[string]lectern.Profile
	searches map[string][]string
}

func (p *people) Profile(_ context.Context, ref lectern.LearnerRef) (lectern.Profile, error) {
	if err := p.answer(); err != nil {
		return lectern.Profile{}, err
	}
	out, ok := p.profiles[ref.ID]
	if !ok {
		return out, lectern.Errorf(lectern.CodeNotFound, "nobody knows %q", ref.ID)
	}
	return out, nil
}

func (p *people) ProfileVersion(ctx context.Context, ref lectern.LearnerRef) (int64, error) {
	out, err := p.Profile(ctx, ref)
	return out.Version, err
}

func (p *people) Recent(_ context.Context, ref lectern.LearnerRef, n int) ([]string, error) {
	if err := p.answer(); err != nil {
		return nil, err
	}
	all := p.searches[ref.ID]
	return all[:min(n, len(all))], nil
}

func profile(id string, entries ...lectern.ProfileEntry) lectern.Profile {
	return lectern.Profile{Learner: lectern.Learner{ID: id}, Version: 1, Entries: entries}
}

func did(course string, state lectern.CourseState, weight float64) lectern.ProfileEntry {
	return lectern.ProfileEntry{CourseID: course, Weight: weight, WeightAt: testNow(), State: state, LastAt: testNow().Add(-time.Duration(weight) * time.Hour)}
}

// somePeople are two learners with different tastes, and some special ones.
func somePeople() *people {
	const completed = lectern.StateEnrolled | lectern.StateCompleted
	ana := profile("ana", did("ml", completed, 6), did("stats", completed, 6), did("r", lectern.StateClicked, 1))
	ben := profile("ben", did("node", completed, 6), did("cs", completed, 6))
	shy := profile("shy", ben.Entries...)
	shy.Learner.Consent = &lectern.Consent{}
	stated := profile("stated")
	stated.Learner.Interests, stated.Learner.Goal = []string{"statistics"}, "programming"
	local := profile("local")
	local.Learner.Region, local.Learner.Organisations = "NO", []string{"acme"}
	busy := profile("busy",
		did("ml", lectern.StateEnrolled, 3), did("py", lectern.StateEnrolled|lectern.StateProgressed, 4), did("r", completed, 6),
		did("cpp", lectern.StateEnrolled|lectern.StateDropped, -5), did("stats", lectern.StateClicked, 1),
		did("nowhere", lectern.StateEnrolled, 2), did("cafe", lectern.StateEnrolled, 5))
	p := &people{profiles: map[string]lectern.Profile{}, searches: map[string][]string{
		"busy": {"machine learning", "Machine  Learning", "knitting"}, "shy": {"secrets"},
	}}
	for _, one := range []lectern.Profile{ana, ben, shy, stated, local, busy} {
		p.profiles[one.Learner.ID] = one
	}
	return p
}

func askAs(t testing.TB, s *Suggester, q, learner string) lectern.Suggestions {
	t.Helper()
	out, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: q, Limit: MaxLimit, Learner: lectern.LearnerRef{ID: learner}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pythons are courses whose titles all begin in the same way.
func pythons() []lectern.Course {
	return append(fixture(),
		course("py-title", "Python", "", "", "", 1),
		course("py-data", "Python for Statistics", "Statistics", "Data Science", "Stanford", 900),
		course("py-web", "Python for Web Servers", "Node.js", "Programming", "Oslo", 1000),
		course("in-data", "Introduction to Data Science", "Statistics", "Data Science", "Stanford", 900),
		course("in-web", "Introduction to Programming", "Node.js", "Programming", "Oslo", 1000),
		course("data-py", "Statistics in Python", "Statistics", "Data Science", "Stanford", 1),
	)
}

func personalOf(t testing.TB, weight float64, p *people) *Suggester {
	o := Options{Config: DefaultConfig(), Clock: testNow, Profiles: p, Recents: p}
	o.Config.PersonalWeight = weight
	return made(t, o, pythons())
}

// Two learners with different histories get different orders; an exact title stays
// first for both, and what begins with the query before what only holds it. With
// the weight at 0 all orders are equal.
func TestTwoLearners(t *testing.T) {
	with, without := personalOf(t, DefaultConfig().PersonalWeight, somePeople()), personalOf(t, 0, somePeople())
	for _, q := range []string{"pyth", "python", "intro", "introduction to", "statistics", "p"} {
		nobody := ask(t, without, q)
		for _, learner := range []string{"ana", "ben", "shy", "unknown"} {
			if d := cmp.Diff(nobody, askAs(t, without, q, learner)); d != "" {
				t.Errorf("%q with weight 0 for %s: %s", q, learner, d)
			}
		}
		for _, learner := range []string{"", "shy", "unknown"} {
			if d := cmp.Diff(nobody, askAs(t, with, q, learner)); d != "" {
				t.Errorf("%q for %q: %s", q, learner, d)
			}
		}
	}
	before := func(q, learner, first, second string) {
		t.Helper()
		got := " " + ids(askAs(t, with, q, learner).Courses) + " "
		a, b := strings.Index(got, " "+first+" "), strings.Index(got, " "+second+" ")
		if a < 0 || b < 0 || a > b {
			t.Errorf("%q for %s: %s before %s in %s", q, learner, first, second, got)
		}
	}
	before("pyth", "ana", "py-data", "py-web")
	before("pyth", "ben", "py-web", "py-data")
	before("intro", "ana", "in-data", "in-web")
	before("intro", "ben", "in-web", "in-data")
	before("intro", "stated", "stats", "in-web")
	for _, learner := range []string{"ana", "ben"} {
		out := askAs(t, with, "python", learner).Courses
		if out[0].ID != "py-title" || out[0].Reason != lectern.SuggestExact {
			t.Errorf("the exact title for %s: %s", learner, reasons(out))
		}
	}
	classes := func(in []lectern.Suggestion) (out string) {
		for _, s := range in {
			out += string(s.Reason) + " "
		}
		return out
	}
	if d := cmp.Diff(classes(ask(t, with, "pyth").Courses), classes(askAs(t, with, "pyth", "ana").Courses)); d != "" {
		t.Errorf("classes of matches have moved: %s", d)
	}
}

// The term is weight × affinity × the best score of the class, no more.
func TestPersonalTermIsBounded(t *testing.T) {
	hits := []found{
		{hit: hit{score: 10}, name: "a", reason: lectern.SuggestPrefix},
		{hit: hit{score: 9}, name: "b", reason: lectern.SuggestWords},
		{hit: hit{score: 8}, name: "c", reason: lectern.SuggestPrefix},   // 8 + .3 × 1 × 10 = 11 > 10
		{hit: hit{score: 6.9}, name: "d", reason: lectern.SuggestPrefix}, // 6.9 + .3 × 1 × 10 = 9.9 < 10
		{hit: hit{score: 5}, name: "e", reason: lectern.SuggestWords},    // 5 + .3 × 1 × 9 = 7.7 < 9
	}
	liked := map[string]float32{"c": 1, "d": 1, "e": 1}
	personalise(hits, 0.3, func(f *found) float32 { return liked[f.name] })
	got := ""
	for _, h := range hits {
		got += h.name
	}
	if got != "cbade" {
		t.Errorf("%s, want cbade", got)
	}
}

// The learner's region and organisations decide what may be shown, whatever they
// allow beyond.
func TestLearnersEligibility(t *testing.T) {
	courses := fixture()
	courses[3].Availability.Regions, courses[8].Availability.Organisations = []string{"NO"}, []string{"acme"}
	p := somePeople()
	s := made(t, Options{Clock: testNow, Profiles: p}, courses)
	for _, tt := range []struct{ learner, query, want string }{
		{"local", "macro", "macro"}, {"local", "introduction to stat", "stats"}, {"ana", "macro", ""}, {"", "macro", ""},
	} {
		if got := ids(askAs(t, s, tt.query, tt.learner).Courses); got != tt.want {
			t.Errorf("%q for %q: %s, want %s", tt.query, tt.learner, got, tt.want)
		}
	}
}

// Profiles are read once in a while, and only when they have changed.
func TestProfilesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := somePeople()
		s := running(t, Options{Profiles: p}, pythons())
		for range 5 {
			askAs(t, s, "pyth", "ana")
		}
		if n := p.asked.Load(); n != 1 {
			t.Errorf("%d reads for one learner", n)
		}
		time.Sleep(DefaultConfig().ProfileTTL)
		changed := p.profiles["ben"]
		changed.Version = 2
		p.profiles["ana"] = changed
		if got := ids(askAs(t, s, "pyth", "ana").Courses); !strings.Contains(got, "py-web") || strings.Index(got, "py-web") > strings.Index(got, "py-data") {
			t.Errorf("after a change: %s", got)
		}
		delete(p.profiles, "ana")
		s.Forget(lectern.LearnerRef{ID: "ana"})
		if d := cmp.Diff(ask(t, s, "pyth"), askAs(t, s, "pyth", "ana")); d != "" {
			t.Errorf("after an erasure: %s", d)
		}
	})
}

func TestRecallIsBounded(t *testing.T) {
	r := newRecall[int, int](testNow, 3, 0, time.Second, 1)
	for i := range 10 {
		if v, err := r.inline(t.Context(), i, func(context.Context) (int, error) { return i, nil }); v != i || err != nil {
			t.Fatal(v, err)
		}
	}
	if len(r.entries) != 3 || r.order.Len() != 3 {
		t.Errorf("%d entries", len(r.entries))
	}
	if _, err := r.inline(t.Context(), 11, func(context.Context) (int, error) { return 0, errDead }); err == nil || len(r.entries) != 3 {
		t.Error("a failure is kept")
	}
}
