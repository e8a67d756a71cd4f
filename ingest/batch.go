package ingest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// Limits bound one NDJSON request. Zero values are the defaults.
type Limits struct {
	MaxRows      int // 10,000
	MaxLineBytes int // 1 MiB
	BatchRows    int // rows handed to the store at once; 1,000
}

// The default limits of an NDJSON request.
const (
	DefaultMaxRows      = 10_000
	DefaultMaxLineBytes = 1 << 20
	DefaultBatchRows    = 1_000
)

func (l Limits) orDefault() Limits {
	if l.MaxRows <= 0 {
		l.MaxRows = DefaultMaxRows
	}
	if l.MaxLineBytes <= 0 {
		l.MaxLineBytes = DefaultMaxLineBytes
	}
	if l.BatchRows <= 0 {
		l.BatchRows = DefaultBatchRows
	}
	return l
}

// LineResult is what became of one line.
type LineResult struct {
	Line    int // 1-based, blank lines counted
	ID      string
	Outcome lectern.WriteOutcome
	Err     *lectern.Error // set with OutcomeRejected, nil otherwise
}

// NDJSON writes one canonical JSON object a line and returns a result for each
// line that is not blank, in order. A bad line does not keep others out. Lines
// with the same id are applied in order, each with its own result; ratings that
// do not state their occurrence are numbered within the request.
//
// The whole body is read before anything is written, so that a body that breaks
// off, or that is over the limits (CodeTooLarge), writes nothing. When the store
// fails half way the error is returned with the results so far; sending the
// request again is safe.
func (s Service) NDJSON(ctx context.Context, kind Kind, r io.Reader, limits Limits) ([]LineResult, error) {
	limits = limits.orDefault()
	lines, err := readLines(r, limits)
	if err != nil {
		return nil, err
	}
	d := Decoder{Clock: s.Clock}
	switch kind {
	case Courses:
		return writeLines(ctx, lines, limits, d.Course, func(p lectern.CoursePatch) string { return p.Course.ID }, s.PutCourses)
	case Reviews:
		return writeLines(ctx, lines, limits, d.Review, func(r lectern.Review) string { return r.ID }, s.PutReviews)
	case Ratings:
		numbers := NewOccurrences()
		put := func(ctx context.Context, ratings []lectern.Rating) ([]lectern.WriteResult, error) {
			numbers.Number(ratings)
			return s.PutRatings(ctx, ratings)
		}
		return writeLines(ctx, lines, limits, d.Rating, func(lectern.Rating) string { return "" }, put)
	case Learners:
		return writeLines(ctx, lines, limits, d.Learner, func(p LearnerPatch) string { return p.Learner.ID }, s.PutLearners)
	case Events:
		return writeLines(ctx, lines, limits, d.Event, func(e lectern.Event) string { return e.ID }, s.AppendEvents)
	}
	_, err = ParseKind(string(kind))
	return nil, err
}

// line is one line of a request that is not blank.
type line struct {
	number  int
	data    []byte
	tooLong bool
}

// readLines reads the whole body.
func readLines(r io.Reader, limits Limits) ([]line, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	var lines []line
	for number := 1; ; number++ {
		l, err := readLine(br, limits.MaxLineBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, bodyError(err)
		}
		if number == 1 {
			l.data = bytes.TrimPrefix(l.data, []byte("\xEF\xBB\xBF"))
		}
		if l.data = bytes.TrimSpace(l.data); len(l.data) > 0 || l.tooLong {
			if len(lines) == limits.MaxRows {
				return nil, lectern.Errorf(lectern.CodeTooLarge, "the request has more than %d rows", limits.MaxRows)
			}
			l.number = number
			lines = append(lines, l)
		}
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
	}
}

// readLine reads up to the next newline and keeps at most limit bytes.
func readLine(br *bufio.Reader, limit int) (line, error) {
	var l line
	for {
		part, err := br.ReadSlice('\n')
		if !l.tooLong && len(l.data)+len(part) > limit+1 {
			l.tooLong = true
		}
		if !l.tooLong {
			l.data = append(l.data, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return l, err
		}
	}
}

// bodyError keeps an error that already has a code, such as a body limit's.
func bodyError(err error) error {
	if lectern.ErrorCode(err) != lectern.CodeInternal {
		return err
	}
	return fmt.Errorf("read the body: %w", err)
}

// writeLines decodes lines and writes the good ones in batches.
func writeLines[T any](ctx context.Context, lines []line, limits Limits, decode func([]byte) (T, error), id func(T) string,
	put func(context.Context, []T) ([]lectern.WriteResult, error),
) ([]LineResult, error) {
	results := make([]LineResult, 0, len(lines))
	for len(lines) > 0 {
		n := min(len(lines), limits.BatchRows)
		batch, places := make([]T, 0, n), make([]int, 0, n)
		for _, l := range lines[:n] {
			res := LineResult{Line: l.number}
			row, err := decodeLine(l, limits, decode)
			if err != nil {
				res.Outcome, res.Err, res.ID = lectern.OutcomeRejected, asError(err), readableID(l.data)
			} else {
				res.ID = id(row)
				batch, places = append(batch, row), append(places, len(results))
			}
			results = append(results, res)
		}
		written, err := put(ctx, batch)
		if err != nil {
			return results[:len(results)-n], err
		}
		for i, w := range written {
			res := &results[places[i]]
			if res.Outcome = w.Outcome; w.Err != nil {
				res.Err = asError(w.Err)
			}
		}
		lines = lines[n:]
	}
	return results, nil
}

func decodeLine[T any](l line, limits Limits, decode func([]byte) (T, error)) (T, error) {
	if l.tooLong {
		var zero T
		return zero, lectern.Errorf(lectern.CodeTooLarge, "the line is longer than %d bytes", limits.MaxLineBytes)
	}
	return decode(l.data)
}

// readableID returns the id of a row that may otherwise be bad, or "".
func readableID(data []byte) string {
	var row struct {
		ID any `json:"id"`
	}
	if json.Unmarshal(data, &row) != nil {
		return ""
	}
	id, _ := row.ID.(string)
	if checkID(id) != "" || strings.ContainsRune(id, utf8.RuneError) { // bytes that were not UTF-8
		return ""
	}
	return id
}
