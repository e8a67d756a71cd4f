package recs

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
)

// heldSet has n learners who all took a and want b, and one unknown course x.
func heldSet(t *testing.T, n int) *Set {
	t.Helper()
	d := &cf.Data{Items: []string{"a", "b", "c", "d", "e"}, Ordered: true}
	var held []Held
	for i := range n {
		id := "u" + string(rune('a'+i%26)) + string(rune('a'+i/26))
		d.Learners = append(d.Learners, id)
		d.Histories = append(d.Histories, cf.History{{Item: 0, Weight: 1}})
		held = append(held, Held{Learner: id, Taken: []string{"a", "gone"}, Wanted: []string{"b", "x", "b", "a"}})
	}
	s, err := FromData(d, held, Protocol{Name: "time", Split: "at noon"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFromData(t *testing.T) {
	s := heldSet(t, 3)
	s2, err := FromData(s.Train, []Held{{Learner: "new", Wanted: []string{"c"}}, {Learner: "uaa"}}, Protocol{})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Cases[0]
	if diff := cmp.Diff(asked{"a", "b", "x"}, cases(s)[c.Learner]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int32{0}, c.Exclude); diff != "" {
		t.Error(diff)
	}
	if d := s.Data; d.Cases != 3 || d.Held != 6 || d.UnknownCourses != 3 || d.Again != 3 || d.Skipped != 0 || d.ColdLearners != 0 {
		t.Errorf("%+v", d)
	}
	if d := s2.Data; d.Cases != 1 || d.ColdLearners != 1 || d.Skipped != 3 {
		t.Errorf("%+v", d)
	}
	if _, err := FromData(s.Train, nil, Protocol{}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Error(err)
	}
}

func TestSample(t *testing.T) {
	a, b := heldSet(t, 100), heldSet(t, 100)
	a.Sample(10, 1)
	b.Sample(10, 1)
	if diff := cmp.Diff(a.Cases, b.Cases); diff != "" || len(a.Cases) != 10 {
		t.Errorf("%d cases, %s", len(a.Cases), diff)
	}
	whole := heldSet(t, 5)
	whole.Sample(10, 1)
	if len(whole.Cases) != 5 {
		t.Error("a sample larger than the whole")
	}
}

// TestStages: two wanted courses, b and x. The source near offers b second, odd
// offers x first of one for half of the learners.
func TestStages(t *testing.T) {
	s := heldSet(t, 200)
	half := func(c *Case) bool { return c.Group%2 == 0 }
	run := func(list ...string) Pipeline {
		return func(_ context.Context, c *Case) ([]Offer, error) {
			out := []Offer{{"near", StageSource, []string{"c", "b", "d"}}, {"mute", StageSource, nil}}
			if half(c) {
				out = append(out, Offer{"odd", StageSource, []string{"x"}})
			}
			return append(out, Offer{"all", StageUnion, []string{"b", "c", "d", "x"}}, Offer{"list", StageList, list}), nil
		}
	}
	o := Options{K: 2, Seed: 1, Resamples: 200}
	stages, faults, err := Stages(t.Context(), s, run("x", "b"), o)
	if err != nil {
		t.Fatal(err)
	}
	// Ideal of two: 1 + 1/log2 3 = 1.63093; near has 1/log2 3 = 0.63093, odd 1 for half.
	point := func(v float64) *float64 { return &v }
	want := []StageScore{
		{Name: "near", Kind: StageSource, Recall: .5, RecallAt: point(.5), NDCGAt: point(.386853), Offered: 3, Answered: 200},
		{Name: "odd", Kind: StageSource, Recall: .25, RecallAt: point(.25), NDCGAt: point(.306574), Offered: 1, Answered: 100},
		{Name: "all", Kind: StageUnion, Recall: 1, Offered: 4, Answered: 200},
		{Name: "list", Kind: StageList, Recall: 1, RecallAt: point(1), NDCGAt: point(1), Offered: 2, Answered: 200},
	}
	if diff := cmp.Diff(want, stages, cmpopts.IgnoreUnexported(StageScore{})); diff != "" {
		t.Error(diff)
	}
	if len(faults) != 0 || !Sound(faults) {
		t.Errorf("faults %v", faults)
	}

	_, faults, err = Stages(t.Context(), s, run("c", "d"), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) != 1 || faults[0].Stage != "list" || faults[0].Before != "near" || !faults[0].Certain || Sound(faults) {
		t.Fatalf("faults %+v", faults)
	}
	if r := faults[0].Reason; !strings.Contains(r, "stage list has ndcg@2 0.0000, below the 0.3869 of near") {
		t.Error(r)
	}
}

// TestFaultsByChance: a stage that is worse for as many learners as it is better for
// is told, but keeps nothing from being used.
func TestFaultsByChance(t *testing.T) {
	s := heldSet(t, 40)
	_, faults, err := Stages(t.Context(), s, func(_ context.Context, c *Case) ([]Offer, error) {
		list := []string{"b", "c"}
		switch {
		case c.Group < 3:
			list = []string{"b", "x"}
		case c.Group < 7:
			list = []string{"c", "d"}
		}
		return []Offer{{"near", StageSource, []string{"b", "c"}}, {"list", StageList, list}}, nil
	}, Options{K: 2, Seed: 1, Resamples: 400})
	if err != nil || len(faults) != 1 || faults[0].Certain || !Sound(faults) {
		t.Errorf("%+v, %v", faults, err)
	}
}

func TestFaultOfTheFilter(t *testing.T) {
	s := heldSet(t, 10)
	_, faults, err := Stages(t.Context(), s, func(context.Context, *Case) ([]Offer, error) {
		return []Offer{{"near", StageSource, []string{"b", "x"}}, {"all", StageUnion, []string{"b"}}}, nil
	}, Options{K: 2, Resamples: 50})
	if err != nil || len(faults) != 1 || faults[0].Metric != "recall of all" || !faults[0].Certain {
		t.Errorf("%+v, %v", faults, err)
	}
}

func TestStagesEndWithTheError(t *testing.T) {
	broken := errors.New("broken")
	_, _, err := Stages(t.Context(), heldSet(t, 50), func(context.Context, *Case) ([]Offer, error) { return nil, broken }, Options{K: 2})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}
