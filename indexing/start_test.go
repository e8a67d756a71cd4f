package indexing

import (
	"context"
	"fmt"
	"testing"

	"github.com/lectern-dev/lectern"
)

// sinkFunc is a sink that is a function.
type sinkFunc func(Batch)

func (f sinkFunc) Apply(_ context.Context, b Batch) error { f(b); return nil }

func TestTotalIsWhatIsExpected(t *testing.T) {
	m := newMemory()
	courses := someCourses(50)
	courses[7].Availability.Status = lectern.StatusRetired
	m.put(courses...)
	var r *rig
	var totals []int
	r = newRig(t, m, func(o *Options) {
		o.Config.Page = 10
		o.Sinks = append(o.Sinks, sinkFunc(func(Batch) {
			if s := r.Ready(); !s.Scanned {
				totals = append(totals, s.Total)
			}
		}))
	})
	r.start(t)
	r.wait(t, "it is read", Readiness.WordsReady)
	if fmt.Sprint(totals) != "[49 49 49 49 49]" {
		t.Errorf("totals while reading: %v", totals)
	}
	if n := r.Ready().Total; n != 49 {
		t.Errorf("total afterwards: %d", n)
	}
}

// TestWritesDuringTheSecondPass changes courses after they were read for the
// first time and while pages are read ahead for the second.
func TestWritesDuringTheSecondPass(t *testing.T) {
	m := newMemory()
	m.put(someCourses(60)...)
	first := newRig(t, m, func(o *Options) { o.Config.RetrainShare = 100 })
	stop := first.start(t)
	first.wait(t, "vectors answer", vectorsReady)
	stop()
	round := 0
	r := newRig(t, m, func(o *Options) {
		o.Config.Page, o.Config.WordsLater, o.Config.RetrainShare = 5, 1, 100
		o.Sinks = append(o.Sinks, sinkFunc(func(Batch) {
			if round++; round > 20 {
				return
			}
			c := someCourses(60)
			c[round].Title += fmt.Sprint(" rewritten", round)
			c[59-round].Availability.Status = lectern.StatusRetired
			m.put(c[round], c[59-round])
			if round == 3 || round == 15 {
				m.remove(c[25+round].ID)
			}
		}))
	})
	r.start(t)
	r.wait(t, "everything answers", func(s Readiness) bool { return s.WordsReady() && vectorsReady(s) })
	r.agrees(t)
}
