package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// foldWord returns a word in lower case, without accents on Latin and Greek
// letters, without Arabic and Hebrew vowel points, and with the variant letters
// of Arabic unified. Marks of other scripts stay, because there they tell
// letters apart (й is not и). The word must be in NFKC.
func foldWord(w string) string {
	if lower, ok := foldASCII(w); ok {
		return lower
	}
	var b strings.Builder
	b.Grow(len(w))
	for _, r := range w {
		foldRune(&b, r)
	}
	return norm.NFC.String(b.String())
}

// foldASCII lowers a word of ASCII letters without allocating when it is lower
// already; ok is false for any other word.
func foldASCII(w string) (lower string, ok bool) {
	hasUpper := false
	for i := range len(w) {
		c := w[i]
		if c >= utf8.RuneSelf {
			return "", false
		}
		hasUpper = hasUpper || 'A' <= c && c <= 'Z'
	}
	if !hasUpper {
		return w, true
	}
	return strings.ToLower(w), true
}

// foldRune writes the folded form of one rune.
func foldRune(b *strings.Builder, r rune) {
	switch {
	case r < utf8.RuneSelf:
		b.WriteRune(unicode.ToLower(r))
		return
	case r == '\u0640': // Arabic tatweel only stretches a word
		return
	case unicode.In(r, unicode.Arabic):
		foldArabic(b, r)
		return
	}
	if s, ok := foldedLetter(unicode.ToLower(r)); ok {
		b.WriteString(s)
		return
	}
	var buf [utf8.UTFMax]byte
	n := utf8.EncodeRune(buf[:], r)
	decomposed := norm.NFD.Bytes(buf[:n])
	base, size := utf8.DecodeRune(decomposed)
	if size == len(decomposed) || !unicode.In(base, unicode.Latin, unicode.Greek) {
		if unicode.Is(unicode.Mn, r) && !keepsMarks(r) {
			return
		}
		b.WriteRune(unicode.ToLower(r))
		return
	}
	// A precomposed accented letter: its base alone.
	if s, ok := foldedLetter(unicode.ToLower(base)); ok {
		b.WriteString(s)
		return
	}
	b.WriteRune(unicode.ToLower(base))
}

// keepsMarks reports whether a combining mark belongs to a script in which
// marks are letters' parts, such as the vowel signs of India.
func keepsMarks(r rune) bool {
	return !unicode.In(r, unicode.Inherited, unicode.Hebrew, unicode.Latin, unicode.Greek)
}

// foldedLetter spells out letters that Unicode does not decompose.
func foldedLetter(r rune) (string, bool) {
	switch r {
	case 'ß':
		return "ss", true
	case 'æ':
		return "ae", true
	case 'œ':
		return "oe", true
	case 'ø':
		return "o", true
	case 'đ', 'ð':
		return "d", true
	case 'ł':
		return "l", true
	case 'þ':
		return "th", true
	case 'ı':
		return "i", true
	case 'ς':
		return "σ", true
	case 'ё':
		return "е", true
	}
	return "", false
}

// foldArabic drops vowel points and unifies letters that are written
// interchangeably, after the normalisation step of Larkey, Ballesteros and
// Connell (2002).
func foldArabic(b *strings.Builder, r rune) {
	switch r {
	case 'أ', 'إ', 'آ', 'ٱ':
		b.WriteRune('ا')
	case 'ى', 'ی':
		b.WriteRune('ي')
	case 'ة':
		b.WriteRune('ه')
	case 'ک':
		b.WriteRune('ك')
	default:
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
}
