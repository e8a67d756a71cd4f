package eval

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// Query is one query of a set.
type Query struct {
	ID   string
	Text string
}

// QuerySet is a file of queries.
type QuerySet struct {
	Queries []Query
	// LeaveOut names the course fields that must be left out of the indexed text,
	// because the judgements were made from them.
	LeaveOut []lectern.CourseField
}

// Qrels are the relevance judgements by query id.
type Qrels map[string]Relevant

// maxLine bounds a line of either file, in bytes.
const maxLine = 1 << 20

// leaveOutMark starts the comment that names the fields to leave out.
const leaveOutMark = "leave-out:"

// ReadQueries reads a query file: a line "qid<TAB>text" each; white space of any
// kind may stand for the tab. Empty lines are skipped, and so are lines before
// the first query that start with #, except "# leave-out: skills, categories",
// which names the course fields to leave out of the indexed text.
// Errors: CodeInvalid, naming the line.
func ReadQueries(r io.Reader) (QuerySet, error) {
	var set QuerySet
	seen := make(map[string]int)
	err := eachLine(r, "queries", func(n int, line string) error {
		if strings.HasPrefix(line, "#") && len(set.Queries) == 0 {
			return set.comment(line)
		}
		id, text, ok := strings.Cut(line, "\t")
		if !ok {
			if i := strings.IndexAny(line, " \v\f\u00a0"); i >= 0 {
				id, text = line[:i], strings.TrimLeft(line[i:], " \v\f\u00a0")
			}
		}
		id, text = strings.TrimSpace(id), strings.TrimSpace(text)
		switch {
		case id == "" || text == "":
			return fmt.Errorf("%q is not an id, a tab and a query", shorten(line))
		case seen[id] > 0:
			return fmt.Errorf("query %q was already on line %d", shorten(id), seen[id])
		}
		seen[id] = n
		set.Queries = append(set.Queries, Query{id, text})
		return nil
	})
	if err == nil && len(set.Queries) == 0 {
		err = lectern.Errorf(lectern.CodeInvalid, "queries: the file holds no query")
	}
	return set, err
}

// comment takes the fields to leave out from a comment line.
func (s *QuerySet) comment(line string) error {
	_, list, ok := strings.Cut(line, leaveOutMark)
	if !ok {
		return nil
	}
	for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		f := lectern.CourseField(name)
		if !slices.Contains(lectern.CourseFields(), f) {
			return fmt.Errorf("leave-out names %q, which is no field of a course", shorten(name))
		}
		s.LeaveOut = append(s.LeaveOut, f)
	}
	return nil
}

// ReadQrels reads relevance judgements: a line "qid 0 docid rel" each, parted by
// spaces or tabs (by single tabs alone where there are exactly three, so that
// ids may hold spaces). Empty lines are skipped. Errors: CodeInvalid, naming the
// line.
func ReadQrels(r io.Reader) (Qrels, error) {
	qrels := make(Qrels)
	err := eachLine(r, "qrels", func(_ int, line string) error {
		fields := strings.Fields(line)
		if byTab := strings.Split(line, "\t"); len(byTab) == 4 {
			fields = byTab
			for i := range fields {
				fields[i] = strings.TrimSpace(fields[i])
			}
		}
		if len(fields) != 4 || fields[0] == "" || fields[2] == "" {
			return fmt.Errorf("%q is not four columns: query id, 0, course id, relevance", shorten(line))
		}
		grade, err := strconv.Atoi(fields[3])
		if err != nil {
			return fmt.Errorf("relevance %q is not a whole number", shorten(fields[3]))
		}
		rel := qrels[fields[0]]
		if rel == nil {
			rel = make(Relevant)
			qrels[fields[0]] = rel
		}
		if old, ok := rel[fields[2]]; ok && old != grade {
			return fmt.Errorf("course %q is judged twice for query %q, %d and %d", shorten(fields[2]), shorten(fields[0]), old, grade)
		}
		rel[fields[2]] = grade
		return nil
	})
	if err == nil && len(qrels) == 0 {
		err = lectern.Errorf(lectern.CodeInvalid, "qrels: the file holds no judgement")
	}
	return qrels, err
}

// eachLine calls do with every non-empty line, trimmed of its line end, and puts
// the line's number before any error.
func eachLine(r io.Reader, what string, do func(n int, line string) error) error {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 0, 64<<10), maxLine)
	n := 0
	for scan.Scan() {
		n++
		line := strings.TrimRight(scan.Text(), "\r")
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if !utf8.ValidString(line) {
			return lectern.Errorf(lectern.CodeInvalid, "%s, line %d: not valid UTF-8", what, n)
		}
		if err := do(n, line); err != nil {
			return lectern.Errorf(lectern.CodeInvalid, "%s, line %d: %w", what, n, err)
		}
	}
	if errors.Is(scan.Err(), bufio.ErrTooLong) {
		return lectern.Errorf(lectern.CodeInvalid, "%s, line %d: longer than %d bytes", what, n+1, maxLine)
	}
	if scan.Err() != nil {
		return fmt.Errorf("read %s after line %d: %w", what, n, scan.Err())
	}
	return nil
}

// WriteQueries writes a query file that ReadQueries reads.
func WriteQueries(w io.Writer, set QuerySet) error {
	b := bufio.NewWriter(w)
	if len(set.LeaveOut) > 0 {
		names := make([]string, len(set.LeaveOut))
		for i, f := range set.LeaveOut {
			names[i] = string(f)
		}
		fmt.Fprintf(b, "# %s %s\n", leaveOutMark, strings.Join(names, ", "))
	}
	for _, q := range set.Queries {
		fmt.Fprintf(b, "%s\t%s\n", q.ID, strings.Join(strings.Fields(q.Text), " "))
	}
	return b.Flush()
}

// WriteQrels writes judgements that ReadQrels reads, sorted.
func WriteQrels(w io.Writer, qrels Qrels) error {
	b := bufio.NewWriter(w)
	for _, q := range slices.Sorted(maps.Keys(qrels)) {
		for _, id := range slices.Sorted(maps.Keys(qrels[q])) {
			sep := " "
			if strings.ContainsAny(id, " ") {
				sep = "\t"
			}
			fmt.Fprint(b, q, sep, "0", sep, id, sep, qrels[q][id], "\n")
		}
	}
	return b.Flush()
}

// shorten cuts what is quoted in an error.
func shorten(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
