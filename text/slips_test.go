package text_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// slipShelf is a catalogue with common words and strays among them.
func slipShelf() *text.Lexicon {
	l := text.NewLexicon(text.DefaultParams())
	n := 0
	put := func(times int, title, language string) {
		for range times {
			n++
			l.Put(fmt.Sprint(n), text.Document{
				Sections: []lectern.TextSection{{Field: lectern.FieldTitle, Text: title}}, Language: language,
			})
		}
	}
	put(60, "machine learning", "en")
	put(1, "lerning to fly", "en")
	put(9, "lernen", "de")
	put(40, "python for beginners", "en")
	put(60, "logic begins", "en")
	put(30, "photography", "en")
	put(50, "photograph albums", "en")
	put(30, "astronomy", "en")
	put(2, "monastery", "en")
	put(30, "cars and meetings", "en")
	put(1, "a cat", "en")
	put(8, "Französisch mit Müller", "de")
	put(1, "franzosisch", "de")
	put(9, "Künstliche Intelligenz", "de")
	put(9, "die künstliche Welt", "de")
	return l
}

// TestSlips: what a query is read as, and that what is searched is the same.
func TestSlips(t *testing.T) {
	l := slipShelf()
	tests := []struct{ query, text string }{
		{"machne learning", "machine learning"},
		{"machne lerning", "machine learning"}, // two slips, though one is in the catalogue
		{"machine lerning", "machine lerning"}, // nothing else is wrong with it
		{"beginers", "beginners"},              // not begin
		{"begginers", "beginners"},             // two edits
		{"pythn for begginers", "python for beginners"},
		{"photograpy", "photography"},  // not photograph
		{"photografy", "photography"},  // two edits
		{"photogr", "photograph"},      // a beginning
		{"photograph ", "photograph "}, // a word of its own
		{"astrology", ""},              // two consonants off
		{"monastry", "monastery"},      // one edit needs no frequency
		{"monasteri", "monastery"},     // nor does it here
		{"mnastry", ""},                // too short for two
		{"cats ", "cat"},               // a form of a word, not cars
		{"knitting", ""},
	}
	for _, tt := range tests {
		if got := l.Understand(tt.query, text.QueryOptions{}).Text; got != tt.text {
			t.Errorf("%q reads %q, want %q", tt.query, got, tt.text)
		}
		if tt.text == "" {
			if v := l.QueryVector(tt.query, text.QueryOptions{}); len(v.Indices) > 0 {
				t.Errorf("%q is searched as something", tt.query)
			}
			continue
		}
		want := l.Understand(tt.text, text.QueryOptions{}).Words
		v := l.QueryVector(tt.query, text.QueryOptions{})
		for _, w := range want {
			for _, term := range w.Terms[:min(1, len(w.Terms))] {
				if !contains(v.Indices, term) {
					t.Errorf("%q is not searched as %q", tt.query, w.Read)
				}
			}
		}
	}
}

func contains(all []uint32, x uint32) bool {
	for _, y := range all {
		if x == y {
			return true
		}
	}
	return false
}

// TestWritten: words are shown as the catalogue mostly writes them.
func TestWritten(t *testing.T) {
	l := slipShelf()
	for query, want := range map[string]string{
		"franzosisch ": "Französisch", "franzosich ": "Französisch", // only titles have it, with a capital
		"muller ": "Müller", "müler ": "Müller", "kunstliche ": "künstliche", "python ": "python", "MACHINE ": "machine", "xyz": "",
	} {
		u := l.Understand(query, text.QueryOptions{Language: "de"})
		if got := u.Words[0].Shown; got != want {
			t.Errorf("%q is shown as %q, want %q", query, got, want)
		}
	}
}

func BenchmarkUnderstand(b *testing.B) {
	l := bigLexicon(100_000)
	for _, q := range []struct{ name, query string }{
		{"known", "wab wabc wcd "}, {"slip", "wabcx wcd "}, {"long slip", "wabcdexyzw wcd "}, {"beginning", "wabc w"},
		{"500 letters", strings.Repeat("x", 500)}, {"48 words", strings.Repeat("photografya ", 48)},
	} {
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.Understand(q.query, text.QueryOptions{})
			}
		})
	}
}
