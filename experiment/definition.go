package experiment

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Kind says how an experiment compares.
type Kind string

// The kinds of experiment.
const (
	// KindAB gives each person one arm.
	KindAB Kind = "ab"
	// KindInterleaving drafts the lists of two versions of the rerank settings into one,
	// and counts whose courses people act on: a quick comparison of two rankers.
	KindInterleaving Kind = "interleaving"
)

// Definition is what an experiment tries and how it is judged. As JSON it is what
// administrators write; all of it is fixed when the experiment starts, but for the ramp.
type Definition struct {
	Name       string            `json:"name"`
	Hypothesis string            `json:"hypothesis,omitempty"`
	Kind       Kind              `json:"kind,omitempty"`     // "" is ab
	Surfaces   []lectern.Surface `json:"surfaces,omitempty"` // that it is about; none is all
	Rows       []lectern.Row     `json:"rows,omitempty"`     // of home that it is about; none is all
	Audience   Audience          `json:"audience,omitzero"`
	Arms       []Arm             `json:"arms"` // the first is control

	Layer   string  `json:"layer,omitempty"`   // "" is default; experiments of one layer have no person in common
	Share   float64 `json:"share,omitempty"`   // of the layer's people, in (0, 1]; 0 is all of them
	Buckets []Range `json:"buckets,omitempty"` // of the layer, in place of Share; none are given at start
	Ramp    []Step  `json:"ramp,omitempty"`    // share of those people by time; none is all at once

	Primary    Goal    `json:"primary"`
	Guardrails []Guard `json:"guardrails,omitempty"`
	Days       int     `json:"days,omitempty"`        // planned; 0 is DefaultDays
	BeforeDays *int    `json:"before_days,omitempty"` // days before exposure that narrow the intervals; nil is DefaultBeforeDays, 0 none
	Alpha      float64 `json:"alpha,omitempty"`       // chance of a false alarm; 0 is 0.05
	AA         bool    `json:"aa,omitempty"`          // all arms are the same: a test of the experiments themselves
}

// Defaults of a Definition.
const (
	DefaultLayer      = "default"
	DefaultDays       = 28
	DefaultBeforeDays = 28
)

// Audience says who takes part. An empty list is everybody; of those who match one
// entry of each list take part.
type Audience struct {
	Segments      []lectern.Segment `json:"segments,omitempty"`
	Languages     []string          `json:"languages,omitempty"`
	Regions       []string          `json:"regions,omitempty"`
	Organisations []string          `json:"organisations,omitempty"`
}

// Arm is one thing that is tried. What it does not name stays as it is.
type Arm struct {
	Name     string  `json:"name"`
	Settings *int64  `json:"settings,omitempty"` // version of the rerank settings; 0 is the configuration file's
	Model    *int64  `json:"model,omitempty"`    // version of the collaborative model
	Policy   string  `json:"policy,omitempty"`   // of exploration
	Percent  float64 `json:"percent,omitempty"`  // of the people; either all arms say it, or none
	Weight   float64 `json:"weight,omitempty"`   // share of the people is Weight over the sum of all; 0 everywhere is equal shares
}

// Range is a half-open range of a layer's buckets: from From to below To.
type Range struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Step is one step of a ramp.
type Step struct {
	From  time.Time `json:"from"`
	Share float64   `json:"share"` // of the experiment's people, in (0, 1]
}

// The directions of a goal.
const (
	Increase = "increase"
	Decrease = "decrease"
)

// Goal is what decides.
type Goal struct {
	Metric        string  `json:"metric"`
	Direction     string  `json:"direction,omitempty"`      // increase or decrease; "" is what is better of the metric
	MinimumEffect float64 `json:"minimum_effect,omitempty"` // least change that matters, as a share of control: 0.05 is 5 %
	Power         float64 `json:"power,omitempty"`          // chance to find it; 0 is 0.8
}

// Guard is a metric that no arm may spoil.
type Guard struct {
	Metric string  `json:"metric"`
	Margin float64 `json:"margin"` // how much worse than control is borne, as a share of control
}

// Plan is what is fixed at start.
type Plan struct {
	StartedAt time.Time `json:"started_at"`
	Buckets   []Range   `json:"buckets"`
	// Settings are the versions that an interleaved list is drafted from.
	Settings *[2]int64 `json:"settings,omitempty"`
	// Model is what arms keep that name no collaborative model, beside others that do: the
	// one in use at start, whatever is trained meanwhile.
	Model *int64  `json:"model,omitempty"`
	Size  *Sizing `json:"size,omitempty"` // nil where nothing was known to plan by
}

// Sizing is how many people finding the minimum effect takes.
type Sizing struct {
	// Fixed and Always are the people over all arms whom one look at the end, and looking
	// at any time, takes to find the minimum effect.
	Fixed      float64 `json:"fixed"`
	Always     float64 `json:"always"`
	FixedDays  float64 `json:"fixed_days,omitempty"`
	AlwaysDays float64 `json:"always_days,omitempty"`
	Mean       float64 `json:"mean"`     // of the primary metric before
	Variance   float64 `json:"variance"` // over people
	// Correlation is that of the primary metric with what the same people did in the days
	// before, which are adjusted for: the size allows for it.
	Correlation float64 `json:"correlation,omitempty"`
	// Variances are every metric's, over people, less what the adjustment takes away.
	Variances map[string]float64 `json:"variances,omitempty"`
	Per       float64            `json:"per"`    // mean denominator of a ratio
	People    float64            `json:"people"` // behind these numbers
	Days      int                `json:"days"`   // that they are of
	At        time.Time          `json:"at"`
}

// Outcome is how an experiment ended.
type Outcome struct {
	StoppedAt time.Time `json:"stopped_at"`
	Promoted  string    `json:"promoted,omitempty"` // the arm whose settings and model were put to use
	Settings  *int64    `json:"settings,omitempty"` // that version
	Model     *int64    `json:"model,omitempty"`    // of the collaborative model that was put to use
}

// body is what is stored of an experiment.
type body struct {
	Definition
	Plan    *Plan    `json:"plan,omitempty"`
	Outcome *Outcome `json:"outcome,omitempty"`
}

// Experiment is an experiment as it is shown.
type Experiment struct {
	ID      string                  `json:"id"`
	Version int64                   `json:"version"`
	ETag    string                  `json:"etag"`
	State   lectern.ExperimentState `json:"state"`
	Definition
	Plan      *Plan     `json:"plan,omitempty"`
	Outcome   *Outcome  `json:"outcome,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	History   []Entry   `json:"history,omitempty"` // oldest first; of one experiment by itself
	Hints     []string  `json:"hints,omitempty"`   // what is doubtful about it
}

// Entry is one line of an experiment's history.
type Entry struct {
	Version int64     `json:"version"`
	Action  string    `json:"action"`
	Author  string    `json:"author"`
	Comment string    `json:"comment,omitempty"`
	At      time.Time `json:"at"`
}

// layer is the name of the layer.
func (d *Definition) layer() string {
	if d.Layer == "" {
		return DefaultLayer
	}
	return d.Layer
}

// kind is the kind.
func (d *Definition) kind() Kind {
	if d.Kind == "" {
		return KindAB
	}
	return d.Kind
}

// share is the share of the layer.
func (d *Definition) share() float64 {
	if d.Share == 0 {
		return 1
	}
	return d.Share
}

func (d *Definition) days() int {
	if d.Days == 0 {
		return DefaultDays
	}
	return d.Days
}

func (d *Definition) beforeDays() int {
	if d.BeforeDays == nil {
		return DefaultBeforeDays
	}
	return *d.BeforeDays
}

// shares are the arms' shares of the people, which sum to 1.
func (d *Definition) shares() []float64 {
	out, sum := make([]float64, len(d.Arms)), 0.0
	for i, a := range d.Arms {
		out[i] = max(a.Percent, a.Weight)
		sum += out[i]
	}
	for i := range out {
		if sum == 0 {
			out[i] = 1 / float64(len(out))
			continue
		}
		out[i] /= sum
	}
	return out
}

// reached is the share of the experiment's people that the ramp has reached.
func reached(ramp []Step, at time.Time) float64 {
	if len(ramp) == 0 {
		return 1
	}
	share := 0.0
	for _, s := range ramp {
		if !s.From.After(at) {
			share = max(share, s.Share)
		}
	}
	return share
}
