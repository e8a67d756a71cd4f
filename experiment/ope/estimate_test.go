package ope

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/experiment/explore"
)

// table is six lists of one place each, in which one of two courses was shown: a, whose
// only feature is 0, or b, whose feature is 1.
//
//	list  shown  log  target  w     reward  target's chance of b
//	1     b      1/2  1/4     1/2   1       1/4
//	2     a      1/2  3/4     3/2   0       1/4
//	3     b      4/5  1/5     1/4   1       1/5
//	4     b      4/5  1/5     1/4   0       1/5
//	5     a      1/5  4/5     4     1       1/5
//	6     a      1/4  1/2     2     0       1/2
//
// Σw = 17/2, Σwr = 1/2 + 1/4 + 4 = 19/4.
//
// The model, fitted without a prior to all six, expects the mean of each course's
// rewards: 1/3 of a, 2/3 of b. So of the target it expects 1/3 + (chance of b)/3, which
// sums to (6 + 1.6)/3 = 7.6/3. What it leaves unexplained, weighted:
//
//	1/2·1/3 − 3/2·1/3 + 1/4·1/3 − 1/4·2/3 + 4·2/3 − 2·1/3 = 4.75/3.
func table() *Sample {
	s := &Sample{Rewards: []string{"click"}, Width: 1, Position: true}
	for i, x := range []struct{ b, log, target, reward, want float64 }{
		{1, 1. / 2, 1. / 4, 1, 1. / 4},
		{0, 1. / 2, 3. / 4, 0, 1. / 4},
		{1, 4. / 5, 1. / 5, 1, 1. / 5},
		{1, 4. / 5, 1. / 5, 0, 1. / 5},
		{0, 1. / 5, 4. / 5, 1, 1. / 5},
		{0, 1. / 4, 1. / 2, 0, 1. / 2},
	} {
		s.Lists = append(s.Lists, Logged{Person: int64(i + 1), Units: 1, Picks: []Pick{{
			Logged: x.log, Target: x.target, Examined: 1, Support: 1, Mass: 1, Open: true,
			Rewards: []float64{x.reward}, Shown: []float64{x.b}, Want: []float64{x.want},
		}}})
	}
	return s
}

func TestHandWorkedTable(t *testing.T) {
	out, err := table().Estimate(context.Background(), 0, Settings{
		Folds: 1, Switch: 2, Shrinkage: 4, Confidence: 0.95, Draws: 200,
	})
	if err != nil {
		t.Fatal(err)
	}
	// Shrunk with λ = 4 the weights are 4w/(w² + 4): 8/17, 24/25, 16/65, 16/65, 4/5, 1.
	shrunken := (8./17 - 24./25 + 16./65 - 2*16./65 + 2*4./5 - 1) / 3
	want := map[string]float64{
		NameIPS:       4.75 / 6,
		NameSNIPS:     4.75 / 8.5,
		NameDM:        7.6 / 3 / 6,
		NameDR:        (7.6/3 + 4.75/3) / 6,
		NameSNDR:      7.6/3/6 + 4.75/3/8.5,
		NameSwitch:    (7.6/3 + 4.75/3 - 4*2./3) / 6, // list 5 weighs 4, over 2
		NameShrinkage: (7.6/3 + shrunken) / 6,
	}
	if len(out.Estimates) != len(want) {
		t.Fatalf("%d estimates, want %d", len(out.Estimates), len(want))
	}
	for _, e := range out.Estimates {
		if math.Abs(e.Value-want[e.Estimator]) > 1e-9 {
			t.Errorf("%s is %.12f, want %.12f", e.Estimator, e.Value, want[e.Estimator])
		}
		if gain := want[e.Estimator] - 0.5; math.Abs(e.Gain.Value-gain) > 1e-9 { // three of six were clicked
			t.Errorf("%s gains %.12f, want %.12f", e.Estimator, e.Gain.Value, gain)
		}
		if e.Low > e.Value || e.High < e.Value {
			t.Errorf("%s: %v to %v does not hold %v", e.Estimator, e.Low, e.High, e.Value)
		}
	}
	o := out.Overlap
	if o.Open != 6 || o.Rewarded != 3 || o.Support != 1 || o.MaxWeight != 4 || o.Clipped != 0 {
		t.Errorf("overlap %+v", o)
	}
	// Σw² = 1/4 + 9/4 + 1/16 + 1/16 + 16 + 4 = 22.625.
	if math.Abs(o.Effective-8.5*8.5/22.625) > 1e-9 || math.Abs(o.MeanWeight.Value-8.5/6) > 1e-9 {
		t.Errorf("effective %v, mean weight %v", o.Effective, o.MeanWeight.Value)
	}
}

// Clipped at 2, list 5 weighs 2: Σwr = 2.75, Σw = 6.5, and 2 of 8.5 is gone.
func TestClippedTable(t *testing.T) {
	out, err := table().Estimate(context.Background(), 0, Settings{Clip: 2, Folds: 1, Confidence: 0.95, Draws: 50})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{2.75 / 6, 2.75 / 6.5, 7.6 / 18, (7.6 + 4.75 - 4) / 18} {
		if got := out.Estimates[i].Value; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s is %.12f, want %.12f", out.Estimates[i].Estimator, got, want)
		}
	}
	if math.Abs(out.Overlap.Clipped-2/8.5) > 1e-9 {
		t.Errorf("clipped %v", out.Overlap.Clipped)
	}
}

// Weights are normalised place by place: of three lists with two places, of which one
// has only the first seen, the first place has Σwr/Σw = (2·1 + 1/2·1)/(2 + 1/2 + 1/2)
// = 5/6 three times, the second (1·1)/(1 + 3) = 1/4 twice, and five places were seen:
// (5/6·3 + 1/4·2)/5 = 3/5. IPS is (2.5 + 1)/5 = 7/10.
func TestNormalisedByPlace(t *testing.T) {
	pick := func(place int, w, r float64) Pick {
		return Pick{Place: place, Logged: 0.25, Target: 0.25 * w, Examined: 1, Support: 1, Mass: 1, Open: true, Rewards: []float64{r}}
	}
	s := &Sample{Rewards: []string{"click"}, Lists: []Logged{
		{Person: 1, Units: 2, Picks: []Pick{pick(0, 2, 1), pick(1, 1, 1)}},
		{Person: 2, Units: 2, Picks: []Pick{pick(0, 0.5, 1), pick(1, 3, 0)}},
		{Person: 3, Units: 1, Picks: []Pick{pick(0, 0.5, 0)}},
	}}
	out, err := s.Estimate(context.Background(), 0, Settings{Folds: 2, Ridge: 1, Stratum: 1, Confidence: 0.9, Draws: 50})
	if err != nil {
		t.Fatal(err)
	}
	if ips, snips := out.Estimates[0].Value, out.Estimates[1].Value; math.Abs(ips-0.7) > 1e-9 || math.Abs(snips-0.6) > 1e-9 {
		t.Errorf("ips %v, snips %v", ips, snips)
	}
	if _, strata := s.strata(4); strata != 1 {
		t.Errorf("%d strata where one place has too few picks, want 1", strata)
	}
}

// What judges a person is fitted without them: with all rewards on one person, whose
// fold nobody shares, the model expects nothing of them, and something of the others.
func TestModelIsNotFittedOnWhatItJudges(t *testing.T) {
	s := &Sample{Rewards: []string{"click"}, Position: true}
	for i := range 40 {
		l := Logged{Person: int64(i + 1), Units: 1, Picks: []Pick{{
			Logged: 1, Target: 1, Examined: 1, Support: 1, Mass: 1, Rewards: []float64{0},
		}}}
		s.Lists = append(s.Lists, l)
	}
	s.Lists[7].Picks[0].Rewards[0] = 1
	cluster, _ := clusters(s.Lists)
	models, err := s.crossFit(context.Background(), 0, 4, 1e-9, cluster)
	if err != nil {
		t.Fatal(err)
	}
	for f, m := range models {
		if own := f == fold(cluster[7], 4); own != (m.theta[0] == 0) {
			t.Errorf("fold %d expects %v, own %v", f, m.theta[0], own)
		}
	}
}

// A target that is the log itself earns what was logged, by every estimator.
func TestLogAsItsOwnTarget(t *testing.T) {
	s := table()
	for i := range s.Lists {
		p := &s.Lists[i].Picks[0]
		p.Target, p.Want = p.Logged, p.Shown
	}
	out, err := s.Estimate(context.Background(), 0, Settings{Folds: 3, Ridge: 1, Confidence: 0.95, Draws: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range out.Estimates {
		if e.Estimator == NameDM || e.Estimator == NameShrinkage {
			continue // the model, or part of it, has its say
		}
		if math.Abs(e.Gain.Value) > 1e-12 || e.Estimator == NameIPS && (e.Gain.Low < -1e-12 || e.Gain.High > 1e-12) {
			t.Errorf("%s gains %+v", e.Estimator, e.Gain)
		}
	}
}

// The position-based model expects of the log what it earned in all, also where places
// are looked at otherwise than it takes them to be: here alike, not half as much.
func TestModelExpectsOfTheLogWhatItEarned(t *testing.T) {
	s := &Sample{Rewards: []string{"click"}, Position: true}
	for i := range 60 {
		l := Logged{Person: int64(i + 1), Units: 2}
		for place, examined := range []float64{1, 0.5} {
			l.Picks = append(l.Picks, Pick{
				Place: place, Logged: examined, Target: examined, Examined: examined, Support: 1, Mass: 1,
				Rewards: []float64{map[bool]float64{true: 1}[(i+place)%3 == 0]},
			})
		}
		s.Lists = append(s.Lists, l)
	}
	out, err := s.Estimate(context.Background(), 0, Settings{Folds: 1, Ridge: 1e-9, Confidence: 0.95, Draws: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range out.Estimates {
		if e.Estimator == NameDM && math.Abs(e.Value-1./3) > 1e-6 {
			t.Errorf("%v of the log is expected, where a third was earned", e.Value)
		}
	}
}

// lost keeps no posterior.
type lost struct{}

func (lost) Current() (*bandit.Posterior, int64) { return nil, 0 }
func (lost) At(context.Context, int64) (*bandit.Posterior, error) {
	return nil, lectern.Errorf(lectern.CodeNotFound, "no posterior")
}

// TestUnknownPosterior is told from a log that says too little.
func TestUnknownPosterior(t *testing.T) {
	s, err := New(Deps{
		Log: &memory{}, Explore: explore.Fixed{Config: explore.DefaultConfig(), Name: "e1"}, Posterior: lost{},
		Config: DefaultConfig(), Clock: func() time.Time { return date(20) },
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Estimate(t.Context(), Request{Posterior: 9999})
	var e *lectern.Error
	if !errors.As(err, &e) || e.Code != lectern.CodeNotFound || len(e.Fields) != 1 || e.Fields[0].Field != "posterior" || !strings.Contains(e.Message, "9999") {
		t.Errorf("%v", err)
	}
	if _, err := s.Estimate(t.Context(), Request{Policy: PolicyUniform}); err != nil {
		t.Errorf("without one: %v", err)
	}
}
