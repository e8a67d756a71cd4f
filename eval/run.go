package eval

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
)

// Answer is the ranking that one ranker gave to one query.
type Answer struct {
	Ranker  string
	QueryID string
	Courses []string // ids, best first
}

// Record returns the same ranker, which also hands every answer to keep.
func (r SearchRanker) Record(keep func(query string, courses []string)) SearchRanker {
	search := r.Search
	r.Search = func(ctx context.Context, query string, k int) ([]string, error) {
		courses, err := search(ctx, query, k)
		if err == nil {
			keep(query, courses)
		}
		return courses, err
	}
	return r
}

// WriteRun writes answers as a TREC run: "qid Q0 docid rank score ranker" a line,
// with the reciprocal rank as score, for pooling and for other tools.
func WriteRun(w io.Writer, answers []Answer) error {
	b := bufio.NewWriter(w)
	for _, a := range answers {
		sep := " "
		for _, id := range a.Courses {
			if strings.ContainsAny(id, " ") {
				sep = "\t"
			}
		}
		for i, id := range a.Courses {
			fmt.Fprint(b, a.QueryID, sep, "Q0", sep, id, sep, i+1, sep, fmt.Sprintf("%.6f", 1/float64(i+1)), sep, strings.ReplaceAll(a.Ranker, " ", "-"), "\n")
		}
	}
	return b.Flush()
}
