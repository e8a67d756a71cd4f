package retrieve_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
)

func TestCoursesShareNames(t *testing.T) {
	c := retrieve.NewCatalog(retrieve.DefaultConfig(), nil, lectern.SystemClock)
	course := func(id string) lectern.Course { // every text in a place of its own
		return lectern.Course{
			ID: id, Title: "Title", Language: strings.Clone("pt-BR"), Level: lectern.Level(strings.Clone("beginner")),
			Provider: strings.Clone("Lyceum"), Categories: []string{strings.Clone("Arts")}, Skills: []string{strings.Clone("Guitar")},
		}
	}
	a, ofA := c.EntryOf(course("a"))
	b, ofB := c.EntryOf(course("b"))
	if diff := cmp.Diff(lectern.PayloadOf(course("b")), ofB); diff != "" {
		t.Errorf("shared names are others (-want +got):\n%s", diff)
	}
	at := func(s string) *byte { return unsafe.StringData(s) }
	for name, pair := range map[string][2]string{
		"level":    {string(a.Level), string(b.Level)},
		"language": {a.Language, b.Language},
		"keys":     {a.Languages[1], b.Languages[1]},
		"provider": {a.Provider, b.Provider},
		"category": {a.Category, b.Category},
		"status":   {string(ofA.Status), string(ofB.Status)},
		"skill":    {ofA.Skills[0], ofB.Skills[0]},
	} {
		if pair[0] != pair[1] || at(pair[0]) != at(pair[1]) {
			t.Errorf("%s: %q and %q are two texts", name, pair[0], pair[1])
		}
	}
	other := course("c")
	other.Language = "pt-PT"
	if f, _ := c.EntryOf(other); f.Languages[0] != "pt-pt" || a.Languages[0] != "pt-br" {
		t.Errorf("languages %v and %v", f.Languages, a.Languages)
	}
}

// TestSharedNamesAreBounded gives the catalogue more names than it remembers, from
// several sides.
func TestSharedNamesAreBounded(t *testing.T) {
	c := retrieve.NewCatalog(retrieve.DefaultConfig(), nil, lectern.SystemClock)
	_, most := c.SharedTexts()
	var wg sync.WaitGroup
	for part := range 4 {
		wg.Go(func() {
			for i := range most / 3 {
				want := fmt.Sprintf("provider %d of %d", i, part)
				if f, _ := c.EntryOf(lectern.Course{ID: "x", Provider: want}); f.Provider != want {
					t.Errorf("provider %q, want %q", f.Provider, want)
					return
				}
			}
		})
	}
	wg.Wait()
	if now, _ := c.SharedTexts(); now > most {
		t.Errorf("%d texts are remembered, %d at most", now, most)
	}
}
