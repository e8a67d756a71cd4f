package experiment

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/lectern-dev/lectern"
)

// Assigner says which arms people fall into, from what was running at the last look.
// The same definitions give the same answer on every replica.
type Assigner struct {
	holdout float64
	heldOut uint64 // salt
	current atomic.Pointer[[]running]
}

var _ lectern.Assigner = (*Assigner)(nil)

// NewAssigner returns an assigner of no experiments.
func NewAssigner(holdout float64) *Assigner {
	a := &Assigner{holdout: holdout, heldOut: salt("holdout", "")}
	a.current.Store(&[]running{})
	return a
}

// running is an experiment that people are in, ready to be asked.
type running struct {
	*stored
	layerSalt, armSalt, rampSalt uint64
	upTo                         []float64 // upper ends of the arms' shares
	modelOnly                    bool      // arms change nothing but the collaborative model
	surfaces                     map[lectern.Surface]bool
	rows                         map[lectern.Row]bool
	segments                     map[lectern.Segment]bool
	languages, regions, orgs     map[string]bool
}

func set[T comparable](list []T) map[T]bool {
	out := make(map[T]bool, len(list))
	for _, v := range list {
		out[v] = true
	}
	return out
}

// ready prepares an experiment for Assign.
func ready(x *stored) running {
	r := running{
		stored: x, layerSalt: salt("layer", x.layer()), armSalt: salt("arm", x.ID), rampSalt: salt("ramp", x.ID),
		surfaces: set(x.Surfaces), rows: set(x.Rows), segments: set(x.Audience.Segments),
		regions: set(lectern.FoldKeys(x.Audience.Regions)), orgs: set(lectern.FoldKeys(x.Audience.Organisations)),
		languages: make(map[string]bool),
	}
	settings, model, policy := x.knobs()
	r.modelOnly = model && !settings && !policy
	for _, tag := range x.Audience.Languages {
		r.languages[lectern.FoldKey(tag)] = true
	}
	sum := 0.0
	for _, s := range x.shares() {
		sum += s
		r.upTo = append(r.upTo, sum)
	}
	return r
}

// use puts other experiments in place.
func (a *Assigner) use(all []*stored) {
	out := make([]running, 0, len(all))
	for _, x := range all {
		if x.State == lectern.ExperimentRunning && x.Plan != nil {
			out = append(out, ready(x))
		}
	}
	a.current.Store(&out)
}

// Why somebody is not in an experiment.
const (
	WhyNobody  = "nobody"   // neither learner nor visitor is named
	WhyHoldout = "holdout"  // of the share of everybody who gets no experiment
	WhySurface = "surface"  // it is about other surfaces
	WhyRow     = "row"      // it is about other rows
	WhySegment = "segment"  // it is about other kinds of people
	WhyPlace   = "audience" // it is about other languages, regions or organisations
	WhyModel   = "model"    // it is about models, none of which takes part in the list
	WhyLayer   = "layer"    // of the part of the layer that the experiment does not have
	WhyRamp    = "ramp"     // the ramp has not come to them yet
	WhyState   = "state"    // it is not running
)

// WhyProtected is why somebody is in no experiment who is a minor, or does not allow
// personal lists or exploration. Whoever makes lists sees to it.
const WhyProtected = "protected"

// Assign implements lectern.Assigner.
func (a *Assigner) Assign(req *lectern.AssignRequest) lectern.Assignment {
	var out lectern.Assignment
	if req.Learner.IsZero() {
		return out
	}
	who := person(req.Learner)
	if a.held(who) {
		out.Plain = true
		return out
	}
	all := *a.current.Load()
	for i := range all {
		x := &all[i]
		arm, why := x.stand(req, who)
		if why != "" {
			continue
		}
		out.Arms = append(out.Arms, lectern.ArmRef{Experiment: x.ID, Arm: x.armName(arm)})
		if x.kind() == KindInterleaving {
			out.Interleaved = x.Plan.Settings
			continue
		}
		chosen := &x.Arms[arm]
		if chosen.Settings != nil {
			out.Settings = chosen.Settings
		}
		if out.Model == nil {
			out.Model = x.Plan.Model
		}
		if chosen.Model != nil {
			out.Model = chosen.Model
		}
		if chosen.Policy != "" {
			out.Policy = chosen.Policy
		}
	}
	return out
}

// Interleaved is the arm of everybody in an interleaving: each gets both.
const Interleaved = "interleaved"

func (x *running) armName(arm int) string {
	if x.kind() == KindInterleaving {
		return Interleaved
	}
	return x.Arms[arm].Name
}

func (a *Assigner) held(who uint64) bool {
	return a.holdout > 0 && part(a.heldOut, who) < a.holdout
}

// stand returns somebody's arm, or why they have none.
func (x *running) stand(req *lectern.AssignRequest, who uint64) (arm int, why string) {
	switch {
	case len(x.surfaces) > 0 && req.Surface != "" && !x.surfaces[req.Surface]:
		return 0, WhySurface
	case len(x.rows) > 0 && req.Surface != "" && !x.rows[req.Row], req.Row == lectern.RowContinue:
		return 0, WhyRow
	case len(x.segments) > 0 && !x.segments[req.Segment]:
		return 0, WhySegment
	case x.modelOnly && req.NoModel:
		return 0, WhyModel
	case !anyOf(x.languages, req.Languages) || !oneOf(x.regions, req.Region) || !anyOf(x.orgs, req.Organisations):
		return 0, WhyPlace
	}
	b := bucket(x.layerSalt, who)
	if !slices.ContainsFunc(x.Plan.Buckets, func(r Range) bool { return r.From <= b && b < r.To }) {
		return 0, WhyLayer
	}
	if len(x.Ramp) > 0 && part(x.rampSalt, who) >= reached(x.Ramp, req.At) {
		return 0, WhyRamp
	}
	p := part(x.armSalt, who)
	for arm = range x.upTo {
		if p < x.upTo[arm] {
			return arm, ""
		}
	}
	return len(x.upTo) - 1, "" // rounding
}

func anyOf(wanted map[string]bool, has []string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(has, func(v string) bool { return wanted[v] })
}

func oneOf(wanted map[string]bool, has string) bool { return len(wanted) == 0 || wanted[has] }

// Standing is how somebody stands to an experiment.
type Standing struct {
	Experiment string     `json:"experiment"`
	Name       string     `json:"name"`
	Arm        string     `json:"arm,omitempty"` // that they fall into
	Why        string     `json:"why,omitempty"` // they fall into none
	ExposedAt  *time.Time `json:"exposed_at,omitempty"`
	ExposedArm string     `json:"exposed_arm,omitempty"` // of the first list
	Crossed    bool       `json:"crossed,omitempty"`     // met another arm since: counts for none
}

// Standings says how somebody stands to every running experiment. Without a surface it
// is not asked about one.
func (a *Assigner) Standings(req *lectern.AssignRequest, protected bool) []Standing {
	all := *a.current.Load()
	out := make([]Standing, len(all))
	who := person(req.Learner)
	for i := range all {
		x := &all[i]
		out[i] = Standing{Experiment: x.ID, Name: x.Name}
		switch {
		case req.Learner.IsZero():
			out[i].Why = WhyNobody
		case protected:
			out[i].Why = WhyProtected
		case a.held(who):
			out[i].Why = WhyHoldout
		default:
			arm, why := x.stand(req, who)
			if out[i].Why = why; why == "" {
				out[i].Arm = x.armName(arm)
			}
		}
	}
	return out
}
