package analytics

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// The units of metrics.
const (
	UnitCount = "count"
	UnitShare = "share" // in [0, 1]
	UnitHours = "hours"
	UnitStars = "stars" // in [1, 5]
	UnitClick = "clicks"
	UnitIndex = "index" // in [0, 1], 0 is even
)

// Metric is one metric as it is defined.
type Metric struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Unit    string `json:"unit"`
	Formula string `json:"formula"`
	Better  string `json:"better,omitempty"` // higher or lower
	// OnlyDay says that it is told apart by day alone, and takes no filters.
	OnlyDay bool `json:"only_by_day,omitempty"`

	num, den func(*lectern.MetricSums) float64 // den is nil of a sum
	listed   bool                              // acts without a list do not count
	share    bool                              // of independent ones: an interval makes sense
	cohort   func(Definition) int              // days after which a day is complete
	special  special
}

// special is how a metric is computed that is no quotient of sums.
type special int

const (
	ofSums special = iota
	ofCoverage
	ofGini
	ofNew
	ofLearners
	ofSpend
	ofRegret
)

type sums = lectern.MetricSums

func count(name, title, formula string, num func(*sums) float64) Metric {
	return Metric{Name: name, Title: title, Unit: UnitCount, Formula: formula, num: num}
}

func rate(name, title, formula, better string, num, den func(*sums) float64) Metric {
	return Metric{Name: name, Title: title, Unit: UnitShare, Formula: formula, Better: better, num: num, den: den, listed: true, share: true}
}

// Metrics returns every metric.
func Metrics() []Metric {
	impressions := func(s *sums) float64 { return s.Impressions }
	enrols := func(s *sums) float64 { return s.Enrols }
	opinions := func(s *sums) float64 { return s.Ratings + s.Liked + s.Disliked + s.Reports }
	out := []Metric{
		count("lists", "Lists", "lists made whose first page was served", func(s *sums) float64 { return s.Lists }),
		count("impressions", "Impressions", "items seen: viewed, or at or above what was acted on, once per list and course", impressions),
		count("clicks", "Clicks", "items clicked, once per list and course, and clicks of no list", func(s *sums) float64 { return s.Clicks }),
		count("saves", "Saves", "courses saved, once per person and course", func(s *sums) float64 { return s.Saves }),
		count("enrolments", "Enrolments", "courses enrolled in, once per person and course", enrols),
		count("begun", "Begun", "enrolments whose course was begun, on the day of the first progress", func(s *sums) float64 { return s.Progressed }),
		count("completions", "Completions", "courses completed, once per person and course", func(s *sums) float64 { return s.Completions }),
		count("drops", "Drops", "courses left, once per person and course", func(s *sums) float64 { return s.Drops }),
		count("dismissals", "Dismissals", "suggestions dismissed, once per person and course", func(s *sums) float64 { return s.Dismissals }),
		count("ratings", "Ratings", "ratings given", func(s *sums) float64 { return s.Ratings }),
		count("liked", "Liked", "feedback more_like_this that stands", func(s *sums) float64 { return s.Liked }),
		count("disliked", "Disliked", "feedback less_like_this that stands", func(s *sums) float64 { return s.Disliked }),
		count("reports", "Reports", "reports that stand", func(s *sums) float64 { return s.Reports }),
		count("views", "Views", "view events", func(s *sums) float64 { return s.Views }),
		{Name: "hours", Title: "Hours", Unit: UnitHours, Formula: "sum of the gain in the greatest share done × workload", Better: "higher",
			num: func(s *sums) float64 { return s.Hours }},
		rate("ctr", "Click-through rate", "of the impressions of the days, those clicked / those impressions", "higher",
			func(s *sums) float64 { return s.Clicked }, impressions),
		rate("list_ctr", "Lists clicked", "of the lists of the days, those of which something was clicked / those lists", "higher",
			func(s *sums) float64 { return s.ListClicks }, func(s *sums) float64 { return s.Lists }),
		rate("enrolment_rate", "Enrolment rate", "of the impressions of the days, those followed by an enrolment put down to them / those impressions", "higher",
			func(s *sums) float64 { return s.Enrolled }, impressions),
		rate("dismissal_rate", "Dismissal rate", "of the impressions of the days, those dismissed / those impressions", "lower",
			func(s *sums) float64 { return s.Dismissed }, impressions),
		rate("report_rate", "Report rate", "of the impressions of the days, those reported, where that stands / those impressions", "lower",
			func(s *sums) float64 { return s.Reported }, impressions),
		rate("drop_rate", "Drop rate", "of the enrolments of a day, those dropped within analytics.completion_days / enrolments of that day",
			"lower", func(s *sums) float64 { return s.Dropped }, enrols),
		rate("begun_rate", "Starts that progress", "of the enrolments of a day, those with progress within analytics.begun_days / enrolments of that day",
			"higher", func(s *sums) float64 { return s.Begun }, enrols),
		rate("completion_rate", "Completion rate", "of the enrolments of a day, those completed within analytics.completion_days / enrolments of that day",
			"higher", func(s *sums) float64 { return s.Completed }, enrols),
		{Name: "stars", Title: "Mean stars", Unit: UnitStars, Formula: "sum of stars / ratings", Better: "higher",
			num: func(s *sums) float64 { return s.Stars }, den: func(s *sums) float64 { return s.Ratings }},
		{Name: "satisfaction", Title: "Satisfaction", Unit: UnitShare, Better: "higher",
			Formula: "(sum of (stars − 1)/4 + liked) / (ratings + liked + disliked + reports)",
			num:     func(s *sums) float64 { return (s.Stars-s.Ratings)/4 + s.Liked }, den: opinions},
		{Name: "hours_per_learner_week", Title: "Hours per learner and week", Unit: UnitHours, Better: "higher", OnlyDay: true, special: ofLearners,
			Formula: "hours of signed-in learners / learners active in each week, summed over weeks of 7 days from the first day on"},
		{Name: "coverage", Title: "Coverage", Unit: UnitShare, Better: "higher", OnlyDay: true, special: ofCoverage,
			Formula: "courses seen at least once / open courses now"},
		{Name: "provider_gini", Title: "Provider exposure Gini", Unit: UnitIndex, Better: "lower", OnlyDay: true, special: ofGini,
			Formula: "Gini coefficient of the impressions of providers with open courses, those without any included"},
		{Name: "new_course_success", Title: "New-course success", Unit: UnitShare, Better: "higher", OnlyDay: true, special: ofNew, share: true,
			Formula: "courses published on the days that got analytics.new_enrolments, or analytics.new_ratings of mean analytics.new_stars, within analytics.new_days / courses published on the days"},
		{Name: "exploration_spend", Title: "Exploration spend", Unit: UnitClick, Better: "lower", special: ofSpend,
			Formula: "sum over surfaces, rows and exploring places of impressions × click rate of the course that stood there (weighted by 1/propensity) − clicks"},
		{Name: "regret", Title: "Regret", Unit: UnitClick, Better: "lower", special: ofRegret,
			Formula: "as exploration_spend, against the better of the course that stood there and what the policy chose"},
	}
	for i := range out {
		switch out[i].Name {
		case "drop_rate", "begun_rate", "completion_rate":
			out[i].listed = false
		}
		switch out[i].Name {
		case "begun_rate":
			out[i].cohort = func(d Definition) int { return d.BegunDays }
		case "completion_rate", "drop_rate":
			out[i].cohort = func(d Definition) int { return d.CompletionDays }
		}
	}
	return out
}

// DefaultMetrics names what is answered with when nothing is asked for.
func DefaultMetrics() []string {
	return []string{"lists", "impressions", "clicks", "ctr", "enrolments", "enrolment_rate", "begun_rate", "completions",
		"completion_rate", "hours", "satisfaction", "report_rate"}
}

// names returns the names of all metrics.
func names(all []Metric) []string {
	out := make([]string, len(all))
	for i := range all {
		out[i] = all[i].Name
	}
	return out
}

// lookUp returns the metrics with these names, or says which is unknown.
func lookUp(wanted []string) ([]Metric, error) {
	all := Metrics()
	known := names(all)
	var out []Metric
	for _, name := range wanted {
		i := slices.Index(known, name)
		if i < 0 {
			return nil, lectern.Invalid("unknown metric "+name+nearest.Hint(name, known),
				lectern.NewFieldError("metrics", name, "is unknown"+nearest.Hint(name, known), strings.Join(known, ", ")))
		}
		out = append(out, all[i])
	}
	return out, nil
}

// Dimensions returns what metrics can be told apart by.
func Dimensions() []lectern.MetricDimension {
	return []lectern.MetricDimension{
		lectern.ByDay, lectern.BySurface, lectern.ByRow, lectern.ByArm, lectern.BySegment, lectern.ByPosition, lectern.ByExplored,
	}
}

func named(by []lectern.MetricDimension) string {
	out := make([]string, len(by))
	for i, d := range by {
		out[i] = string(d)
	}
	return strings.Join(out, ", ")
}

func checkDimensions(by []lectern.MetricDimension) error {
	all := Dimensions()
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = string(d)
	}
	for i, d := range by {
		switch {
		case !slices.Contains(all, d):
			return lectern.Invalid("unknown dimension "+string(d)+nearest.Hint(string(d), texts),
				lectern.NewFieldError("by", d, "is unknown"+nearest.Hint(string(d), texts), strings.Join(texts, ", ")))
		case slices.Contains(by[:i], d):
			return lectern.Invalid("a dimension is named twice", lectern.NewFieldError("by", d, "is named twice", ""))
		}
	}
	if len(by) > maxDimensions {
		return lectern.Invalid("too many dimensions", lectern.NewFieldError("by", named(by), "are too many", fmt.Sprintf("at most %d", maxDimensions)))
	}
	return nil
}
