package retrieve_test

import (
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/retrieve"
)

// TestPhrases orders courses that hold the same words: as the title and as a
// phrase in it before the words apart; as a skill before a mention.
func TestPhrases(t *testing.T) {
	courses := []lectern.Course{
		{ID: "phrase", Title: "Rope Splicing for Sailors", Description: "A course for the deck."},
		{ID: "apart", Title: "Splicing for Sailors of the Rope", Description: "A course for the deck."},
		{ID: "skill", Title: "Knots and Ships", Description: "A course for the deck.", Skills: []string{"Rope splicing"}},
		{ID: "mention", Title: "Knots and Ships", Description: "Of rope, of splicing, and of the deck."},
		{ID: "else", Title: "Baking Bread", Description: "Flour and water."},
	}
	order := func(change func(*retrieve.Config)) []string {
		return ids(newWorld(t, courses, wordsOnly, config(change)).list(search("rope splicing ")))
	}
	got := order(func(*retrieve.Config) {})
	at := func(id string) int {
		for i, x := range got {
			if x == id {
				return i
			}
		}
		return len(got)
	}
	if at("phrase") >= at("apart") || at("skill") >= at("mention") || at("phrase") != 0 {
		t.Errorf("got %v", got)
	}
	got = order(func(c *retrieve.Config) { c.TitleWeight, c.PhraseWeight = 0, 0 })
	if at("phrase") != 1 || at("apart") != 0 { // by id, for their words are the same
		t.Errorf("without boosts %v", got)
	}
}
