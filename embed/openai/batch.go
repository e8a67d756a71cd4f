package openai

import (
	"strings"
	"unicode"

	"github.com/lectern-dev/lectern"
)

// item is a text on its way to the server.
type item struct {
	at     int // in the caller's texts
	text   string
	tokens int // estimated
	cut    bool
}

// batches prepares texts and puts them together, in order, up to the limits of
// texts and tokens. Empty texts are left out.
func (e *Embedder) batches(kind lectern.EmbedKind, texts []string) [][]item {
	var out [][]item
	var batch []item
	tokens := 0
	for i, s := range texts {
		if s = tidy(s); s == "" {
			continue
		}
		it := e.prepare(kind, i, s)
		if it.cut {
			e.stats.cutText()
		}
		if len(batch) == e.cfg.BatchTexts || (len(batch) > 0 && tokens+it.tokens > e.cfg.BatchTokens) {
			out, batch, tokens = append(out, batch), nil, 0
		}
		batch = append(batch, it)
		tokens += it.tokens
	}
	if len(batch) > 0 {
		out = append(out, batch)
	}
	return out
}

// tidy returns a text in valid UTF-8, without control characters, which some
// servers refuse, and without white space around it.
func tidy(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// prepare puts the prefix before a tidy text and cuts it to what the model reads.
func (e *Embedder) prepare(kind lectern.EmbedKind, at int, s string) item {
	prefix := e.cfg.DocumentPrefix
	if kind == lectern.EmbedQuery {
		prefix = e.cfg.QueryPrefix
	}
	whole := prefix + s
	short, tokens := cutTokens(whole, e.cfg.MaxTextTokens-specialTokens)
	return item{at: at, text: short, tokens: tokens + specialTokens, cut: len(short) < len(whole)}
}

func textsOf(b []item) []string {
	out := make([]string, len(b))
	for i := range b {
		out[i] = b[i].text
	}
	return out
}
