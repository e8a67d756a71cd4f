package sentiment

import (
	"fmt"
	"io/fs"
	"math/bits"
	"slices"
	"strings"
	"unicode"
)

// profiles recognise languages by their script and by the words that they are made
// of. Reviews are short: most have no more than the few words that a profile lists,
// which trigrams cannot tell apart.
type profiles struct {
	languages []string
	words     map[string]uint32 // bit i: a word of languages[i]
	stems     map[string]uint32
	shortest  int
}

// Enough of a language, in words and as a share of them.
const (
	languageShare = 0.12
	longestStem   = 12  // bytes
	languageClear = 2.0 // words that nothing but the text's own language holds
)

// newProfiles reads words/languages.txt and adds the words of the lexicons.
func newProfiles(lists map[string]*wordList) *profiles {
	p, err := readProfiles(wordFiles)
	if err != nil {
		p = &profiles{words: map[string]uint32{}, stems: map[string]uint32{}} // a test reads it
	}
	for lang, list := range lists {
		bit := p.bit(lang)
		for _, es := range list.byFirst {
			for _, e := range es {
				for _, w := range e.words {
					p.words[w] |= bit
				}
			}
		}
		for stem := range list.stems {
			p.stems[stem] |= bit
		}
	}
	p.shortest = 4
	return p
}

func readProfiles(fsys fs.FS) (*profiles, error) {
	b, err := fs.ReadFile(fsys, "words/languages.txt")
	if err != nil {
		return nil, fmt.Errorf("read language profiles: %w", err)
	}
	p := &profiles{words: map[string]uint32{}, stems: map[string]uint32{}}
	for n, line := range strings.Split(string(b), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		lang, list, ok := strings.Cut(line, ":")
		if !ok || len(p.languages) >= 32 {
			return nil, fmt.Errorf("language profiles, line %d: want language: words, 32 at most", n+1)
		}
		bit := p.bit(lang)
		for _, w := range strings.Fields(list) {
			p.words[foldWord(w)] |= bit
		}
	}
	return p, nil
}

func (p *profiles) bit(lang string) uint32 {
	i := slices.Index(p.languages, lang)
	if i < 0 {
		p.languages = append(p.languages, lang)
		i = len(p.languages) - 1
	}
	return 1 << i
}

// language is the base tag of what the tokens are written in: what they show where
// it is clear, else what is stated, else their best guess; "" is unknown.
func (p *profiles) language(ts []token, stated string) string {
	stated = base(stated)
	letters := 0
	var votes [32]float64
	words := 0
	foreign := ""
	other := 0
	for _, t := range ts {
		if t.kind != kindWord || t.word == "" {
			continue
		}
		r, _ := decode(t.word)
		if !unicode.IsLetter(r) {
			continue
		}
		letters++
		if script := scriptLanguage(r); script != "" {
			other++
			foreign = script
			if foreign != "ru" {
				continue
			}
		}
		words++
		p.vote(&votes, t.word)
	}
	if letters == 0 {
		return orElse(stated, "en") // figures and emoji speak every language
	}
	if 2*other > letters && foreign != "ru" {
		return foreign
	}
	return p.decide(votes[:len(p.languages)], words, 2*other > letters, stated)
}

// vote shares out one word among the languages that have it.
func (p *profiles) vote(votes *[32]float64, w string) {
	mask := p.mask(w)
	if short := squeeze(w, 1); mask == 0 && len(short) < len(w) {
		mask = p.mask(short)
	}
	if mask == 0 {
		return
	}
	share := 1 / float64(bits.OnesCount32(mask))
	for m := mask; m != 0; m &= m - 1 {
		votes[bits.TrailingZeros32(m)] += share
	}
}

// mask are the languages that have a word.
func (p *profiles) mask(w string) uint32 {
	if m := p.words[w]; m != 0 {
		return m
	}
	for n := min(len(w), longestStem); n >= p.shortest; n-- {
		if m := p.stems[w[:n]]; m != 0 {
			return m
		}
	}
	return 0
}

func (p *profiles) decide(votes []float64, words int, cyrillic bool, stated string) string {
	best, second := -1, 0.0
	for i, v := range votes {
		switch {
		case best < 0 || v > votes[best]:
			if best >= 0 {
				second = votes[best]
			}
			best = i
		case v > second:
			second = v
		}
	}
	if best < 0 || votes[best] < languageShare*float64(words) {
		if cyrillic {
			return orElse(stated, "ru")
		}
		return stated
	}
	if lang := p.languages[best]; stated == "" || votes[best] >= 2*second+languageClear {
		return lang
	}
	return stated
}

// scriptLanguage is the language that a script other than Latin stands for.
func scriptLanguage(r rune) string {
	switch {
	case r < 0x370:
		return ""
	case unicode.Is(unicode.Cyrillic, r):
		return "ru"
	case unicode.In(r, unicode.Hiragana, unicode.Katakana):
		return "ja"
	case unicode.Is(unicode.Han, r):
		return "zh"
	case unicode.Is(unicode.Hangul, r):
		return "ko"
	case unicode.Is(unicode.Arabic, r):
		return "ar"
	case unicode.Is(unicode.Devanagari, r):
		return "hi"
	case unicode.Is(unicode.Greek, r):
		return "el"
	case unicode.Is(unicode.Hebrew, r):
		return "he"
	case unicode.Is(unicode.Thai, r):
		return "th"
	case unicode.Is(unicode.Latin, r):
		return ""
	}
	return "und"
}

// base is the base language of a BCP 47 tag.
func base(tag string) string {
	tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
	tag, _, _ = strings.Cut(tag, "_")
	return tag
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
