package synonyms

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// File is what a file of rules says.
type File struct {
	Rules []lectern.SynonymRule
	Base  *int64 // the version that the rules were made from; nil when it does not say
	lines []int  // of the rules, from 1; nil in JSON
}

// Parse reads rules as JSON, as the HTTP interface has them, or as lines in the
// format that Solr and Elasticsearch read: `a, b, c` are equals, and in
// `a, b => c, d` each of a and b means c and d too. A backslash takes a comma, an
// arrow or itself for what it is; # begins a comment. Errors: CodeInvalid, naming
// the lines.
func Parse(data []byte) (File, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		return parseJSON(trimmed)
	}
	return parseLines(string(data))
}

func parseJSON(data []byte) (File, error) {
	var doc struct {
		Version *int64                `json:"version"`
		Rules   []lectern.SynonymRule `json:"rules"`
		// What an answer of the HTTP interface has besides.
		Warnings json.RawMessage `json:"warnings"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return File{}, lectern.Errorf(lectern.CodeInvalid, `the file is not a JSON document {"rules": […]}: %w`, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return File{}, lectern.Invalid("the file goes on after its JSON document")
	}
	return File{Rules: doc.Rules, Base: doc.Version}, nil
}

func parseLines(s string) (File, error) {
	var f File
	var bad []lectern.FieldError
	n := 0
	for line := range strings.Lines(s) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		sides := splitEscaped(line, "=>")
		left := splitList(sides[0])
		switch len(sides) {
		case 1:
			f.add(n, lectern.SynonymRule{Synonyms: left})
		case 2:
			for _, from := range left {
				f.add(n, lectern.SynonymRule{From: from, To: splitList(sides[1])})
			}
		default:
			bad = append(bad, lectern.NewFieldError(fmt.Sprint("line ", n), line, "has more than one arrow", "a, b => c, d"))
		}
	}
	if len(bad) > 0 {
		return File{}, lectern.Invalid("the file cannot be read", bad...)
	}
	return f, nil
}

func (f *File) add(line int, r lectern.SynonymRule) {
	f.Rules = append(f.Rules, r)
	f.lines = append(f.lines, line)
}

// splitList splits at commas.
func splitList(s string) []string {
	parts := splitEscaped(s, ",")
	for i, p := range parts {
		parts[i] = unescape(strings.TrimSpace(p))
	}
	return parts
}

// splitEscaped splits at separators that no backslash stands before.
func splitEscaped(s, sep string) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); {
		switch {
		case s[i] == '\\':
			i += 2
		case strings.HasPrefix(s[i:], sep):
			out = append(out, s[start:i])
			i += len(sep)
			start = i
		default:
			i++
		}
	}
	return append(out, s[start:])
}

func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Located names the lines of the file in place of the rules in an error about
// them.
func (f File) Located(err error) error {
	e, ok := errors.AsType[*lectern.Error](err)
	if !ok || f.lines == nil {
		return err
	}
	located := *e
	located.Fields = f.Fields(e.Fields)
	return &located
}

// Fields is Located for faults and warnings.
func (f File) Fields(in []lectern.FieldError) []lectern.FieldError {
	if f.lines == nil {
		return in
	}
	out := make([]lectern.FieldError, len(in))
	for i, e := range in {
		if rest, ok := strings.CutPrefix(e.Field, "rules["); ok {
			number, rest, _ := strings.Cut(rest, "]")
			if at, err := strconv.Atoi(number); err == nil && at < len(f.lines) {
				e.Field = strings.TrimSpace(fmt.Sprintf("line %d %s", f.lines[at], strings.TrimPrefix(rest, ".")))
			}
		}
		out[i] = e
	}
	return out
}
