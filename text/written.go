package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWritten is how many spellings of one folded word are remembered.
const maxWritten = 4

// spell notes how a word was written, where folding changes more than its case;
// the caller holds the lock.
func (m *memory) spell(folded, w string) {
	lower := strings.ToLower(w)
	if lower == folded {
		return
	}
	if all := m.written[folded]; len(all) < maxWritten && !slices.Contains(all, lower) {
		m.written[folded] = append(all, lower)
	}
}

// written is a folded word as documents mostly write it, with its accents and, if
// nobody writes it small, its capital. Words that folding changes by no more than
// case stay folded.
func (l *Lexicon) written(folded string) string {
	m := l.analyzer.memory.Load()
	m.mu.RLock()
	defer m.mu.RUnlock()
	spellings := m.written[folded]
	if len(spellings) == 0 {
		return folded
	}
	small, capital := m.usesOf(folded)
	best, most := folded, small+capital
	for _, s := range spellings {
		small, capital := m.usesOf(s)
		if n := small + capital; n >= most && n > 0 {
			best, most = s, n
			if small == 0 {
				best = capitalised(s)
			}
		}
	}
	return best
}

// usesOf is how often documents held a word in small letters, and with a capital.
func (m *memory) usesOf(lower string) (small, capital uint32) {
	title := capitalised(lower)
	for _, words := range m.lexemes {
		if x := words[lower]; x != nil {
			small += x.uses
		}
		if x := words[title]; x != nil && title != lower {
			capital += x.uses
		}
	}
	return small, capital
}

// capitalised is a word with its first letter in capitals.
func capitalised(w string) string {
	r, n := utf8.DecodeRuneInString(w)
	return string(unicode.ToUpper(r)) + w[n:]
}
