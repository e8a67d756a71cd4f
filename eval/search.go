package eval

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/lectern-dev/lectern"
)

// The cut-offs of the search report.
const (
	rankCut   = 10
	recallCut = 50
)

// SearchRanker is one way to answer a query.
type SearchRanker struct {
	Name string
	// Search returns up to k course ids, best first.
	Search func(ctx context.Context, query string, k int) ([]string, error)
}

// Report is what Search found.
type Report struct {
	Rankers []RankerScore `json:"rankers"`
	// Queries is how many queries were judged, Skipped how many had no relevant
	// course and were left out of every mean.
	Queries int `json:"-"`
	Skipped int `json:"-"`
}

// RankerScore is the mean quality of one ranker, each in [0, 1] but for MS.
type RankerScore struct {
	Name   string  `json:"name"`
	NDCG   float64 `json:"ndcg@10"`
	Recall float64 `json:"recall@50"`
	MRR    float64 `json:"mrr@10"`
	MS     float64 `json:"ms"` // mean milliseconds a query
	// PerQuery holds the values of the judged queries, in order, to compare
	// rankers query by query.
	PerQuery []QueryScore `json:"-"`
}

// QueryScore is the quality of one answer.
type QueryScore struct {
	QueryID           string
	NDCG, Recall, MRR float64
}

// Search asks every ranker every query and averages over the queries that have a
// relevant course. Errors: CodeInvalid when no query has one; a ranker's error
// ends the evaluation.
func Search(ctx context.Context, rankers []SearchRanker, queries []Query, qrels Qrels) (Report, error) {
	judged := slices.DeleteFunc(slices.Clone(queries), func(q Query) bool { return qrels[q.ID].count() == 0 })
	report := Report{Queries: len(judged), Skipped: len(queries) - len(judged)}
	if len(judged) == 0 {
		return report, lectern.Errorf(lectern.CodeInvalid, "none of the %d queries has a relevant course in the qrels", len(queries))
	}
	for _, r := range rankers {
		score := RankerScore{Name: r.Name, PerQuery: make([]QueryScore, 0, len(judged))}
		var spent time.Duration
		for _, q := range judged {
			start := time.Now()
			ranking, err := r.Search(ctx, q.Text, recallCut)
			spent += time.Since(start)
			if err != nil {
				return report, fmt.Errorf("ranker %s, query %s: %w", r.Name, q.ID, err)
			}
			rel := qrels[q.ID]
			score.PerQuery = append(score.PerQuery, QueryScore{
				QueryID: q.ID,
				NDCG:    NDCG(ranking, rel, rankCut), Recall: Recall(ranking, rel, recallCut), MRR: MRR(ranking, rel, rankCut),
			})
		}
		score.average()
		score.MS = float64(spent.Microseconds()) / 1000 / float64(len(judged))
		report.Rankers = append(report.Rankers, score)
	}
	return report, nil
}

// average fills the means from PerQuery.
func (s *RankerScore) average() {
	for _, q := range s.PerQuery {
		s.NDCG += q.NDCG
		s.Recall += q.Recall
		s.MRR += q.MRR
	}
	n := float64(len(s.PerQuery))
	s.NDCG, s.Recall, s.MRR = s.NDCG/n, s.Recall/n, s.MRR/n
}

// WriteTable prints the report for people.
func (r Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "ranker\tnDCG@10\tRecall@50\tMRR@10\tms/query\t\n")
	for _, s := range r.Rankers {
		fmt.Fprintf(t, "%s\t%.4f\t%.4f\t%.4f\t%.3f\t\n", s.Name, s.NDCG, s.Recall, s.MRR, s.MS)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d queries, %d without a relevant course skipped\n", r.Queries, r.Skipped)
	return err
}

// WriteJSON prints the report for programs.
func (r Report) WriteJSON(w io.Writer) error {
	if r.Rankers == nil {
		r.Rankers = []RankerScore{}
	}
	return json.NewEncoder(w).Encode(r)
}

// Interval is a mean with its confidence interval.
type Interval struct{ Mean, Low, High float64 }

// PairedBootstrap estimates the mean of a − b over queries with a 95 %
// percentile interval from resampling the queries (Efron, 1979). It panics when
// the lengths differ; they do not for two rankers of one report.
func PairedBootstrap(a, b []float64, resamples int, rng *rand.Rand) Interval {
	if len(a) != len(b) {
		panic("eval: PairedBootstrap of unequal lengths")
	}
	if len(a) == 0 {
		return Interval{}
	}
	diff := make([]float64, len(a))
	var out Interval
	for i := range a {
		diff[i] = a[i] - b[i]
		out.Mean += diff[i] / float64(len(a))
	}
	means := make([]float64, max(resamples, 1))
	for i := range means {
		sum := 0.0
		for range diff {
			sum += diff[rng.IntN(len(diff))]
		}
		means[i] = sum / float64(len(diff))
	}
	slices.SortFunc(means, cmp.Compare)
	last := float64(len(means) - 1)
	out.Low, out.High = means[int(math.Round(0.025*last))], means[int(math.Round(0.975*last))]
	return out
}
