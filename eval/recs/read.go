package recs

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// columns of interaction files, with the names that they go by.
var (
	learnerColumn = []string{"user", "learner", "user_id", "learner_id", "userid"}
	itemColumn    = []string{"item", "course", "item_id", "course_id", "itemid"}
	timeColumn    = []string{"timestamp", "time", "at", "occurred_at", "date"}
	weightColumn  = []string{"weight"}
	negColumn     = []string{"negatives", "negative"}
)

// Read reads interactions: comma-separated values with a header that has at least
// the columns user and item (see the documentation for the names they may have), or
// events as JSON lines; either may be compressed with gzip. Rows that cannot be
// read are counted in the log's Problems and left out. Errors: CodeInvalid when the
// file is not of that kind, or has no row that can be read.
func Read(r io.Reader, strengths Strengths) (*Log, error) {
	in, end, err := decompressed(r)
	if err != nil {
		return nil, err
	}
	defer end()
	l := NewLog()
	if isJSON(in) {
		err = l.readEvents(in, strengths)
	} else {
		err = l.readTable(in)
	}
	if err != nil {
		return nil, err
	}
	if len(l.Rows) == 0 {
		if l.Problems.Count > 0 {
			p := l.Problems.First[0]
			return nil, invalid("no row can be read: %d rows are wrong, the first on line %d: %s", l.Problems.Count, p.Line, p.Reason)
		}
		return nil, invalid("the file has a header and no rows")
	}
	l.countRepeats()
	return l, nil
}

// decompressed looks at the first bytes, not at the name, for whether to inflate.
func decompressed(r io.Reader) (*bufio.Reader, func(), error) {
	in := bufio.NewReaderSize(r, 1<<16)
	if magic, err := in.Peek(2); err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return in, func() {}, nil //nolint:nilerr // what cannot be read fails where it is read
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, nil, invalid("the gzip header cannot be read: %w", err)
	}
	return bufio.NewReaderSize(z, 1<<16), func() { _ = z.Close() }, nil
}

// isJSON looks at the first byte that is no space.
func isJSON(in *bufio.Reader) bool {
	head, _ := in.Peek(512)
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	return len(head) > 0 && head[0] == '{'
}

// table reads comma-separated values by the names of their columns.
type table struct {
	r       *csv.Reader
	columns []string
	line    int
}

// openTable reads the header. Errors: CodeInvalid when there is none.
func openTable(in *bufio.Reader) (*table, error) {
	t := &table{r: csv.NewReader(in)}
	if head, _ := in.Peek(4096); len(head) > 0 {
		first, _, _ := bytes.Cut(head, []byte("\n"))
		for _, comma := range []rune{'\t', ';'} {
			if !bytes.ContainsRune(first, ',') && bytes.ContainsRune(first, comma) {
				t.r.Comma = comma
			}
		}
	}
	t.r.FieldsPerRecord = -1
	t.r.ReuseRecord = true
	header, err := t.r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, invalid("the file is empty")
	case err != nil:
		return nil, invalid("the first line is no header of comma-separated values: %w", err)
	}
	for _, h := range header {
		h = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))
		if !utf8.ValidString(h) {
			return nil, invalid("the first line is not text")
		}
		t.columns = append(t.columns, h)
	}
	return t, nil
}

// column returns the first column with one of the names, -1 when there is none.
func (t *table) column(names []string) int {
	for _, n := range names {
		if i := slices.Index(t.columns, n); i >= 0 {
			return i
		}
	}
	return -1
}

// need returns a column that must be there.
func (t *table) need(names []string) (int, error) {
	if i := t.column(names); i >= 0 {
		return i, nil
	}
	return -1, invalid("the first line must name the columns, %q among them; it is %s", names[0], quoteShort(strings.Join(t.columns, ",")))
}

// rows calls do with every row that has as many columns as the header, and keeps
// what is wrong with the others. An error of do is a problem of its row.
func (t *table) rows(problems *Problems, do func(row []string) error) error {
	for {
		row, err := t.r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			problems.add(parse.StartLine, "%v", parse.Err)
			continue
		}
		if err != nil {
			return unreadable(err, t.line)
		}
		t.line, _ = t.r.FieldPos(0)
		if len(row) != len(t.columns) {
			problems.add(t.line, "%d columns where the header has %d", len(row), len(t.columns))
			continue
		}
		if err := do(row); err != nil {
			problems.add(t.line, "%v", err)
		}
	}
}

// unreadable tells a broken archive from a broken disk.
func unreadable(err error, line int) error {
	if errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) {
		return invalid("the compressed file is broken after line %d: %w", line, err)
	}
	return fmt.Errorf("read after line %d: %w", line, err)
}

// readTable reads rows of comma-separated values.
func (l *Log) readTable(in *bufio.Reader) error {
	t, err := openTable(in)
	if err != nil {
		return err
	}
	learner, err := t.need(learnerColumn)
	if err != nil {
		return err
	}
	item, err := t.need(itemColumn)
	if err != nil {
		return err
	}
	at, weight := t.column(timeColumn), t.column(weightColumn)
	l.Timed = at >= 0
	return t.rows(&l.Problems, func(row []string) error {
		out := Row{Weight: 1, Taken: true, Wanted: true}
		who, err := readID("user", row[learner])
		if err != nil {
			return err
		}
		what, err := readID("item", row[item])
		if err != nil {
			return err
		}
		if at >= 0 {
			if out.At, err = readTime(row[at]); err != nil {
				return err
			}
		}
		if weight >= 0 {
			w, err := strconv.ParseFloat(strings.TrimSpace(row[weight]), 32)
			if err != nil || !(w > 0) || math.IsInf(w, 0) {
				return fmt.Errorf("weight %s is not a number above 0", quoteShort(row[weight]))
			}
			out.Weight = float32(w)
		}
		out.Learner, out.Item = l.Learner(who), l.Item(what)
		l.Rows = append(l.Rows, out)
		return nil
	})
}

// readID checks an id.
func readID(what, s string) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return "", fmt.Errorf("%s is empty", what)
	case len(s) > lectern.MaxIDBytes:
		return "", fmt.Errorf("%s %s is longer than %d bytes", what, quoteShort(s), lectern.MaxIDBytes)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }):
		return "", fmt.Errorf("%s %s is not text", what, quoteShort(s))
	}
	return s, nil
}

// readTime reads seconds, milliseconds or microseconds since 1970, or a date.
func readTime(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(n) && math.Abs(n) < 1e17 {
		for math.Abs(n) > 1e11 {
			n /= 1000
		}
		return int64(math.Floor(n)), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Unix(), nil
		}
	}
	return 0, fmt.Errorf("time %s is neither a number of seconds nor a date", quoteShort(s))
}

func quoteShort(s string) string {
	const limit = 60
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return strconv.Quote(s)
}
