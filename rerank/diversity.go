package rerank

// lookAhead bounds how far down a course may be taken from to break up a run, so
// that variety never costs more than this many places.
const lookAhead = 40

// breakRuns reorders a list so that no more than maxProvider courses of
// one provider, and no more than maxCategory of one category, follow each other
// where the next lookAhead courses allow it at a cost of no more than maxLoss.
// Each place goes to the best course that is left and does not lengthen a full
// run; where none such is good enough, to the best. Scores stay as they are.
// Unknown providers and categories make no run.
func breakRuns(in []Scored, candidates []Candidate, maxProvider, maxCategory int, maxLoss float64) []Scored {
	if maxProvider == 0 && maxCategory == 0 {
		return in
	}
	out := make([]Scored, 0, len(in))
	taken := make([]bool, len(in))
	var provider, category run
	for head := 0; len(out) < len(in); {
		for taken[head] {
			head++
		}
		pick := head
		for i := head; i < len(in) && i <= head+lookAhead; i++ {
			f := candidates[in[i].Index].Course
			if !taken[i] && in[i].Score >= in[head].Score-maxLoss && provider.room(f.Provider, maxProvider) && category.room(f.Category, maxCategory) {
				pick = i
				break
			}
		}
		f := candidates[in[pick].Index].Course
		provider.add(f.Provider)
		category.add(f.Category)
		taken[pick] = true
		out = append(out, in[pick])
	}
	return out
}

// run counts how often the last key came in a row.
type run struct {
	key string
	n   int
}

func (r *run) room(key string, limit int) bool {
	return limit == 0 || key == "" || key != r.key || r.n < limit
}

func (r *run) add(key string) {
	if key == r.key && key != "" {
		r.n++
		return
	}
	r.key, r.n = key, 1
}
