package exposure

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// Each reads the rows of a query.
type Each func(query string, args []any, f func(scan func(...any) error) error) error

// tallies lists the columns of a tally, each after a prefix.
func tallies(prefix, after string) string {
	names := lectern.TallyColumns()
	for i, n := range names {
		names[i] = prefix + n + after
	}
	return strings.Join(names, ", ")
}

// Dialect is what differs between the backends.
type Dialect struct {
	Param  func(n int) string
	Days   string                        // days since 1970 UTC of x.at
	ReadAt func(e *lectern.Exposure) any // where the time of an exposure is scanned to
	Time   func(t time.Time) any         // a time as a parameter
	Member string                        // text of a member of a list's body, with %s for its name
	Texts  string                        // aggregate of texts to a JSON list
}

// Days calls f for everybody who was exposed; see lectern.ExperimentLog.
func Days(each Each, d Dialect, experiment string, before int, f func(lectern.PersonDays) error) error {
	query := `SELECT x.learner_id, x.arm, x.crossed, x.at, x.ranking_id, x.segment, coalesce(d.day, -1), ` + tallies("coalesce(d.", ", 0)") + `
FROM exposures x
LEFT JOIN learner_days d ON d.learner_id = x.learner_id AND d.day >= ` + d.Days + ` - ` + d.Param(2) + `
WHERE x.experiment = ` + d.Param(1) + `
ORDER BY x.learner_id, d.day`
	var now lectern.PersonDays
	flush := func() error {
		if now.Person == 0 {
			return nil
		}
		return f(now)
	}
	err := each(query, []any{experiment, before + 2}, func(scan func(...any) error) error {
		var day lectern.DayTally
		var segment string
		p := lectern.PersonDays{Exposure: lectern.Exposure{Experiment: experiment}}
		into := append([]any{&p.Person, &p.Exposure.Arm, &p.Exposure.Crossed, d.ReadAt(&p.Exposure), &p.Exposure.RankingID, &segment, &day.Day}, parts(&day.Tally)...)
		if err := scan(into...); err != nil {
			return err
		}
		p.Exposure.Segment = lectern.Segment(segment)
		if p.Person != now.Person {
			if err := flush(); err != nil {
				return err
			}
			now = p
		}
		if day.Day >= 0 {
			now.Days = append(now.Days, day)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

func parts(t *lectern.Tally) []any {
	var out []any
	for _, p := range t.Parts() {
		out = append(out, p)
	}
	return out
}

// Sums calls f with what each person did on some days and before; see
// lectern.ExperimentLog.
func Sums(each Each, d Dialect, from, split, to int, f func(before, after lectern.Tally) error) error {
	when := func(side string) string {
		return tallies("sum(CASE WHEN day "+side+" "+d.Param(2)+" THEN ", " ELSE 0 END)")
	}
	query := `SELECT ` + when("<") + `, ` + when(">=") + ` FROM learner_days WHERE day >= ` + d.Param(1) + ` AND day <= ` + d.Param(3) + `
GROUP BY learner_id HAVING max(day) >= ` + d.Param(2) + ` ORDER BY learner_id`
	return each(query, []any{from, split, to}, func(scan func(...any) error) error {
		var before, after lectern.Tally
		if err := scan(append(parts(&before), parts(&after)...)...); err != nil {
			return err
		}
		return f(before, after)
	})
}

// Acted calls f for the lists that were acted on; see lectern.ExperimentLog.
func Acted(each Each, d Dialect, experiment string, f func(lectern.ActedList) error) error {
	query := `SELECT r.learner_id, r.ranking_id, r.body, i.external_id
FROM exposures x
JOIN rankings r ON r.learner_id = x.learner_id AND r.created_at >= x.at
JOIN events e ON e.ranking_id = r.ranking_id AND e.learner_id = r.learner_id
JOIN course_ids i ON i.id = e.course_id
WHERE x.experiment = ` + d.Param(1) + ` AND NOT x.crossed AND e.type IN ('click', 'save', 'enrol')
ORDER BY r.learner_id, r.created_at, r.ranking_id, e.occurred_at, i.external_id`
	var now lectern.ActedList
	flush := func() error {
		for _, a := range now.Ranking.Arms {
			if a.Experiment == experiment {
				return f(now)
			}
		}
		return nil
	}
	err := each(query, []any{experiment}, func(scan func(...any) error) error {
		var person int64
		var id, course string
		var body []byte
		if err := scan(&person, &id, &body, &course); err != nil {
			return err
		}
		if person != now.Person || id != now.Ranking.ID {
			if err := flush(); err != nil {
				return err
			}
			now = lectern.ActedList{Person: person}
			if err := json.Unmarshal(body, &now.Ranking); err != nil {
				return fmt.Errorf("ranking %q: %w", id, err)
			}
		}
		now.Courses = append(now.Courses, course)
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}
