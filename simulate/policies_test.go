package simulate

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern/demo"
)

func runOf(value, reward float64, found, reached int) Run {
	return Run{
		Days: []Day{{Number: 1, Visits: 10, Value: value, Reward: reward, Explored: 1.1, Exploited: 1, Oracle: 1.5}},
		New:  NewCourses{Good: 4, Found: found, Reached: reached, Fitting: 20},
	}
}

// TestComparePolicies works a small table out by hand.
func TestComparePolicies(t *testing.T) {
	runs := []PolicyRun{
		{"off", 1, runOf(100, 90, 1, 10)}, {"off", 2, runOf(200, 180, 2, 10)},
		{"none", 1, runOf(90, 90, 1, 12)}, {"none", 2, runOf(190, 180, 2, 12)},
		{"thompson", 1, runOf(110, 99, 2, 14)}, {"thompson", 2, runOf(240, 180, 4, 16)},
	}
	table, err := ComparePolicies("policies", []string{"off", "none"}, runs)
	if err != nil {
		t.Fatal(err)
	}
	const student = 12.706 // one degree of freedom
	got := table.Policies[2]
	for _, c := range []struct {
		name string
		got  Mean
		want Mean
	}{
		{"value", got.Value, Mean{175, student * 65}},                                      // 110, 240
		{"over off", got.Gains[0], Mean{15, student * 5}},                                  // 10 %, 20 %
		{"over none", got.Gains[1], Mean{(200.0/9 + 500.0/19) / 2, student * 350.0 / 171}}, // 110/90, 240/190
		{"reward over off", got.Came, Mean{5, student * 5}},                                // 10 %, 0 %
		{"lift", got.Lift, Mean{Mean: 10}},
		{"regret", got.Regret, Mean{Mean: 0.4}},
		{"more found", got.More, Mean{1.5, student / 2}},
		{"more reached", got.Further, Mean{25, student * 5}}, // 20 and 30 points
	} {
		if math.Abs(c.got.Mean-c.want.Mean) > 1e-9 || math.Abs(c.got.Half-c.want.Half) > 1e-6 {
			t.Errorf("%s is %.3f ± %.3f, not %.3f ± %.3f", c.name, c.got.Mean, c.got.Half, c.want.Mean, c.want.Half)
		}
	}
	var text bytes.Buffer
	if err := table.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"over_off_%", "over_none_%", "15.00 ± 63.53", "more_found"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, text.String())
		}
	}
	if _, err := ComparePolicies("", []string{"linucb"}, runs); err == nil {
		t.Error("compared with a policy that did not run")
	}
	if _, err := ComparePolicies("", []string{"off"}, runs[:5]); err == nil {
		t.Error("compared a policy that did not run on every seed")
	}
}

// TestGoodNewCourses holds new courses against what is asked of them.
func TestGoodNewCourses(t *testing.T) {
	o := WorldOptions{Demo: demo.DefaultOptions(start()), Start: start(), New: 20, Interval: time.Hour}
	o.Demo.Seed, o.Demo.Courses, o.Demo.Learners, o.Demo.Reviews, o.Demo.Events = 5, 400, 300, 0, 2000
	count := func(good int) (n int, ids []string) {
		o.Good = good
		w, err := NewWorld(o)
		if err != nil {
			t.Fatal(err)
		}
		if len(w.New) != o.New || len(w.New)+len(w.Courses) != o.Demo.Courses {
			t.Fatalf("%d courses are new, %d are not", len(w.New), len(w.Courses))
		}
		at := map[string]int{}
		for i, c := range w.Truth.Courses {
			at[c.ID] = i
		}
		for _, c := range w.New {
			ids = append(ids, c.ID)
			if w.sought(at[c.ID], primary(c.Language)) {
				n++
			}
		}
		return n, ids
	}
	few, _ := count(0)
	many, ids := count(8)
	if many < 8 || few >= many {
		t.Errorf("%d of 20 new courses are good and sought where 8 are asked for, %d where none is", many, few)
	}
	if _, again := count(8); !cmp.Equal(ids, again) {
		t.Error("the same seed drew other courses")
	}
}

// TestFoundByThree: a new course is found when the third learner whom it fits has clicked
// it, however often the others look.
func TestFoundByThree(t *testing.T) {
	n := &newCourse{by: map[string]bool{"ann": true, "bob": false, "cid": true, "dot": false}}
	if got := n.clickers(); got != 2 {
		t.Errorf("%d learners clicked, not 2", got)
	}
	n.by["dot"] = true
	if got := n.clickers(); got != foundClicks {
		t.Errorf("%d learners clicked, not %d", got, foundClicks)
	}
}
