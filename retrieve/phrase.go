package retrieve

import (
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/fusion"
	"github.com/lectern-dev/lectern/text"
)

// skillPhrase is what a phrase says in one of a course's skills, against one in
// its title.
const skillPhrase = 0.5

// phrasesOf lists the terms of a course's title and skills in order, the parts
// divided by zeros: what its title holds, and what stands next to what.
func (c *Catalog) phrasesOf(course lectern.Course) []uint32 {
	out := c.termIDs(course.Title, course.Language)
	for _, s := range course.Skills {
		out = append(append(out, 0), c.termIDs(s, course.Language)...)
	}
	return slices.Clip(out)
}

// parts cuts what phrasesOf made: the title, and the rest.
func (e *entry) parts() (title, skills []uint32) {
	if i := slices.Index(e.phrases, 0); i >= 0 {
		return e.phrases[:i], e.phrases[i+1:]
	}
	return e.phrases, nil
}

// addTitles lets titles speak for the courses that were found: a fused score f
// becomes (f + t·c + w·s)/(1 + t + w), where c is the share of the query's
// information that the title holds, s says how nearly the title is the query as
// one phrase, and t and w are their weights. Words that only lie scattered about a
// text say less than the same words in its title, and in its title they say most
// in the order in which they were asked.
func (e *Engine) addTitles(p *pass) {
	t, w := e.cfg.TitleWeight, e.cfg.PhraseWeight
	if t+w == 0 || len(p.understood.Words) == 0 {
		return
	}
	want := p.wantedLanguages()
	for i, en := range e.Catalog.lookup(idsOf(p.fused)) {
		f := float64(p.fused[i].Score)
		if en != nil {
			title, skills := en.parts()
			said := t*titleCoverage(p.understood.Words, title) + w*phraseMatch(p.understood.Words, title, skills)
			f += said * p.keeps(en, want, p.fused[i].ID)
		}
		p.fused[i].Score = float32(f / (1 + t + w))
	}
	slices.SortFunc(p.fused, fusion.ByScore)
}

// titleCoverage is the share of a query's information that a title holds, each
// word as far as its reading is trusted.
func titleCoverage(words []text.QueryWord, title []uint32) float64 {
	held, all := 0.0, 0.0
	for _, w := range words {
		all += w.IDF
		if slices.ContainsFunc(title, func(t uint32) bool { return slices.Contains(w.Terms, t) }) {
			held += w.Trust * w.IDF
		}
	}
	if all == 0 {
		return 0
	}
	return held / all
}

// phraseMatch is ½ for a title that holds the words of a query next to each other
// and in order, and more the less else there is in it, up to 1. A phrase in one of
// the course's skills says half of that.
func phraseMatch(words []text.QueryWord, title, skills []uint32) float64 {
	best := phraseIn(words, title)
	for len(skills) > 0 {
		end := slices.Index(skills, 0)
		if end < 0 {
			end = len(skills)
		}
		best = max(best, skillPhrase*phraseIn(words, skills[:end]))
		skills = skills[min(end+1, len(skills)):]
	}
	return best
}

// phraseIn is how nearly a name is the query as a phrase.
func phraseIn(words []text.QueryWord, name []uint32) float64 {
	for from := 0; from+len(words) <= len(name); from++ {
		at := 0
		for at < len(words) && slices.Contains(words[at].Terms, name[from+at]) {
			at++
		}
		if at == len(words) {
			return 0.5 + 0.5*float64(len(words))/float64(len(name))
		}
	}
	return 0
}
