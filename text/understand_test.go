package text_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

func TestUnderstand(t *testing.T) {
	l := text.NewLexicon(text.DefaultParams())
	for id, s := range map[string]string{
		"a": "kubernetes clusters", "b": "learning python", "c": "learning to learn", "d": "learning kubernetes and python",
	} {
		l.Put(id, text.Document{Sections: []lectern.TextSection{{Field: lectern.FieldTitle, Text: s}}, Language: "en"})
	}
	tests := []struct {
		query, text string
		known       float64 // −1: between 0 and 1
		held        []uint64
	}{
		{"python", "python", 1, []uint64{0, 1, 0, 1}},
		{"learning python ", "learning python ", 1, []uint64{0, 3, 1, 3}},
		{"kubernets ", "kubernetes", 1, []uint64{1, 0, 0, 1}},        // has the stem of the right word
		{"pyton ", "python", 1 - 2.0/6, []uint64{0, 1, 0, 1}},        // a slip: 1 − 2/letters
		{"xython ", "python", (1 - 2.0/6) / 2, []uint64{0, 1, 0, 1}}, // one in the first letter
		{"pyth", "python", 4.0 / 6, []uint64{0, 1, 0, 1}},            // a beginning: 4 of 6 letters
		{"yoga python ", "python", -1, []uint64{0, 2, 0, 2}},         // one word is unknown
		{"python 2024 ", "python", 1, []uint64{0, 1, 0, 1}},          // a year is no topic
		{"how to learn yoga ", "how to learn", -1, []uint64{0, 1, 1, 1}},
		{"yoga", "", 0, []uint64{0, 0, 0, 0}},
		{"", "", 0, []uint64{0, 0, 0, 0}},
	}
	for _, tt := range tests {
		u := l.Understand(tt.query, text.QueryOptions{})
		if u.Text != tt.text {
			t.Errorf("%q reads %q, want %q", tt.query, u.Text, tt.text)
		}
		known := u.Known()
		if tt.known >= 0 && math.Abs(known-tt.known) > 1e-9 || tt.known < 0 && (known <= 0 || known >= 1) {
			t.Errorf("%q is known to %v, want %v", tt.query, known, tt.known)
		}
		var held []uint64
		for _, h := range l.Held(u, []string{"a", "b", "c", "d"}) {
			held = append(held, h.Any)
		}
		if diff := cmp.Diff(tt.held, held); diff != "" {
			t.Errorf("%q held (-want +got):\n%s", tt.query, diff)
		}
	}
	if h := l.Held(l.Understand("python", text.QueryOptions{}), []string{"nobody"}); h[0].Any != 0 {
		t.Error("an unknown document holds something")
	}
}
