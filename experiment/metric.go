package experiment

import (
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/stats"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// Metric is something that experiments may be judged by: the sum of Value over the sum
// of Per, both over people.
type Metric struct {
	Name          string `json:"name"`
	About         string `json:"about"` // what it is, in a phrase
	LowerIsBetter bool   `json:"lower_is_better"`

	value func(t *lectern.Tally) float64
	per   func(t *lectern.Tally) float64 // nil: one a person
	daily bool                           // per week of the time that a person was followed
}

// Metrics lists every metric.
func Metrics() []Metric {
	lists := func(t *lectern.Tally) float64 { return t.Lists }
	seen := func(t *lectern.Tally) float64 { return t.Impressions }
	clicks := func(t *lectern.Tally) float64 { return t.Clicks }
	enrols := func(t *lectern.Tally) float64 { return t.Enrols }
	completions := func(t *lectern.Tally) float64 { return t.Completions }
	reports := func(t *lectern.Tally) float64 { return t.Reports }
	drops := func(t *lectern.Tally) float64 { return t.Drops }
	return []Metric{
		{Name: "ctr", About: "share of impressions that were clicked", value: func(t *lectern.Tally) float64 { return t.Clicked }, per: seen},
		{Name: "list_ctr", About: "share of lists of which something was clicked", value: func(t *lectern.Tally) float64 { return t.ListClicks }, per: lists},
		{Name: "clicks", About: "clicks a person", value: clicks},
		{Name: "saves", About: "saves a person", value: func(t *lectern.Tally) float64 { return t.Saves }},
		{Name: "enrols", About: "enrolments a person", value: enrols},
		{Name: "enrolled", About: "share of people who enrolled", value: func(t *lectern.Tally) float64 { return min(t.Enrols, 1) }},
		{Name: "enrolment_rate", About: "share of impressions that an enrolment followed", value: func(t *lectern.Tally) float64 { return t.Enrolled }, per: seen},
		{Name: "starts", About: "enrolments a person whose course was begun", value: func(t *lectern.Tally) float64 { return t.Progressed }},
		{Name: "start_rate", About: "share of enrolments whose course was begun in time", value: func(t *lectern.Tally) float64 { return t.Begun }, per: enrols},
		{Name: "completions", About: "completions a person", value: completions},
		{Name: "completion_rate", About: "share of enrolments that were completed in time", value: func(t *lectern.Tally) float64 { return t.Completed }, per: enrols},
		{Name: "hours", About: "hours of study a person", value: func(t *lectern.Tally) float64 { return t.Hours }},
		{Name: "hours_per_week", About: "hours of study a person and week", value: func(t *lectern.Tally) float64 { return t.Hours }, daily: true},
		{Name: "satisfaction", About: "stars a rating", value: func(t *lectern.Tally) float64 { return t.Stars }, per: func(t *lectern.Tally) float64 { return t.Ratings }},
		{Name: "liked_rate", About: "share of feedback that is positive", value: func(t *lectern.Tally) float64 { return t.Liked }, per: func(t *lectern.Tally) float64 { return t.Liked + t.Disliked }},
		{Name: "dismissal_rate", About: "share of impressions that were dismissed", value: func(t *lectern.Tally) float64 { return t.Dismissed }, per: seen, LowerIsBetter: true},
		{Name: "drops", About: "courses dropped a person", value: drops, LowerIsBetter: true},
		{Name: "drop_rate", About: "share of enrolments that were dropped in the time to complete them", value: func(t *lectern.Tally) float64 { return t.Dropped }, per: enrols, LowerIsBetter: true},
		{Name: "reports", About: "reports a person", value: reports, LowerIsBetter: true},
		{Name: "report_rate", About: "share of impressions that were reported", value: func(t *lectern.Tally) float64 { return t.Reported }, per: seen, LowerIsBetter: true},
	}
}

// metricNames are the names of all metrics.
func metricNames() []string {
	var out []string
	for _, m := range Metrics() {
		out = append(out, m.Name)
	}
	return out
}

// metricOf finds a metric by name.
func metricOf(name string) (Metric, bool) {
	for _, m := range Metrics() {
		if m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}

// unknownMetric says that there is no such metric.
func unknownMetric(field, name string) lectern.FieldError {
	known := metricNames()
	return lectern.NewFieldError(field, name, "is not a metric"+nearest.Hint(name, known), strings.Join(known, ", "))
}

// of is what a tally over some days adds to the metric.
func (m *Metric) of(t *lectern.Tally, days float64) (value, per float64) {
	value, per = m.value(t), 1
	switch {
	case m.per != nil:
		per = m.per(t)
	case m.daily:
		per = days / 7
	}
	return value, per
}

// unit is what a person adds to the metric who did one thing before and another after,
// over so many days each.
func (m *Metric) unit(before, after *lectern.Tally, daysBefore, days float64) stats.Unit {
	var out stats.Unit
	out.Value, out.Per = m.of(after, days)
	if daysBefore > 0 && *before != (lectern.Tally{}) {
		out.Known = true
		out.Before, out.BeforePer = m.of(before, daysBefore)
	}
	return out
}
