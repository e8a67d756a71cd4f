package tuning_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/tuning"
)

func service(t testing.TB, log lectern.ListLog) *tuning.Service {
	t.Helper()
	cfg := tuning.DefaultConfig()
	cfg.Draws, cfg.Timeout = 200, 10*time.Minute // a busy machine is not what is tested
	s, err := tuning.New(log, cfg, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fiveTerms() []string {
	return []string{"similarity", "collaborative", "quality", "popularity", "freshness"}
}

// TestRecoversWeights holds the intervals to what they promise: over many logs, about
// 95 % of them hold the weights behind the choices, under each way of choosing.
func TestRecoversWeights(t *testing.T) {
	seeds, least := 20, 0.88
	if testing.Short() {
		seeds, least = 6, 0.8
	}
	hidden := []float64{0.4, 0.3, 0.15, 0.1, 0.05}
	for _, chooser := range []string{plackettLuce, cascade, views} {
		for name, w := range map[string]world{
			"random head":  {random: true},
			"by old rules": {logging: []float64{0.2, 0.2, 0.2, 0.2, 0.2}, noise: 0.1},
		} {
			t.Run(chooser+"/"+name, func(t *testing.T) {
				w.terms, w.hidden, w.slope, w.chooser, w.look = fiveTerms(), hidden, 10, chooser, 0.85
				covered, all, gained := 0, 0, 0
				var sum [5]float64
				for seed := range uint64(seeds) {
					p, err := service(t, w.log(seed, 2000, 400)).Propose(t.Context(), tuning.Request{Current: even(w.terms)})
					if err != nil {
						t.Fatal(err)
					}
					for j, weight := range p.Weights {
						all++
						if *weight.Low <= hidden[j] && hidden[j] <= *weight.High {
							covered++
						}
						sum[j] += weight.Proposed / float64(seeds)
					}
					if p.NDCG.Gain > 0 {
						gained++
					}
					if seed == 0 {
						t.Logf("%+v %+v %v", p.Log, p.NDCG, p.Position.Propensity)
					}
				}
				t.Logf("mean proposed %.3f; %d of %d intervals hold the truth; nDCG rose in %d of %d", sum, covered, all, gained, seeds)
				if float64(covered) < least*float64(all) {
					t.Errorf("only %d of %d intervals hold the weights behind the choices", covered, all)
				}
				if gained < seeds*9/10 {
					t.Errorf("nDCG rose in %d of %d logs only", gained, seeds)
				}
			})
		}
	}
}

// Where places alone decide what is chosen, no weights are proposed, or none that
// promise anything.
func TestPlacesAlone(t *testing.T) {
	for _, chooser := range []string{plackettLuce, cascade, views} {
		t.Run(chooser, func(t *testing.T) {
			w := world{terms: fiveTerms(), hidden: make([]float64, 5), chooser: chooser, look: 0.8,
				logging: []float64{0.5, 0.3, 0.1, 0.1, 0}, noise: 0.05}
			promised, refused := 0, 0
			for seed := range uint64(20) {
				p, err := service(t, w.log(seed, 1000, 300)).Propose(t.Context(), tuning.Request{Current: even(w.terms)})
				switch {
				case lectern.ErrorCode(err) == lectern.CodeRefused:
					refused++
				case err != nil:
					t.Fatal(err)
				case p.NDCG.Low > 0:
					promised++
				}
			}
			t.Logf("refused %d of 20, promised a gain in %d", refused, promised)
			if refused < 15 || promised > 1 {
				t.Errorf("refused %d of 20, promised a gain in %d", refused, promised)
			}
		})
	}
}

// Learners who look at quality alone get more of it.
func TestPureQuality(t *testing.T) {
	for _, method := range tuning.Methods() {
		for _, chooser := range []string{plackettLuce, cascade, views} {
			w := world{terms: fiveTerms(), hidden: []float64{0, 0, 1, 0, 0}, slope: 6, chooser: chooser, look: 0.85,
				logging: []float64{0.3, 0.3, 0.1, 0.2, 0.1}, noise: 0.1}
			current := even(w.terms)
			current[2].Weight = 0.05
			p, err := service(t, w.log(3, 1500, 300)).Propose(t.Context(), tuning.Request{Current: current, Method: method})
			if err != nil {
				t.Fatalf("%s, %s: %v", method, chooser, err)
			}
			q := p.Weights[2]
			t.Logf("%s, %s: quality %.2f → %.2f (%.2f to %.2f), nDCG %+.3f (%+.3f to %+.3f)", method, chooser, q.Current, q.Proposed, *q.Low, *q.High, p.NDCG.Gain, p.NDCG.Low, p.NDCG.High)
			if q.Proposed < 0.6 || p.NDCG.Low <= 0 {
				t.Errorf("%s, %s: quality %.2f → %.2f, gain %+v", method, chooser, q.Current, q.Proposed, p.NDCG)
			}
		}
	}
}

func TestCoordinateAscent(t *testing.T) {
	w := world{terms: fiveTerms(), hidden: []float64{0.5, 0.3, 0.2, 0, 0}, slope: 10, chooser: views, look: 0.9, random: true}
	p, err := service(t, w.log(9, 3000, 600)).Propose(t.Context(), tuning.Request{Current: even(w.terms), Method: tuning.MethodCoordinate})
	if err != nil {
		t.Fatal(err)
	}
	for j, x := range p.Weights {
		t.Logf("%s %.2f: %.3f (%.3f to %.3f)", x.Term, w.hidden[j], x.Proposed, *x.Low, *x.High)
		if x.Proposed < w.hidden[j]-0.15 || x.Proposed > w.hidden[j]+0.15 {
			t.Errorf("%s: %.3f, behind the choices %.3f", x.Term, x.Proposed, w.hidden[j])
		}
	}
	if p.NDCG.Low <= 0 {
		t.Errorf("gain %+v", p.NDCG)
	}
}

func TestBoundsAndKeptTerms(t *testing.T) {
	w := world{terms: fiveTerms(), hidden: []float64{0.4, 0.3, 0.2, 0.1, 0}, slope: 10, chooser: cascade, look: 0.85, random: true}
	log := w.log(1, 1000, 200)
	for i := range log {
		for j := range log[i].Ranking.Items {
			log[i].Ranking.Items[j].Terms[4] = 0.5 // freshness is the same everywhere
		}
	}
	current := append(even(w.terms), lectern.TermWeight{Name: "sentiment", Weight: 0.25})
	most := 0.3
	p, err := service(t, log).Propose(t.Context(), tuning.Request{Current: current,
		Bounds: map[string]tuning.Bound{"similarity": {Max: &most}, "popularity": {Min: 0.2}}})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	by := map[string]tuning.Weight{}
	for _, x := range p.Weights {
		sum += x.Proposed
		by[x.Term] = x
		if x.Low != nil && (*x.Low > x.Proposed+1e-6 || *x.High < x.Proposed-1e-6) {
			t.Errorf("%s: %.3f is outside of %.3f to %.3f", x.Term, x.Proposed, *x.Low, *x.High)
		}
	}
	if math.Abs(sum-1) > 1e-5 {
		t.Errorf("the weights sum to %g", sum)
	}
	if by["similarity"].Proposed > most || by["popularity"].Proposed < 0.2 {
		t.Errorf("out of bounds: %+v", p.Weights)
	}
	for term, kept := range map[string]float64{"freshness": 0.16, "sentiment": 0.2} { // 0.2 and 0.25 of 1.25
		if x := by[term]; x.Kept == "" || x.Low != nil || math.Abs(x.Proposed-kept) > 1e-6 {
			t.Errorf("%s was not kept: %+v", term, x)
		}
	}
}

func TestRefusals(t *testing.T) {
	w := world{terms: fiveTerms(), hidden: []float64{1, 0, 0, 0, 0}, slope: 8, chooser: cascade, look: 0.85, random: true}
	log := w.log(1, 400, 100)
	other := slices.Clone(log)
	for i := range other {
		other[i].Ranking.Surface = lectern.SurfaceSearch
	}
	for name, c := range map[string]struct {
		log  memoryLog
		cur  []lectern.TermWeight
		says string
	}{
		"no list":          {nil, even(w.terms), "no event cites a list"},
		"another surface":  {other, even(w.terms), "none of that surface"},
		"few lists":        {log[:150], even(w.terms), "at least 200 are needed"},
		"few people":       {w.log(1, 400, 10), even(w.terms), "at least 30 are needed"},
		"terms of the day": {log, even([]string{"novelty", "trend"}), "do not hold the values of today's terms"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := service(t, c.log).Propose(t.Context(), tuning.Request{Current: c.cur})
			if lectern.ErrorCode(err) != lectern.CodeRefused || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want a refusal that says %q", err, c.says)
			}
		})
	}
}

func TestRequestsAreChecked(t *testing.T) {
	num := func(v float64) *float64 { return &v }
	for name, c := range map[string]struct {
		req    tuning.Request
		fields []string
	}{
		"surface and row": {tuning.Request{Surface: "shop", Row: "x"}, []string{"row", "row", "surface"}},
		"method":          {tuning.Request{Method: "magic"}, []string{"method"}},
		"times":           {tuning.Request{Since: &now, Until: &now}, []string{"since"}},
		"rewards":         {tuning.Request{Rewards: map[lectern.EventType]float64{"view": 1, "click": 1e9}}, []string{"rewards.click", "rewards.view"}},
		"nothing wanted":  {tuning.Request{Rewards: map[lectern.EventType]float64{"dismiss": -1}}, []string{"rewards"}},
		"numbers":         {tuning.Request{Holdout: num(2), L2: num(-1)}, []string{"holdout", "l2"}},
		"not a number":    {tuning.Request{Holdout: num(math.NaN()), L2: num(math.NaN())}, []string{"holdout", "l2"}},
		"bounds":          {tuning.Request{Bounds: map[string]tuning.Bound{"x": {}, "quality": {Min: 2}}}, []string{"bounds", "bounds.quality.max", "bounds.quality.min", "bounds.x"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.req.Current = even(fiveTerms())
			_, err := service(t, memoryLog{}).Propose(t.Context(), c.req)
			var fields []string
			if e, ok := errors.AsType[*lectern.Error](err); ok {
				for _, f := range e.Fields {
					fields = append(fields, f.Field)
				}
			}
			if diff := cmp.Diff(c.fields, fields); diff != "" {
				t.Errorf("%v: %s", err, diff)
			}
		})
	}
	if err := (tuning.Config{}).Validate(); err == nil {
		t.Error("an empty configuration is usable")
	}
}

// A strange log is no reason to fall over.
func TestMalformedLogs(t *testing.T) {
	w := world{terms: fiveTerms(), hidden: []float64{.5, .5, 0, 0, 0}, slope: 10, chooser: cascade, look: 0.85, random: true}
	log := w.log(2, 700, 100)
	for i := range log {
		l := &log[i]
		switch i % 7 {
		case 0:
			l.Ranking.Items = nil
		case 1:
			l.Ranking.Items[3].Terms = l.Ranking.Items[3].Terms[:2]
		case 2:
			l.Ranking.Weights = l.Ranking.Weights[:3]
		case 3:
			for e := range l.Events {
				l.Events[e].CourseID = "elsewhere"
			}
		}
	}
	p, err := service(t, log).Propose(t.Context(), tuning.Request{Current: even(w.terms)})
	if err != nil {
		t.Fatal(err)
	}
	if p.Log.Other != 100 || p.Log.OtherTerms != 200 || p.Log.NoChoice != 100 || p.Log.Train+p.Log.Test != 300 {
		t.Errorf("%+v", p.Log)
	}
}

// Equal logs give equal proposals.
// deafLog does not answer.
type deafLog struct{ lectern.ListLog }

func (deafLog) LoggedLists(ctx context.Context, _ time.Time, _ lectern.LogCursor, _, _ int) ([]lectern.LoggedList, lectern.LogCursor, error) {
	<-ctx.Done()
	return nil, lectern.LogCursor{}, ctx.Err()
}

// TestNothingIsReadInTime says what to ask for instead, though there is time left that
// was meant for the fit.
func TestNothingIsReadInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := service(t, deafLog{}).Propose(t.Context(), tuning.Request{Current: even(fiveTerms())})
		if lectern.ErrorCode(err) != lectern.CodeDeadline || !strings.Contains(err.Error(), "shorter time") {
			t.Errorf("%v", err)
		}
	})
}

func TestDeterministic(t *testing.T) {
	w := world{terms: fiveTerms(), hidden: []float64{.5, .5, 0, 0, 0}, slope: 10, chooser: views, look: 0.85, random: true}
	propose := func() tuning.Proposal {
		p, err := service(t, w.log(2, 500, 100)).Propose(t.Context(), tuning.Request{Current: even(w.terms)})
		if err != nil {
			t.Fatal(err)
		}
		p.TookMS = 0
		return p
	}
	if diff := cmp.Diff(propose(), propose()); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkPropose(b *testing.B) {
	names := rerank.TermNames()
	hidden := make([]float64, len(names))
	hidden[0], hidden[3], hidden[7] = .5, .3, .2
	w := world{terms: names, hidden: hidden, slope: 10, chooser: cascade, look: 0.9, random: true}
	log := w.log(1, 20_000, 5000)
	for _, method := range tuning.Methods() {
		b.Run(method, func(b *testing.B) {
			s, err := tuning.New(log, tuning.DefaultConfig(), func() time.Time { return now })
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := s.Propose(b.Context(), tuning.Request{Current: even(names), Method: method}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
