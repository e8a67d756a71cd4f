package skills

import "testing"

// Terms say whether their name was found only by forgiving typing errors.
func TestMisspeltIsSaid(t *testing.T) {
	g, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	m := NewMatcher(g)
	for query, want := range map[string]bool{
		"machine learning": false, "machne lerning": true, "machine lerning": true, "learn to code": false, "become a data anlyst": true,
	} {
		for name, terms := range map[string][]Term{"whole": m.Expand(query), "prefix": m.ExpandPrefix(query)} {
			if len(terms) == 0 {
				t.Errorf("%q is not recognised", query)
			}
			for _, x := range terms {
				if name == "whole" && x.Why.Misspelt != want {
					t.Errorf("%q, %s: %+v", query, name, x)
				}
			}
		}
	}
	for _, x := range m.ExpandPrefix("machne learn") {
		if !x.Why.Misspelt {
			t.Errorf("going on after a misspelt word: %+v", x)
		}
	}
}
