package sentiment

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// abbreviations end in a dot that ends no sentence.
func isAbbreviation(w string) bool {
	switch strings.ToLower(w) {
	case "dr", "prof", "mr", "mrs", "ms", "e.g", "i.e", "eg", "ie", "etc", "vs", "no", "st", "approx", "z.b", "bzw", "sr", "sra", "ph", "u.s":
		return true
	}
	return utf8.RuneCountInString(w) == 1 && w != "I" && w != "i"
}

// splitSentences cuts a text at the ends of its sentences and at line breaks. The
// parts keep their marks; none is empty.
func splitSentences(s string) []string {
	if len(s) > maxTextBytes {
		s = strings.ToValidUTF8(s[:maxTextBytes], "")
	}
	var out []string
	start := 0
	cut := func(end int) {
		if part := strings.TrimSpace(s[start:end]); part != "" {
			out = append(out, part)
		}
		start = end
	}
	for i := 0; i < len(s); {
		r, size := decode(s[i:])
		i += size
		switch r {
		case '\n', '\r':
			cut(i)
		case '!', '?', '。', '！', '？', '…':
			cut(skipMarks(s, i))
			i = start
		case '.':
			if endsSentence(s, start, i-size) {
				cut(skipMarks(s, i))
				i = start
			}
		}
	}
	cut(len(s))
	return out
}

// skipMarks goes past further marks and closing quotes.
func skipMarks(s string, i int) int {
	for i < len(s) {
		r, size := decode(s[i:])
		if !strings.ContainsRune(".!?…\"')”’", r) {
			break
		}
		i += size
	}
	return i
}

// endsSentence reports whether the dot at i ends the sentence that begins at start:
// not after an abbreviation, not inside a number or an address.
func endsSentence(s string, start, i int) bool {
	if i+1 < len(s) {
		next, _ := decode(s[i+1:])
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		if unicode.IsDigit(next) && unicode.IsDigit(before) || unicode.IsLower(next) && i-start < 4 {
			return false
		}
		if !unicode.IsSpace(next) && !unicode.IsUpper(next) && !strings.ContainsRune(".!?\"')”’", next) {
			return false
		}
	}
	w := s[start:i]
	if k := strings.LastIndexFunc(w, unicode.IsSpace); k >= 0 {
		w = w[k+1:]
	}
	return !isAbbreviation(strings.TrimLeft(w, "(\"'“"))
}

// minClauseWords is what either side of a contrast needs to be a clause of its own.
const minClauseWords = 2

// clauses cuts a sentence at its contrasts, as "but", so that praise of one aspect
// and blame of another are told apart.
func (l *wordList) clauses(s string) []string {
	words := strings.Fields(s)
	var out []string
	from := 0
	for i, w := range words {
		bare := foldWord(strings.TrimFunc(w, func(r rune) bool { return !isWordRune(r) }))
		if i-from >= minClauseWords && len(words)-i > minClauseWords && l.isContrast(bare) {
			out = append(out, strings.Join(words[from:i], " "))
			from = i
		}
	}
	return append(out, strings.Join(words[from:], " "))
}
