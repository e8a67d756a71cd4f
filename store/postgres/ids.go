package postgres

import (
	"context"
	"slices"
)

// courseRef is what a batch knows of a course it mentions.
type courseRef struct {
	id    int64
	known bool // there is a row in courses, not only a mapping
}

// courseIDs returns the internal ids of the courses with these external ids;
// unknown ones are mapped where create is set and left out otherwise. The ids
// must have passed checkID.
func (tx *writeTx) courseIDs(ctx context.Context, externalIDs []string, create bool) (map[string]courseRef, error) {
	wanted := distinct(externalIDs)
	out := make(map[string]courseRef, len(wanted))
	if len(wanted) == 0 {
		return out, nil
	}
	if err := tx.findCourseIDs(ctx, wanted, out); err != nil || len(out) == len(wanted) || !create {
		return out, err
	}
	missing := slices.DeleteFunc(wanted, func(id string) bool { _, ok := out[id]; return ok })
	slices.Sort(missing) // two transactions that map the same courses wait in one direction
	rows, err := tx.q.InsertCourseIDs(ctx, missing)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		out[r.ExternalID] = courseRef{id: r.ID}
	}
	if len(rows) < len(missing) { // another transaction was faster
		if err := tx.findCourseIDs(ctx, missing, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (tx *writeTx) findCourseIDs(ctx context.Context, externalIDs []string, into map[string]courseRef) error {
	rows, err := tx.q.CourseIDs(ctx, externalIDs)
	if err != nil {
		return err
	}
	for _, r := range rows {
		into[r.ExternalID] = courseRef{id: r.ID, known: r.Known}
	}
	return nil
}

// distinct returns the distinct strings of list, never nil.
func distinct(list []string) []string {
	seen := make(map[string]struct{}, len(list))
	out := make([]string, 0, len(list))
	for _, s := range list {
		if _, ok := seen[s]; !ok {
			seen[s] = struct{}{}
			out = append(out, s)
		}
	}
	return out
}
