package skills

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Completing the last word of a query.
const (
	trustUnfinished = 0.8
	minUnfinished   = 3   // letters of an unfinished word with no other word before it that fits
	maxGroup        = 4   // words before and with the unfinished one that are looked up together
	maxCompleted    = 3   // skills that a query is completed to
	maxUnclear      = 8   // skills that it may be completed to, past which it is to none
	maxCandidates   = 256 // names that are looked at
)

// completion is a name that a query may be going to be.
type completion struct {
	key  string // its words without stop words
	text string
	id   string // of a skill or an occupation
}

// completions lists all names that are not weak by key.
func (m *Matcher) completions() []completion {
	var out []completion
	enter := func(id string, names []named, weak []string) {
		weakKeys := keysOf(m.reader.text, weak)
		for _, n := range names {
			if weakKeys[keyOf(m.reader.text, n.text)] {
				continue
			}
			out = append(out, completion{joinWords(withoutStops(nil, m.reader.read(nil, n.text))), n.text, id})
		}
	}
	for _, s := range m.graph.skills {
		enter(s.ID, namesOf(s.Name, s.Aliases, s.Phrases), s.Weak)
	}
	for _, o := range m.graph.occupations {
		enter(o.ID, namesOf(o.Name, o.Aliases, o.Phrases), o.Weak)
	}
	slices.SortFunc(out, func(a, b completion) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.id, b.id), cmp.Compare(a.text, b.text))
	})
	return out
}

func joinWords(words []word) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.surface)
	}
	return b.String()
}

// ExpandPrefix is Expand for a query whose last word is still being typed. Beside
// what stands there, it takes the query to be going on to each of the at most
// three names that are nearest to what was typed, where no more than eight skills
// and occupations come into question; their terms weigh
//
//	.8 × the share of the name's letters that are typed / the number of names
//
// of what they weigh in the completed query. Names that go on
// past the word that is being typed come into question only where none ends with
// it, of those one that goes on where another ends does not, and weak ones never do.
func (m *Matcher) ExpandPrefix(query string) []Term {
	query = cutQuery(query)
	last, _ := utf8.DecodeLastRuneInString(query)
	if !unicode.IsLetter(last) && !unicode.IsDigit(last) {
		return m.Expand(query)
	}
	q := asked{words: m.reader.read(nil, query)}
	if len(q.words) == 0 {
		return nil
	}
	typing := q.words[len(q.words)-1]
	typing.stop = false // it may become anything
	q.words = q.words[:len(q.words)-1]
	m.forgive(&q)
	found, group := m.completed(append(slices.Clip(q.words), typing))
	if len(found) == 0 {
		return m.Expand(query)
	}
	typed := joinWords(group)
	before := joinWords(q.words[:min(group[0].at, len(q.words))])
	best := make(map[string]Term)
	spelt := q.trust(0, len(q.words))
	keep := func(terms []Term, trust float64, misspelt bool) {
		for _, t := range terms {
			t.Weight *= trust
			t.Why.Misspelt = t.Why.Misspelt || misspelt
			if old, ok := best[t.SkillID]; !ok || t.Weight > old.Weight {
				best[t.SkillID] = t
			}
		}
	}
	q.words = append(q.words, typing)
	q.weighWords()
	keep(m.expand(q), 1, false)
	for _, c := range found {
		next := asked{words: m.reader.read(nil, before+" "+c.text)}
		next.weighWords()
		share := min(1, float64(len(typed))/float64(len(c.key)))
		keep(m.expand(next), trustUnfinished*share*spelt/float64(len(found)), spelt < 1)
	}
	return bounded(best)
}

// completed returns the names that the last words may become, nearest first, and
// those words.
func (m *Matcher) completed(words []word) (found []completion, group []word) {
	last := len(words) - 1
	telling := append(slices.DeleteFunc(slices.Clone(words[:last]), func(w word) bool { return w.stop }), words[last])
	for n := min(maxGroup, len(telling)); n > 0; n-- {
		group = telling[len(telling)-n:]
		if n == 1 && len(words[last].surface) < minUnfinished {
			return nil, nil
		}
		if found = m.startingWith(joinWords(group)); len(found) > 0 {
			break
		}
	}
	return found, group
}

// startingWith returns the names, nearest first, that start with what was typed
// and go on, if it is clear enough which are meant.
func (m *Matcher) startingWith(typed string) []completion {
	at, _ := slices.BinarySearchFunc(m.byKey, typed, func(c completion, key string) int { return cmp.Compare(c.key, key) })
	var found []completion
	short, oneWord := "", false
	for i := at; i < len(m.byKey) && strings.HasPrefix(m.byKey[i].key, typed); i++ {
		c := m.byKey[i]
		switch {
		case i-at == maxCandidates:
			return nil
		case c.key == typed || short != "" && strings.HasPrefix(c.key, short+" "):
			continue
		}
		short = c.key
		if one := !strings.Contains(c.key[len(typed):], " "); one && !oneWord {
			found, oneWord = found[:0], true // names that only go on to the end of the word are nearer
		} else if oneWord && !one {
			continue
		}
		same := func(have completion) bool { return have.id == c.id }
		if j := slices.IndexFunc(found, same); j < 0 {
			found = append(found, c)
		} else if len(c.key) < len(found[j].key) {
			found[j] = c
		}
	}
	if len(found) > maxUnclear {
		return nil
	}
	slices.SortStableFunc(found, func(a, b completion) int { return cmp.Compare(len(a.key), len(b.key)) })
	return found[:min(len(found), maxCompleted)]
}
