package exposure

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// Listed calls f for everybody for whom lists were recorded; see lectern.ExperimentLog.
func Listed(each Each, d Dialect, from, to time.Time, first, last int, f func(lectern.ListedPerson) error) error {
	var now lectern.ListedPerson
	flush := func() error {
		if now.Person == 0 {
			return nil
		}
		return f(now)
	}
	err := each(listedQuery(d), []any{d.Time(from), d.Time(to), first, last}, func(scan func(...any) error) error {
		var day lectern.DayTally
		var segment, learner string
		var visitors []byte
		var p lectern.ListedPerson
		into := append([]any{&p.Person, d.ReadAt(&p.Exposure), &p.Exposure.RankingID, &segment, &p.Tried, &p.Protected, &learner, &visitors, &day.Day},
			parts(&day.Tally)...)
		if err := scan(into...); err != nil {
			return err
		}
		if p.Person != now.Person {
			if err := flush(); err != nil {
				return err
			}
			p.Exposure.Segment = lectern.Segment(segment)
			if err := json.Unmarshal(visitors, &p.Visitors); err != nil {
				return fmt.Errorf("anonymous ids: %w", err)
			}
			name(&p, learner)
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

// name says by which id a person falls into groups.
func name(p *lectern.ListedPerson, learner string) {
	if p.Learner.ID = learner; learner != "" {
		return
	}
	for i, id := range p.Visitors { // any, but the same one every time
		if i == 0 || id < p.Learner.AnonymousID {
			p.Learner.AnonymousID = id
		}
	}
	p.Visitors = nil
}

// listedQuery finds the first list of everybody, reads of no other what is in it, and
// goes on with the person's days.
func listedQuery(d Dialect) string {
	member := func(name string) string { return fmt.Sprintf(d.Member, name) }
	consent := lectern.DefaultConsent()
	literal := func(b bool) string { return strings.ToUpper(strconv.FormatBool(b)) }
	return `WITH firsts AS (
    SELECT learner_id, min(created_at) AS at FROM rankings
    WHERE learner_id IS NOT NULL AND created_at >= ` + d.Param(1) + ` AND created_at < ` + d.Param(2) + `
    GROUP BY learner_id
), listed AS (
    SELECT x.learner_id, x.at, min(r.ranking_id) AS ranking_id, min(coalesce(` + member("segment") + `, '')) AS segment,
        max(CASE WHEN ` + member("arms") + ` IS NULL AND ` + member("exploration") + ` IS NULL THEN 0 ELSE 1 END) AS tried,
        coalesce((SELECT min(i.external_id) FROM identities i WHERE i.learner_id = x.learner_id AND i.kind = 0), '') AS learner,
        coalesce((SELECT ` + d.Texts + ` FROM identities i WHERE i.learner_id = x.learner_id AND i.kind = 1), '[]') AS visitors
    FROM firsts x JOIN rankings r ON r.learner_id = x.learner_id AND r.created_at = x.at
    GROUP BY x.learner_id, x.at
)
SELECT x.learner_id, x.at, x.ranking_id, x.segment, x.tried = 1,
    l.minor OR NOT coalesce(l.personalisation, ` + literal(consent.Personalisation) + `) OR NOT coalesce(l.exploration, ` + literal(consent.Exploration) + `),
    x.learner, x.visitors, coalesce(d.day, -1), ` + tallies("coalesce(d.", ", 0)") + `
FROM listed x
JOIN learners l ON l.id = x.learner_id
LEFT JOIN learner_days d ON d.learner_id = x.learner_id AND d.day >= ` + d.Param(3) + ` AND d.day <= ` + d.Param(4) + `
ORDER BY x.learner_id, d.day`
}
