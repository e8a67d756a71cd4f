package sentiment

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed words
var wordFiles embed.FS

// effect is what an entry of a word list does to what stands around it.
type effect uint8

const (
	effectWord       effect = iota // praise or blame by itself
	effectBooster                  // makes the next one stronger or weaker
	effectNegator                  // turns what follows
	effectContrast                 // what follows counts more than what was
	effectConcession               // up to the next comma counts less
	effectIrrealis                 // what follows is not the case
)

func sections() map[string]effect {
	return map[string]effect{
		"words": effectWord, "boosters": effectBooster, "negators": effectNegator,
		"contrast": effectContrast, "concession": effectConcession, "irrealis": effectIrrealis,
	}
}

// entry is a word or phrase of a list.
type entry struct {
	words    []string // folded; the last without its star
	open     bool     // any ending
	effect   effect
	strength float64 // -4 to 4 of a word, the factor of a booster
	negates  bool    // holds a negator of its own
}

// wordList is the lexicon of one language.
type wordList struct {
	language string
	byFirst  map[string][]*entry // by first word, longest first
	stems    map[string]*entry   // single words with any ending
	shortest int                 // stem, in bytes
}

const (
	shortestStem = 3
	gapMark      = "~" // in a phrase: up to gapWords words
	gapWord      = "xgapx"
	gapWords     = 3
)

// readWordList reads words/<language>.txt and words/emoji.txt.
func readWordList(fsys fs.FS, language string) (*wordList, error) {
	l := &wordList{language: language, byFirst: map[string][]*entry{}, stems: map[string]*entry{}, shortest: shortestStem}
	for _, name := range []string{language, "emoji"} {
		if err := l.readFile(fsys, name); err != nil {
			return nil, err
		}
	}
	l.finish()
	return l, nil
}

func (l *wordList) readFile(fsys fs.FS, name string) error {
	b, err := fs.ReadFile(fsys, "words/"+name+".txt")
	if err != nil {
		return fmt.Errorf("read word list: %w", err)
	}
	known, in := sections(), effectWord
	for n, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			e, ok := known[strings.TrimSuffix(name, "]")]
			if !ok {
				return fmt.Errorf("word list %s, line %d: unknown section %s", name, n+1, line)
			}
			in = e
			continue
		}
		number, list, ok := strings.Cut(line, ":")
		strength, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil {
			return fmt.Errorf("word list %s, line %d: want strength: words", name, n+1)
		}
		for phrase := range strings.SplitSeq(list, ",") {
			l.add(phrase, in, strength)
		}
	}
	return nil
}

// add takes an entry. The first place that a phrase is listed in holds, so that a
// list can put its exceptions first.
func (l *wordList) add(phrase string, in effect, strength float64) {
	phrase = strings.TrimSpace(phrase)
	if phrase == "" {
		return
	}
	open := strings.HasSuffix(phrase, "*")
	e := &entry{open: open, effect: in, strength: strength}
	for _, t := range tokenize(strings.ReplaceAll(strings.TrimSuffix(phrase, "*"), gapMark, gapWord)) {
		if t.word == gapWord {
			t.word = gapMark
		}
		if t.kind == kindWord || t.kind == kindEmoji {
			e.words = append(e.words, t.word)
		}
	}
	if len(e.words) == 0 {
		return
	}
	if len(e.words) == 1 && open {
		if _, ok := l.stems[e.words[0]]; !ok {
			l.stems[e.words[0]] = e
		}
		return
	}
	for _, old := range l.byFirst[e.words[0]] {
		if old.open == e.open && old.effect == e.effect && slices.Equal(old.words, e.words) {
			return
		}
	}
	l.byFirst[e.words[0]] = append(l.byFirst[e.words[0]], e)
}

// finish puts phrases in order and finds those with a negator of their own.
func (l *wordList) finish() {
	for _, es := range l.byFirst {
		slices.SortStableFunc(es, func(a, b *entry) int { return len(b.words) - len(a.words) })
		for _, e := range es {
			for _, w := range e.words {
				e.negates = e.negates || len(e.words) > 1 && l.isNegator(w)
			}
		}
	}
}

func (l *wordList) isNegator(w string) bool {
	for _, e := range l.byFirst[w] {
		if len(e.words) == 1 && e.effect == effectNegator {
			return true
		}
	}
	return false
}

// match returns the longest entry that starts at ts[i], and how many tokens it spans.
func (l *wordList) match(ts []token, i int) (*entry, int) {
	w := ts[i].word
	if e, n := l.phrase(ts, i, w); e != nil {
		return e, n
	}
	if e := l.stem(w); e != nil {
		return e, 1
	}
	if short := squeeze(w, 1); len(short) < len(w) {
		if e, n := l.phrase(ts, i, short); e != nil && n == 1 {
			return e, 1 // goood and sooo, as they are spelled
		}
		if e := l.stem(short); e != nil {
			return e, 1
		}
	}
	return nil, 0
}

func (l *wordList) stem(w string) *entry {
	for n := len(w); n >= l.shortest; n-- {
		if e, ok := l.stems[w[:n]]; ok {
			return e
		}
	}
	return nil
}

func (l *wordList) phrase(ts []token, i int, first string) (*entry, int) {
	for _, e := range l.byFirst[first] {
		if n := e.spans(ts, i); n > 0 {
			return e, n
		}
	}
	return nil, 0
}

// spans is the number of tokens that the entry takes at ts[i], whose first word is
// known to be its first; 0 where it does not stand.
func (e *entry) spans(ts []token, i int) int {
	at := i + 1
	for k := 1; k < len(e.words); k++ {
		if e.words[k] == gapMark {
			k++
			for gap := 0; gap < gapWords && at < len(ts) && ts[at].kind == kindWord && ts[at].word != e.words[k]; gap++ {
				at++
			}
		}
		if at >= len(ts) || ts[at].kind != kindWord {
			return 0
		}
		w := ts[at].word
		begins := e.open && k == len(e.words)-1 && strings.HasPrefix(w, e.words[k])
		if w != e.words[k] && !begins {
			return 0
		}
		at++
	}
	return at - i
}
