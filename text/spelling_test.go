package text_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// TestRespellings: a rare word is doubted where a far commoner one is a slip away,
// and only there.
func TestRespellings(t *testing.T) {
	l := text.NewLexicon(text.DefaultParams())
	n := 0
	put := func(times int, title string) {
		for range times {
			n++
			l.Put(fmt.Sprint(n), text.Document{Sections: []lectern.TextSection{{Field: lectern.FieldTitle, Text: title}}, Language: "en"})
		}
	}
	put(50, "python")
	put(2, "pyton")
	put(1, "ballet")
	put(40, "wallet")
	put(20, "program")
	put(1, "programs")
	put(30, "art")
	put(3, "karat")
	put(14, "karate")
	tests := []struct {
		query string
		want  []text.Respelling
	}{
		{"pyton", []text.Respelling{{"pyton", 2, "python", "python", 50}}},
		{"Pyton for beginners", []text.Respelling{{"pyton", 2, "python", "python", 50}}},
		{"python", nil},
		{"pythn", []text.Respelling{{"pythn", 0, "python", "python", 50}}}, // unknown
		{"ballet", nil},   // another first letter
		{"programs", nil}, // the same word
		{"ort", nil},      // too short to tell
		{"karat", nil},    // less than five times as common
		{"", nil},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, l.Respellings(tt.query, text.QueryOptions{Language: "en"}, 5)); d != "" {
			t.Errorf("%q (-want +got):\n%s", tt.query, d)
		}
	}
}

func TestWordsInTheirPlaces(t *testing.T) {
	s := "Ünïcode & C++: node.js, 机器学习 é"
	var got []string
	for w := range text.Words(s) {
		if s[w.Start:w.Start+len(w.Text)] != w.Text {
			t.Errorf("%q is not at %d", w.Text, w.Start)
		}
		got = append(got, w.Text)
	}
	if d := cmp.Diff([]string{"Ünïcode", "C++", "node.js", "机器学习", "é"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
