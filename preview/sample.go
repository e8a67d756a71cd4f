package preview

import (
	"container/heap"
	"context"

	"github.com/lectern-dev/lectern"
)

// feedPage is how many learners are read at a time.
const feedPage = 5000

// lot is one learner with the number that decides who is drawn.
type lot struct {
	draw uint64
	key  int64
	ref  lectern.LearnerRef
}

func (a lot) before(b lot) bool {
	return a.draw < b.draw || a.draw == b.draw && a.key < b.key
}

// lots keeps those with the lowest draws; the highest is on top.
type lots []lot

var _ heap.Interface = (*lots)(nil)

func (l lots) Len() int           { return len(l) }
func (l lots) Less(i, j int) bool { return l[j].before(l[i]) }
func (l lots) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *lots) Push(x any)        { *l = append(*l, x.(lot)) }
func (l *lots) Pop() any {
	last := len(*l) - 1
	x := (*l)[last]
	*l = (*l)[:last]
	return x
}

// draw returns n learners, each as likely as any other, in random order, and whether
// these are all there are. Each learner's lot is a hash of the seed and of the number
// that stands for them, so that a seed draws the same learners whatever they have done
// since, and a longer draw begins with the shorter one.
func (s *Service) draw(ctx context.Context, n int, seed uint64, visitors bool) ([]lectern.LearnerRef, bool, error) {
	if n <= 0 {
		return nil, false, nil
	}
	var kept lots
	known := 0
	for after := int64(0); ; {
		page, err := s.people.ProfileChanges(ctx, after, feedPage)
		if err != nil {
			return nil, false, err
		}
		for _, c := range page {
			after = c.Seq
			if c.Gone || c.Ref.IsZero() || c.Ref.ID == "" && !visitors {
				continue
			}
			known++
			l := lot{draw: mix(seed ^ mix(uint64(c.Key))), key: c.Key, ref: c.Ref} //nolint:gosec // any 64 bits will do
			switch {
			case len(kept) < n:
				heap.Push(&kept, l)
			case l.before(kept[0]):
				kept[0] = l
				heap.Fix(&kept, 0)
			}
		}
		if len(page) < feedPage {
			break
		}
	}
	out := make([]lectern.LearnerRef, len(kept))
	for i := len(kept) - 1; i >= 0; i-- {
		out[i] = heap.Pop(&kept).(lot).ref
	}
	return out, known <= n, nil
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014): equal steps in,
// unrelated numbers out.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
