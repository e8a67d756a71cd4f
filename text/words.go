package text

import "iter"

// Word is a word in its place in a text.
type Word struct {
	Text  string // as written
	Start int    // in bytes of the text
	Run   bool   // of a script that writes without spaces: of many words, maybe
}

// Words yields the words of s as it is written, as the analyzer parts them: what
// each counts as, Tokens says of its Text. s must be valid UTF-8.
func Words(s string) iter.Seq[Word] {
	return func(yield func(Word) bool) {
		for w := range splitWords(s) {
			if !yield(Word{w.text, w.start, w.run}) {
				return
			}
		}
	}
}
