package searchlog

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Machine  Learning ": "machine learning",
		"CAFÉ":               "cafe",
		"C++":                "c++",
		"c# and .NET":        "c# and .net",
		"node.js!":           "node.js",
		`"python"?`:          "python",
		"what is sql?":       "what is sql",
		"...":                "...",
		"..net":              "net",
		"🎉":                  "🎉",
		"机器学习。":              "机器学习",
		"<script>":           "script",
		"running runs":       "running runs", // no stems
		"  ":                 "",
		"a\x00b":             "a b",
		"R&D":                "r&d",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFoldAndCollapseAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.OneOf(rapid.String(), rapid.StringN(200, 600, -1)).Draw(t, "query")
		c, f := Collapse(q), Fold(q)
		if len(c) > lectern.MaxSearchQuery || len(f) > lectern.MaxSearchQuery || !utf8.ValidString(c) || !utf8.ValidString(f) {
			t.Fatalf("%d and %d bytes", len(c), len(f))
		}
		if Collapse(c) != c || strings.Contains(c, "  ") {
			t.Fatalf("%q collapses to %q", c, Collapse(c))
		}
	})
}

func TestPersonal(t *testing.T) {
	for s, want := range map[string]bool{
		"ada@example.org":           true,
		"write to ada＠example.org":  true,
		"+44 20 7946 0958":          true,
		"(555) 010-4477 99":         true,
		"4111 1111 1111 1111":       true,
		"id 1234567":                true,
		"１２３４５６７":                   true,
		"c++ 20":                    false,
		"excel 2024":                false,
		"history 1914-1918":         false,
		"@":                         false,
		"python @ work":             false,
		"cs50 2024 week 3":          false,
		"iso 27001 audit":           false,
		"machine learning 101":      false,
		"3d printing":               false,
		"1 2 3 4 5 6 7 8 9 counted": true,
	} {
		if got := personal(s); got != want {
			t.Errorf("personal(%q) = %v", s, got)
		}
	}
}

func TestBlockList(t *testing.T) {
	b := newBlockList([]string{"Éxam dumps", "crack", "作弊", "c++"})
	for s, want := range map[string]bool{
		"exam dumps":         true,
		"aws exam-dumps pdf": true,
		"photoshop crack":    true,
		"cracking":           false,
		"考试作弊方法":             true,
		"exam":               false,
		"learn c++":          true,
		"learn c":            false,
		"dumps exam":         false,
	} {
		if got := b.blocks(Fold(s)); got != want {
			t.Errorf("%q blocked: %v", s, got)
		}
	}
}
