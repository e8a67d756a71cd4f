package indexing

import (
	"context"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
)

// Mend writes what Compare found to differ anew: it embeds what has no vector and
// brings the points of those courses into the index as the store has them now. It
// returns how many courses it wrote.
func (p *Pipeline) Mend(ctx context.Context, found []Difference) (int, error) {
	ids := make([]string, 0, len(found))
	for _, d := range found {
		if d.CourseID != "" {
			ids = append(ids, d.CourseID)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	g := p.line.Load().generation()
	l := p.writtenLine(g.Index, g)
	l.carry(p.suitable(p.line.Load()))
	for part := range slices.Chunk(ids, lectern.MaxEmbedBatch) {
		courses, err := p.o.Store.Courses(ctx, part)
		if err != nil {
			return 0, fmt.Errorf("read courses to mend: %w", err)
		}
		if g.Embedder != nil {
			if _, err := p.embed(ctx, g.Embedder, courses); err != nil {
				return 0, err
			}
		}
		items, err := p.items(ctx, g.Embedder, courses, nil)
		if err != nil {
			return 0, err
		}
		gone := slices.DeleteFunc(slices.Clone(part), func(id string) bool {
			return slices.ContainsFunc(courses, func(c lectern.Course) bool { return c.ID == id })
		})
		if err := l.apply(ctx, items, gone, wordsOnly); err != nil {
			return 0, fmt.Errorf("mend the index: %w", err)
		}
	}
	return len(ids), nil
}
