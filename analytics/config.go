package analytics

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/lectern-dev/lectern"
)

// Config holds what may be tuned. What is marked (recompute) takes effect with
// lectern metrics rebuild.
type Config struct {
	TimeZone       string        `koanf:"time_zone"`       // whose days are the days of metrics, an IANA name such as Europe/Berlin (recompute)
	BegunDays      int           `koanf:"begun_days"`      // an enrolment is begun in time when progress is reported within so many days (recompute)
	CompletionDays int           `koanf:"completion_days"` // an enrolment is completed in time within so many days (recompute)
	Within         time.Duration `koanf:"within"`          // an event that cites no list is put down to one that was cited so long before (recompute)
	NewDays        int           `koanf:"new_days"`        // a new course succeeds within so many days of its publication
	NewEnrolments  int           `koanf:"new_enrolments"`  // with so many enrolments
	NewRatings     int           `koanf:"new_ratings"`     // or with so many ratings
	NewStars       float64       `koanf:"new_stars"`       // whose mean is at least this
	Poll           time.Duration `koanf:"poll"`            // how often the logs are read
	Batch          int           `koanf:"batch"`           // events, lists and feedback taken at a time
	Settle         time.Duration `koanf:"settle"`          // an event is kept waiting so long for the list that it cites
}

// DefaultConfig returns the settings that Lectern ships with.
func DefaultConfig() Config {
	return Config{
		TimeZone: "UTC", BegunDays: 7, CompletionDays: 56, Within: 30 * 24 * time.Hour,
		NewDays: 28, NewEnrolments: 10, NewRatings: 3, NewStars: 4,
		Poll: time.Second, Batch: 1000, Settle: 5 * time.Second,
	}
}

// Validate returns a CodeInvalid error that names every key with a value that is not
// acceptable.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("analytics."+key, value, "is not acceptable", allowed))
		}
	}
	_, err := zone(c.TimeZone)
	check(err == nil, "time_zone", c.TimeZone, "an IANA name such as Europe/Berlin, or UTC")
	check(c.BegunDays >= 1 && c.BegunDays <= 365, "begun_days", c.BegunDays, "1 to 365")
	check(c.CompletionDays >= 1 && c.CompletionDays <= 730, "completion_days", c.CompletionDays, "1 to 730")
	check(c.Within >= 0, "within", c.Within, "at least 0")
	check(c.NewDays >= 1 && c.NewDays <= 365, "new_days", c.NewDays, "1 to 365")
	check(c.NewEnrolments >= 1, "new_enrolments", c.NewEnrolments, "at least 1")
	check(c.NewRatings >= 1, "new_ratings", c.NewRatings, "at least 1")
	check(c.NewStars >= 1 && c.NewStars <= 5, "new_stars", c.NewStars, "1 to 5")
	check(c.Poll > 0, "poll", c.Poll, "above 0")
	check(c.Batch >= 1 && c.Batch <= 100_000, "batch", c.Batch, "1 to 100000")
	check(c.Settle >= 0, "settle", c.Settle, "at least 0")
	if len(bad) > 0 {
		return lectern.Invalid("the settings of metrics are not usable", bad...)
	}
	return nil
}

// zone loads a time zone; unlike time.LoadLocation it takes neither "" nor "Local",
// which mean another zone on every machine.
func zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q names no time zone", name)
	}
	return time.LoadLocation(name)
}

// rules is raised whenever events come to be counted otherwise: sums of before are then
// counted anew.
const rules = 2

// Definition is what the sums in the store were counted by.
type Definition struct {
	Rules          int           `json:"rules"`
	TimeZone       string        `json:"time_zone"`
	BegunDays      int           `json:"begun_days"`
	CompletionDays int           `json:"completion_days"`
	Within         time.Duration `json:"within"`

	zone *time.Location
}

// Definition returns what a recomputation would count by.
func (c Config) Definition() (Definition, error) {
	return Definition{Rules: rules, TimeZone: c.TimeZone, BegunDays: c.BegunDays, CompletionDays: c.CompletionDays, Within: c.Within}.load()
}

func (d Definition) load() (Definition, error) {
	var err error
	d.zone, err = zone(d.TimeZone)
	return d, err
}

// String is how a definition is stored.
func (d Definition) String() string {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err) // texts and numbers only
	}
	return string(b)
}

func parseDefinition(s string) (d Definition, err error) {
	if err = json.Unmarshal([]byte(s), &d); err != nil {
		return d, fmt.Errorf("read by what metrics are counted: %w", err)
	}
	return d.load()
}

// Counted is a definition as it is shown.
type Counted struct {
	TimeZone       string `json:"time_zone"`
	BegunDays      int    `json:"begun_days"`
	CompletionDays int    `json:"completion_days"`
	Within         string `json:"within"` // a duration such as 720h0m0s
}

func (d Definition) counted() Counted {
	return Counted{d.TimeZone, d.BegunDays, d.CompletionDays, d.Within.String()}
}

// Day returns the day of a time, in days since 1970-01-01.
func (d Definition) Day(t time.Time) int {
	y, m, day := t.In(d.zone).Date()
	return int(time.Date(y, m, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Date returns the date of a day.
func Date(day int) string { return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly) }

// ParseDay is the reverse of Date.
func ParseDay(s string) (int, error) {
	t, err := time.Parse(time.DateOnly, s)
	return int(t.Unix() / 86400), err
}
