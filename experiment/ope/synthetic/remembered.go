package synthetic

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"math"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/experiment/ope"
)

// remembered is a step that fills no list twice: many targets are asked of one log, and
// most of them want to know what its lists might have held. It is for one goroutine.
type remembered struct {
	step  ope.Step
	known map[asked][][]explore.Chance
}

var _ ope.Step = (*remembered)(nil)

// asked is all that tells one question from another within a log: which list, laid out
// how, and filled how.
type asked struct {
	list, policy    string
	posterior       int64
	floor, strength float64
	newShare        float64
	draws           int
	laid            uint64
}

// Distribution implements ope.Step. The answer is read only.
func (k *remembered) Distribution(ctx context.Context, r *lectern.Ranking, draws int) ([][]explore.Chance, error) {
	x := r.Exploration
	q := asked{r.ID, x.Policy, x.Posterior, x.Floor, x.Strength, x.NewShare, draws, laid(r)}
	if cells, ok := k.known[q]; ok {
		return cells, nil
	}
	cells, err := k.step.Distribution(ctx, r, draws)
	if err == nil {
		k.known[q] = cells
	}
	return cells, err
}

// laid tells layouts of a list apart. Scores count where a policy looks at them.
func laid(r *lectern.Ranking) uint64 {
	h := fnv.New64a()
	var b [8]byte
	add := func(v uint64) {
		binary.LittleEndian.PutUint64(b[:], v)
		h.Write(b[:]) //nolint:errcheck // never fails
	}
	x := r.Exploration
	for _, item := range x.Slate {
		h.Write([]byte(r.Items[item].CourseID)) //nolint:errcheck // never fails
		if x.Policy != explore.PolicyNone {
			add(math.Float64bits(r.Items[item].Score))
		}
	}
	for _, places := range [][]int{x.Places, x.Pool, x.Fixed, x.Owed} {
		add(uint64(len(places)))
		for _, p := range places {
			add(uint64(p))
		}
	}
	return h.Sum64()
}
