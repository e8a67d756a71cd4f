package text

import (
	"testing"

	"github.com/lectern-dev/lectern"
)

func TestDocuments(t *testing.T) {
	l := NewLexicon(DefaultParams())
	put := func(id, title string) {
		l.Put(id, Document{Sections: []lectern.TextSection{{Field: lectern.FieldTitle, Text: title}}, Language: "en"})
	}
	put("a", "The study of studies")
	put("b", "Case study: Café")
	put("c", "Nothing")
	l.Remove("c")
	for word, want := range map[string]int{"study": 2, "studies": 2, "cafe": 1, "the": 0, "nothing": 0, "never": 0, "": 0} {
		if got := l.Documents(word); got != want {
			t.Errorf("%q is in %d documents, want %d", word, got, want)
		}
	}
}
