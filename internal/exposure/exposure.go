// Package exposure holds what the stores have in common about experiments.
package exposure

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// Row is one person's first list of an experiment.
type Row struct {
	Experiment string
	Person     int64
	Arm        string
	Crossed    bool
	At         time.Time
	RankingID  string
	Segment    lectern.Segment
}

// Fold makes of many exposures one row for each person and experiment, by person and
// experiment: the first, marked where they met several arms.
func Fold(rows []Row) []Row {
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Experiment, b.Experiment), a.At.Compare(b.At),
			cmp.Compare(a.RankingID, b.RankingID))
	})
	out := rows[:0]
	for _, r := range rows {
		if n := len(out); n > 0 && out[n-1].Person == r.Person && out[n-1].Experiment == r.Experiment {
			out[n-1].Crossed = out[n-1].Crossed || out[n-1].Arm != r.Arm
			continue
		}
		out = append(out, r)
	}
	return out
}

// Of are the exposures of a list to a person.
func Of(r *lectern.Ranking, person int64) []Row {
	out := make([]Row, len(r.Arms))
	for i, a := range r.Arms {
		out[i] = Row{
			Experiment: a.Experiment, Person: person, Arm: a.Arm, At: lectern.Timestamp(r.CreatedAt),
			RankingID: r.ID, Segment: r.Segment,
		}
	}
	return out
}

// Check refuses an experiment that no store keeps. Errors: CodeInvalid.
func Check(e lectern.Experiment) error {
	if e.ID == "" || e.Version < 1 || e.State == "" {
		return lectern.Invalid("an experiment needs an id, a version and a state")
	}
	if body := bytes.TrimSpace(e.Body); !json.Valid(body) || body[0] != '{' {
		return lectern.Invalid("an experiment is a JSON object")
	}
	return nil
}

// Moved says that experiments have changed since they were read.
func Moved(base, now int64) error {
	return lectern.Errorf(lectern.CodePrecondition, "experiments were changed meanwhile: revision %d, not %d", now, base)
}

// NoArtefact says that what an experiment needs does not exist.
func NoArtefact(a lectern.ArtefactRef) error {
	return &lectern.Error{
		Code: lectern.CodeNotFound, Message: fmt.Sprintf("there is no version %d of the artefact %q", a.Version, a.Kind),
	}
}
