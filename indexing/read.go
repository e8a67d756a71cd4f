package indexing

import (
	"context"
	"fmt"

	"github.com/lectern-dev/lectern"
)

// lastChange returns the newest sequence number of the feed. The feed can only be
// read forwards, so the end is found by halving: some forty reads of one row.
func (p *Pipeline) lastChange(ctx context.Context) (int64, error) {
	var low int64 // a sequence number that was seen, or 0
	step := int64(1 << 10)
	for high := int64(-1); high < 0 || high-low > 1; {
		at := low + step
		if high >= 0 {
			at = low + (high-low)/2
		}
		next, err := p.o.Store.CourseChanges(ctx, at, 1)
		switch {
		case err != nil:
			return 0, fmt.Errorf("find the end of the change feed: %w", err)
		case len(next) > 0:
			low = next[0].Seq
			step *= 4
		default:
			high = at
		}
	}
	first, err := p.o.Store.CourseChanges(ctx, low, 1)
	if err != nil {
		return 0, fmt.Errorf("find the end of the change feed: %w", err)
	}
	if len(first) > 0 {
		return first[0].Seq, nil
	}
	return low, nil
}

// items makes items of courses: hashes, and the vectors that the store has for
// them under the embedder. stats may be nil.
func (p *Pipeline) items(
	ctx context.Context, e lectern.Embedder, courses []lectern.Course, stats map[string]lectern.CourseStats,
) ([]item, error) {
	items := make([]item, len(courses))
	parallel(len(courses), func(i int) {
		items[i] = item{hash: lectern.HashContent(courses[i].EmbeddingText())}
		items[i].Course = courses[i]
		s, ok := stats[courses[i].ID]
		if !ok {
			s.CourseID = courses[i].ID
		}
		items[i].Stats = s
	})
	if e == nil {
		return items, nil
	}
	var hashes []lectern.ContentHash
	for i := range items {
		if listed(&items[i].Course) {
			hashes = append(hashes, items[i].hash)
		}
	}
	if len(hashes) == 0 {
		return items, nil
	}
	vectors, err := p.o.Store.VectorsByHash(ctx, e.Fingerprint(), hashes)
	if err != nil {
		return nil, fmt.Errorf("read vectors: %w", err)
	}
	reviews, err := p.reviewVectors(ctx, e, items)
	if err != nil {
		return nil, err
	}
	for i := range items {
		items[i].reviews = reviews[items[i].Course.ID]
		// A vector of another length cannot be this embedder's; without this check
		// one damaged row would keep its whole page out of the index.
		if v := vectors[items[i].hash]; len(v) == e.Dim() {
			items[i].Vector = v
		}
	}
	return items, nil
}

// stats reads statistics by course; nil ids mean all courses.
func (p *Pipeline) stats(ctx context.Context, ids []string) (map[string]lectern.CourseStats, error) {
	list, err := p.o.Store.CourseStats(ctx, ids, p.o.Clock(), p.o.Config.HalfLife)
	if err != nil {
		return nil, fmt.Errorf("read course statistics: %w", err)
	}
	out := make(map[string]lectern.CourseStats, len(list))
	for _, s := range list {
		out[s.CourseID] = s
	}
	return out, nil
}

// changes reads the next page of the feed and what became of its courses.
func (p *Pipeline) changes(ctx context.Context, l *line, after int64) (page changePage, err error) {
	feed, err := p.o.Store.CourseChanges(ctx, after, p.o.Config.Page)
	if err != nil {
		return page, fmt.Errorf("read the change feed: %w", err)
	}
	page.last = after
	if len(feed) == 0 {
		return page, nil
	}
	page.last = feed[len(feed)-1].Seq
	ids, full := l.wanted(feed)
	courses, err := p.o.Store.Courses(ctx, ids)
	if err != nil {
		return page, fmt.Errorf("read changed courses: %w", err)
	}
	there := make(map[string]bool, len(courses))
	found := make([]string, len(courses))
	for i := range courses {
		there[courses[i].ID] = true
		found[i] = courses[i].ID
	}
	for _, id := range ids {
		if !there[id] {
			page.deletes = append(page.deletes, id)
		}
	}
	if len(courses) == 0 {
		return page, nil
	}
	var stats map[string]lectern.CourseStats
	if !l.written {
		if stats, err = p.stats(ctx, found); err != nil {
			return page, err
		}
	}
	e := l.generation().Embedder
	if l.follows {
		e = nil
	}
	page.items, err = p.items(ctx, e, courses, stats)
	for i := range page.items {
		it := &page.items[i]
		if !full[it.Course.ID] {
			it.StatsOnly, it.Vector, it.reviews = true, nil, nil
		}
	}
	return page, err
}

// changePage is a page of the feed, looked up.
type changePage struct {
	items   []item
	deletes []string
	last    int64 // the page's last sequence number, or the one it was read after
}

// wanted returns the courses of a page of the feed that need looking at, each
// once, and which of them need more than their statistics.
func (l *line) wanted(feed []lectern.CourseChange) (ids []string, full map[string]bool) {
	full = map[string]bool{}
	seen := map[string]bool{}
	for _, c := range feed {
		if l.ignores(c.Kind) {
			continue
		}
		if c.Kind == lectern.ChangeVector && !l.lacks(c.CourseID) {
			// The vector of a text never changes under one fingerprint, so this one
			// is another embedder's.
			continue
		}
		if !seen[c.CourseID] {
			seen[c.CourseID] = true
			ids = append(ids, c.CourseID)
		}
		if c.Kind != lectern.ChangeStats && c.Kind != lectern.ChangeSentiment {
			full[c.CourseID] = true
		}
	}
	return ids, full
}

// ignores reports whether changes of a kind are another line's business: one that
// follows holds no vectors, one that is only written to holds no statistics.
func (l *line) ignores(kind lectern.ChangeKind) bool {
	switch kind {
	case lectern.ChangeVector, lectern.ChangeReviews:
		return l.follows
	case lectern.ChangeStats, lectern.ChangeSentiment:
		return l.written
	}
	return false
}
