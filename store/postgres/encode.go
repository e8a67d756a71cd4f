package postgres

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

const day = 24 * time.Hour

// dayOf returns the number of whole days between 1970 and t, in UTC.
func dayOf(t time.Time) int32 {
	return int32(math.Floor(float64(t.Unix()) / day.Seconds())) //nolint:gosec // checkTime bounds t
}

func timestampOrNil(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := lectern.Timestamp(*t)
	return &u
}

// listOf returns list as a column that is never null keeps it.
func listOf(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// listOrNil returns a stored list; an empty one is nil.
func listOrNil(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

// checkID refuses what no external id may be.
func checkID(field, id string) error {
	switch {
	case id == "":
		return lectern.Invalid("a required id is missing", lectern.NewFieldError(field, id, "is empty", ""))
	case len(id) > lectern.MaxIDBytes:
		return lectern.Invalid("an id is too long", lectern.NewFieldError(field, id,
			fmt.Sprintf("has %d bytes", len(id)), fmt.Sprintf("at most %d bytes", lectern.MaxIDBytes)))
	case !isText(id):
		return lectern.Invalid("an id is not text", lectern.NewFieldError(field, id, "is not valid UTF-8 text", ""))
	}
	return nil
}

// isText reports whether PostgreSQL can keep s in a text column.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// textsOf returns the distinct ones of ids that PostgreSQL can compare with
// others; no row can have another. It is never nil.
func textsOf(ids []string) []string {
	return slices.DeleteFunc(distinct(ids), func(id string) bool { return !isText(id) })
}

// checkText refuses text that PostgreSQL cannot keep. One such text would undo
// the whole batch if it were sent.
func checkText(field string, texts ...string) error {
	for _, s := range texts {
		if !isText(s) {
			return lectern.Invalid("a text cannot be stored", lectern.NewFieldError(field, s,
				"holds a NUL character or is not valid UTF-8", "UTF-8 text without U+0000"))
		}
	}
	return nil
}

// The years that PostgreSQL and our columns for days can keep, with room to spare.
const minYear, maxYear = -4000, 200_000

// checkTime refuses times that PostgreSQL cannot keep.
func checkTime(field string, t time.Time) error {
	if y := t.Year(); y < minYear || y > maxYear {
		return lectern.Invalid("a time is out of range",
			lectern.NewFieldError(field, t, "is out of range", fmt.Sprintf("years %d to %d", minYear, maxYear)))
	}
	return nil
}

// starsTenths turns stars into the tenths that are kept.
func starsTenths(field string, stars float64) (int32, error) {
	if !(stars >= lectern.MinStars && stars <= lectern.MaxStars) { // also refuses NaN
		return 0, lectern.Invalid("stars are out of range",
			lectern.NewFieldError(field, stars, "is out of range", "1 to 5"))
	}
	return int32(math.Round(stars * 10)), nil
}

// rejected is the result of a row that cannot be applied.
func rejected(err error) lectern.WriteResult {
	return lectern.WriteResult{Outcome: lectern.OutcomeRejected, Err: err}
}

func outcome(o lectern.WriteOutcome) lectern.WriteResult { return lectern.WriteResult{Outcome: o} }

func resultsOrNil(results []lectern.WriteResult, err error) ([]lectern.WriteResult, error) {
	if err != nil {
		return nil, err
	}
	return results, nil
}

func notFound(what string) error { return lectern.Errorf(lectern.CodeNotFound, "no such %s", what) }
