package sentiment

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// GrowOptions bound what the corpus may add to the seeds.
type GrowOptions struct {
	MinReviews int     // that hold a word
	MinCourses int     // whose reviews hold it, where there are so many: a course's own words are none
	MinPMI     float64 // normalised pointwise mutual information with the aspect (Bouma, 2009)
	MinShare   float64 // of the word's clauses that speak of the aspect
	PerAspect  int     // words added, at most
}

// DefaultGrowOptions add few words, each tied to its aspect in several courses.
func DefaultGrowOptions() GrowOptions {
	return GrowOptions{MinReviews: 10, MinCourses: 3, MinPMI: 0.15, MinShare: 0.6, PerAspect: 20}
}

// grownStrength lets a grown word tip the scale and not decide by itself.
const grownStrength = 0.5

// termCount is how often a word occurs, and beside which aspect.
type termCount struct {
	clauses int
	beside  [aspectCount]int
	reviews int
	last    int // review it was last seen in
	courses map[string]bool
}

// Grow returns the aspects with words added that the reviews tie to one of them:
// words that stand in clauses of that aspect far more often than chance has it. What
// says praise or blame, names of courses and rare words are not added, and words in
// clauses of several aspects are not counted. The receiver stays as it is.
func (a *Aspects) Grow(reviews []lectern.Review, o GrowOptions) *Aspects {
	g := &grower{of: a, terms: map[string]map[string]*termCount{}, clauses: map[string]*[aspectCount + 1]int{}, courses: map[string]bool{}}
	for i := range reviews {
		g.read(i, &reviews[i])
	}
	out := a.clone()
	for _, lang := range sortedKeys(g.terms) {
		for _, t := range g.chosen(lang, o) {
			k := slices.Index(lectern.Aspects(), t.Aspect)
			out.list(lang, k).add(t.Term, effectWord, grownStrength)
			out.grown = append(out.grown, t)
		}
	}
	out.finish()
	return out
}

type grower struct {
	of      *Aspects
	terms   map[string]map[string]*termCount // by language and term
	clauses map[string]*[aspectCount + 1]int // by language: of each aspect alone, and all
	courses map[string]bool
}

func (g *grower) read(i int, r *lectern.Review) {
	lang := g.of.lexicon.Language(r.Text, r.Language)
	list := g.of.lexicon.lists[lang]
	if list == nil || g.of.lists[lang] == nil {
		return
	}
	if g.terms[lang] == nil {
		g.terms[lang], g.clauses[lang] = map[string]*termCount{}, &[aspectCount + 1]int{}
	}
	g.courses[r.CourseID] = true
	for _, sentence := range splitSentences(r.Text) {
		for _, clause := range list.clauses(sentence) {
			ts := tokenize(clause)
			ks := mentioned(g.of.strengths(ts, lang))
			if len(ks) > 1 {
				continue
			}
			g.clauses[lang][aspectCount]++
			if len(ks) == 1 {
				g.clauses[lang][ks[0]]++
			}
			seen := map[string]bool{}
			for k := range ts {
				if w := ts[k].word; !seen[w] && g.candidate(list, ts, k, lang) {
					seen[w] = true
					g.count(lang, w, i, r.CourseID, ks)
				}
			}
		}
	}
}

// candidate reports whether a word can name an aspect: not grammar, no figure, no
// praise or blame, no seed.
func (g *grower) candidate(list *wordList, ts []token, k int, lang string) bool {
	t := ts[k]
	if t.kind != kindWord || utf8.RuneCountInString(t.word) < 4 || strings.ContainsAny(t.word, "0123456789'") {
		return false
	}
	if g.of.lexicon.profiles.words[t.word] != 0 {
		return false
	}
	if e, _ := list.match(ts, k); e != nil {
		return false
	}
	for a := range g.of.lists[lang] {
		if e, _ := g.of.lists[lang][a].match(ts, k); e != nil {
			return false
		}
	}
	return true
}

func (g *grower) count(lang, w string, review int, course string, ks []int) {
	n := g.terms[lang][w]
	if n == nil {
		n = &termCount{last: -1, courses: map[string]bool{}}
		g.terms[lang][w] = n
	}
	n.clauses++
	if len(ks) == 1 {
		n.beside[ks[0]]++
	}
	if n.last != review {
		n.last = review
		n.reviews++
		n.courses[course] = true
	}
}

// chosen are the words of a language that are tied to one aspect, the strongest tie
// first.
func (g *grower) chosen(lang string, o GrowOptions) []GrownTerm {
	all := g.clauses[lang]
	total := float64(all[aspectCount])
	var out []GrownTerm
	for _, w := range sortedKeys(g.terms[lang]) {
		n := g.terms[lang][w]
		if n.reviews < o.MinReviews || len(n.courses) < min(o.MinCourses, len(g.courses)) {
			continue
		}
		k := 0
		for i, b := range n.beside {
			if b > n.beside[k] {
				k = i
			}
		}
		both := float64(n.beside[k])
		if both == 0 || both < o.MinShare*float64(n.clauses) {
			continue
		}
		pmi := math.Log(both*total/(float64(n.clauses)*float64(all[k]))) / -math.Log(both/total)
		if pmi >= o.MinPMI {
			out = append(out, GrownTerm{Language: lang, Aspect: lectern.Aspects()[k], Term: w, PMI: pmi, Reviews: n.reviews})
		}
	}
	slices.SortStableFunc(out, func(a, b GrownTerm) int { return cmp.Or(cmp.Compare(a.Aspect, b.Aspect), cmp.Compare(b.PMI, a.PMI)) })
	return atMost(out, o.PerAspect)
}

// atMost keeps the first n of each aspect.
func atMost(terms []GrownTerm, n int) []GrownTerm {
	kept := map[lectern.Aspect]int{}
	return slices.DeleteFunc(terms, func(t GrownTerm) bool {
		kept[t.Aspect]++
		return kept[t.Aspect] > n
	})
}

// clone copies the lists, so that terms can be added.
func (a *Aspects) clone() *Aspects {
	out := &Aspects{lexicon: a.lexicon, lists: map[string]*[aspectCount]wordList{}, grown: slices.Clone(a.grown)}
	for lang, lists := range a.lists {
		for k := range lists {
			l := out.list(lang, k)
			for w, es := range lists[k].byFirst {
				l.byFirst[w] = slices.Clone(es)
			}
			for s, e := range lists[k].stems {
				l.stems[s] = e
			}
		}
	}
	return out
}
