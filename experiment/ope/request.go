package ope

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/rerank"
)

// The models of what a place tells of a course.
const (
	ModelItem     = "item_position"  // a reward tells of this course at this place
	ModelPosition = "position_based" // it tells of the course at any place, as places are examined
)

// Models lists every model.
func Models() []string { return []string{ModelItem, ModelPosition} }

// Which lists and places are looked at.
const (
	ListsExplored   = "explored"  // lists with a record of exploration
	ListsAll        = "all"       // the others, too: of them the log shows one order alone
	PlacesAll       = "all"       // every place that was seen
	PlacesExploring = "exploring" // the places that explore
)

// RewardSum names the sum of all rewards, as the exploration settings weigh them.
const RewardSum = "sum"

// Request asks for an estimate. The target is settings, a policy, or both.
type Request struct {
	// Settings of the reranker; nil leaves the order as it was.
	Settings     *rerank.Config `json:"-"`
	SettingsName string         `json:"-"` // for people
	Base         rerank.Config  `json:"-"` // in use
	BaseName     string         `json:"-"` // what lists call them

	Policy    string `json:"policy"`    // none, uniform, epsilon_greedy, linucb or thompson; "" as each list was made
	Posterior int64  `json:"posterior"` // version by which the policy chooses; 0 as each list was made
	Explore   *bool  `json:"explore"`   // the target's lists explore, too; nil is true

	Surface lectern.Surface `json:"surface"` // "" is home
	Row     *lectern.Row    `json:"row"`     // of home; nil is the list and every row, "" the list alone
	Since   *time.Time      `json:"since"`   // nil is DefaultDays before Until
	Until   *time.Time      `json:"until"`   // nil is now
	Lists   string          `json:"lists"`   // "" is explored
	Places  string          `json:"places"`  // "" is all
	Model   string          `json:"model"`   // "" is item_position
	Reward  string          `json:"reward"`  // of the exploration settings, or sum; "" is sum and each of them
	// SettleDays is how old a list must be for its rewards to have come; nil is as long
	// as the reward may take.
	SettleDays *float64 `json:"settle_days"`

	Clip       *float64 `json:"clip"`        // weights above count as this; 0 clips none
	Switch     float64  `json:"switch"`      // weights above are left to the model; 0 chooses
	Shrinkage  float64  `json:"shrinkage"`   // λ; 0 chooses
	Confidence float64  `json:"confidence"`  // of intervals; 0 is 0.95
	Draws      int      `json:"draws"`       // resamples; 0 is as configured
	Seed       uint64   `json:"seed"`        // of the resamples
	MinSupport float64  `json:"min_support"` // 0 is as configured
	// Anyway keeps the estimates of what is refused, to be held against a known truth.
	Anyway bool `json:"-"`
}

// DefaultDays is how far back estimates look.
const DefaultDays = 90

// check fills in what was left out and names everything that is wrong.
func (r *Request) check(now time.Time, cfg Config, rewards []explore.Reward) error {
	var bad []lectern.FieldError
	check := func(ok bool, field string, value any, reason, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError(field, value, reason, allowed))
		}
	}
	oneOf := func(field string, value *string, first string, others ...string) {
		if *value == "" {
			*value = first
		}
		all := append([]string{first}, others...)
		check(slices.Contains(all, *value), field, *value, "is unknown", strings.Join(all, ", "))
	}
	check(r.Settings != nil || r.Policy != "" || r.Posterior != 0, "policy", "", "and settings are missing: nothing would differ from the log",
		"draft, patch, version or policy")
	check(r.Policy == "" || slices.Contains(Policies(), r.Policy), "policy", r.Policy, "is unknown", strings.Join(Policies(), ", "))
	check(r.Posterior >= 0, "posterior", r.Posterior, "is no version", "a version of what was learnt, or 0 for that of each list")
	if r.Explore == nil {
		on := true
		r.Explore = &on
	}
	check(*r.Explore || r.Policy == "" && r.Posterior == 0, "explore", *r.Explore, "contradicts policy", "true, or no policy")
	if r.Surface == "" {
		r.Surface = lectern.SurfaceHome
	}
	check(slices.Contains(lectern.Surfaces(), r.Surface), "surface", r.Surface, "is unknown", joined(lectern.Surfaces()))
	if r.Row != nil && *r.Row != "" {
		check(slices.Contains(lectern.Rows(), *r.Row), "row", *r.Row, "is unknown", joined(lectern.Rows()))
		check(r.Surface == lectern.SurfaceHome, "row", *r.Row, "belongs to home alone", "leave it out")
	}
	if r.Until == nil {
		r.Until = &now
	}
	if r.Since == nil {
		since := r.Until.AddDate(0, 0, -DefaultDays)
		r.Since = &since
	}
	check(r.Since.Before(*r.Until), "since", r.Since.Format(time.RFC3339), "is not before until", "an earlier time")
	oneOf("lists", &r.Lists, ListsExplored, ListsAll)
	oneOf("places", &r.Places, PlacesAll, PlacesExploring)
	oneOf("model", &r.Model, ModelItem, ModelPosition)
	names := []string{RewardSum}
	for _, x := range rewards {
		names = append(names, x.Name)
	}
	check(r.Reward == "" || slices.Contains(names, r.Reward), "reward", r.Reward, "is no reward of the exploration settings", strings.Join(names, ", "))
	check(r.SettleDays == nil || *r.SettleDays >= 0 && *r.SettleDays <= 365, "settle_days", deref(r.SettleDays), "is out of range", "0 to 365")
	r.checkNumbers(cfg, check)
	if len(bad) > 0 {
		slices.SortStableFunc(bad, func(a, b lectern.FieldError) int { return strings.Compare(a.Field, b.Field) })
		return lectern.Invalid("the request for an estimate is not as described", bad...)
	}
	return nil
}

func (r *Request) checkNumbers(cfg Config, check func(ok bool, field string, value any, reason, allowed string)) {
	if r.Clip == nil {
		clip := DefaultSettings().Clip
		r.Clip = &clip
	}
	check(*r.Clip == 0 || *r.Clip >= 1 && *r.Clip <= 1e9, "clip", *r.Clip, "is out of range", "at least 1, or 0 for no clipping")
	check(r.Switch >= 0 && r.Switch <= 1e9, "switch", r.Switch, "is out of range", "over 0, or 0 to have it chosen")
	check(r.Shrinkage >= 0 && r.Shrinkage <= 1e18, "shrinkage", r.Shrinkage, "is out of range", "over 0, or 0 to have it chosen")
	if r.Confidence == 0 {
		r.Confidence = DefaultSettings().Confidence
	}
	check(r.Confidence >= 0.5 && r.Confidence <= 0.999, "confidence", r.Confidence, "is out of range", "0.5 to 0.999")
	if r.Draws == 0 {
		r.Draws = cfg.Draws
	}
	check(r.Draws >= 100 && r.Draws <= 10_000, "draws", r.Draws, "is out of range", "100 to 10000")
	if r.MinSupport == 0 {
		r.MinSupport = cfg.MinSupport
	}
	check(r.MinSupport > 0 && r.MinSupport <= 1, "min_support", r.MinSupport, "is out of range", "over 0, at most 1")
}

func deref(v *float64) any {
	if v == nil {
		return ""
	}
	return *v
}

func joined[T ~string](values []T) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return strings.Join(out, ", ")
}

// describe names the target for people.
func (r *Request) describe() string {
	var parts []string
	if r.Settings != nil {
		parts = append(parts, r.SettingsName)
	}
	switch {
	case !*r.Explore:
		parts = append(parts, "without exploration")
	case r.Policy != "":
		parts = append(parts, "policy "+r.Policy)
	}
	if r.Posterior > 0 {
		parts = append(parts, fmt.Sprintf("posterior %d", r.Posterior))
	}
	return strings.Join(parts, ", ")
}
