package explore

import (
	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
)

// The policies.
const (
	PolicyThompson = bandit.Thompson      // linear Thompson sampling
	PolicyLinUCB   = bandit.LinUCB        // upper confidence bounds of a linear model
	PolicyEpsilon  = bandit.EpsilonGreedy // the best expected reward, and at times anything
	PolicyNone     = bandit.None          // the list as it is, but for the uniform floor
)

// Policies lists every policy.
func Policies() []string { return bandit.Policies() }

// Config is the settings document: where and how much lists explore. As JSON it is
// what administrators change at run time; the configuration file holds until they do.
type Config struct {
	Enabled bool   `koanf:"enabled" json:"enabled"` // false: no list explores
	Policy  string `koanf:"policy" json:"policy"`   // thompson, linucb, epsilon_greedy or none
	// Places of each surface that explore, from 1 on; the first place never does.
	Places     Places     `koanf:"places" json:"places"`
	Share      float64    `koanf:"share" json:"share"`             // of learners whose lists explore, in [0, 1]
	Pool       int        `koanf:"pool" json:"pool"`               // courses that may be put at an exploring place
	Quality    float64    `koanf:"quality" json:"quality"`         // least quality term of a course that is put there, in [0, 1]
	ScoreShare float64    `koanf:"score_share" json:"score_share"` // least score, as a share of that of the course whose place it is
	Floor      float64    `koanf:"floor" json:"floor"`             // share of choices that are uniform over the pool, above 0
	Epsilon    float64    `koanf:"epsilon" json:"epsilon"`         // epsilon_greedy: share of its own choices that are uniform
	Alpha      float64    `koanf:"alpha" json:"alpha"`             // linucb: standard deviations above the mean
	Spread     float64    `koanf:"spread" json:"spread"`           // thompson: what the posterior's standard deviation is multiplied by
	Draws      int        `koanf:"draws" json:"draws"`             // Monte Carlo replays behind a propensity
	Caps       Caps       `koanf:"caps" json:"caps"`
	NewCourses NewCourses `koanf:"new_courses" json:"new_courses"`
	Guardrails Guardrails `koanf:"guardrails" json:"guardrails"`
	Learning   Learning   `koanf:"learning" json:"learning"`
	Rewards    []Reward   `koanf:"rewards" json:"rewards"` // what events after a list are worth, each with name, event, value, within_days and at_least; a list replaces this one as a whole
}

// Places are the exploring places of each surface, from 1 on; none explores nothing.
type Places struct {
	Home     []int `koanf:"home" json:"home"`         // of the list of recommendations and the row for_you
	Search   []int `koanf:"search" json:"search"`     // of searches
	Similar  []int `koanf:"similar" json:"similar"`   // of similar courses and the row because
	Next     []int `koanf:"next" json:"next"`         // of what comes next and the row next
	Trending []int `koanf:"trending" json:"trending"` // of what is trending and the row trending
}

// Caps bound what a day of exploration costs anybody; 0 is no cap. What replicas serve
// within a second or two of each other may go beyond.
type Caps struct {
	PerLearner  int     `koanf:"per_learner" json:"per_learner"`   // explored items shown to one learner in a day
	PerCourse   int     `koanf:"per_course" json:"per_course"`     // times that exploration shows one course in a day
	PerProvider float64 `koanf:"per_provider" json:"per_provider"` // most of a day's explored items that may be of one provider, in (0, 1]; 0 is no cap
}

// NewCourses are owed impressions.
type NewCourses struct {
	Days        int     `koanf:"days" json:"days"`               // age up to which a course is owed impressions; 0 owes none
	Impressions int     `koanf:"impressions" json:"impressions"` // that it is owed over those days, evenly
	Quality     float64 `koanf:"quality" json:"quality"`         // least quality term, in [0, 1]
	Relevance   float64 `koanf:"relevance" json:"relevance"`     // least score for the learner, as a share of the list's best
	Share       float64 `koanf:"share" json:"share"`             // of exploring choices that are uniform over the courses that are behind
}

// Guardrails stop exploration by themselves.
type Guardrails struct {
	Enabled     bool    `koanf:"enabled" json:"enabled"`         // false: nobody watches
	Days        int     `koanf:"days" json:"days"`               // days that are looked at
	Impressions int     `koanf:"impressions" json:"impressions"` // explored ones before anything is concluded
	Confidence  float64 `koanf:"confidence" json:"confidence"`   // of the conclusion, whenever it is looked at
	ReportRate  float64 `koanf:"report_rate" json:"report_rate"` // most, as a multiple of that of other places
	DropRate    float64 `koanf:"drop_rate" json:"drop_rate"`     // most, as a multiple
	ClickRate   float64 `koanf:"click_rate" json:"click_rate"`   // least, as a share of that of other places, position for position
}

// Learning tunes how posteriors are learnt.
type Learning struct {
	HalfLifeDays float64 `koanf:"half_life_days" json:"half_life_days"` // age at which what was learnt counts half; 0 is never
	Ridge        float64 `koanf:"ridge" json:"ridge"`                   // impressions that the prior is worth, above 0
	Noise        float64 `koanf:"noise" json:"noise"`                   // standard deviation of a reward, above 0
}

// Reward says what an event after a list is worth.
type Reward struct {
	Name       string            `koanf:"name" json:"name"`
	Event      lectern.EventType `koanf:"event" json:"event"`
	Value      float64           `koanf:"value" json:"value"`
	WithinDays float64           `koanf:"within_days" json:"within_days"` // of the list; later ones earn nothing
	AtLeast    float64           `koanf:"at_least" json:"at_least"`       // of a progress event: least share done; of a rating: least stars
}

// DefaultConfig returns what holds until somebody sets something else.
func DefaultConfig() Config {
	return Config{
		Enabled: true, Policy: PolicyThompson,
		Places: Places{Home: []int{4, 8}, Search: []int{}, Similar: []int{}, Next: []int{}, Trending: []int{}},
		Share:  1, Pool: 30, Quality: 0.4, ScoreShare: 0.5, Floor: 0.05, Epsilon: 0.1, Alpha: 1, Spread: 1, Draws: 1000,
		Caps:       Caps{PerLearner: 40, PerCourse: 0, PerProvider: 0.5},
		NewCourses: NewCourses{Days: 28, Impressions: 100, Quality: 0.45, Relevance: 0.5, Share: 0.1},
		Guardrails: Guardrails{Enabled: true, Days: 14, Impressions: 1000, Confidence: 0.99, ReportRate: 3, DropRate: 2, ClickRate: 0.3},
		Learning:   Learning{HalfLifeDays: 60, Ridge: 30, Noise: 0.07},
		Rewards: []Reward{
			{Name: "click", Event: lectern.EventClick, Value: 0.2, WithinDays: 1},
			{Name: "enrol", Event: lectern.EventEnrol, Value: 0.4, WithinDays: 7},
			{Name: "progress", Event: lectern.EventProgress, Value: 0.2, WithinDays: 7, AtLeast: 0.05},
			{Name: "complete", Event: lectern.EventComplete, Value: 0.2, WithinDays: 60},
		},
	}
}
