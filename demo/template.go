package demo

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// template is a sentence with slots such as {topic} or {U1}. A slot whose name
// starts with a capital is filled with its first letter raised.
type template []segment

// segment is a piece of literal text, or a slot.
type segment struct {
	text string
	slot bool
	cap  bool
}

// parseTemplate splits a sentence at its slots.
func parseTemplate(s string) (template, error) {
	var t template
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			return append(t, segment{text: s}), nil
		}
		end := strings.IndexByte(s[open:], '}')
		if end < 2 {
			return nil, fmt.Errorf("template %q: bad slot", s)
		}
		if open > 0 {
			t = append(t, segment{text: s[:open]})
		}
		name := s[open+1 : open+end]
		lower := strings.ToLower(name[:1]) + name[1:]
		t = append(t, segment{text: lower, slot: true, cap: lower != name})
		s = s[open+end+1:]
	}
	return t, nil
}

// fillable reports whether every slot of t can be filled.
func (t template) fillable(fill func(string) string) bool {
	for _, s := range t {
		if s.slot && fill(s.text) == "" {
			return false
		}
	}
	return true
}

// render writes t with its slots filled.
func (t template) render(b *strings.Builder, fill func(string) string) {
	for _, s := range t {
		switch {
		case !s.slot:
			b.WriteString(s.text)
		case s.cap:
			b.WriteString(capitalise(fill(s.text)))
		default:
			b.WriteString(fill(s.text))
		}
	}
}

// capitalise raises the first letter.
func capitalise(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 || unicode.IsUpper(r) || isLowerName(s) {
		return s
	}
	// "iOS development" and "pH" keep their own spelling.
	if next, _ := utf8.DecodeRuneInString(s[n:]); unicode.IsUpper(next) {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// titleCase raises the first letter of every word but the small ones.
func titleCase(s string) string {
	words := strings.Split(s, " ")
	for i, w := range words {
		if i > 0 && isSmallWord(w) && !strings.HasSuffix(words[i-1], ":") {
			continue
		}
		words[i] = capitalise(w)
	}
	return strings.Join(words, " ")
}

func isSmallWord(w string) bool {
	switch w {
	case "a", "an", "and", "as", "at", "but", "by", "for", "from", "in", "into",
		"of", "on", "or", "over", "per", "the", "to", "under", "versus", "via", "with", "without":
		return true
	}
	return false
}

// isLowerName knows the names that are written small even at the start.
func isLowerName(s string) bool {
	switch s {
	case "pandas", "ggplot2", "scikit-learn", "pytest", "systemd", "pip", "dbt", "jamovi", "spaCy":
		return true
	}
	return false
}
