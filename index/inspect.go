package index

import (
	"context"

	"github.com/lectern-dev/lectern"
)

// Same reports for each point whether the index holds exactly it: payload and
// all vectors, no more and no fewer.
func (x *Index) Same(ctx context.Context, points []lectern.Point) ([]bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := make([]bool, len(points))
	x.mu.RLock()
	defer x.mu.RUnlock()
	for i, p := range points {
		row, ok := x.rowOf[p.ID]
		w := write{point: p, payload: encode(p.Payload)}
		if ok && x.sameFacts(x.view, row, &w) {
			out[i], _ = x.sameSparse(x.view, row, &w)
		}
	}
	return out, nil
}

// IDs returns the ids of all points, in no particular order.
func (x *Index) IDs(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v := x.current()
	out := make([]string, 0, v.alive)
	v.live.each(func(row uint32) { out = append(out, v.ids[row]) })
	return out, nil
}
