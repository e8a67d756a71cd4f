package text

import (
	"slices"
	"strings"
)

// substitution is a phrase of a query with what it stands for.
type substitution struct {
	from, to int    // tokens of the query
	text     string // as the first rule that has it spells it
	means    []*phrase
}

// maxSenses bounds what one phrase of a query stands for.
const maxSenses = 8

// match finds the phrases of rules in a query, those that begin first and of
// these the longest, none overlapping another. A rule of a language counts where
// the query's language is that or unknown.
func (s *Synonyms) match(a *Analyzer, q string, tokens []Token, lang string) []substitution {
	if s == nil || len(s.tries) == 0 || len(tokens) == 0 {
		return nil
	}
	base := baseLanguage(lang)
	var all []substitution
	for _, t := range s.tries {
		if t.lang != "" && base != "" && t.lang != base {
			continue
		}
		read := tokens
		if stemsAs(t.lang) != stemsAs(base) {
			read = a.Tokens(cutQuery(q), t.lang)
			read = read[:min(len(read), len(tokens))]
		}
		all = t.match(all, read)
	}
	return disjoint(all)
}

// stemsAs is the language whose stemmer words of a language go through.
func stemsAs(base string) string {
	if base == "" {
		return "en"
	}
	return base
}

// match appends the longest phrase that begins at each token.
func (t *synonymTrie) match(out []substitution, tokens []Token) []substitution {
	content := slices.ContainsFunc(tokens, func(x Token) bool { return !x.Stop })
	for i := 0; i < len(tokens); i += 1 + dottedParts(tokens[i:]) {
		node, end, last := int32(0), 0, int32(0)
		stops := true
		for j := i; j < len(tokens); {
			next, ok := t.steps[synonymStep{node, tokens[j].Term}]
			if !ok {
				break
			}
			stops = stops && tokens[j].Stop
			node = next
			j += 1 + dottedParts(tokens[j:])
			// Grammar alone is no phrase in a query that says more: IT is, it is not.
			if _, ok := t.ends[node]; ok && (!stops || !content) {
				end, last = j, node
			}
		}
		if end > 0 {
			out = append(out, t.substitution(tokens, i, end, last))
		}
	}
	return out
}

// substitution is what the phrase that ends at a node stands for, without itself.
func (t *synonymTrie) substitution(tokens []Token, from, to int, node int32) substitution {
	var own strings.Builder
	for i := from; i < to; i += 1 + dottedParts(tokens[i:to]) {
		if i > from {
			own.WriteByte(' ')
		}
		own.WriteString(tokens[i].Term)
	}
	s := substitution{from: from, to: to, text: t.ends[node][0].from}
	for _, m := range t.ends[node] {
		for _, p := range m.to {
			if p.key != own.String() && !s.has(p) {
				s.means = append(s.means, p)
			}
		}
	}
	return s
}

func (s *substitution) has(p *phrase) bool {
	return slices.ContainsFunc(s.means, func(o *phrase) bool { return o.key == p.key })
}

// disjoint keeps the phrases that begin first, and of these the longest; what
// several languages say about the same words is joined.
func disjoint(all []substitution) []substitution {
	slices.SortStableFunc(all, func(a, b substitution) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return b.to - a.to
	})
	out := all[:0]
	for _, s := range all {
		if n := len(out); n > 0 && s.from < out[n-1].to {
			if last := &out[n-1]; s.from == last.from && s.to == last.to {
				for _, p := range s.means {
					if !last.has(p) {
						last.means = append(last.means, p)
					}
				}
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// Variant is a query with one phrase replaced by what it stands for.
type Variant struct {
	Text string // the whole query, rewritten
	From string // the phrase of the query, as the rule spells it
	To   string // what stands in its place, as the rule spells it
}

// maxVariants bounds the variants of one query.
const maxVariants = 4

// Variants returns what else a query may mean by the rules, of every language,
// one phrase replaced at a time: at most four. Only whole words count, so that an
// unfinished word at the end stands for itself alone.
func (s *Synonyms) Variants(query string) []Variant {
	if s == nil || len(s.tries) == 0 || len(query) > maxVariantBytes {
		return nil
	}
	query = normalise(query)
	tokens, at := s.analyzer.located(query, s.tries[0].lang)
	if len(tokens) == 0 || len(tokens) > maxQueryTokens {
		return nil
	}
	var all []substitution
	for i, t := range s.tries {
		read := tokens
		if i > 0 && stemsAs(t.lang) != stemsAs(s.tries[0].lang) {
			read, _ = s.analyzer.located(query, t.lang)
		}
		all = t.match(all, read)
	}
	var out []Variant
	for _, m := range disjoint(all) {
		for _, p := range m.means {
			if len(out) == maxVariants {
				return out
			}
			start, end := at[m.from].start, at[m.to-1].end
			out = append(out, Variant{
				Text: query[:start] + p.text + query[end:],
				From: m.text, To: p.text,
			})
		}
	}
	return out
}

// maxVariantBytes is where queries are too long to be rewritten.
const maxVariantBytes = 1000
