package retrieve

import (
	"context"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/fusion"
	"github.com/lectern-dev/lectern/text"
)

// knownWords embeds no more of a query than the words that the catalogue knows.
// An embedder that was learnt from the catalogue sees in any other word only its
// letters, and letters say nothing of meaning: yoga is not half of algebra.
type knownWords struct {
	lectern.Embedder
	words Words
}

// Embed reads queries before they are embedded; one without a known word yields
// nil, as one without a known feature does.
func (k knownWords) Embed(ctx context.Context, kind lectern.EmbedKind, texts []string) ([][]float32, error) {
	if kind != lectern.EmbedQuery {
		return k.Embedder.Embed(ctx, kind, texts)
	}
	read := make([]string, 0, len(texts))
	at := make([]int, 0, len(texts))
	for i, s := range texts {
		if u := k.words.Understand(closed(s), text.QueryOptions{}); u.Known() > 0 {
			read, at = append(read, u.Text), append(at, i)
		}
	}
	out := make([][]float32, len(texts))
	if len(read) == 0 {
		return out, nil
	}
	vectors, err := k.Embedder.Embed(ctx, kind, read)
	if err != nil {
		return nil, err
	}
	for i, v := range vectors {
		out[at[i]] = v
	}
	return out, nil
}

// readers is the embedder that stated interests and goals go through.
func (e *Engine) readers(embedder lectern.Embedder) lectern.Embedder {
	if embedder == nil || !e.knownWordsOnly(embedder) {
		return embedder
	}
	return knownWords{embedder, e.Words}
}

// knownWordsOnly reports whether an embedder sees no more of a query than the words
// that the catalogue knows. It goes by the embedder in use, which during and after
// a reindex need not be the one that the configuration names.
func (e *Engine) knownWordsOnly(embedder lectern.Embedder) bool {
	return e.cfg.KnownWordsOnly && embedder != nil && lectern.KnowsCatalogueOnly(embedder)
}

// look notes which words of the query the courses hold.
func (e *Engine) look(p *pass, hits []lectern.Hit) {
	var ids []string
	for _, h := range hits {
		if _, ok := p.held[h.ID]; !ok {
			ids = append(ids, h.ID)
		}
	}
	for i, h := range e.Words.Held(p.understood, ids) {
		p.held[ids[i]] = h
	}
}

// coverage is the share of the query's information that words hold: the inverse
// document frequencies of those that bits names, over all.
func coverage(u text.Understood, bits uint64) float64 {
	held, all := 0.0, 0.0
	for i, w := range u.Words {
		all += w.IDF
		if bits&(1<<i) != 0 {
			held += w.IDF
		}
	}
	if all == 0 {
		return 1
	}
	return held / all
}

// covering lays coverage over hits by words: a course that holds the common word
// of a query only falls behind those that hold the telling one.
func (e *Engine) covering(p *pass, hits []lectern.Hit) []lectern.Hit {
	if len(p.understood.Words) < 2 || e.cfg.CoveragePower == 0 {
		return hits
	}
	out := slices.Clone(hits)
	for i, h := range out {
		c := coverage(p.understood, p.held[h.ID].Any)
		out[i].Score = float32(float64(h.Score) * math.Pow(c, e.cfg.CoveragePower))
	}
	return out
}

// topicShare is the least share of the courses that use a word which must name
// it in title, skills or categories for it to be a topic of the catalogue.
const topicShare = 0.1

// mostOfIt is the share of a query that one course must hold when all it does is
// mention its words.
const mostOfIt = 0.5

// mentionSure is how sure a list may look whose courses mention the query only.
const mentionSure = 0.5

// topical reports whether a word of the query is a topic of the catalogue: one
// that courses name in title, skills or categories, and not only use in passing,
// as they do "tricks".
func (e *Engine) topical(p *pass, hits []lectern.Hit) bool {
	n := len(p.understood.Words)
	used, named := make([]int, n), make([]int, n)
	for i, en := range e.Catalog.lookup(idsOf(hits)) {
		held := p.held[hits[i].ID]
		for w := range n {
			if en == nil || held.Any&(1<<w) == 0 {
				continue
			}
			used[w]++
			if names(en, p.understood.Words[w]) {
				named[w]++
			}
		}
	}
	for w := range n {
		if named[w] > 0 && float64(named[w]) >= topicShare*float64(used[w]) {
			return true
		}
	}
	return false
}

// mentioned is the largest share of the query's information that one of the hits
// holds, each word as far as its reading is trusted.
func (p *pass) mentioned(hits []lectern.Hit) float64 {
	best, all := 0.0, 0.0
	for _, w := range p.understood.Words {
		all += w.IDF
	}
	for _, h := range hits {
		sum := 0.0
		for i, w := range p.understood.Words {
			if p.held[h.ID].Any&(1<<i) != 0 {
				sum += w.Trust * w.IDF
			}
		}
		best = max(best, sum)
	}
	if all == 0 {
		return 0
	}
	return best / all
}

// names reports whether a course has a word in its title, skills or categories.
func names(en *entry, w text.QueryWord) bool {
	return slices.ContainsFunc(w.Terms, en.holds)
}

// weighEvidence fuses what was found as far as it is evidence, and says how sure
// the list may look. Where it is none, nothing is left: an empty list is an
// honest answer.
func (e *Engine) weighEvidence(p *pass) {
	words := p.source(SourceWords)
	meaning := p.source(SourceMeaning)
	reviews := p.source(SourceReviews)
	if words != nil {
		e.look(p, words.hits)
	}
	known := p.understood.Known()
	taught := p.taughtSurely()
	skills := p.source(SourceSkills)
	switch {
	case meaning != nil && len(meaning.hits) > 0 && !e.knownWordsOnly(p.embedder): // one with knowledge of its own
		p.sure = min(max(float64(meaning.hits[0].Score), known), 1)
	case known < e.cfg.MinKnown && taught > 0:
		p.sure = taught
	case known < e.cfg.MinKnown:
		p.forget(words, meaning, reviews, skills)
	case words == nil || e.topical(p, words.hits):
		p.sure = known
	case p.mentioned(words.hits) > mostOfIt:
		p.sure = mentionSure * known
	case taught > 0:
		p.sure = mentionSure * max(known, taught)
	default:
		p.forget(words, meaning, reviews, skills)
	}
	e.fuse(p)
}

// source finds a source by its name, nil when it was not asked.
func (p *pass) source(name string) *source {
	for i := range p.sources {
		if p.sources[i].name == name {
			return &p.sources[i]
		}
	}
	return nil
}

// forget empties sources.
func (p *pass) forget(sources ...*source) {
	for _, s := range sources {
		if s != nil {
			s.hits = nil
		}
	}
}

// idsOf lists the courses of hits.
func idsOf(hits []lectern.Hit) []string {
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	return ids
}

// How much a course in another language than the learner's keeps of its fused
// score. Where it shares no word with the query, its nearness is likely that of
// the languages: one word that only Portuguese courses use is near to all of them.
const (
	foreignWords   = 0.9
	foreignMeaning = 0.5
)

// favourLanguage holds courses in other languages back; while no language is
// known, those in another than most of the catalogue.
func (e *Engine) favourLanguage(p *pass) {
	want := p.wantedLanguages()
	if len(want) == 0 {
		return
	}
	for i, en := range e.Catalog.lookup(idsOf(p.fused)) {
		p.fused[i].Score *= float32(p.keeps(en, want, p.fused[i].ID))
	}
	slices.SortFunc(p.fused, fusion.ByScore)
}

// wantedLanguages are the learner's, or those of most of the catalogue.
func (p *pass) wantedLanguages() []string {
	if want := p.languageKeys(); len(want) > 0 {
		return want
	}
	return p.view.languages.most()
}

// keeps is the share of its fused score that a course keeps for its language.
func (p *pass) keeps(en *entry, want []string, id string) float64 {
	switch {
	case en == nil || len(want) == 0 || len(en.facts.Languages) == 0 || overlap(en.facts.Languages, want):
		return 1
	case p.held[id].Any != 0:
		return foreignWords
	}
	return foreignMeaning
}

// languageKeys are the languages that the learner stated.
func (p *pass) languageKeys() []string {
	var keys []string
	if p.taste.Personal {
		for _, tag := range p.profile.Learner.Languages {
			keys = append(keys, lectern.LanguageKeys(tag)...)
		}
	}
	return keys
}
