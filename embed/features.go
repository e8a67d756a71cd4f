package embed

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern/text"
)

// kind is a kind of feature; it is part of the feature's hash.
type kind uint8

const (
	kindWord  kind = iota + 1
	kindPair       // two neighbouring words
	kindChars      // letters of a word with its ends marked
)

// feature is one feature of a text, by hash, with its count.
type feature struct {
	id    uint64
	count float32
}

// extractor turns texts into features.
type extractor struct {
	analyzer    *text.Analyzer
	titleWeight float32
	minChars    int
	maxChars    int
}

// maxTokens bounds the words of one text that count.
const maxTokens = 4000

// features returns the features of a text in rising order of id. The first line
// is taken for the title, and counts more than the rest.
func (x *extractor) features(s string) []feature {
	title, body, _ := strings.Cut(s, "\n")
	out := make([]feature, 0, 64+2*len(s))
	weight := x.titleWeight
	if strings.TrimSpace(body) == "" {
		weight = 1
	}
	out = x.appendLine(out, title, weight)
	for line := range strings.Lines(body) {
		out = x.appendLine(out, line, 1)
	}
	return mergeFeatures(out)
}

// lineFeatures returns the features of one line in rising order of id.
func (x *extractor) lineFeatures(line string, weight float32) []feature {
	return mergeFeatures(x.appendLine(make([]feature, 0, 64+2*len(line)), line, weight))
}

// mergeFeatures sorts features by id and sums the counts of those that are the same.
func mergeFeatures(all []feature) []feature {
	slices.SortFunc(all, func(a, b feature) int { return cmp.Compare(a.id, b.id) })
	out := all[:0]
	for _, f := range all {
		if n := len(out); n > 0 && out[n-1].id == f.id {
			out[n-1].count += f.count
			continue
		}
		out = append(out, f)
	}
	return out
}

// appendLine adds the features of one line.
func (x *extractor) appendLine(out []feature, line string, weight float32) []feature {
	tokens := x.analyzer.Tokens(line, "")
	tokens = tokens[:min(len(tokens), maxTokens)]
	content := slices.ContainsFunc(tokens, func(t text.Token) bool { return !t.Stop })
	previous := ""
	for _, t := range tokens {
		if t.Stop && content {
			continue
		}
		out = append(out, feature{hash(kindWord, t.Term), weight})
		if previous != "" {
			out = append(out, feature{hash(kindPair, previous, " ", t.Term), weight})
		}
		previous = t.Term
		out = x.appendChars(out, t.Surface, weight)
	}
	return out
}

// appendChars adds the letter n-grams of a word, whose ends are marked.
func (x *extractor) appendChars(out []feature, surface string, weight float32) []feature {
	if x.maxChars == 0 {
		return out
	}
	marked := "^" + surface + "$"
	var starts [68]int // byte offsets of letters; words are cut at 64 bytes
	n := 0
	for i := range marked {
		if n == len(starts)-1 {
			break
		}
		starts[n] = i
		n++
	}
	end := len(marked)
	if n < utf8.RuneCountInString(marked) {
		end = starts[n-1]
		n--
	}
	starts[n] = end
	for size := x.minChars; size <= x.maxChars; size++ {
		for i := 0; i+size <= n; i++ {
			out = append(out, feature{hash(kindChars, marked[starts[i]:starts[i+size]]), weight})
		}
	}
	return out
}

// hash names a feature (FNV-1a in 64 bits).
func hash(k kind, parts ...string) uint64 {
	h := uint64(14695981039346656037)
	h = (h ^ uint64(k)) * 1099511628211
	for _, p := range parts {
		for i := range len(p) {
			h = (h ^ uint64(p[i])) * 1099511628211
		}
	}
	// Two low bits carry the kind, so that weights can tell kinds apart.
	return h&^3 | uint64(k)
}

func kindOf(id uint64) kind { return kind(id & 3) }

// sublinear dampens a count.
func sublinear(count float32) float32 {
	if count <= 0 {
		return 0
	}
	return float32(math.Log1p(float64(count)))
}
