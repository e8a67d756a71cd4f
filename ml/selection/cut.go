package selection

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lectern-dev/lectern/ml/cf"
)

const (
	timeShare    = 0.85               // of the events lie before a cut in time
	leastSpan    = 7 * 24 * time.Hour // of the events, for a cut in time
	leastCases   = 50                 // of a cut in time; with fewer, every learner's last courses are held back
	heldShare    = 0.2                // of a history, held back from its end
	mostHeld     = 3                  // courses of one learner, held back from the end
	mostCases    = 10_000             // learners that models are judged on
	cutStream    = 0x6375740a         // of random numbers
	sampleStream = 0x6e656761
	leastToHold  = 3 // courses of a history without order that one is held back of
)

// validation is a snapshot cut in two: what is learnt from, and what learners did
// after it. Nothing that is held back is in the part.
type validation struct {
	part  *cf.Data
	cases []testCase
	how   string // for people
}

// testCase is one learner to judge models on.
type testCase struct {
	history cf.History
	truth   []int32 // what they took next; at least one
	among   []int32 // what else is ranked; nil is all that is unseen
}

// cut makes the validation cut of a snapshot: at one time for all where times are
// known; else the end of every history; else, without order, a course of each by
// chance.
func cut(d *cf.Data, seed uint64) validation {
	r := rand.New(rand.NewPCG(seed, cutStream))
	var v validation
	if !d.Ordered {
		v = cutAny(d, r)
	} else if at, ok := cutTime(d); ok {
		v = cutAt(d, at)
	}
	if d.Ordered && len(v.cases) < leastCases {
		v = cutEnds(d)
	}
	r.Shuffle(len(v.cases), func(i, j int) { v.cases[i], v.cases[j] = v.cases[j], v.cases[i] })
	if len(v.cases) > mostCases {
		v.cases = slices.Clone(v.cases[:mostCases])
		v.how += fmt.Sprintf("; %d learners of them, drawn by lot", mostCases)
	}
	return v
}

// cutTime returns the time that most events lie before, if all have one and they
// span enough.
func cutTime(d *cf.Data) (int64, bool) {
	times := make([]int64, 0, d.Events())
	for _, h := range d.Histories {
		for _, x := range h {
			if x.At == 0 {
				return 0, false
			}
			times = append(times, x.At)
		}
	}
	if len(times) == 0 {
		return 0, false
	}
	slices.Sort(times)
	span := time.Duration(times[len(times)-1]-times[0]) * time.Second
	return times[int(timeShare*float64(len(times)-1))], span >= leastSpan
}

// cutAt cuts all histories at one time. Learners who start after it are nobody's
// case: nothing would be known of them.
func cutAt(d *cf.Data, at int64) validation {
	v := validation{how: "everything from " + time.Unix(at, 0).UTC().Format("2006-01-02 15:04") + " on held back"}
	v.part = &cf.Data{Items: d.Items, Ordered: true}
	for _, h := range d.Histories {
		keep, _ := slices.BinarySearchFunc(h, at, func(x cf.Interaction, at int64) int {
			if x.At < at {
				return -1
			}
			return 1
		})
		v.add(h, keep)
	}
	return v
}

// cutEnds holds back the end of every history of two courses or more.
func cutEnds(d *cf.Data) validation {
	v := validation{how: fmt.Sprintf("the last fifth of each history held back, at most %d courses", mostHeld)}
	v.part = &cf.Data{Items: d.Items, Ordered: true}
	for _, h := range d.Histories {
		held := min(max(1, int(math.Round(heldShare*float64(len(h))))), mostHeld)
		if len(h) < 2 {
			held = 0
		}
		v.add(h, len(h)-held)
	}
	return v
}

// add keeps the start of a history and makes a case of the rest.
func (v *validation) add(h cf.History, keep int) {
	if keep > 0 {
		v.part.Histories = append(v.part.Histories, h[:keep:keep])
	}
	if keep > 0 && keep < len(h) {
		v.cases = append(v.cases, testCase{history: h[:keep:keep], truth: itemsOf(h[keep:])})
	}
}

// cutAny holds back one course of each history, drawn by lot.
func cutAny(d *cf.Data, r *rand.Rand) validation {
	v := validation{how: "one course of each history held back, drawn by lot", part: &cf.Data{Items: d.Items}}
	for _, h := range d.Histories {
		if len(h) < leastToHold {
			v.add(h, len(h))
			continue
		}
		i := r.IntN(len(h))
		rest := append(slices.Clone(h[:i]), h[i+1:]...)
		v.part.Histories = append(v.part.Histories, rest)
		v.cases = append(v.cases, testCase{history: rest, truth: []int32{h[i].Item}})
	}
	return v
}

// sample draws for each case what its truth is ranked among, and makes a case of each
// course of the truth.
func (v *validation) sample(negatives int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, sampleStream))
	items := len(v.part.Items)
	var out []testCase
	for _, c := range v.cases {
		taken := make(map[int32]bool, len(c.history)+len(c.truth))
		for _, x := range c.history {
			taken[x.Item] = true
		}
		for _, i := range c.truth {
			taken[i] = true
		}
		for _, i := range c.truth {
			own := testCase{history: c.history, truth: []int32{i}}
			for tries := 0; len(own.among) < negatives && tries < 10*negatives; tries++ {
				if n := int32(r.IntN(items)); !taken[n] {
					own.among = append(own.among, n)
				}
			}
			out = append(out, own)
		}
	}
	v.cases = out[:min(len(out), mostCases)]
	v.how += fmt.Sprintf("; each ranked among %d others drawn by lot", negatives)
}

func itemsOf(h cf.History) []int32 {
	out := make([]int32, len(h))
	for i, x := range h {
		out[i] = x.Item
	}
	return out
}
