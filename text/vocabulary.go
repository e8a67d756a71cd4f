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
	sorted  []int32          // entries by word, one per distinct word
	fresh   []int32          // distinct words not in sorted yet
	sounds  map[uint32]int32 // hash of what a word sounds like → the latest such word
	alike   []int32          // by entry: another entry that sounds alike, or -1
	buf     []byte
}

// wordEntry says that a word counted as a term. The same word may count as
// other terms in documents of other languages.
type wordEntry struct {
	word string
	term int32 // ordinal
	next int32 // another entry of the same word, or -1
}

func newVocabulary() vocabulary {
	return vocabulary{heads: make(map[string]int32), sounds: make(map[uint32]int32)}
}

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
	v.alike = append(v.alike, -1)
	if known {
		v.entries = append(v.entries, wordEntry{v.entries[head].word, term, v.entries[head].next})
		v.entries[head].next = at
		return
	}
	word = strings.Clone(word) // or it would keep a whole document alive
	v.entries = append(v.entries, wordEntry{word, term, -1})
	v.heads[word] = at
	v.fresh = append(v.fresh, at)
	if v.buf = soundOf(v.buf, word); len(v.buf) > 0 {
		key := hashBytes(v.buf)
		if other, ok := v.sounds[key]; ok {
			v.alike[at] = other
		}
		v.sounds[key] = at
	}
}

// hashBytes is TermID of bytes.
func hashBytes(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// maxAlike bounds the words looked at that sound alike.
const maxAlike = 4000

// soundingLike calls found for the head entry of known words, a bounded number,
// that sound like word but for one consonant; words whose hash is the same may be
// among them.
func (v *vocabulary) soundingLike(word string, found func(entry int32)) {
	sound := string(soundOf(nil, word))
	if sound == "" {
		return
	}
	left := maxAlike
	walk := func(key uint32) {
		e, ok := v.sounds[key]
		for ; ok && e >= 0 && left > 0; e = v.alike[e] {
			left--
			found(e)
		}
	}
	walk(hashBytes([]byte(sound)))
	eachEdit([]rune(sound), consonants(alphabetOf(firstRune(sound))), func(b []byte) { walk(hashBytes(b)) })
}

// consonants drops the vowels of an alphabet.
func consonants(alphabet string) string {
	return strings.Map(func(r rune) rune {
		if isVowel(r) {
			return -1
		}
		return r
	}, alphabet)
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
	eachEdit(letters, alphabetOf(letters[0]), func(b []byte) {
		if e, ok := v.heads[string(b)]; ok {
			found(e)
		}
	})
}

// eachEdit calls try for all that one edit makes of letters.
func eachEdit(letters []rune, alphabet string, tried func([]byte)) {
	buf := make([]byte, 0, utf8.UTFMax*(len(letters)+2))
	try := func() { tried(buf) }
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
