package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/exposure"
)

var _ lectern.ExperimentLog = (*Store)(nil)

// exposures is how this backend writes queries of exposures.
func (s *Store) exposures(ctx context.Context) (exposure.Each, exposure.Dialect) {
	each := func(query string, args []any, f func(scan func(...any) error) error) error {
		return s.each(ctx, query, args, f)
	}
	return each, exposure.Dialect{
		Param: func(n int) string { return fmt.Sprintf("?%d", n) }, Days: "x.at / 86400000000",
		ReadAt: func(e *lectern.Exposure) any { return (*microsInto)(e) }, Time: func(t time.Time) any { return micros(t) },
		Member: "json_extract(r.body, '$.%s')", Texts: "json_group_array(i.external_id)",
	}
}

// microsInto scans the time of an exposure.
type microsInto lectern.Exposure

// Scan implements sql.Scanner.
func (m *microsInto) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a time is a %T", v)
	}
	m.At = fromMicros(n)
	return nil
}

// PersonDays implements lectern.ExperimentLog.
func (s *Store) PersonDays(ctx context.Context, experiment string, before int, f func(lectern.PersonDays) error) error {
	each, dialect := s.exposures(ctx)
	return exposure.Days(each, dialect, experiment, before, f)
}

// DaySums implements lectern.ExperimentLog.
func (s *Store) DaySums(ctx context.Context, from, split, to int, f func(before, after lectern.Tally) error) error {
	each, dialect := s.exposures(ctx)
	return exposure.Sums(each, dialect, from, split, to, f)
}

// ListedPeople implements lectern.ExperimentLog.
func (s *Store) ListedPeople(ctx context.Context, from, to time.Time, first, last int, f func(lectern.ListedPerson) error) error {
	each, dialect := s.exposures(ctx)
	return exposure.Listed(each, dialect, from, to, first, last, f)
}

// ActedLists implements lectern.ExperimentLog.
func (s *Store) ActedLists(ctx context.Context, experiment string, f func(lectern.ActedList) error) error {
	each, dialect := s.exposures(ctx)
	return exposure.Acted(each, dialect, experiment, f)
}
