package retrieve

import (
	"context"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// farMore is how many times as much another spelling must find to be offered.
const farMore = 5

// corrected is the spelling that a search was made for, "" for the one that was
// typed.
func (e *Engine) corrected(p *pass) string { return e.respell(p.req.Query, corrections(p.understood)) }

// corrections are the words of a query that were read as others, folded, with
// these as they are shown. A word that was only begun is not misspelt.
func corrections(u text.Understood) map[string]string {
	to := make(map[string]string)
	for _, w := range u.Words {
		if w.Read != "" && w.Read != w.Surface && w.Trust < 1 && !strings.HasPrefix(w.Read, w.Surface) {
			to[w.Surface] = w.Shown
		}
	}
	if len(to) == 0 {
		return to
	}
	for _, w := range u.Words { // what counts as its word anyhow is spelt right along with the others
		if w.Trust == 1 && !strings.HasPrefix(w.Read, w.Surface) && !strings.HasPrefix(w.Surface, w.Read) {
			to[w.Surface] = w.Shown
		}
	}
	return to
}

// shown is a word of the query as the catalogue mostly writes it.
func (p *pass) shown(read string) string {
	for _, w := range p.understood.Words {
		if w.Read == read {
			return w.Shown
		}
	}
	return read
}

// respell replaces words of a query, given folded; "" when it has none of them.
func (e *Engine) respell(query string, to map[string]string) string {
	if len(to) == 0 {
		return ""
	}
	var b strings.Builder
	done := 0
	for w := range text.Words(query) {
		tokens := e.Catalog.analyzer.Tokens(w.Text, "")
		if len(tokens) == 0 {
			continue
		}
		if other, ok := to[tokens[0].Surface]; ok {
			b.WriteString(query[done:w.Start])
			b.WriteString(other)
			done = w.Start + len(w.Text)
		}
	}
	if done == 0 {
		return ""
	}
	b.WriteString(query[done:])
	return b.String()
}

// didYouMean offers another spelling when a word of the query that the catalogue
// knows, or that was to be taken as typed, is one slip away from one that finds far
// more courses: at least farMore times as many that hold every word.
func (e *Engine) didYouMean(ctx context.Context, p *pass) (*lectern.SpellingSuggestion, error) {
	options := e.queryOptions(p)
	doubts := e.Words.Respellings(p.req.Query, options, farMore)
	read := p.understood
	if p.req.Exact { // nothing was corrected, but it may be offered
		read = e.Words.Understand(closed(p.req.Query), text.QueryOptions{Language: options.Language})
	}
	to := corrections(read)
	offered := p.req.Exact && len(to) > 0
	for _, d := range doubts {
		if _, done := to[d.Surface]; !done && (d.Known > 0 || p.req.Exact) {
			to[d.Surface], offered = d.Shown, true
		}
	}
	other := e.respell(p.req.Query, to)
	if other == "" || !offered {
		return nil, nil
	}
	req := p.req
	req.Query = other
	v, err := e.variant(ctx, p, req)
	if err != nil {
		return nil, err
	}
	if found := v.holdingAll(); found == 0 || found < farMore*p.holdingAll() {
		return nil, nil
	}
	return &lectern.SpellingSuggestion{Query: other, Results: e.listable(v)}, nil
}

// holdingAll counts the candidates that hold every word of the query.
func (p *pass) holdingAll() int {
	n := 0
	for _, en := range p.entries {
		if p.holdsAll(en.facts.ID) {
			n++
		}
	}
	return n
}

// holdsAll reports whether a course that words found holds every word of the query.
func (p *pass) holdsAll(id string) bool {
	h := p.held[id]
	return h.Any != 0 && h.Any == 1<<len(p.understood.Words)-1
}

// listable is how many results a search lists.
func (e *Engine) listable(p *pass) int { return min(len(p.entries), e.cfg.Depth) }
