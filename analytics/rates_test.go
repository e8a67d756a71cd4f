package analytics_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/analytics"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// Every rate is a share of what it is a rate of, and counted anew it is the same,
// whatever people do and in whatever order it is told.
func TestRatesAreShares(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		template := filepath.Join(t.TempDir(), "empty.db")
		s, err := sqlite.Open(t.Context(), sqlite.Options{Path: template})
		check(t, err)
		check(t, s.Migrate(t.Context()))
		check(t, s.Close())
		empty, err := os.ReadFile(template)
		check(t, err)
		dir, n := t.TempDir(), 0
		rapid.Check(t, func(rt *rapid.T) {
			h := histories().Draw(rt, "history")
			n++
			path := filepath.Join(dir, fmt.Sprintf("%d.db", n))
			if err := os.WriteFile(path, empty, 0o600); err != nil {
				rt.Fatal(err)
			}
			s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
			if err != nil {
				rt.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if err := h.judge(t.Context(), s); err != nil {
				rt.Fatal(err)
			}
		})
	})
	t.Run("both", func(t *testing.T) {
		onBoth(t, func(t *testing.T, open func(t *testing.T) store) {
			for seed := range 3 {
				if err := histories().Example(seed).judge(t.Context(), open(t)); err != nil {
					t.Errorf("example %d: %v", seed, err)
				}
			}
		})
	})
}

// history is what happens to a platform, in the order in which it is told.
type history struct {
	Lists  []lectern.Ranking
	Steps  []step
	Batch  int
	Merged bool // the last of the people is a visitor at first, and becomes the first
}

// step is one thing that is told: an event, again and again as often as not, feedback
// said or taken back, or time for the metrics to count.
type step struct {
	Event    *lectern.Event
	Times    int
	Feedback *lectern.Feedback
	Who      int
	Unsay    bool
	Merge    bool
	Count    bool
}

// GoString is how a history that fails is printed.
func (h history) GoString() string {
	var b strings.Builder
	fmt.Fprintf(&b, "batch %d, merged %t\n", h.Batch, h.Merged)
	for _, l := range h.Lists {
		fmt.Fprintf(&b, "list %s of %s at %s, arms %v, explores %t\n", l.ID, l.Learner.ID, l.CreatedAt, l.Arms, l.Exploration != nil)
	}
	for _, s := range h.Steps {
		switch e, f := s.Event, s.Feedback; {
		case e != nil:
			fmt.Fprintf(&b, "%d × %s of %s%s about %s at %s, cites %q", s.Times, e.Type, e.LearnerID, e.AnonymousID, e.CourseID, e.OccurredAt, e.RankingID)
			if e.Value != nil {
				fmt.Fprintf(&b, ", %g", *e.Value)
			}
			b.WriteByte('\n')
		case f != nil:
			fmt.Fprintf(&b, "feedback %s of %s at %s, cites %q, taken back %t\n", f.ID, learner(s.Who).ID, f.At, f.RankingID, s.Unsay)
		case s.Merge:
			b.WriteString("merge\n")
		default:
			b.WriteString("count\n")
		}
	}
	return b.String()
}

const historyPeople = 3

func histories() *rapid.Generator[history] {
	return rapid.Custom(func(t *rapid.T) history {
		h := history{Batch: rapid.IntRange(1, 9).Draw(t, "batch"), Merged: rapid.Bool().Draw(t, "merged")}
		for i := range rapid.IntRange(1, 4).Draw(t, "lists") {
			h.Lists = append(h.Lists, drawList(t, i))
		}
		for i := range rapid.IntRange(1, 40).Draw(t, "steps") {
			var s step
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				s.Count = true
			case 1, 2:
				s = drawFeedback(t, h.Lists)
			case 3:
				s.Merge = h.Merged
			default:
				s.Event, s.Times = drawEvent(t, i, &h), rapid.IntRange(1, 2).Draw(t, "times")
			}
			h.Steps = append(h.Steps, s)
		}
		return h
	})
}

func drawList(t *rapid.T, i int) lectern.Ranking {
	who := rapid.IntRange(0, historyPeople-2).Draw(t, "whose") // visitors' lists are stored for nobody here
	r := lectern.Ranking{
		ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Learner: learner(who), Surface: lectern.Surfaces()[i%3],
		Segment: lectern.SegmentActive, CreatedAt: start.Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "hours")) * time.Hour),
		Served: 2, RequestHash: "h", ConfigVersion: "v1",
	}
	for c := range 4 {
		r.Items = append(r.Items, lectern.RankedItem{CourseID: course(c), Propensity: 1})
	}
	if rapid.Bool().Draw(t, "in an experiment") {
		r.Arms = []lectern.ArmRef{{Experiment: "x", Arm: "b"}}
	}
	if rapid.Bool().Draw(t, "explores") {
		r.Items[1].Propensity = 0.25
		r.Exploration = &lectern.Exploration{Policy: "thompson", Places: []int{1}, By: []string{"policy"}, Slate: []int{0, 1, 2, 3}}
	}
	return r
}

func (h *history) ref(who int) lectern.LearnerRef {
	if h.Merged && who == historyPeople-1 {
		return lectern.LearnerRef{AnonymousID: "v"}
	}
	return learner(who)
}

func drawEvent(t *rapid.T, i int, h *history) *lectern.Event {
	ref := h.ref(rapid.IntRange(0, historyPeople-1).Draw(t, "who"))
	e := &lectern.Event{
		ID: fmt.Sprintf("e%d", i), LearnerID: ref.ID, AnonymousID: ref.AnonymousID, CourseID: course(rapid.IntRange(0, 4).Draw(t, "course")),
		Type: rapid.SampledFrom([]lectern.EventType{
			lectern.EventView, lectern.EventClick, lectern.EventSave, lectern.EventEnrol, lectern.EventEnrol, lectern.EventProgress,
			lectern.EventComplete, lectern.EventRate, lectern.EventDrop, lectern.EventDismiss,
		}).Draw(t, "type"),
		OccurredAt: start.Add(time.Duration(rapid.IntRange(-48, 24*8).Draw(t, "hour")) * time.Hour),
	}
	switch e.Type {
	case lectern.EventProgress:
		v := float64(rapid.IntRange(0, 10).Draw(t, "tenths")) / 10
		e.Value = &v
	case lectern.EventRate:
		v := float64(rapid.IntRange(1, 5).Draw(t, "stars"))
		e.Value = &v
	}
	// Whoever becomes somebody else cites lists: what cites none may then be put down to
	// another list when it is counted anew.
	if h.Merged || rapid.IntRange(0, 3).Draw(t, "cites") > 0 {
		e.RankingID = h.Lists[rapid.IntRange(0, len(h.Lists)-1).Draw(t, "list")].ID
	}
	return e
}

func drawFeedback(t *rapid.T, lists []lectern.Ranking) step {
	s := step{Who: rapid.IntRange(0, historyPeople-2).Draw(t, "says"), Unsay: rapid.IntRange(0, 2).Draw(t, "takes back") == 0}
	f := lectern.Feedback{
		ID: fmt.Sprintf("f%d", rapid.IntRange(0, 3).Draw(t, "feedback")), CourseID: course(rapid.IntRange(0, 4).Draw(t, "course")),
		Kind:      rapid.SampledFrom([]lectern.FeedbackKind{lectern.FeedbackMore, lectern.FeedbackLess, lectern.FeedbackReport}).Draw(t, "kind"),
		At:        start.Add(time.Duration(rapid.IntRange(0, 24*8).Draw(t, "hour")) * time.Hour),
		RankingID: lists[rapid.IntRange(0, len(lists)-1).Draw(t, "list")].ID,
	}
	f.ID += fmt.Sprintf("-%d-%s-%s", s.Who, f.CourseID, f.Kind) // an id stands for one thing
	if f.Kind == lectern.FeedbackReport {
		f.Reason = lectern.ReportOther
	}
	s.Feedback = &f
	return s
}

// judge lets it happen, and says what is wrong with the metrics.
func (h history) judge(ctx ctx, s store) error {
	c := analytics.DefaultConfig()
	c.TimeZone, c.Settle, c.Batch, c.BegunDays, c.CompletionDays = "America/New_York", 0, h.Batch, 1, 3
	late := start.AddDate(0, 0, 60) // everything is judged
	clock := func() time.Time { return late }
	k, err := analytics.New(analytics.Options{Store: s, Config: c, Clock: clock, Logger: discard()})
	if err != nil {
		return err
	}
	if err := h.happen(ctx, s, k); err != nil {
		return err
	}
	if _, err := k.CatchUp(ctx); err != nil {
		return err
	}
	r, err := analytics.NewReader(s, c, clock)
	if err != nil {
		return err
	}
	live, err := rates(ctx, r)
	if err != nil {
		return err
	}
	if err := shares(ctx, s); err != nil {
		return err
	}
	if _, err := k.Rebuild(ctx, nil); err != nil {
		return err
	}
	anew, err := rates(ctx, r)
	if err != nil {
		return err
	}
	if d := cmp.Diff(live, anew, cmpopts.EquateApprox(0, 1e-9)); d != "" {
		return fmt.Errorf("counted anew, rates differ:\n%s", d)
	}
	return shares(ctx, s)
}

func (h history) happen(ctx ctx, s store, k *analytics.Keeper) error {
	var patches []lectern.CoursePatch
	for i := range 5 {
		hours, published := 5.0, start
		patches = append(patches, lectern.CoursePatch{
			Replace: true, Course: lectern.Course{ID: course(i), Title: "Course", Provider: fmt.Sprintf("p%d", i%2), WorkloadHours: &hours, PublishedAt: &published},
		})
	}
	err := results(s.PutCourses(ctx, patches))
	var people []lectern.Learner
	for i := range historyPeople {
		people = append(people, lectern.Learner{ID: learner(i).ID})
	}
	if err == nil {
		err = results(s.PutLearners(ctx, people))
	}
	if err == nil {
		err = s.PutRankings(ctx, h.Lists)
	}
	merged := false
	for i := 0; i < len(h.Steps) && err == nil; i++ {
		switch step := h.Steps[i]; {
		case step.Event != nil:
			e := *step.Event
			if merged && e.AnonymousID != "" {
				e.LearnerID, e.AnonymousID = learner(0).ID, ""
			}
			for range step.Times {
				if err == nil {
					err = results(s.AppendEvents(ctx, []lectern.EventWrite{{Event: e}}))
				}
			}
		case step.Feedback != nil && step.Unsay:
			if err = s.DeleteFeedback(ctx, learner(step.Who), step.Feedback.ID); lectern.ErrorCode(err) == lectern.CodeNotFound {
				err = nil
			}
		case step.Feedback != nil:
			_, err = s.PutFeedback(ctx, learner(step.Who), *step.Feedback)
		case step.Merge && !merged:
			merged = true
			err = s.MergeVisitor(ctx, "v", learner(0).ID)
		case step.Count:
			_, err = k.Step(ctx)
		}
	}
	return err
}

// rates reads every metric, told apart in many ways, and fails where one that is
// a share is none.
func rates(ctx ctx, r *analytics.Reader) (map[string]float64, error) {
	var wanted []string
	units := map[string]string{}
	for _, m := range analytics.Metrics() {
		wanted = append(wanted, m.Name)
		units[m.Name] = m.Unit
	}
	out := map[string]float64{}
	ways := [][]lectern.MetricDimension{nil}
	for _, d := range analytics.Dimensions() {
		ways = append(ways, []lectern.MetricDimension{d})
	}
	ways = append(ways, []lectern.MetricDimension{lectern.ByDay, lectern.ByPosition})
	for _, by := range ways {
		got, err := r.Report(ctx, analytics.Request{From: "2026-02-25", To: "2026-03-20", Metrics: wanted, By: by})
		if err != nil {
			return nil, err
		}
		for _, row := range got.Rows {
			for name, v := range row.Values {
				where := fmt.Sprint(name, " ", row.Keys)
				if v.Value == nil {
					continue
				}
				if u := units[name]; u == analytics.UnitShare || u == analytics.UnitIndex {
					if *v.Value < 0 || *v.Value > 1 || v.Numerator != nil && (*v.Numerator < 0 || *v.Numerator > *v.Denominator) {
						return nil, fmt.Errorf("%s is %v of %v / %v", where, *v.Value, v.Numerator, v.Denominator)
					}
				}
				if *v.Value != 0 {
					out[where] = *v.Value // what went back to nothing may be there or not
				}
			}
		}
	}
	return out, nil
}

// shares says whether, of what each person did on each day, parts are no more than what
// they are parts of: experiments are judged by these.
func shares(ctx ctx, s store) error {
	first := int(start.Unix()/86400) - 5
	for day := first; day < first+20; day++ {
		err := s.DaySums(ctx, day, day, day, func(_, t lectern.Tally) error {
			for _, of := range [][]float64{
				{t.Impressions, t.Clicked, t.Enrolled, t.Dismissed, t.Reported}, {t.Enrols, t.Begun, t.Completed, t.Dropped},
			} {
				if slices.Min(of) < -1e-9 || slices.Max(of) > of[0]+1e-9 || math.IsNaN(of[0]) {
					return fmt.Errorf("day %d of a person: %+v", day, t)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Courses that were enrolled in before the days of a range and begun within it say
// nothing of the enrolments of the range, in metrics as in experiments.
func TestStartsOfEarlierEnrolments(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t *testing.T) store) {
		s := open(t)
		w := makeWorld(1, 0, false)
		w.found(t, s)
		half := 0.5
		tell := func(id string, kind lectern.EventType, about int, day int) {
			t.Helper()
			check(t, results(s.AppendEvents(t.Context(), []lectern.EventWrite{{Event: lectern.Event{
				ID: id, Type: kind, LearnerID: "l0", CourseID: course(about), OccurredAt: start.AddDate(0, 0, day), Value: map[lectern.EventType]*float64{lectern.EventProgress: &half}[kind],
			}}})))
		}
		for i := range 3 { // of three enrolments on day 0, all are begun on day 2, on which one more follows
			tell(fmt.Sprint("e", i), lectern.EventEnrol, i, 0)
			tell(fmt.Sprint("p", i), lectern.EventProgress, i, 2)
		}
		tell("e3", lectern.EventEnrol, 3, 2)
		_, err := keeper(t, s, nil).CatchUp(t.Context())
		check(t, err)
		day := int(start.Unix() / 86400)
		for days, want := range map[[2]int][2]float64{{0, 1}: {3, 3}, {2, 2}: {0, 1}, {0, 2}: {3, 4}} {
			var got [2]float64
			check(t, s.DaySums(t.Context(), day+days[0], day+days[0], day+days[1], func(_, after lectern.Tally) error {
				got[0], got[1] = got[0]+after.Begun, got[1]+after.Enrols
				return nil
			}))
			if got != want {
				t.Errorf("days %v: %v of the enrolments were begun, want %v", days, got, want)
			}
		}
	})
}

// Sums of an earlier release, which counted otherwise, are counted anew by themselves.
func TestRulesOfBefore(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(t *testing.T) store) {
		s := open(t)
		w := makeWorld(5, 100, false)
		w.found(t, s)
		check(t, results(s.AppendEvents(t.Context(), w.events)))
		k := keeper(t, s, nil)
		_, err := k.CatchUp(t.Context())
		check(t, err)
		want := read(t, s)
		now, err := s.MetricProgress(t.Context(), lectern.MetricsInUse)
		check(t, err)
		before := now
		before.Definition = strings.Replace(now.Definition, `"rules":2,`, "", 1)
		odd := lectern.MetricCell{Day: 20600, Surface: "home", MetricSums: lectern.MetricSums{Views: 99}}
		check(t, s.ApplyMetrics(t.Context(), lectern.MetricBatch{From: now, To: before, Cells: []lectern.MetricCell{odd}}))
		_, err = k.CatchUp(t.Context())
		check(t, err)
		same(t, "metrics counted anew by themselves", want, read(t, s))
		now, err = s.MetricProgress(t.Context(), lectern.MetricsInUse)
		check(t, err)
		later := now
		later.Definition = strings.Replace(now.Definition, `"rules":2,`, `"rules":3,`, 1)
		check(t, s.ApplyMetrics(t.Context(), lectern.MetricBatch{From: now, To: later}))
		if _, err := k.CatchUp(t.Context()); lectern.ErrorCode(err) != lectern.CodeConflict {
			t.Errorf("over sums of a later release: %v", err)
		}
	})
}
