package eval

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// Suggestion is one line below the search bar.
type Suggestion struct {
	CourseID string // the course it leads to, "" for a completion of the query
	Text     string // the completed query, or a title
}

// Completer is one way to answer a keystroke.
type Completer struct {
	Name string
	// Complete returns up to k suggestions for what is typed so far, best first:
	// courses and completions in the order in which they are shown.
	Complete func(ctx context.Context, typed string, k int) ([]Suggestion, error)
}

// The cut-offs of the report on autocompletion.
const (
	typedShown = 10 // suggestions that are asked for
	typedTop   = 5  // that a glance takes in
)

// TypeOptions says how queries are typed.
type TypeOptions struct {
	Letters int // letters typed of a query at most; 0 is all of them
}

// AutocompleteReport is the quality of completers while queries are typed.
type AutocompleteReport struct {
	Name       string           `json:"name,omitempty"`
	Queries    int              `json:"queries"` // that have a relevant course
	Completers []CompleterScore `json:"completers"`
}

// CompleterScore is the quality of one completer; shares and MRR are in [0, 1].
type CompleterScore struct {
	Name string `json:"name"`
	// MRR is the mean reciprocal rank of the right answer among the first ten, by
	// letters typed: MRR[0] is after one letter. Each mean is over the queries
	// that have so many letters, Typed of them.
	MRR   []float64 `json:"mrr_by_letters"`
	Typed []int     `json:"queries_by_letters"`
	// Success is the share of queries whose right answer is among the first five
	// after 3, 5 and 8 letters, or after the whole query where it is shorter.
	Success3 float64 `json:"success@3"`
	Success5 float64 `json:"success@5"`
	Success8 float64 `json:"success@8"`
	// Saved is the mean share of letters that need not be typed, because the
	// right answer is among the first five before; 0 for a query whose answer
	// never is.
	Saved      float64 `json:"letters_saved"`
	P50        float64 `json:"p50_ms"` // milliseconds a keystroke
	P99        float64 `json:"p99_ms"`
	Keystrokes int     `json:"keystrokes"`
}

// Autocomplete types every query that has a relevant course letter by letter.
// An answer is right when it is a relevant course, or the query itself as a
// completion before it is typed out. Errors: CodeInvalid when no query has a
// relevant course; a completer's error ends the evaluation.
func Autocomplete(ctx context.Context, completers []Completer, queries []Query, qrels Qrels, o TypeOptions) (AutocompleteReport, error) {
	judged := slices.DeleteFunc(slices.Clone(queries), func(q Query) bool { return qrels[q.ID].count() == 0 })
	report := AutocompleteReport{Queries: len(judged)}
	if len(judged) == 0 {
		return report, lectern.Errorf(lectern.CodeInvalid, "none of the %d queries has a relevant course in the qrels", len(queries))
	}
	for _, c := range completers {
		score := typing{CompleterScore: CompleterScore{Name: c.Name}}
		for _, q := range judged {
			if err := score.query(ctx, c, q, qrels[q.ID], o); err != nil {
				return report, fmt.Errorf("completer %s, query %s: %w", c.Name, q.ID, err)
			}
		}
		report.Completers = append(report.Completers, score.result(len(judged)))
	}
	return report, nil
}

// typing sums up the queries of one completer.
type typing struct {
	CompleterScore
	times []time.Duration
}

// query types one query.
func (t *typing) query(ctx context.Context, c Completer, q Query, rel Relevant, o TypeOptions) error {
	total := utf8.RuneCountInString(q.Text)
	last := total
	if o.Letters > 0 {
		last = min(last, o.Letters)
	}
	saved, found := 0.0, false
	success := [3]bool{}
	for n, typed := range prefixes(q.Text, last) {
		start := time.Now()
		got, err := c.Complete(ctx, typed, typedShown)
		t.times = append(t.times, time.Since(start))
		if err != nil {
			return fmt.Errorf("typed %q: %w", typed, err)
		}
		rank := rightRank(got, typed, q.Text, rel)
		if len(t.MRR) < n {
			t.MRR, t.Typed = append(t.MRR, 0), append(t.Typed, 0)
		}
		t.Typed[n-1]++
		if rank > 0 {
			t.MRR[n-1] += 1 / float64(rank)
		}
		top := rank > 0 && rank <= typedTop
		if top && !found {
			found, saved = true, 1-float64(n)/float64(total)
		}
		for i, by := range []int{3, 5, 8} {
			if n == min(by, last) {
				success[i] = top
			}
		}
	}
	t.Saved += saved
	t.Success3 += share(success[0])
	t.Success5 += share(success[1])
	t.Success8 += share(success[2])
	return nil
}

func share(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// prefixes yields the first 1, 2, … n letters of s.
func prefixes(s string, n int) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		end := 0
		for letters := 1; letters <= n && end < len(s); letters++ {
			_, size := utf8.DecodeRuneInString(s[end:])
			end += size
			if !yield(letters, s[:end]) {
				return
			}
		}
	}
}

// rightRank is the rank of the first right suggestion, 0 when there is none.
func rightRank(got []Suggestion, typed, query string, rel Relevant) int {
	whole := lectern.FoldKey(query)
	complete := lectern.FoldKey(typed) == whole
	for i, s := range got[:min(len(got), typedShown)] {
		if s.CourseID != "" && rel[s.CourseID] > 0 || s.CourseID == "" && !complete && lectern.FoldKey(s.Text) == whole {
			return i + 1
		}
	}
	return 0
}

// result turns sums into means over n queries.
func (t *typing) result(n int) CompleterScore {
	s := t.CompleterScore
	for i, typed := range s.Typed {
		s.MRR[i] /= float64(typed)
	}
	s.Success3, s.Success5, s.Success8 = s.Success3/float64(n), s.Success5/float64(n), s.Success8/float64(n)
	s.Saved /= float64(n)
	slices.SortFunc(t.times, cmp.Compare)
	s.P50, s.P99, s.Keystrokes = quantile(t.times, 0.5), quantile(t.times, 0.99), len(t.times)
	return s
}

// quantile is in milliseconds; times are sorted.
func quantile(times []time.Duration, q float64) float64 {
	if len(times) == 0 {
		return 0
	}
	return float64(times[int(q*float64(len(times)-1))].Microseconds()) / 1000
}

// Within is the share of queries for which one of the first k suggestions leads
// to a relevant course. It asks once a query, with the query as it stands: for
// prefixes that are no beginning of a title, see SpecificPrefixes.
func Within(ctx context.Context, c Completer, queries []Query, qrels Qrels, k int) (float64, error) {
	found, judged := 0, 0
	for _, q := range queries {
		rel := qrels[q.ID]
		if rel.count() == 0 {
			continue
		}
		judged++
		got, err := c.Complete(ctx, q.Text, k)
		if err != nil {
			return 0, fmt.Errorf("completer %s, query %s: %w", c.Name, q.ID, err)
		}
		if slices.ContainsFunc(got[:min(k, len(got))], func(s Suggestion) bool { return rel[s.CourseID] > 0 }) {
			found++
		}
	}
	if judged == 0 {
		return 0, lectern.Errorf(lectern.CodeInvalid, "none of the %d queries has a relevant course in the qrels", len(queries))
	}
	return float64(found) / float64(judged), nil
}

// SearchCompleter makes a completer of a ranker of searches: what is typed so far
// is the query, and only courses are suggested. It is the floor that a completer
// has to beat.
func SearchCompleter(r SearchRanker) Completer {
	return Completer{Name: r.Name, Complete: func(ctx context.Context, typed string, k int) ([]Suggestion, error) {
		if strings.TrimFunc(typed, unicode.IsSpace) == "" {
			return nil, nil
		}
		ids, err := r.Search(ctx, typed, k)
		if err != nil {
			return nil, err
		}
		out := make([]Suggestion, len(ids))
		for i, id := range ids {
			out[i] = Suggestion{CourseID: id}
		}
		return out, nil
	}}
}

// mrrShown are the letters of the table's columns.
func mrrShown() []int { return []int{1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20} }

// WriteTable prints the report for people.
func (r AutocompleteReport) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "completer\tsuccess@3\tsuccess@5\tsuccess@8\tletters saved\tp50 ms\tp99 ms\tkeystrokes\t\n")
	for _, s := range r.Completers {
		fmt.Fprintf(t, "%s\t%.4f\t%.4f\t%.4f\t%.4f\t%.3f\t%.3f\t%d\t\n", s.Name, s.Success3, s.Success5, s.Success8, s.Saved, s.P50, s.P99, s.Keystrokes)
	}
	fmt.Fprintf(t, "\nMRR after letters")
	for _, n := range mrrShown() {
		fmt.Fprintf(t, "\t%d", n)
	}
	fmt.Fprintf(t, "\t\n")
	for _, s := range r.Completers {
		fmt.Fprint(t, s.Name)
		for _, n := range mrrShown() {
			if n > len(s.MRR) {
				fmt.Fprintf(t, "\t–")
				continue
			}
			fmt.Fprintf(t, "\t%.4f", s.MRR[n-1])
		}
		fmt.Fprintf(t, "\t\n")
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d queries\n", r.Queries)
	return err
}

// WriteJSON prints the report for programs.
func (r AutocompleteReport) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(r) }
