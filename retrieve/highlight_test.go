package retrieve_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

// marked shows a text with what is highlighted in brackets.
func marked(s string, spans []lectern.Span) string {
	units := utf16.Encode([]rune(s))
	var b strings.Builder
	at := 0
	for _, span := range spans {
		b.WriteString(string(utf16.Decode(units[at:span.Start])) + "[" + string(utf16.Decode(units[span.Start:span.End])) + "]")
		at = span.End
	}
	return b.String() + string(utf16.Decode(units[at:]))
}

func TestHighlights(t *testing.T) {
	long := strings.Repeat("Nothing of what you look for stands here. ", 20)
	courses := []lectern.Course{
		{ID: "stem", Title: "Programming the programs", Language: "en", Description: "We program. 🎸 Programmers all."},
		{ID: "accent", Title: "🎻 Música y guitarra española", Language: "es", Description: "La MUSICA."},
		{ID: "cjk", Title: "机器学习入门", Language: "zh", Description: "学习机器学习。"},
		{ID: "signs", Title: "C++ and C# (not C)", Language: "en"},
		{ID: "far", Title: "A long one", Language: "en", Description: long + "Harmony of\nscales at last. " + long},
		{ID: "die", Title: "Dying, dies; die d'Die", Language: "en"},
		{ID: "photo", Title: "Photography", Language: "en", Description: "Photographs."},
	}
	w := newWorld(t, courses, wordsOnly)
	tests := []struct{ query, id, title, snippet string }{
		{"programs", "stem", "[Programming] the [programs]", "We [program]. 🎸 Programmers all."},
		{"musica espanola", "accent", "🎻 [Música] y guitarra [española]", "La [MUSICA]."},
		{"机器学习", "cjk", "[机器学习]入门", "[学习机器学习]。"},
		{"die", "die", "[Dying], [dies]; [die] [d'Die]", ""},
		{"c++", "signs", "[C++] and C# (not C)", ""},
		{"guitara", "accent", "🎻 Música y [guitarra] española", "La MUSICA."}, // corrected
		{"photogr", "photo", "[Photography]", "[Photographs]."},               // completed
	}
	for _, tt := range tests {
		l := w.list(search(tt.query))
		at := slices.Index(ids(l), tt.id)
		if at < 0 {
			t.Errorf("%q does not find %s: %v", tt.query, tt.id, ids(l))
			continue
		}
		h := l.Items[at].Highlight
		if got := marked(l.Items[at].Course.Title, h.Title); got != tt.title {
			t.Errorf("%q: title %q, want %q", tt.query, got, tt.title)
		}
		if got := marked(h.Snippet, h.SnippetSpans); got != tt.snippet {
			t.Errorf("%q: snippet %q, want %q", tt.query, got, tt.snippet)
		}
	}
	h := w.list(search("harmony scales")).Items[0].Highlight
	got := marked(h.Snippet, h.SnippetSpans)
	if !strings.Contains(got, "[Harmony] of [scales] at last") || !strings.HasPrefix(got, "…") || !strings.HasSuffix(got, "…") ||
		utf8.RuneCountInString(h.Snippet) > 200 || utf8.RuneCountInString(h.Snippet) < 150 {
		t.Errorf("passage far behind: %q", got)
	}
	req := search("programs music guitar")
	req.Limit = 1
	req.Cursor = w.list(req).NextCursor
	if second := w.list(req); second.Items[0].Highlight == nil || len(second.Items[0].Highlight.Title) == 0 {
		t.Errorf("later pages are not highlighted: %+v", second.Items[0].Highlight)
	}
	if l := w.list(home(lectern.LearnerRef{})); l.Items[0].Highlight != nil {
		t.Errorf("a home page is highlighted")
	}
}

// TestHighlightsStayInside: whatever text and query, ranges rise, do not meet and
// lie inside, and snippets are short.
func TestHighlightsStayInside(t *testing.T) {
	w := newWorld(t, nil, wordsOnly)
	word := rapid.OneOf(rapid.SampledFrom([]string{"python", "Pythons", "机器", "学习机", "🎸", "c++", "é\u0301cole", "<b>", "\n", "ＡＢＣ", "don't", "...", "İstanbul"}),
		rapid.StringN(1, 12, -1))
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(word, 1, 120).Draw(rt, "words")
		glue := rapid.SampledFrom([]string{" ", "", "  "}).Draw(rt, "glue")
		text := strings.ToValidUTF8(strings.Join(words, glue), "?")
		query := strings.TrimSpace(strings.ToValidUTF8(rapid.SampledFrom(words).Draw(rt, "query"), "?"))
		w.put(lectern.Course{ID: "x", Title: "python " + text, Description: text})
		if query == "" {
			query = "python"
		}
		for _, q := range []string{query, "python 机器"} {
			l, err := w.engine.List(context.Background(), lectern.ListRequest{Surface: lectern.SurfaceSearch, Query: q, Limit: 1})
			if err != nil {
				rt.Fatal(err)
			}
			for _, it := range l.Items {
				h := it.Highlight
				inside(rt, it.Course.Title, h.Title)
				inside(rt, h.Snippet, h.SnippetSpans)
				if n := utf8.RuneCountInString(h.Snippet); n > 200 {
					rt.Fatalf("a snippet of %d characters", n)
				}
			}
		}
	})
}

func inside(t *rapid.T, s string, spans []lectern.Span) {
	t.Helper()
	at := 0
	for i, span := range spans {
		if span.Start < at || span.End <= span.Start || i > 0 && span.Start < at {
			t.Fatalf("%v of %q", spans, s)
		}
		at = span.End
	}
	if at > len(utf16.Encode([]rune(s))) {
		t.Fatalf("%v goes beyond %q", spans, s)
	}
}
