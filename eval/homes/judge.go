package homes

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
)

// Judge holds lists of one site against the truth.
type Judge struct {
	site   Site
	seed   uint64
	truth  map[string]demo.CourseTruth
	course map[string]lectern.Course // that anybody may be shown
	open   []string                  // their ids, in order
	people []Person
}

// Person is a learner whose truth is known.
type Person struct {
	Ref    lectern.LearnerRef
	Truth  demo.LearnerTruth
	Wanted map[string]bool // what they enrolled in later
}

// NewJudge returns a judge of lists for these learners. What is drawn by lot follows
// from seed.
func NewJudge(ctx context.Context, site Site, truth []demo.CourseTruth, people []Person, seed uint64) (*Judge, error) {
	j := &Judge{site: site, seed: seed, truth: make(map[string]demo.CourseTruth, len(truth)), people: people}
	for _, c := range truth {
		j.truth[c.ID] = c
	}
	return j, j.look(ctx)
}

// look reads which courses there are.
func (j *Judge) look(ctx context.Context) error {
	courses, err := j.site.Open(ctx)
	if err != nil {
		return err
	}
	j.course, j.open = make(map[string]lectern.Course, len(courses)), make([]string, 0, len(courses))
	for _, c := range courses {
		j.course[c.ID], j.open = c, append(j.open, c.ID)
	}
	slices.Sort(j.open)
	return nil
}

// known is what the site has recorded of a learner.
type known struct {
	gone    map[string]bool // courses that home lists leave out
	taken   map[string]int  // courses enrolled in or completed, by topic
	touched map[string]int  // courses that speak for their topic, taken or not
	entries int
}

func (j *Judge) known(ctx context.Context, ref lectern.LearnerRef) (known, error) {
	k := known{gone: map[string]bool{}, taken: map[string]int{}, touched: map[string]int{}}
	p, err := j.site.Profile(ctx, ref)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return k, nil
	}
	if err != nil {
		return k, err
	}
	k.entries = len(p.Entries)
	for _, e := range p.Entries {
		topic := j.truth[e.CourseID].Topic
		if e.State&lectern.StateSeen != 0 {
			k.gone[e.CourseID] = true
		}
		if e.Weight <= 0 {
			continue
		}
		k.touched[topic]++
		if e.State&(lectern.StateEnrolled|lectern.StateProgressed|lectern.StateCompleted) != 0 {
			k.taken[topic]++
		}
	}
	return k, nil
}

// warm are up to n learners of whom the site has recorded at least least courses,
// spread evenly over all of them.
func (j *Judge) warm(ctx context.Context, n, least int) ([]Person, []known, error) {
	var people []Person
	var all []known
	for _, p := range j.people {
		k, err := j.known(ctx, p.Ref)
		if err != nil {
			return nil, nil, err
		}
		if k.entries >= least {
			people, all = append(people, p), append(all, k)
		}
	}
	return spread(people, n), spread(all, n), nil
}

// spread picks up to n elements at even distances.
func spread[T any](all []T, n int) []T {
	if len(all) <= n {
		return all
	}
	out := make([]T, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return out
}

// Score is how good the first ten of lists are, as means over learners.
type Score struct {
	Relevance float64 `json:"relevance@10"` // mean demo.Relevance of the ten, a missing course counting 0
	NDCG      float64 `json:"ndcg@10"`      // gains are demo.Relevance, over the best order of all open courses
	Topics    float64 `json:"own_topics"`   // share of the ten that are of a latent topic of the learner
	Found     float64 `json:"found@10"`     // share of learners who find a course that they enrolled in later
}

func (s *Score) add(o Score) {
	s.Relevance, s.NDCG, s.Topics, s.Found = s.Relevance+o.Relevance, s.NDCG+o.NDCG, s.Topics+o.Topics, s.Found+o.Found
}

func (s Score) over(n int) Score {
	f := float64(max(n, 1))
	return Score{s.Relevance / f, s.NDCG / f, s.Topics / f, s.Found / f}
}

// ideal are the best relevances that a list for a learner can have, falling.
func (j *Judge) ideal(p Person, gone map[string]bool) []float64 {
	var out []float64
	for _, id := range j.open {
		if r := demo.Relevance(p.Truth, j.truth[id]); r > 0 && !gone[id] {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b float64) int { return cmp.Compare(b, a) })
	return out[:min(len(out), TopK)]
}

// score judges the first ten of one list.
func (j *Judge) score(p Person, ideal []float64, list []string) Score {
	var s Score
	gain, best := 0.0, 0.0
	for i, id := range list[:min(len(list), TopK)] {
		r := demo.Relevance(p.Truth, j.truth[id])
		gain += r / math.Log2(float64(i)+2)
		s.Relevance += r / TopK
		if r > 0 {
			s.Topics += 1.0 / TopK
		}
		if p.Wanted[id] {
			s.Found = 1
		}
	}
	for i, r := range ideal {
		best += r / math.Log2(float64(i)+2)
	}
	if best > 0 {
		s.NDCG = gain / best
	}
	return s
}

// random is a list by lot of what is not gone.
func (j *Judge) random(r *rand.Rand, gone map[string]bool) []string {
	var out []string
	for range 50 * TopK {
		if len(out) == TopK {
			break
		}
		if id := j.open[r.IntN(len(j.open))]; !gone[id] && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func (j *Judge) lots(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(j.seed, purpose)) }

// topics are the topics of the first ten of a list.
func (j *Judge) topics(list []string) map[string]bool {
	out := make(map[string]bool)
	for _, id := range list[:min(len(list), TopK)] {
		out[j.truth[id].Topic] = true
	}
	return out
}

// left reports whether there is an open course of a topic that is not gone.
func (j *Judge) left(topic string, gone map[string]bool) bool {
	return slices.ContainsFunc(j.open, func(id string) bool { return !gone[id] && j.truth[id].Topic == topic })
}
