package experiment

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) // never changes

func ptr[T any](v T) *T { return &v }

// runningTrial is a running experiment of two arms on a whole layer.
func runningTrial(id string, change ...func(*stored)) *stored {
	x := &stored{Experiment: lectern.Experiment{ID: id, Version: 2, State: lectern.ExperimentRunning}}
	x.Definition = Definition{Name: id, Arms: []Arm{{Name: "control"}, {Name: "b", Settings: ptr(int64(3))}}, Primary: Goal{Metric: "enrols"}}
	x.Plan = &Plan{StartedAt: noon, Buckets: []Range{{0, Buckets}}}
	for _, f := range change {
		f(x)
	}
	return x
}

func assigner(holdout float64, all ...*stored) *Assigner {
	a := NewAssigner(holdout)
	a.use(all)
	return a
}

func learner(i int) *lectern.AssignRequest {
	return &lectern.AssignRequest{
		Learner: lectern.LearnerRef{ID: fmt.Sprintf("learner-%d", i)}, Surface: lectern.SurfaceHome, Row: lectern.RowForYou,
		Segment: lectern.SegmentActive, At: noon,
	}
}

// chiSquared is the statistic of counts against an even spread, in standard deviations
// above what is expected of it.
func chiSquared(counts []int) float64 {
	n := 0
	for _, c := range counts {
		n += c
	}
	even := float64(n) / float64(len(counts))
	sum := 0.0
	for _, c := range counts {
		sum += (float64(c) - even) * (float64(c) - even) / even
	}
	df := float64(len(counts) - 1)
	return (sum - df) / math.Sqrt(2*df)
}

// Buckets, arms and ramps are spread evenly, over ids that differ in little, and those
// of different layers and experiments have nothing to do with each other.
func TestEvenAndIndependent(t *testing.T) {
	const people = 200_000
	one, two := salt("layer", "one"), salt("layer", "two")
	arm := salt("arm", "one")
	buckets, joint, within := make([]int, 1000), make([]int, 400), make([]int, 400)
	for i := range people {
		who := person(lectern.LearnerRef{ID: fmt.Sprintf("u%d", i)})
		a, b := bucket(one, who), bucket(two, who)
		if a < 0 || a >= Buckets {
			t.Fatalf("bucket %d", a)
		}
		buckets[a/10]++
		joint[a/500*20+b/500]++
		within[a/500*20+int(part(arm, who)*20)]++
	}
	for name, counts := range map[string][]int{"buckets": buckets, "two layers": joint, "a layer and an arm": within} {
		if z := chiSquared(counts); math.Abs(z) > 4.5 {
			t.Errorf("%s: %.1f standard deviations from even", name, z)
		}
	}
}

// Arms get their shares, whoever is asked about again gets the same, on every replica.
func TestShares(t *testing.T) {
	x := runningTrial("x", func(x *stored) {
		x.Arms = []Arm{{Name: "a", Weight: 1}, {Name: "b", Weight: 2, Settings: ptr(int64(1))}, {Name: "c", Weight: 5, Settings: ptr(int64(2))}}
	})
	a, b := assigner(0, x), assigner(0, x)
	const people = 80_000
	got := map[string]float64{}
	for i := range people {
		first, second := a.Assign(learner(i)), b.Assign(learner(i))
		if d := cmp.Diff(first, second); d != "" {
			t.Fatalf("replicas differ: %s", d)
		}
		got[first.Arms[0].Arm]++
	}
	for arm, share := range map[string]float64{"a": 1. / 8, "b": 2. / 8, "c": 5. / 8} {
		if se := math.Sqrt(share * (1 - share) / people); math.Abs(got[arm]/people-share) > 4.5*se {
			t.Errorf("arm %s has %.4f, want %.4f", arm, got[arm]/people, share)
		}
	}
}

// In one layer nobody is in two experiments; in two layers people are in both as if by
// two coins.
func TestLayers(t *testing.T) {
	half := func(layer string, from int) func(*stored) {
		return func(x *stored) { x.Layer, x.Plan.Buckets = layer, []Range{{from, from + Buckets/2}} }
	}
	a := assigner(0, runningTrial("one", half("l", 0)), runningTrial("two", half("l", Buckets/2)),
		runningTrial("other", half("m", 0), func(x *stored) { x.Arms[1] = Arm{Name: "p", Policy: "linucb"} }))
	const people = 40_000
	counts := map[string]int{}
	for i := range people {
		in := map[string]bool{}
		for _, arm := range a.Assign(learner(i)).Arms {
			in[arm.Experiment] = true
		}
		if in["one"] == in["two"] {
			t.Fatalf("learner %d is in both experiments of a layer, or in none of a full one", i)
		}
		counts[fmt.Sprint(in["one"], in["other"])]++
	}
	for name, n := range counts {
		if math.Abs(float64(n)/people-0.25) > 0.01 {
			t.Errorf("%s: %d of %d", name, n, people)
		}
	}
}

// A ramp only adds people, and nobody changes arm by it.
func TestRamp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := runningTrial(rapid.StringMatching("[a-z]{1,8}").Draw(t, "id"))
		share := 0.0
		for i := range rapid.IntRange(1, 5).Draw(t, "steps") {
			share = rapid.Float64Range(share, 1).Draw(t, "share")
			x.Ramp = append(x.Ramp, Step{From: noon.AddDate(0, 0, i), Share: max(share, 0.001)})
		}
		a := assigner(0, x)
		for i := range 50 {
			arm := ""
			for day := -1; day < 6; day++ {
				req := learner(i)
				req.At = noon.AddDate(0, 0, day)
				got := a.Assign(req)
				switch {
				case day < 0 && len(got.Arms) > 0:
					t.Fatal("in before the ramp begins")
				case arm != "" && (len(got.Arms) == 0 || got.Arms[0].Arm != arm):
					t.Fatalf("learner %d was in %s, and is in %v on day %d", i, arm, got.Arms, day)
				case len(got.Arms) > 0:
					arm = got.Arms[0].Arm
				}
			}
		}
	})
}

// Who is not meant is in nothing, for a reason that is told.
func TestWhy(t *testing.T) {
	x := runningTrial("x", func(x *stored) {
		x.Surfaces, x.Rows = []lectern.Surface{lectern.SurfaceHome}, []lectern.Row{lectern.RowForYou, lectern.RowNew}
		x.Audience = Audience{
			Segments: []lectern.Segment{lectern.SegmentActive}, Languages: []string{"DE"}, Regions: []string{"at"}, Organisations: []string{"ACME"},
		}
	})
	a := assigner(0, x)
	good := learner(1)
	good.Languages, good.Region, good.Organisations = lectern.LanguageKeys("de-AT"), lectern.FoldKey("AT"), lectern.FoldKeys([]string{"acme", "z"})
	if got := a.Assign(good); len(got.Arms) != 1 {
		t.Errorf("not in: %+v", got)
	}
	for why, change := range map[string]func(*lectern.AssignRequest){
		WhyNobody:  func(r *lectern.AssignRequest) { r.Learner = lectern.LearnerRef{} },
		WhySurface: func(r *lectern.AssignRequest) { r.Surface = lectern.SurfaceSearch },
		WhyRow:     func(r *lectern.AssignRequest) { r.Row = lectern.RowTrending },
		WhySegment: func(r *lectern.AssignRequest) { r.Segment = lectern.SegmentVisitor },
		WhyPlace:   func(r *lectern.AssignRequest) { r.Languages = []string{"en"} },
	} {
		req := *good
		change(&req)
		if got := a.Assign(&req); len(got.Arms) > 0 || got.Settings != nil {
			t.Errorf("%s: in %v", why, got.Arms)
		}
		if got := a.Standings(&req, false)[0].Why; got != why {
			t.Errorf("told %q, want %q", got, why)
		}
	}
	if got := a.Standings(good, true)[0].Why; got != WhyProtected {
		t.Errorf("protected: %q", got)
	}
}

// The holdout gets nothing at all.
func TestHoldout(t *testing.T) {
	a := assigner(0.1, runningTrial("x"))
	const people = 20_000
	held := 0
	for i := range people {
		got := a.Assign(learner(i))
		if got.Plain == (len(got.Arms) > 0) {
			t.Fatalf("%+v", got)
		}
		if got.Plain {
			held++
			if why := a.Standings(learner(i), false)[0].Why; why != WhyHoldout {
				t.Fatal(why)
			}
		}
	}
	if math.Abs(float64(held)/people-0.1) > 0.01 {
		t.Errorf("%d of %d are held out", held, people)
	}
	if got := NewAssigner(0.5).Assign(&lectern.AssignRequest{}); got.Plain {
		t.Error("nobody is held out")
	}
}

// What an assignment names is that of its arm, and of an interleaving both.
func TestAssignment(t *testing.T) {
	duel := runningTrial("d", func(x *stored) {
		x.Kind, x.Plan.Settings, x.Primary = KindInterleaving, &[2]int64{1, 2}, Goal{}
	})
	got := assigner(0, duel).Assign(learner(1))
	want := lectern.Assignment{Arms: []lectern.ArmRef{{Experiment: "d", Arm: Interleaved}}, Interleaved: &[2]int64{1, 2}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	x := runningTrial("x", func(x *stored) {
		for i := range x.Arms {
			x.Arms[i].Settings, x.Arms[i].Model, x.Arms[i].Policy = ptr(int64(7)), ptr(int64(8)), "none"
		}
	})
	got = assigner(0, x).Assign(learner(1))
	want = lectern.Assignment{Arms: got.Arms, Settings: ptr(int64(7)), Model: ptr(int64(8)), Policy: "none"}
	if d := cmp.Diff(want, got); d != "" || len(got.Arms) != 1 {
		t.Error(d)
	}
}

func BenchmarkAssign(b *testing.B) {
	var all []*stored
	for i := range 20 {
		all = append(all, runningTrial(fmt.Sprintf("x%d", i), func(x *stored) {
			x.Layer, x.Audience.Languages = fmt.Sprintf("l%d", i), []string{"de", "en"}
			x.Ramp = []Step{{From: noon.AddDate(0, 0, -1), Share: 0.5}}
		}))
	}
	a := assigner(0.05, all...)
	req := learner(1)
	req.Languages = []string{"en"}
	b.ReportAllocs()
	for b.Loop() {
		a.Assign(req)
	}
}

func TestBodyKeepsDefinition(t *testing.T) {
	x := runningTrial("x")
	raw, err := json.Marshal(x.body)
	if err != nil {
		t.Fatal(err)
	}
	var back body
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(x.body, back); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
