package skills

import (
	"iter"
	"strings"
)

// parts yields the pieces of a text that no name reaches across: it is cut at the
// ends of sentences, at commas, colons and brackets, and at dashes between spaces.
func parts(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := 0
		for i := 0; i < len(s); i++ {
			end, skip := cut(s, i)
			if !end {
				continue
			}
			if i > start && !yield(s[start:i]) {
				return
			}
			start = i + skip
			i = start - 1
		}
		if start < len(s) {
			yield(s[start:])
		}
	}
}

// cut reports whether the text is cut at byte i, and how many bytes the cut takes.
func cut(s string, i int) (bool, int) {
	switch s[i] {
	case '\n', '\r', ';', '(', ')', '[', ']', '|', '!', '?', '"':
		return true, 1
	case '.', ',', ':': // 3.14, node.js and 10,000 stay whole
		return i+1 == len(s) || s[i+1] <= ' ', 1
	case '-':
		return i > 0 && i+1 < len(s) && s[i-1] == ' ' && s[i+1] == ' ', 1
	case 0xe2: // the long dashes and the bullet
		for _, sign := range [...]string{"–", "—", "•"} {
			if strings.HasPrefix(s[i:], sign) {
				return true, len(sign)
			}
		}
	}
	return false, 0
}
