package rerank

import "slices"

// afterPrerequisites lets a course wait until the last of its missing
// prerequisites that the list holds has had its place. Everything else keeps its
// order, and so do courses that wait for each other.
func afterPrerequisites(in []Scored, candidates []Candidate) []Scored {
	if !slices.ContainsFunc(in, func(s Scored) bool { return len(candidates[s.Index].Missing) > 0 }) {
		return in
	}
	pending := make(map[string]bool, len(in)) // not placed yet
	for i := range in {
		pending[candidates[in[i].Index].Course.ID] = true
	}
	out := make([]Scored, 0, len(in))
	var waiting []Scored
	ready := func(s Scored) bool {
		c := &candidates[s.Index]
		for _, id := range c.Missing {
			if pending[id] && id != c.Course.ID {
				return false
			}
		}
		return true
	}
	place := func(s Scored) {
		out = append(out, s)
		delete(pending, candidates[s.Index].Course.ID)
	}
	for _, s := range in {
		if !ready(s) {
			waiting = append(waiting, s)
			continue
		}
		place(s)
		for i := 0; i < len(waiting); i++ {
			if ready(waiting[i]) {
				place(waiting[i])
				waiting = append(waiting[:i], waiting[i+1:]...)
				i = -1 // what was placed may let an earlier one go
			}
		}
	}
	return append(out, waiting...)
}

// beforeTwins moves, for every completed course of which the list has a twin, the first
// course that needs it and misses nothing else to the place above that twin, where it
// stands below.
func beforeTwins(in []Scored, candidates []Candidate) []Scored {
	twins, successors := make(map[string]int), make(map[string]int) // first place by completed course
	for i := range in {
		c := &candidates[in[i].Index]
		if _, ok := twins[c.TwinOf]; !ok && c.TwinOf != "" {
			twins[c.TwinOf] = i
		}
		if c.FollowsID == "" || c.Complement.Value < 1 || len(c.Missing) > 0 {
			continue
		}
		if _, ok := successors[c.FollowsID]; !ok {
			successors[c.FollowsID] = i
		}
	}
	above := make(map[int]int) // place of a twin → place of what goes above it
	moved := make(map[int]bool)
	for of, at := range twins {
		if from, ok := successors[of]; ok && from > at {
			above[at], moved[from] = from, true
		}
	}
	if len(above) == 0 {
		return in
	}
	out := make([]Scored, 0, len(in))
	for i := range in {
		if from, ok := above[i]; ok {
			out = append(out, in[from])
		}
		if !moved[i] {
			out = append(out, in[i])
		}
	}
	return out
}
