package openai

import (
	"strings"

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
		if strings.TrimSpace(s) == "" {
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

// prepare puts the prefix before a text and cuts it to what the model reads.
func (e *Embedder) prepare(kind lectern.EmbedKind, at int, s string) item {
	prefix := e.cfg.DocumentPrefix
	if kind == lectern.EmbedQuery {
		prefix = e.cfg.QueryPrefix
	}
	whole := prefix + strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD"))
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
