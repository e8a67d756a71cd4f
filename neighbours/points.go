package neighbours

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// weighed is what one course weighs for one learner now.
type weighed struct {
	course   string
	weight   float64
	at       time.Time // of the latest event
	halfLife time.Duration
	state    lectern.CourseState
}

// started reports whether somebody began with a course.
func (e *weighed) started() bool {
	const begun = lectern.StateEnrolled | lectern.StateProgressed | lectern.StateCompleted | lectern.StateDropped
	return e.state&begun != 0
}

// finished reports whether they completed it.
func (e *weighed) finished() bool { return e.state&lectern.StateCompleted != 0 }

// weigh decays entries to a time and bounds them, heaviest first.
func weigh(entries []lectern.ProfileEntry, at time.Time, most float64) []weighed {
	out := make([]weighed, 0, len(entries))
	for _, e := range entries {
		w := e.Weight
		if age := at.Sub(e.WeightAt); age > 0 && e.HalfLife > 0 {
			w *= math.Exp2(-age.Seconds() / e.HalfLife.Seconds())
		}
		if most > 0 {
			w = min(max(w, -most), most)
		}
		if !math.IsNaN(w) {
			out = append(out, weighed{e.CourseID, w, e.LastAt, e.HalfLife, e.State})
		}
	}
	slices.SortFunc(out, func(a, b weighed) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.course, b.course))
	})
	return out
}

// touches is what a Factor reads, oldest first.
func touches(entries []weighed) []lectern.Touch {
	out := make([]lectern.Touch, len(entries))
	for i, e := range entries {
		out[i] = lectern.Touch{CourseID: e.course, Weight: e.weight, At: e.at}
	}
	slices.SortFunc(out, func(a, b lectern.Touch) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.CourseID, b.CourseID))
	})
	return out
}

// vectors holds the courses' content vectors that were read lately. It is for one
// goroutine and must be emptied now and then, since courses change.
type vectors struct {
	of map[string][]float32 // nil for a course without one
}

const (
	maxVectors  = 20_000 // that are held
	vectorsPage = 500    // that are read together
)

// read makes sure that the courses' vectors are held.
func (v *vectors) read(ctx context.Context, index lectern.VectorIndex, ids []string) error {
	if v.of == nil || len(v.of) > maxVectors {
		v.of = make(map[string][]float32, len(ids))
	}
	var missing []string
	for _, id := range ids {
		if _, held := v.of[id]; !held {
			v.of[id] = nil
			missing = append(missing, id)
		}
	}
	for page := range slices.Chunk(missing, vectorsPage) {
		got, err := index.Vectors(ctx, lectern.VectorContent, page)
		if err != nil {
			v.of = nil
			return fmt.Errorf("read courses' vectors: %w", err)
		}
		for i, id := range page {
			v.of[id] = got[i]
		}
	}
	return nil
}

// content is the unit vector of Σ weight × vector over the courses that speak for
// the learner, and whether one of them has no vector.
func (v *vectors) content(entries []weighed) (out []float32, incomplete bool) {
	var sum []float64
	for _, e := range entries {
		if e.weight <= 0 {
			break // heaviest first
		}
		x := v.of[e.course]
		if x == nil {
			incomplete = true
			continue
		}
		if sum == nil {
			sum = make([]float64, len(x))
		}
		if len(x) != len(sum) {
			continue
		}
		for i, c := range x {
			sum[i] += e.weight * float64(c)
		}
	}
	return unit(sum), incomplete
}

// unit scales to length 1; what is too short to have a direction becomes nil.
func unit(sum []float64) []float32 {
	norm := 0.0
	for _, x := range sum {
		norm += x * x
	}
	norm = math.Sqrt(norm)
	if norm < 1e-9 || math.IsNaN(norm) || math.IsInf(norm, 0) {
		return nil
	}
	out := make([]float32, len(sum))
	for i, x := range sum {
		out[i] = float32(x / norm)
	}
	return out
}

// batch is what becomes of some learners in the index.
type batch struct {
	points     []lectern.Point
	entries    [][]weighed // beside points: what they are made of
	at         time.Time   // of their weights
	removed    []string
	incomplete []int64 // have a course whose vector may be on its way
}

// pointsOf looks learners up. Those without consent or without a course that speaks
// for them have no point.
func (l *Learners) pointsOf(
	ctx context.Context, keys []int64, courses lectern.VectorIndex, v *vectors, factor Factor,
) (batch, error) {
	var out batch
	byKey, err := l.o.Store.EntriesByKey(ctx, keys)
	if err != nil {
		return out, fmt.Errorf("read learners' entries: %w", err)
	}
	now := l.o.Clock()
	out.at = now
	all := make([][]weighed, len(keys))
	var ids []string
	for i, key := range keys {
		all[i] = weigh(byKey[key], now, l.o.MaxWeight)
		for _, e := range all[i][:min(len(all[i]), l.o.Config.MaxEntries)] {
			if e.weight > 0 {
				ids = append(ids, e.course)
			}
		}
	}
	if err := v.read(ctx, courses, ids); err != nil {
		return out, err
	}
	for i, key := range keys {
		p := lectern.Point{ID: idOf(key), Dense: map[string][]float32{}}
		if len(all[i]) > 0 && all[i][0].weight > 0 {
			heaviest := all[i][:min(len(all[i]), l.o.Config.MaxEntries)]
			content, incomplete := v.content(heaviest)
			if content != nil {
				p.Dense[lectern.VectorContent] = content
			}
			if incomplete {
				out.incomplete = append(out.incomplete, key)
			}
			if factor != nil {
				if f := factor(touches(all[i])); f != nil {
					p.Dense[lectern.VectorCF] = f
				}
			}
		}
		if len(p.Dense) == 0 {
			out.removed = append(out.removed, p.ID)
			continue
		}
		out.points = append(out.points, p)
		out.entries = append(out.entries, all[i][:min(len(all[i]), l.o.Config.MaxEntries)])
	}
	return out, nil
}

// Mean returns the unit vector of Σ share × vector: what several interests are
// together. It is nil where there are none.
func Mean(vectors [][]float32, shares []float64) []float32 {
	var sum []float64
	for i, v := range vectors {
		if sum == nil {
			sum = make([]float64, len(v))
		}
		if len(v) != len(sum) || i >= len(shares) {
			continue
		}
		for j, x := range v {
			sum[j] += shares[i] * float64(x)
		}
	}
	return unit(sum)
}
