package text

import (
	"cmp"
	"unicode/utf8"
)

// Respelling is a word of a query with a far commoner word that is one slip away.
type Respelling struct {
	Surface string // as typed, folded
	Known   int    // documents that hold it; of a rare form of a common word, its uses
	Other   string // the other word
	Shown   string // Other as the catalogue mostly writes it
	Better  int    // documents that hold that one
}

// Respellings returns, for words that may be slips, the commonest word one edit
// away that begins with the same letter, if at least times as many documents hold
// it. Both are words of the catalogue, so a query is read as it was typed; whether
// the other was meant, only who typed it knows.
func (l *Lexicon) Respellings(q string, o QueryOptions, times int) []Respelling {
	tokens := l.queryTokens(q, o)
	l.prepare(QueryOptions{})
	l.mu.RLock()
	defer l.mu.RUnlock()
	var out []Respelling
	for _, t := range tokens {
		if t.Stop || utf8.RuneCountInString(t.Surface) < minFuzzyLetters || len(out) == maxCorrected {
			continue
		}
		if r, ok := l.respelling(t, times); ok {
			r.Shown = l.written(r.Other)
			out = append(out, r)
		}
	}
	return out
}

// respelling looks around one word. The caller holds l.mu.
func (l *Lexicon) respelling(t Token, times int) (Respelling, bool) {
	own, known := l.appendExact(nil, t, 1, QueryOptions{})
	r := Respelling{Surface: t.Surface}
	for _, x := range own {
		r.Known += int(l.df[x.term])
	}
	r.Known = l.writtenIn(t.Surface, r.Known)
	if known && r.Known*times > len(l.docs) {
		return r, false // nothing can be so much commoner
	}
	first := firstRune(t.Surface)
	l.vocab.oneEdit(t.Surface, func(head int32) {
		word := l.vocab.entries[head].word
		if firstRune(word) != first {
			return
		}
		n := 0
		for e := head; e >= 0; e = l.vocab.entries[e].next {
			for _, x := range own {
				if x.term == l.vocab.entries[e].term {
					return // another form of the same word
				}
			}
			n += int(l.df[l.vocab.entries[e].term])
		}
		if cmp.Or(cmp.Compare(n, r.Better), cmp.Compare(r.Other, word)) > 0 {
			r.Other, r.Better = word, n
		}
	})
	return r, r.Better > 0 && r.Better >= times*r.Known
}
