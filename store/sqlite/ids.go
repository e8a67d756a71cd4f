package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"

	"github.com/lectern-dev/lectern"
)

// courseRef is what a batch knows of a course it mentions.
type courseRef struct {
	id    int64
	known bool // there is a row in courses, not only a mapping
}

// courseIDs maps external course ids to internal ones for one batch, creating
// mappings on first mention. It lives no longer than its transaction, because
// a mapping made in a transaction that is undone does not exist.
type courseIDs struct {
	tx   *writeTx
	byID map[string]courseRef
}

func lookUpCourses(ctx context.Context, tx *writeTx, externalIDs []string) (*courseIDs, error) {
	rows, err := tx.q.CourseIDs(ctx, jsonText(distinct(externalIDs)))
	if err != nil {
		return nil, err
	}
	c := &courseIDs{tx: tx, byID: make(map[string]courseRef, len(rows))}
	for _, r := range rows {
		c.byID[r.ExternalID] = courseRef{id: r.ID, known: r.Known}
	}
	return c, nil
}

// ref returns the course with this external id, mapping it if need be.
func (c *courseIDs) ref(ctx context.Context, externalID string) (courseRef, error) {
	if r, ok := c.byID[externalID]; ok {
		return r, nil
	}
	id, err := c.tx.q.InsertCourseID(ctx, externalID)
	if err != nil {
		return courseRef{}, err
	}
	r := courseRef{id: id}
	c.byID[externalID] = r
	return r, nil
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

// changed puts a course into the change feed in place of its older entry of
// the same kind.
func (tx *writeTx) changed(ctx context.Context, courseID int64, kind lectern.ChangeKind) error {
	if err := tx.q.DropCourseChange(ctx, courseID, string(kind)); err != nil {
		return err
	}
	return tx.q.InsertCourseChange(ctx, courseID, string(kind))
}

// changedAll is changed for each course, in rising order of id.
func (tx *writeTx) changedAll(ctx context.Context, courseIDs map[int64]bool, kind lectern.ChangeKind) error {
	for _, id := range sortedKeys(courseIDs) {
		if err := tx.changed(ctx, id, kind); err != nil {
			return err
		}
	}
	return nil
}

func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// sortedKeys returns the keys of m in rising order, so that writes of a batch
// do not depend on Go's order of maps.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
