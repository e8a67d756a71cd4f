package source

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// otherDelimiters are those that are used where the comma is not.
const otherDelimiters = ";\t|"

// tellDelimiter looks at the headings for what stands between them: the one
// delimiter that there is, outside quotes. Where there are several or none it is
// the comma, and told is false.
func tellDelimiter(br *bufio.Reader) (delimiter byte, told bool) {
	head, _ := br.Peek(br.Size()) // a short file is no error here
	head = bytes.TrimLeft(head, "\r\n")
	quoted := false
	for _, c := range head {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n':
			return cmp.Or(delimiter, ','), delimiter != 0
		case c == ',', strings.IndexByte(otherDelimiters, c) >= 0 && delimiter != 0 && c != delimiter:
			return ',', false
		case strings.IndexByte(otherDelimiters, c) >= 0:
			delimiter = c
		}
	}
	return cmp.Or(delimiter, ','), delimiter != 0
}

// readHeader reads the headings, trimmed.
func (f *File) readHeader() error {
	row, err := f.nextCSV()
	if isEOF(err) {
		return lectern.Errorf(lectern.CodeInvalid, "%s is empty: it has no headings", f.Path)
	}
	if err != nil {
		return lectern.Errorf(lectern.CodeInvalid, "%s: cannot read the headings: %v", f.Path, f.explain(err))
	}
	if strings.ContainsRune(row.Raw, 0) {
		return lectern.Errorf(lectern.CodeInvalid, "%s is no text: its first line holds NUL characters", f.Path)
	}
	f.header = make([]string, len(row.Values))
	for i, h := range row.Values {
		f.header[i] = strings.TrimSpace(h)
	}
	return nil
}

// nextCSV reads one row as RFC 4180 has it: fields may be quoted, a quoted field
// may hold delimiters, line ends and doubled quotes. Blank lines are no rows.
func (f *File) nextCSV() (Row, error) {
	for {
		line, long, err := f.lines.next()
		if err != nil {
			return Row{}, err
		}
		row := Row{Line: f.lines.number}
		if long {
			row.Raw = string(line)
			return row, &RowError{Reason: fmt.Sprintf("the row is longer than %d bytes", MaxRowBytes)}
		}
		if len(chomp(line)) == 0 {
			continue
		}
		if bytes.IndexByte(line, '"') < 0 {
			row.Raw = string(chomp(line))
			row.Values = f.split(row.Raw)
		} else if row.Raw, row.Values, err = f.quoted(line); err != nil {
			return row, err
		}
		return row, f.check(row)
	}
}

// split cuts a row without quotes. The values share the row's memory.
func (f *File) split(raw string) []string {
	values := make([]string, 0, max(len(f.header), 1))
	for {
		i := strings.IndexByte(raw, f.delim)
		if i < 0 {
			return append(values, raw)
		}
		values = append(values, raw[:i])
		raw = raw[i+1:]
	}
}

// check holds a row against the headings.
func (f *File) check(row Row) error {
	if f.header != nil && len(row.Values) != len(f.header) {
		return &RowError{Reason: fmt.Sprintf("the row has %d columns, the headings have %d", len(row.Values), len(f.header))}
	}
	if utf8.ValidString(row.Raw) {
		return nil
	}
	for i, v := range row.Values {
		if !utf8.ValidString(v) {
			return &RowError{Field: f.heading(i), Value: strings.ToValidUTF8(v, "\uFFFD"), Reason: "is not valid UTF-8"}
		}
	}
	return &RowError{Reason: "is not valid UTF-8"}
}

func (f *File) heading(i int) string {
	if i < len(f.header) && f.header[i] != "" {
		return f.header[i]
	}
	return fmt.Sprintf("column %d", i+1)
}

// quoted parses a row that has quotes, taking in more lines while one is open.
// When the row turns out malformed, only its first line is used up.
func (f *File) quoted(first []byte) (raw string, values []string, err error) {
	p := quotedRow{lines: f.lines, delim: f.delim, buf: first}
	for more := true; more; {
		var value, reason string
		if p.pos < len(p.buf) && p.buf[p.pos] == '"' {
			value, reason = p.quotedField()
		} else {
			value, reason = p.bareField()
		}
		if p.broken != nil { // the row is unfinished, and so is what it ran over
			return "", nil, p.broken
		}
		if reason != "" {
			f.lines.unread(p.taken)
			return string(chomp(first)), nil, &RowError{Field: f.heading(len(values)), Reason: reason}
		}
		values = append(values, value)
		if more = p.pos < len(p.buf) && p.buf[p.pos] == f.delim; more {
			p.pos++
		}
	}
	return string(chomp(p.buf)), values, nil
}

// quotedRow is a row on its way through the parser.
type quotedRow struct {
	lines  *lineReader
	delim  byte
	buf    []byte // the row so far
	pos    int    // in buf
	taken  []taken
	field  []byte // scratch
	broken error  // the file broke off inside the row
}

func (p *quotedRow) bareField() (value, reason string) {
	text := p.buf[p.pos : p.pos+fieldEnd(p.buf[p.pos:], p.delim)]
	if bytes.IndexByte(text, '"') >= 0 {
		return "", "has a quote inside a field that does not begin with one"
	}
	p.pos += len(text)
	return string(text), ""
}

func (p *quotedRow) quotedField() (value, reason string) {
	p.pos++ // the opening quote
	p.field = p.field[:0]
	for {
		i := bytes.IndexByte(p.buf[p.pos:], '"')
		if i < 0 {
			p.field = append(p.field, p.buf[p.pos:]...)
			p.pos = len(p.buf)
			if reason := p.takeLine(); reason != "" {
				return "", reason
			}
			continue
		}
		p.field = append(p.field, p.buf[p.pos:p.pos+i]...)
		p.pos += i + 1
		if p.pos < len(p.buf) && p.buf[p.pos] == '"' { // a doubled quote is one quote
			p.field = append(p.field, '"')
			p.pos++
			continue
		}
		if rest := p.buf[p.pos:]; len(chomp(rest)) > 0 && rest[0] != p.delim {
			return "", "goes on after its closing quote, or holds a quote that is not doubled"
		}
		return strings.ReplaceAll(string(p.field), "\r\n", "\n"), ""
	}
}

// takeLine adds the next line to the row.
func (p *quotedRow) takeLine() (reason string) {
	line, long, err := p.lines.next()
	if err != nil {
		if !isEOF(err) {
			p.broken = err
		}
		return "opens a quote that is never closed"
	}
	p.taken = append(p.taken, taken{line, long})
	if long || len(p.buf)+len(line) > MaxRowBytes {
		return "opens a quote that is not closed within the longest row allowed"
	}
	p.buf = append(p.buf, line...)
	return ""
}

// fieldEnd returns where a bare field ends: before a delimiter or the line end.
func fieldEnd(b []byte, delim byte) int {
	if i := bytes.IndexByte(b, delim); i >= 0 {
		return i
	}
	return len(chomp(b))
}
