package sentiment

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// mentionStrength is what the words of a sentence have to sum up to for an aspect to
// be its subject.
const mentionStrength = 1.0

// aspectMargin is the share of the strongest aspect that another needs to count too.
const aspectMargin = 0.5

// Aspects tells which aspects a sentence speaks of.
type Aspects struct {
	lexicon *Lexicon
	lists   map[string]*[aspectCount]wordList // by language; in the order of lectern.Aspects
	grown   []GrownTerm
}

const aspectCount = 6

// GrownTerm is a word that the corpus added to the seeds.
type GrownTerm struct {
	Language string         `json:"language"`
	Aspect   lectern.Aspect `json:"aspect"`
	Term     string         `json:"term"`
	PMI      float64        `json:"pmi"` // normalised, in [-1, 1]
	Reviews  int            `json:"reviews"`
}

// SeedAspects are the aspects by the words that the package is built with.
func SeedAspects(lex *Lexicon) *Aspects {
	a, err := readAspects(wordFiles)
	if err != nil {
		a = &Aspects{lists: map[string]*[aspectCount]wordList{}} // a test reads them
	}
	a.lexicon = lex
	return a
}

// Grown lists the words that Grow added, by language, aspect and strength of tie.
func (a *Aspects) Grown() []GrownTerm { return slices.Clone(a.grown) }

func readAspects(fsys fs.FS) (*Aspects, error) {
	b, err := fs.ReadFile(fsys, "words/aspects.txt")
	if err != nil {
		return nil, fmt.Errorf("read aspects: %w", err)
	}
	a := &Aspects{lists: map[string]*[aspectCount]wordList{}}
	for n, line := range strings.Split(string(b), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		head, terms, ok := strings.Cut(line, ":")
		f := strings.Fields(head)
		if !ok || len(f) != 3 {
			return nil, fmt.Errorf("aspects, line %d: want language aspect strength: words", n+1)
		}
		k := slices.Index(lectern.Aspects(), lectern.Aspect(f[1]))
		strength, err := strconv.ParseFloat(f[2], 64)
		if k < 0 || err != nil {
			return nil, fmt.Errorf("aspects, line %d: unknown aspect or strength in %q", n+1, head)
		}
		for term := range strings.SplitSeq(terms, ",") {
			a.list(f[0], k).add(term, effectWord, strength)
		}
	}
	a.finish()
	return a, nil
}

// list makes room for a language.
func (a *Aspects) list(language string, k int) *wordList {
	lists := a.lists[language]
	if lists == nil {
		lists = &[aspectCount]wordList{}
		for i := range lists {
			lists[i] = wordList{language: language, byFirst: map[string][]*entry{}, stems: map[string]*entry{}, shortest: shortestStem}
		}
		a.lists[language] = lists
	}
	return &lists[k]
}

func (a *Aspects) finish() {
	for _, lists := range a.lists {
		for i := range lists {
			lists[i].finish()
		}
	}
}

// strengths sums up what the words of a sentence say of each aspect.
func (a *Aspects) strengths(ts []token, language string) [aspectCount]float64 {
	var out [aspectCount]float64
	lists := a.lists[language]
	if lists == nil {
		return out
	}
	for k := range lists {
		for i := 0; i < len(ts); {
			if ts[i].kind != kindWord {
				i++
				continue
			}
			e, n := lists[k].match(ts, i)
			if e == nil {
				i++
				continue
			}
			out[k] += e.strength
			i += n
		}
	}
	return out
}

// Of lists the aspects that a sentence of a language speaks of, the strongest first.
func (a *Aspects) Of(sentence, language string) []lectern.Aspect {
	ks := mentioned(a.strengths(tokenize(sentence), base(language)))
	out := make([]lectern.Aspect, len(ks))
	for i, k := range ks {
		out[i] = lectern.Aspects()[k]
	}
	return out
}

// Language recognises the language of a text, as that of the lexicon does.
func (a *Aspects) Language(text, stated string) string { return a.lexicon.Language(text, stated) }

// AspectScore is what a text says of one aspect.
type AspectScore struct {
	Aspect   lectern.Aspect `json:"aspect"`
	Score    float64        `json:"score"`    // probability that it is praise rather than blame, mean of the clauses
	Mentions int            `json:"mentions"` // clauses
	Strength float64        `json:"strength"` // how clearly it is the subject, summed over the clauses
}

// InText lists the aspects that a whole review speaks of, each with what it says: the
// clearest subject first. One sentence may speak of several. language is what the
// review says it is written in, and may be empty; a language without words of aspects
// has none.
func (a *Aspects) InText(text, language string, c Classifier) []AspectScore {
	var ms [aspectCount][]mention
	a.mentions(&lectern.Review{Text: text, Language: language}, c, 1, nil, &ms)
	var out []AspectScore
	for k, of := range ms {
		if len(of) == 0 {
			continue
		}
		s := AspectScore{Aspect: lectern.Aspects()[k], Mentions: len(of)}
		for _, m := range of {
			s.Score += m.score / float64(len(of))
			s.Strength += m.strength
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(x, y AspectScore) int { return cmp.Compare(y.Strength, x.Strength) })
	return out
}

// mentioned lists the aspects with strength enough, the strongest first.
func mentioned(s [aspectCount]float64) []int {
	top := slices.Max(s[:])
	var out []int
	for k, v := range s {
		if v >= mentionStrength && v >= aspectMargin*top {
			out = append(out, k)
		}
	}
	slices.SortStableFunc(out, func(x, y int) int {
		switch {
		case s[x] > s[y]:
			return -1
		case s[x] < s[y]:
			return 1
		}
		return 0
	})
	return out
}
