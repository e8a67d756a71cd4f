package simulate

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
)

// stage shows everybody the same courses, in turn, and keeps what is told.
type stage struct {
	ids    []string
	lists  int
	events []lectern.Event
	said   int
	now    time.Time
	back   bool // time went back
}

func (s *stage) List(_ context.Context, req lectern.ListRequest) (lectern.List, error) {
	s.lists++
	out := lectern.List{RankingID: fmt.Sprintf("list-%d", s.lists)}
	for i := range req.Limit {
		out.Items = append(out.Items, lectern.Item{Course: lectern.Course{ID: s.ids[(7*s.lists+i)%len(s.ids)]}, Position: i})
	}
	return out, nil
}

func (s *stage) Home(ctx context.Context, req lectern.HomeRequest) (lectern.Home, error) {
	var out lectern.Home
	for _, row := range []lectern.Row{lectern.RowContinue, lectern.RowForYou, lectern.RowNew} {
		list, err := s.List(ctx, lectern.ListRequest{Limit: req.Limit})
		if err != nil {
			return out, err
		}
		out.Rows = append(out.Rows, lectern.HomeRow{Row: row, List: list})
	}
	return out, nil
}

func (s *stage) Until(_ context.Context, t time.Time) error {
	s.back, s.now = s.back || t.Before(s.now), t
	return nil
}
func (s *stage) Settle(context.Context) error                       { return nil }
func (s *stage) PutCourses(context.Context, []lectern.Course) error { return nil }
func (s *stage) Append(_ context.Context, events []lectern.Event) error {
	s.events = append(s.events, events...)
	return nil
}
func (s *stage) Say(context.Context, lectern.LearnerRef, lectern.Feedback) error {
	s.said++
	return nil
}

func start() time.Time { return time.Date(2026, time.January, 15, 0, 0, 0, 0, time.UTC) }

func smallWorld(t *testing.T) *World {
	t.Helper()
	o := WorldOptions{Demo: demo.DefaultOptions(start()), Start: start(), New: 10, Interval: 24 * time.Hour}
	o.Demo.Seed, o.Demo.Courses, o.Demo.Learners, o.Demo.Reviews, o.Demo.Events = 5, 200, 150, 0, 2000
	w, err := NewWorld(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// play simulates a while on a stage.
func play(t *testing.T, w *World, change func(*Options)) (*stage, Run, string) {
	t.Helper()
	s := &stage{}
	for _, c := range w.Courses {
		s.ids = append(s.ids, c.ID)
	}
	o := DefaultOptions()
	o.Learners, o.Days = 80, 14
	var truth bytes.Buffer
	o.Truth = &truth
	if change != nil {
		change(&o)
	}
	sim, err := New(w, s, o)
	if err != nil {
		t.Fatal(err)
	}
	run, err := sim.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run.Took = 0
	return s, run, truth.String()
}

func TestSameSeedSameEvents(t *testing.T) {
	w := smallWorld(t)
	a, runA, truthA := play(t, w, nil)
	b, runB, truthB := play(t, w, nil)
	if diff := cmp.Diff(a.events, b.events); diff != "" {
		t.Errorf("the same seed and lists gave other events:\n%s", diff)
	}
	if diff := cmp.Diff(runA, runB); diff != "" || truthA != truthB {
		t.Errorf("the same seed and lists gave another truth:\n%s", diff)
	}
	c, _, _ := play(t, w, func(o *Options) { o.Seed = 2 })
	if len(a.events) == len(c.events) && cmp.Equal(a.events, c.events) {
		t.Error("another seed gave the same events")
	}
}

// TestEvents holds events against what platforms send: what is done in a list cites it
// with the place, what comes later does not, and nobody studies what they have not
// enrolled in.
func TestEvents(t *testing.T) {
	s, run, _ := play(t, smallWorld(t), nil)
	if s.back {
		t.Error("time went back")
	}
	seen, ids, count := map[string]bool{}, map[string]bool{}, map[lectern.EventType]int{}
	for _, e := range s.events {
		if ids[e.ID] {
			t.Fatalf("two events are called %s", e.ID)
		}
		ids[e.ID] = true
		count[e.Type]++
		at := -1
		if e.Position != nil {
			at = *e.Position
		}
		key := fmt.Sprint(e.RankingID, " ", at, " ", e.LearnerID, " ", e.CourseID)
		switch e.Type {
		case lectern.EventView:
			seen[key] = true
		case lectern.EventClick, lectern.EventEnrol, lectern.EventSave, lectern.EventDismiss:
			if !seen[key] {
				t.Fatalf("%s of %s at %d of %q without a look", e.Type, e.CourseID, at, e.RankingID)
			}
		case lectern.EventProgress, lectern.EventComplete, lectern.EventDrop, lectern.EventRate:
			if e.RankingID != "" || e.Position != nil {
				t.Fatalf("%s cites %q", e.Type, e.RankingID)
			}
		}
	}
	total := run.Total()
	for kind, n := range map[lectern.EventType]int{
		lectern.EventView: total.Impressions, lectern.EventClick: total.Clicks, lectern.EventEnrol: total.Enrols,
		lectern.EventComplete: total.Completions, lectern.EventDrop: total.Drops, lectern.EventDismiss: total.Dismissals,
	} {
		if count[kind] != n || n == 0 {
			t.Errorf("%d %s events told, %d counted: want as many, above 0", count[kind], kind, n)
		}
	}
	if s.said != total.Reports {
		t.Errorf("%d reports made, %d counted", s.said, total.Reports)
	}
}

// TestAttention holds how often places are looked at against the known curve.
func TestAttention(t *testing.T) {
	places := map[int]float64{}
	expected := map[int]float64{}
	w := smallWorld(t)
	for seed := range uint64(6) {
		s, _, _ := play(t, w, func(o *Options) {
			o.Seed, o.Pages, o.Searches, o.Visits, o.Behaviour.Tires = seed, 0, 0, 1, math.Inf(1)
		})
		for _, e := range s.events {
			if e.Type == lectern.EventView {
				places[*e.Position]++
			}
		}
		for i := range 10 {
			expected[i] += float64(s.lists) * math.Pow(DefaultBehaviour().SlotLook, float64(i))
		}
	}
	for i := range 10 {
		if e := expected[i]; math.Abs(places[i]-e) > 4*math.Sqrt(e)+1 {
			t.Errorf("place %d was looked at %.0f times, the curve says %.0f", i, places[i], e)
		}
	}
}

// TestValueIsExpectedReward holds what lists are said to be worth against what came of
// them, over many seeds.
func TestValueIsExpectedReward(t *testing.T) {
	w := smallWorld(t)
	var value, reward, squares float64
	const seeds = 40
	for seed := range uint64(seeds) {
		_, run, _ := play(t, w, func(o *Options) {
			o.Seed, o.Days, o.Truth = seed, 12, nil
			o.Worths = []Worth{{Name: "click", Event: lectern.EventClick, Value: 0.3, WithinDays: 1}, {Name: "enrol", Event: lectern.EventEnrol, Value: 0.7, WithinDays: 7}}
		})
		total := run.Total()
		value, reward = value+total.Value, reward+total.Reward
		squares += (total.Reward - total.Value) * (total.Reward - total.Value)
	}
	if off, bound := math.Abs(reward-value), 4*math.Sqrt(squares); off > bound || value == 0 {
		t.Errorf("lists were worth %.1f and earned %.1f: more than %.1f apart", value, reward, bound)
	}
}

func TestFatigue(t *testing.T) {
	l := &learner{looks: map[string]look{}}
	at := start()
	l.looksAt("a", at, 7)
	l.looksAt("a", at, 7)
	if got := l.bored("a", at, 7); got != 2 {
		t.Errorf("bored %g times at once, want 2", got)
	}
	if got := l.bored("a", at.AddDate(0, 0, 7), 7); math.Abs(got-1) > 1e-12 {
		t.Errorf("bored %g times after a half-life, want 1", got)
	}
}

// TestEffects checks that an arm's effect reaches those whose list it made, and nobody
// else.
func TestEffects(t *testing.T) {
	w := smallWorld(t)
	_, plain, _ := play(t, w, nil)
	effect, err := ParseEffect("look/b:clicks=2")
	if err != nil {
		t.Fatal(err)
	}
	clicks := func(arm string) int {
		s := &armed{arm: lectern.ArmRef{Experiment: "look", Arm: arm}}
		for _, c := range w.Courses {
			s.ids = append(s.ids, c.ID)
		}
		o := DefaultOptions()
		o.Learners, o.Days, o.Effects = 80, 14, []Effect{effect}
		sim, err := New(w, s, o)
		if err != nil {
			t.Fatal(err)
		}
		run, err := sim.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return run.Total().Clicks
	}
	if a := clicks("a"); a != plain.Total().Clicks {
		t.Errorf("%d clicks in the other arm, %d without effects", a, plain.Total().Clicks)
	}
	if b := clicks("b"); float64(b) < 1.5*float64(plain.Total().Clicks) {
		t.Errorf("%d clicks in the arm that doubles them, %d without", b, plain.Total().Clicks)
	}
	for _, text := range []string{"", "look:clicks=2", "look/b", "look/b:stars=2", "look/b:clicks=-1", "look/b:clicks=x"} {
		if _, err := ParseEffect(text); err == nil {
			t.Errorf("the effect %q was taken", text)
		}
	}
}

// armed is a stage all of whose lists were made by one arm.
type armed struct {
	stage
	arm lectern.ArmRef
}

func (a *armed) Ranking(_ context.Context, id string) (lectern.Ranking, error) {
	return lectern.Ranking{ID: id, Arms: []lectern.ArmRef{a.arm}}, nil
}

// TestFill puts the best of the pool at each exploring place, by hand: six courses, two
// places, the first of them held by what the pool does not beat.
func TestFill(t *testing.T) {
	worth := []float64{1, 2, 3, 9, 5, 4}
	x := &lectern.Exploration{Slate: []int{0, 1, 2, 3, 4, 5}, Places: []int{1, 3}, Pool: []int{2, 4, 5}}
	got := fill(x, func(item int) float64 { return worth[item] })
	// Place 1: of 2 (stands there), 3, 5 and 4 the 5 wins; item 3 is not in the pool.
	// Then 0 4 1 2 3 5: at place 3 stands 2 (worth 3), of the pool 5 (worth 4) is left.
	if diff := cmp.Diff([]int{0, 4, 1, 5, 2, 3}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMeans(t *testing.T) {
	for df, want := range map[int]float64{1: 12.706, 3: 3.182, 4: 2.776, 9: 2.262, 19: 2.093, 99: 1.984} {
		if got := student975(df); math.Abs(got-want) > 2e-3 {
			t.Errorf("t(0.975, %d) is %.4f, want %.3f", df, got, want)
		}
	}
	// 1, 2, 3, 4: mean 2.5, variance 5/3, half 3.182 × √(5/12) = 2.054.
	if m := meanOf([]float64{1, 2, 3, 4}); m.Mean != 2.5 || math.Abs(m.Half-2.054) > 1e-3 {
		t.Errorf("mean %v", m)
	}
}
