package ope

import (
	"fmt"
	"math"
	"time"

	"github.com/lectern-dev/lectern"
)

// Report is the answer to a request. Values are means per place that was seen.
type Report struct {
	Target      string          `json:"target"`
	Surface     lectern.Surface `json:"surface"`
	Since       time.Time       `json:"since"`
	Until       time.Time       `json:"until"`
	Model       string          `json:"model"`
	Confidence  float64         `json:"confidence"`
	Log         Read            `json:"log"`
	Examination *Examination    `json:"examination,omitempty"` // of the position-based model
	NotReplayed []string        `json:"not_replayed"`          // what of the target the log cannot show
	Results     []Result        `json:"results"`
	Notes       []string        `json:"notes"`
	TookMS      int64           `json:"took_ms"`
}

// Result is what is said of one reward.
type Result struct {
	Reward     string  `json:"reward"`
	SettleDays float64 `json:"settle_days"` // lists younger than that were left out
	TooYoung   int     `json:"too_young"`   // so many
	Verdict    string  `json:"verdict"`     // a sentence
	// Refused are the reasons for which nothing is estimated; there are no estimates then.
	Refused []string `json:"refused,omitempty"`
	Outcome
}

// Refused reports whether no reward could be estimated.
func (r *Report) Refused() bool {
	for i := range r.Results {
		if len(r.Results[i].Refused) == 0 {
			return false
		}
	}
	return true
}

// refusals are the reasons why a sample says too little of a target.
func refusals(o Overlap, cfg Config, minSupport float64) []string {
	var out []string
	add := func(bad bool, format string, args ...any) {
		if bad {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	add(o.Lists < cfg.MinLists, "%s seen; at least %d are needed", were(o.Lists, "list"), cfg.MinLists)
	add(o.People < cfg.MinPeople, "the lists are those of %s; at least %d are needed", persons(o.People), cfg.MinPeople)
	if len(out) > 0 {
		return out
	}
	add(o.Rewarded < cfg.MinRewarded, "%s earned by what the target might show, too; at least %d are needed", were(o.Rewarded, "reward"), cfg.MinRewarded)
	add(o.Support < minSupport, "of what the target would show, %s may have been shown by the log; at least %s are needed: the rest nobody has seen in its place",
		percent(o.Support), percent(minSupport))
	if o.Open == 0 {
		return out
	}
	add(o.Effective < cfg.MinEffective, "what was shown tells as much of the target as %.0f picks of it would; at least %.0f are needed: let lists explore for longer, or with a greater floor",
		math.Floor(o.Effective), cfg.MinEffective)
	mean := o.MeanWeight.Value
	add(math.Abs(mean-1) > cfg.MaxWeightOff, "the mean weight is %.2f, and should be within %.2f of 1: the target shows what the log hardly or never does, or the logged probabilities are not those of the lists",
		mean, cfg.MaxWeightOff)
	add(o.Clipped > cfg.MaxClipped, "clipping takes %s of all weight; at most %s may go", percent(o.Clipped), percent(cfg.MaxClipped))
	return out
}

func were(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " was"
	}
	return fmt.Sprintf("%d %ss were", n, noun)
}

func persons(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", math.Floor(1000*share)/10) }

// verdict says in one sentence what an outcome comes to.
func verdict(res *Result, confidence float64) string {
	if len(res.Refused) > 0 {
		return "Refused: " + res.Refused[0] + "."
	}
	var dr Estimate
	for _, e := range res.Estimates {
		if e.Estimator == NameDR {
			dr = e
		}
	}
	word := "whether it is more or less cannot be told"
	switch {
	case dr.Gain.Low > 0:
		word = "it is better"
	case dr.Gain.High < 0:
		word = "it is worse"
	case dr.Gain.Low == 0 && dr.Gain.High == 0:
		word = "nothing differs"
	}
	return fmt.Sprintf("The target would earn %.4f per place seen (%.0f %%: %.4f to %.4f) where %.4f was earned, a difference of %+.4f (%+.4f to %+.4f): %s.",
		dr.Value, 100*confidence, dr.Low, dr.High, res.Logged.Value, dr.Gain.Value, dr.Gain.Low, dr.Gain.High, word)
}

// rounded keeps eight decimals of everything: more would be noise in a report.
func (o *Outcome) round() {
	for _, i := range []*Interval{&o.Logged, &o.Overlap.MeanWeight} {
		i.round()
	}
	for i := range o.Estimates {
		o.Estimates[i].Interval.round()
		o.Estimates[i].Gain.round()
		o.Estimates[i].Parameter = round(o.Estimates[i].Parameter)
	}
	for _, v := range []*float64{&o.Overlap.Support, &o.Overlap.Effective, &o.Overlap.MaxWeight, &o.Overlap.Clipped, &o.Overlap.MonteCarlo, &o.Overlap.MonteCarloBias} {
		*v = round(*v)
	}
}

func (i *Interval) round() { i.Value, i.Low, i.High = round(i.Value), round(i.Low), round(i.High) }

func round(v float64) float64 {
	if !finite(v) {
		return 0
	}
	return math.Round(v*1e8) / 1e8
}
