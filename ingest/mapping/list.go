package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Ways to split that are no separator.
const (
	splitPython = "python" // ['a', "b"]
	splitJSON   = "json"   // ["a", "b"]
	splitEither = "\x00"   // a JSON list, or items with | between them
)

// splitList cuts a text into items; without a way to split it is one item.
func splitList(how, s string) ([]string, error) {
	s = strings.TrimSpace(s)
	switch how {
	case "":
		return []string{s}, nil
	case splitPython:
		return parsePythonList(s)
	case splitJSON:
		return parseJSONList(s)
	case splitEither:
		if strings.HasPrefix(s, "[") {
			return parseJSONList(s)
		}
		how = "|"
	}
	return strings.Split(s, how), nil
}

func parseJSONList(s string) ([]string, error) {
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var items []any
	if err := dec.Decode(&items); err != nil || dec.More() {
		return nil, errors.New("is not a JSON list")
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		switch x := item.(type) {
		case nil:
		case string:
			out = append(out, x)
		case json.Number, bool:
			out = append(out, fmt.Sprint(x))
		default:
			return nil, errors.New("is a JSON list of more than texts")
		}
	}
	return out, nil
}

// parsePythonList reads a list, tuple or set of texts, numbers, True, False and
// None as Python prints it. None is left out.
func parsePythonList(s string) ([]string, error) {
	p := &pyParser{s: strings.TrimSpace(s)}
	closing, ok := map[byte]byte{'[': ']', '(': ')', '{': '}'}[p.peek()]
	if !ok {
		return nil, errors.New("is not a Python list")
	}
	p.i++
	out := []string{}
	for {
		p.space()
		if p.peek() == closing {
			p.i++
			break
		}
		item, keep, err := p.item(closing)
		if err != nil {
			return nil, err
		}
		if keep {
			out = append(out, item)
		}
		p.space()
		switch p.peek() {
		case ',':
			p.i++
		case closing:
		default:
			return nil, fmt.Errorf("is not a Python list: no comma or end at character %d", p.at())
		}
	}
	if p.space(); p.i < len(p.s) {
		return nil, fmt.Errorf("is not a Python list: it goes on after its end at character %d", p.at())
	}
	return out, nil
}

type pyParser struct {
	s string
	i int
}

func (p *pyParser) at() int { return utf8.RuneCountInString(p.s[:min(p.i, len(p.s))]) + 1 }

// peek returns the next byte, 0 at the end.
func (p *pyParser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *pyParser) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

func (p *pyParser) item(closing byte) (item string, keep bool, err error) {
	if c := p.peek(); (c == 'u' || c == 'U') && p.i+1 < len(p.s) && (p.s[p.i+1] == '\'' || p.s[p.i+1] == '"') {
		p.i++ // u'…' of Python 2
	}
	if c := p.peek(); c == '\'' || c == '"' {
		item, err = p.quoted(c)
		return item, err == nil, err
	}
	start := p.i
	for p.i < len(p.s) && p.s[p.i] != ',' && p.s[p.i] != closing {
		p.i++
	}
	word := strings.TrimSpace(p.s[start:p.i])
	switch word {
	case "None":
		return "", false, nil
	case "True", "False":
		return word, true, nil
	}
	if _, err := strconv.ParseFloat(word, 64); err != nil {
		return "", false, fmt.Errorf("is not a Python list: %q is neither a quoted text nor a number", word)
	}
	return word, true, nil
}

func (p *pyParser) quoted(quote byte) (string, error) {
	p.i++
	var b strings.Builder
	for p.i < len(p.s) {
		c := p.s[p.i]
		p.i++
		switch c {
		case quote:
			return b.String(), nil
		case '\\':
			p.escape(&b)
		default:
			b.WriteByte(c)
		}
	}
	return "", errors.New("is not a Python list: a quote is never closed")
}

// escape reads what follows a backslash. As in Python, an escape that is none
// stands for itself.
func (p *pyParser) escape(b *strings.Builder) {
	if p.i >= len(p.s) {
		b.WriteByte('\\')
		return
	}
	c := p.s[p.i]
	p.i++
	simple := map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', '\\': '\\', '\'': '\'', '"': '"', 'a': 7, 'b': 8, 'f': 12, 'v': 11, '0': 0}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}
	if n := digits[c]; n > 0 && p.i+n <= len(p.s) {
		if r, err := strconv.ParseUint(p.s[p.i:p.i+n], 16, 32); err == nil && utf8.ValidRune(rune(r)) {
			b.WriteRune(rune(r))
			p.i += n
			return
		}
	}
	switch s, ok := simple[c]; {
	case ok:
		b.WriteByte(s)
	case c == '\n': // a line that goes on
	default:
		b.WriteByte('\\')
		b.WriteByte(c)
	}
}
