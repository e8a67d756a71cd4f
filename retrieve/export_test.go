package retrieve

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Allows lets tests hold the matcher against an index.
func Allows(f lectern.Filter, c lectern.Course) bool {
	p := lectern.PayloadOf(c)
	return newMatcher(f).allows(c.ID, &p)
}

// Admits is Allows as it is asked of a course in memory.
func Admits(f lectern.Filter, c lectern.Course) bool {
	catalog := NewCatalog(DefaultConfig(), nil, lectern.SystemClock)
	return newMatcher(f).admits(catalog.newEntry(c, lectern.CourseStats{CourseID: c.ID}))
}

// EncodeCursor and DecodeCursor let tests make and read cursors.
func EncodeCursor(ranking string, offset int, req lectern.ListRequest, key []byte) string {
	return encodeCursor(cursor{ranking, offset, hashRequest(req)}, key)
}

func DecodeCursor(s string, key []byte) (ranking string, offset int, err error) {
	c, err := decodeCursor(s, key)
	return c.ranking, c.offset, err
}

// Candidates asks every source of a home page, and returns how many courses they brought
// between them.
func (e *Engine) Candidates(ctx context.Context, ref lectern.LearnerRef) (int, error) {
	p := e.newPass(lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: ref, Limit: 10})
	for _, row := range lectern.Rows() {
		p.rows[row] = true
	}
	e.borrow(p)
	defer e.giveBack(p)
	if err := e.prepare(ctx, p); err != nil {
		return 0, err
	}
	if err := e.gather(ctx, p); err != nil {
		return 0, err
	}
	e.unite(p)
	return len(p.candidates), nil
}

// Reorder and DropShown let tests move what rules did not pin.
var (
	Reorder   = reorder
	DropShown = dropShown
)

// EntryOf is what the catalogue would hold of a course.
func (c *Catalog) EntryOf(course lectern.Course) (rerank.Facts, lectern.Payload) {
	en := c.newEntry(course, lectern.CourseStats{CourseID: course.ID})
	return en.facts, en.payload
}

// SharedTexts is how many texts the catalogue remembers, and how many at most.
func (c *Catalog) SharedTexts() (now, most int) { return len(c.shared.texts), sharedMost }
