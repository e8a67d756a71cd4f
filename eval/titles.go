package eval

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// TitleQueries makes queries of up to n sampled titles, all of them when n is 0.
// Whoever types a title wants that course: all courses of the title are
// relevant, and no other. The same seed samples the same titles.
func TitleQueries(courses []lectern.Course, n int, seed uint64) (QuerySet, Qrels) {
	return titles("title", courses, n, seed, func(c lectern.Course) string { return strings.TrimSpace(c.Title) })
}

// LanguageQueries makes queries of the titles of courses in another language than
// most of the catalogue's, as a learner of that language types them: its own
// part of a bilingual title, without the accents.
func LanguageQueries(courses []lectern.Course, n int, seed uint64) (QuerySet, Qrels) {
	most := mainLanguage(courses)
	return titles("language", courses, n, seed, func(c lectern.Course) string {
		if l := baseLanguage(c.Language); l == "" || l == most {
			return ""
		}
		return withoutAccents(ownPart(c.Title))
	})
}

// titles makes queries of what write makes of each course, "" for none.
func titles(prefix string, courses []lectern.Course, n int, seed uint64, write func(lectern.Course) string) (QuerySet, Qrels) {
	relevant := make(map[string]Relevant)
	written := make(map[string]string)
	for _, c := range courses {
		typed := write(c)
		key := lectern.FoldKey(typed)
		if key == "" {
			continue
		}
		if relevant[key] == nil {
			relevant[key], written[key] = Relevant{}, typed
		}
		relevant[key][c.ID] = 1
	}
	keys := slices.Sorted(maps.Keys(relevant))
	if n > 0 && n < len(keys) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		keys = keys[:n]
		slices.Sort(keys)
	}
	set, qrels := QuerySet{}, make(Qrels, len(keys))
	for i, key := range keys {
		id := fmt.Sprintf("%s-%04d", prefix, i+1)
		set.Queries = append(set.Queries, Query{ID: id, Text: written[key]})
		qrels[id] = relevant[key]
	}
	return set, qrels
}

// mainLanguage is the language of most courses that state one.
func mainLanguage(courses []lectern.Course) string {
	count := make(map[string]int)
	for _, c := range courses {
		if l := baseLanguage(c.Language); l != "" {
			count[l]++
		}
	}
	most := ""
	for _, l := range slices.Sorted(maps.Keys(count)) {
		if most == "" || count[l] > count[most] {
			most = l
		}
	}
	return most
}

func baseLanguage(tag string) string {
	base, _, _ := strings.Cut(tag, "-")
	return strings.ToLower(base)
}

// ownPart is the first part of a bilingual title, "計算機程式設計 (Computer
// Programming)", that holds letters of another script than Latin, or the first
// part of all.
func ownPart(title string) string {
	parts := strings.FieldsFunc(title, func(r rune) bool { return strings.ContainsRune("()[]（）/|", r) })
	for _, p := range parts {
		if strings.ContainsFunc(p, func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) }) {
			return strings.TrimSpace(p)
		}
	}
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			return p
		}
	}
	return ""
}

// withoutAccents drops the marks that stand on Latin letters, as those who have
// no such keys type.
func withoutAccents(s string) string {
	var b strings.Builder
	base := rune(0)
	for _, r := range norm.NFD.String(s) {
		if unicode.Is(unicode.Mn, r) && unicode.Is(unicode.Latin, base) {
			continue
		}
		if !unicode.Is(unicode.Mn, r) {
			base = r
		}
		b.WriteRune(r)
	}
	return norm.NFC.String(b.String())
}

// Specificity knows in how many courses each word occurs.
type Specificity struct {
	courses map[string]int
	read    *text.Analyzer
}

// NewSpecificity counts the words of titles, descriptions and what else is
// searched of the courses, without the fields in leaveOut.
func NewSpecificity(courses []lectern.Course, leaveOut ...lectern.CourseField) *Specificity {
	s := &Specificity{courses: make(map[string]int), read: text.NewAnalyzer()}
	for _, c := range courses {
		seen := make(map[string]bool)
		for _, t := range s.read.Tokens(c.EmbeddingText(leaveOut...), c.Language) {
			if !seen[t.Surface] {
				seen[t.Surface] = true
				s.courses[t.Surface]++
			}
		}
	}
	return s
}

// MostSpecific returns the word of a title that occurs in the fewest courses,
// folded; of several the longest, then the first. Words without a letter count
// only where there is no other.
func (s *Specificity) MostSpecific(title string) string {
	best := text.Token{}
	for _, t := range s.read.Tokens(title, "") {
		if best.Surface == "" || s.compare(t, best) < 0 {
			best = t
		}
	}
	return best.Surface
}

func (s *Specificity) compare(a, b text.Token) int {
	worded := func(t text.Token) int {
		if strings.ContainsFunc(t.Surface, unicode.IsLetter) {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(worded(a), worded(b)),
		cmp.Compare(s.courses[a.Surface], s.courses[b.Surface]),
		cmp.Compare(utf8.RuneCountInString(b.Surface), utf8.RuneCountInString(a.Surface)))
}

// SpecificPrefixes returns, instead of titles, the first n letters of the most
// specific word of each: what is typed of "Introduction to Kubernetes" is kuber.
func (s *Specificity) SpecificPrefixes(set QuerySet, n int) QuerySet {
	return mapQueries(set, func(title string) string {
		word := s.MostSpecific(title)
		if word == "" {
			word = title
		}
		return FirstLetters(word, n)
	})
}
