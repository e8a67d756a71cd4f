package openai

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestEstimateTokens(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int
	}{
		{"", 0},
		{" \n\t", 0},
		{"bread", 1},
		{"breads", 2},                 // bread s
		{"Bake bread, now!", 5},       // Bake bread , now !
		{"2026", 2},                   // 20 26
		{"C++11", 4},                  // C + + 11
		{"naïveté", 2},                // naïve té
		{"机器 学习", 4},                  // each on its own
		{"привет", 3},                 // пр ив ет
		{"accountability matters", 5}, // accou ntabi lity matte rs
		{"x1y2", 4},                   // x 1 y 2
		{strings.Repeat("a", 1000), 200},
	} {
		if got := estimateTokens(tt.text); got != tt.want {
			t.Errorf("%q: %d tokens, want %d", tt.text, got, tt.want)
		}
	}
}

func TestCutTokensProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[a-z0-9 ,é机п\n]{0,60}`).Draw(t, "text")
		limit := rapid.IntRange(0, 40).Draw(t, "limit")
		cut, n := cutTokens(s, limit)
		if !strings.HasPrefix(s, cut) || !utf8.ValidString(cut) {
			t.Fatalf("%q is no beginning of %q", cut, s)
		}
		if n != min(limit, estimateTokens(s)) || estimateTokens(cut) != n {
			t.Fatalf("%q cut to %q: %d tokens, of %d with %d allowed", s, cut, n, estimateTokens(s), limit)
		}
	})
}

func BenchmarkEstimateTokens(b *testing.B) {
	text := strings.Repeat("Learn to bake bread, from 2 kinds of flour. ", 40)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		estimateTokens(text)
	}
}
