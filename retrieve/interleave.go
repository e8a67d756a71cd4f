package retrieve

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Drafter makes one list of two, of up to n distinct ids, and says beside them whose
// each is: 0 for neither, 1 or 2.
type Drafter func(a, b []string, n int, rng *rand.Rand) (ids []string, teams []int)

// interleaved is one list of two, with the team of each candidate that has one.
type interleaved struct {
	scored  []rerank.Scored
	weights []lectern.TermWeight
	teams   map[int]int // by index of the candidate
}

// interleave ranks candidates by the two rerankers of a trial and drafts one list of
// both. What the first pins keeps its place and counts for neither; terms are those of
// the first as far as its list has the course.
func (e *Engine) interleave(p *pass, row lectern.Row, req rerank.Request, candidates []rerank.Candidate, common int,
	arrange func(by rerank.Reranker, items []rerank.Scored) []rerank.Scored,
) interleaved {
	rankers := p.rankersOf(row)
	lists := rerank.Compare(req, candidates, common, rankers).Lists
	var ids [2][]string
	items := make(map[string]rerank.Scored)
	var pinned []rerank.Scored
	var at []int
	for i := range lists[:2] {
		lists[i].Items = arrange(rankers[i], lists[i].Items)
		for place, s := range lists[i].Items {
			id := candidates[s.Index].Course.ID
			if i == 0 && s.Pinned != "" {
				pinned, at = append(pinned, s), append(at, place)
				items[id] = s
				continue
			}
			if had, ok := items[id]; ok && had.Pinned != "" {
				continue
			}
			ids[i] = append(ids[i], id)
			if _, ok := items[id]; !ok {
				s.Pinned = ""
				s.Values = valuesAs(lists[0].Terms, lists[i].Terms, s.Values)
				items[id] = s
			}
		}
	}
	n := max(len(ids[0]), len(ids[1]))
	drafted, teams := e.Draft(ids[0], ids[1], n, draftSeed(p, row))
	out := interleaved{weights: lists[0].Terms, teams: make(map[int]int, n), scored: make([]rerank.Scored, 0, n+len(pinned))}
	for i, id := range drafted {
		s := items[id]
		out.scored = append(out.scored, s)
		if teams[i] != 0 {
			out.teams[s.Index] = teams[i]
		}
	}
	for i, s := range pinned {
		out.scored = slices.Insert(out.scored, min(at[i], len(out.scored)), s)
	}
	if req.Depth > 0 {
		out.scored = out.scored[:min(len(out.scored), req.Depth)]
	}
	return out
}

// valuesAs lays the values of some terms out as those of others; what is not there is
// neutral.
func valuesAs(wanted, given []lectern.TermWeight, values []float64) []float64 {
	if slices.EqualFunc(wanted, given, func(a, b lectern.TermWeight) bool { return a.Name == b.Name }) {
		return values
	}
	out := make([]float64, len(wanted))
	for i, w := range wanted {
		out[i] = rerank.Neutral
		for j, g := range given {
			if g.Name == w.Name && j < len(values) {
				out[i] = values[j]
			}
		}
	}
	return out
}

// draftSeed makes the coins of a list: the same for a person through a day.
func draftSeed(p *pass, row lectern.Row) *rand.Rand {
	h := fnv.New128a()
	day := p.at.UTC().Unix() / int64(24*time.Hour/time.Second)
	for _, part := range []string{
		p.req.Learner.ID, p.req.Learner.AnonymousID, strconv.FormatInt(day, 10), string(p.req.Surface), string(row),
		p.req.Query, p.req.CourseID, armsText(p.trialFor(row).Arms),
	} {
		_, _ = h.Write([]byte(part)) // a hash never fails
		_, _ = h.Write([]byte{0})
	}
	var sum [16]byte
	return rand.New(rand.NewPCG(seedsOf(h.Sum(sum[:0])))) //nolint:gosec // a draft is no secret
}

func seedsOf(sum []byte) (a, b uint64) {
	for i := range 8 {
		a, b = a<<8|uint64(sum[i]), b<<8|uint64(sum[8+i])
	}
	return a, b
}
