package opinions

import (
	"cmp"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment"
)

// minMentions are those that a course needs for an aspect to be compared with truth.
const minMentions = 5

// AspectTruth is how the scores of one aspect go with what is behind the reviews.
type AspectTruth struct {
	Aspect   lectern.Aspect `json:"aspect"`
	Courses  int            `json:"courses"`
	Spearman float64        `json:"spearman"`
}

// AgainstTruth sums up the reviews of each course and correlates the score of each
// aspect, over courses with mentions enough, with the hidden one: truth by course.
// The last return is the correlation of the overall score with the mean of stars.
func AgainstTruth(reviews []lectern.Review, c sentiment.Classifier, o sentiment.SummaryOptions, truth map[string]map[string]float64) ([]AspectTruth, float64) {
	byCourse := map[string][]lectern.Review{}
	var ids []string
	for _, r := range reviews {
		if byCourse[r.CourseID] == nil {
			ids = append(ids, r.CourseID)
		}
		byCourse[r.CourseID] = append(byCourse[r.CourseID], r)
	}
	slices.Sort(ids)
	said, hidden := map[lectern.Aspect][]float64{}, map[lectern.Aspect][]float64{}
	var scores, stars []float64
	for _, id := range ids {
		s := sentiment.Summarise(byCourse[id], c, o)
		for _, a := range s.Aspects {
			if v, ok := truth[id][string(a.Aspect)]; ok && a.Mentions >= minMentions {
				said[a.Aspect], hidden[a.Aspect] = append(said[a.Aspect], a.Score), append(hidden[a.Aspect], v)
			}
		}
		if mean, n := meanStars(byCourse[id]); s.Score != nil && n >= minMentions {
			scores, stars = append(scores, *s.Score), append(stars, mean)
		}
	}
	var out []AspectTruth
	for _, a := range lectern.Aspects() {
		out = append(out, AspectTruth{Aspect: a, Courses: len(said[a]), Spearman: Spearman(said[a], hidden[a])})
	}
	return out, Spearman(scores, stars)
}

func meanStars(reviews []lectern.Review) (mean float64, n int) {
	for _, r := range reviews {
		if r.Stars != nil {
			mean += *r.Stars
			n++
		}
	}
	return mean / float64(max(n, 1)), n
}

// Spearman is the rank correlation of two series; 0 where either does not vary.
func Spearman(a, b []float64) float64 {
	if len(a) < 2 {
		return 0
	}
	ra, rb := ranks(a), ranks(b)
	var sa, sb, saa, sbb, sab float64
	n := float64(len(a))
	for i := range ra {
		sa, sb = sa+ra[i], sb+rb[i]
		saa, sbb, sab = saa+ra[i]*ra[i], sbb+rb[i]*rb[i], sab+ra[i]*rb[i]
	}
	va, vb := saa-sa*sa/n, sbb-sb*sb/n
	if va <= 0 || vb <= 0 {
		return 0
	}
	return (sab - sa*sb/n) / math.Sqrt(va*vb)
}

// ranks of values; ties share the mean of theirs.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	out := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			out[order[k]] = float64(i+j-1) / 2
		}
		i = j
	}
	return out
}
