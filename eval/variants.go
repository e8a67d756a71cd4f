package eval

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Prefixes returns the queries cut to their first 60 % of letters (at least two,
// where there are), as if still being typed.
func Prefixes(set QuerySet) QuerySet {
	return mapQueries(set, func(s string) string {
		n := max((utf8.RuneCountInString(s)*6+5)/10, 2)
		return FirstLetters(s, n)
	})
}

// Cut returns the queries cut to their first n letters; shorter ones stay.
func Cut(set QuerySet, n int) QuerySet {
	return mapQueries(set, func(s string) string { return FirstLetters(s, n) })
}

// FirstLetters returns the first n letters of s, spaces and signs counted, for
// they are typed too. A space that would come last is left out.
func FirstLetters(s string, n int) string {
	for i := range s {
		if n == 0 {
			return strings.TrimRightFunc(s[:i], unicode.IsSpace)
		}
		n--
	}
	return s
}

// Typos returns the queries with one random edit each, as Damerau (1964) counts
// them: a letter dropped, added or replaced, or two neighbours swapped. The edit
// always changes the query, and nothing but letters. Queries with fewer than
// four letters stay.
func Typos(set QuerySet, seed uint64) QuerySet {
	rng := rand.New(rand.NewPCG(seed, 0))
	return mapQueries(set, func(s string) string { return typo(s, rng) })
}

func typo(s string, rng *rand.Rand) string {
	letters := []rune(s)
	var places []int // of the letters
	for i, r := range letters {
		if unicode.IsLetter(r) {
			places = append(places, i)
		}
	}
	if len(places) < 4 {
		return s
	}
	for {
		edited := edit(slices.Clone(letters), places[rng.IntN(len(places))], rng)
		if string(edited) != s {
			return string(edited)
		}
	}
}

// edit makes one edit at letter i, which may leave the text as it was. A letter
// that comes in is one of the text itself in scripts other than Latin, so that
// it is of the same script.
func edit(letters []rune, i int, rng *rand.Rand) []rune {
	other := rune('a' + rng.IntN(26))
	if !unicode.Is(unicode.Latin, letters[i]) {
		other = letters[rng.IntN(len(letters))]
	}
	switch rng.IntN(4) {
	case 0:
		return slices.Delete(letters, i, i+1)
	case 1:
		return slices.Insert(letters, i, other)
	case 2:
		letters[i] = other
	default:
		if i+1 < len(letters) && unicode.IsLetter(letters[i+1]) {
			letters[i], letters[i+1] = letters[i+1], letters[i]
		}
	}
	return letters
}

func mapQueries(set QuerySet, change func(string) string) QuerySet {
	out := QuerySet{LeaveOut: set.LeaveOut, Queries: make([]Query, len(set.Queries))}
	for i, q := range set.Queries {
		out.Queries[i] = Query{ID: q.ID, Text: change(q.Text)}
	}
	return out
}
