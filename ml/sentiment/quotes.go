package sentiment

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// What a sentence needs to be quoted.
const (
	shortestQuote = 25 // letters
	shortQuote    = 40 // longer ones come first
	longestQuote  = 200
	clearQuote    = 0.7 // score of praise, at least; of blame 1 - it, at most
	maxCapitals   = 0.3 // share of the letters
	quotesEach    = 2   // for an aspect
)

// quotable is a mention whose sentence may stand for an aspect.
type quotable struct {
	mention
	fit float64
}

// quotes picks two sentences of different reviews: the clearest praise and the
// clearest blame where both exist, that of the aspect's own tone first, else the two
// clearest.
func quotes(ms []mention, score float64, u *usage, taken map[string]bool) []lectern.Quote {
	var good, bad []quotable
	for _, m := range ms {
		if !m.whole || !m.leads || taken[m.sentence] || !u.quotable(m.sentence, m.language) {
			continue
		}
		q := quotable{mention: m, fit: fitness(m)}
		switch {
		case m.score >= clearQuote:
			good = append(good, q)
		case m.score <= 1-clearQuote:
			bad = append(bad, q)
		}
	}
	better := func(a, b quotable) int { return cmp.Compare(b.fit, a.fit) }
	slices.SortStableFunc(good, better)
	slices.SortStableFunc(bad, better)
	if score < neutralSentence {
		good, bad = bad, good
	}
	out := []lectern.Quote{}
	used := map[string]bool{}
	for _, from := range [][]quotable{good, bad, good, bad} {
		if len(out) == quotesEach {
			break
		}
		for _, q := range from {
			if used[q.review.ID] || taken[q.sentence] {
				continue
			}
			used[q.review.ID], taken[q.sentence] = true, true
			out = append(out, lectern.Quote{ReviewID: q.review.ID, Text: q.sentence, Score: q.score, WrittenAt: q.review.WrittenAt})
			break
		}
	}
	return out
}

// fitness prefers sentences that are clear in tone and in subject, of a readable
// length, recent and found helpful.
func fitness(m mention) float64 {
	f := 2 * max(m.score, 1-m.score)
	f += 0.5 * min(m.strength, 2)
	switch n := utf8.RuneCountInString(m.sentence); {
	case n >= 60 && n <= 140:
		f += 0.3
	case n < shortQuote:
		f -= 0.6
	}
	if !endsInMark(m.sentence) {
		f -= 0.3
	}
	return f + 0.3*min(m.weight, 2)
}

// usage counts how words are written in the reviews of a course, to tell names from
// words that stand at the beginning of a sentence.
type usage struct {
	names   map[string]bool // folded words of names
	lower   map[string]int
	capital map[string]int // inside a sentence
	private *regexp.Regexp
}

// privatePattern finds addresses, links, handles and telephone numbers.
const privatePattern = `(?i)https?:|www\.|\S+@\S+|(^|\s)@\w+|\b[a-z0-9-]+\.(com|org|net|edu|io|co|in|de|uk|ly|me)\b|\+?\d[\d\s().-]{6,}\d`

func newUsage(names []string, known map[string]uint32) *usage {
	u := &usage{names: map[string]bool{}, lower: map[string]int{}, capital: map[string]int{}, private: regexp.MustCompile(privatePattern)}
	for _, name := range names {
		for _, t := range tokenize(name) {
			if t.kind == kindWord && utf8.RuneCountInString(t.word) > 2 && !isTitleWord(t.word) && known[t.word] == 0 {
				u.names[t.word] = true
			}
		}
	}
	return u
}

// isTitleWord reports words that names of people and providers hold beside the name.
func isTitleWord(w string) bool {
	switch w {
	case "dr", "prof", "professor", "the", "and", "for", "university", "institute", "school", "college", "academy",
		"courses", "course", "learning", "online", "open", "technology", "sciences", "science", "business", "state", "national", "of", "data", "center", "centre":
		return true
	}
	return false
}

// count takes in a text that quotes may come from.
func (u *usage) count(text string) {
	for _, s := range splitSentences(text) {
		for i, w := range strings.Fields(s) {
			w = strings.TrimFunc(w, func(r rune) bool { return !isWordRune(r) })
			r, _ := utf8.DecodeRuneInString(w)
			switch {
			case w == "":
			case unicode.IsLower(r):
				u.lower[foldWord(w)]++
			case i > 0 && unicode.IsUpper(r):
				u.capital[foldWord(w)]++
			}
		}
	}
}

// endsInMark reports whether a sentence ends as one; the last of a review often does
// not.
func endsInMark(s string) bool {
	last, _ := utf8.DecodeLastRuneInString(s)
	return strings.ContainsRune(".!…", last)
}

// quotable reports whether a sentence of a language reads well by itself and names
// nobody.
func (u *usage) quotable(s, language string) bool {
	n := utf8.RuneCountInString(s)
	if n < shortestQuote || n > longestQuote {
		return false
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimPrefix(s, "¡"))
	last, _ := utf8.DecodeLastRuneInString(s)
	if !unicode.IsUpper(first) || !endsInMark(s) && !unicode.IsLetter(last) {
		return false
	}
	letters, capitals := 0, 0
	for _, r := range s {
		switch {
		case r == utf8.RuneError || unicode.IsControl(r) || r == '<' || r == '>' || r == '{' || r == '*':
			return false
		case unicode.IsUpper(r):
			capitals++
			letters++
		case unicode.IsLetter(r):
			letters++
		}
	}
	if letters < n/2 || float64(capitals) > maxCapitals*float64(letters) || strings.Count(s, "\"")%2 == 1 || strings.Count(s, "(") != strings.Count(s, ")") {
		return false
	}
	return !u.private.MatchString(s) && !u.named(s, language)
}

// named reports whether a sentence seems to name somebody: a name that is known, a
// title before a capital, or a word that these reviews write with a capital rather
// than without. Where nouns have capitals, one says nothing and two in a row do.
func (u *usage) named(s, language string) bool {
	for _, t := range tokenize(s) {
		if u.names[strings.TrimSuffix(t.word, "'s")] {
			return true
		}
	}
	title, before := false, false
	for i, w := range strings.Fields(s) {
		open := strings.HasSuffix(w, ".") || strings.HasSuffix(w, ",")
		bare := strings.TrimFunc(w, func(r rune) bool { return !isWordRune(r) })
		bare = strings.TrimSuffix(strings.TrimSuffix(bare, "'s"), "’s")
		r, _ := utf8.DecodeRuneInString(bare)
		capital := unicode.IsUpper(r)
		key := foldWord(bare)
		odd := i > 0 && capital && !isAcronym(bare) && !isCommonCapital(key) && u.lower[key] <= u.capital[key]
		switch {
		case title && capital:
			return true
		case odd && (before || !capitalNouns(language)):
			return true
		}
		title, before = isHonorific(key) && (!open || strings.HasSuffix(w, ".")), odd && !open
	}
	return false
}

// capitalNouns reports languages that write every noun with a capital.
func capitalNouns(language string) bool { return language == "de" || language == "lb" }

func isHonorific(w string) bool {
	switch w {
	case "dr", "prof", "professor", "mr", "mrs", "ms", "sir", "dear", "madam", "instructor", "herr", "herrn", "frau",
		"senor", "senora", "don", "dona", "monsieur", "madame", "professeur", "profesor", "profesora", "dozent", "dozentin", "professorin":
		return true
	}
	return false
}

// isAcronym reports words without small letters, as AI and C++, and I.
func isAcronym(w string) bool {
	for _, r := range w {
		if unicode.IsLower(r) {
			return w == "I'm" || w == "I've" || w == "I'd" || w == "I'll" || w == "I’m" || w == "I’ve" || w == "I’d" || w == "I’ll"
		}
	}
	return utf8.RuneCountInString(w) <= 5
}

// isCommonCapital reports words that English writes with a capital and that name
// nobody.
func isCommonCapital(w string) bool {
	switch w {
	case "english", "spanish", "french", "german", "chinese", "monday", "tuesday", "wednesday", "thursday", "friday",
		"saturday", "sunday", "january", "february", "march", "april", "june", "july", "august", "september", "october",
		"november", "december", "python", "java", "javascript", "excel", "linux", "internet", "coursera", "youtube",
		"week", "quiz", "module", "part", "octave", "matlab", "tensorflow", "jupyter", "google", "windows", "unix":
		return true
	}
	return false
}
