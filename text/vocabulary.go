package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// vocabulary knows every folded word of the catalogue with the terms it counted
// as, and finds words by prefix and by one edit.
type vocabulary struct {
	heads   map[string]int32 // word → its first entry
	entries []wordEntry
	sorted  []int32 // entries by word, one per distinct word
	fresh   []int32 // distinct words not in sorted yet
}

// wordEntry says that a word counted as a term. The same word may count as
// other terms in documents of other languages.
type wordEntry struct {
	word string
	term int32 // ordinal
	next int32 // another entry of the same word, or -1
}

func newVocabulary() vocabulary { return vocabulary{heads: make(map[string]int32)} }

// add records that a word counts as a term.
func (v *vocabulary) add(word string, term int32) {
	head, known := v.heads[word]
	if !known {
		head = -1
	}
	for e := head; e >= 0; e = v.entries[e].next {
		if v.entries[e].term == term {
			return
		}
	}
	at := int32(len(v.entries))
	if known {
		v.entries = append(v.entries, wordEntry{v.entries[head].word, term, v.entries[head].next})
		v.entries[head].next = at
		return
	}
	word = strings.Clone(word) // or it would keep a whole document alive
	v.entries = append(v.entries, wordEntry{word, term, -1})
	v.heads[word] = at
	v.fresh = append(v.fresh, at)
}

// settle merges fresh words into the sorted ones when there are more than limit.
func (v *vocabulary) settle(limit int) {
	if len(v.fresh) <= limit {
		return
	}
	slices.SortFunc(v.fresh, func(a, b int32) int { return strings.Compare(v.entries[a].word, v.entries[b].word) })
	merged := make([]int32, 0, len(v.sorted)+len(v.fresh))
	i := 0
	for _, f := range v.fresh {
		for i < len(v.sorted) && v.entries[v.sorted[i]].word < v.entries[f].word {
			merged = append(merged, v.sorted[i])
			i++
		}
		merged = append(merged, f)
	}
	v.sorted = append(merged, v.sorted[i:]...)
	v.fresh = v.fresh[:0]
}

// maxFresh is how many unsorted words a query is willing to walk.
func (v *vocabulary) maxFresh() int { return len(v.sorted)/64 + 1024 }

// withPrefix calls found for the head entry of each word that is longer than
// prefix and starts with it, looking at no more than limit sorted words.
func (v *vocabulary) withPrefix(prefix string, limit int, found func(entry int32)) {
	at, _ := slices.BinarySearchFunc(v.sorted, prefix, func(e int32, p string) int {
		return strings.Compare(v.entries[e].word, p)
	})
	for _, e := range v.sorted[at:min(len(v.sorted), at+limit)] {
		w := v.entries[e].word
		if !strings.HasPrefix(w, prefix) {
			break
		}
		if len(w) > len(prefix) {
			found(e)
		}
	}
	for _, e := range v.fresh {
		if w := v.entries[e].word; len(w) > len(prefix) && strings.HasPrefix(w, prefix) {
			found(e)
		}
	}
}

// oneEdit calls found for the head entry of each known word that differs from
// word by one letter changed, missing or too many, or by two neighbours swapped.
// Enumerating the edits (as Norvig's corrector does) takes a few hundred lookups
// whatever the size of the vocabulary.
func (v *vocabulary) oneEdit(word string, found func(entry int32)) {
	letters := []rune(word)
	alphabet := alphabetOf(letters[0])
	buf := make([]byte, 0, len(word)+2*utf8.UTFMax)
	try := func() {
		if e, ok := v.heads[string(buf)]; ok {
			found(e)
		}
	}
	for i := range len(letters) + 1 {
		stem := appendRunes(buf[:0], letters[:i])
		n := len(stem)
		if i < len(letters) {
			buf = appendRunes(stem[:n], letters[i+1:]) // one too many
			try()
		}
		if i+1 < len(letters) && letters[i] != letters[i+1] {
			buf = utf8.AppendRune(stem[:n], letters[i+1])
			buf = utf8.AppendRune(buf, letters[i])
			buf = appendRunes(buf, letters[i+2:])
			try()
		}
		for _, r := range alphabet {
			if i < len(letters) && r != letters[i] {
				buf = utf8.AppendRune(stem[:n], r)
				buf = appendRunes(buf, letters[i+1:])
				try()
			}
			buf = utf8.AppendRune(stem[:n], r)
			buf = appendRunes(buf, letters[i:])
			try()
		}
	}
}

func appendRunes(b []byte, rs []rune) []byte {
	for _, r := range rs {
		b = utf8.AppendRune(b, r)
	}
	return b
}

// alphabetOf returns the letters that are tried as edits in a word that starts
// with r; none for scripts in which one letter is half a word.
func alphabetOf(r rune) string {
	switch {
	case unicode.Is(unicode.Latin, r):
		return "abcdefghijklmnopqrstuvwxyz"
	case unicode.Is(unicode.Cyrillic, r):
		return "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґ"
	case unicode.Is(unicode.Greek, r):
		return "αβγδεζηθικλμνξοπρστυφχψω"
	case unicode.Is(unicode.Arabic, r):
		return "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
	case unicode.Is(unicode.Hebrew, r):
		return "אבגדהוזחטיכךלמםנןסעפףצץקרשת"
	}
	return ""
}
