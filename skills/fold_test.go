package skills

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSingular(t *testing.T) {
	for in, want := range map[string]string{
		"cats": "cat", "classes": "class", "boxes": "box", "coaches": "coach", "studies": "study", "ties": "tie",
		"statistics": "statistics", "business": "business", "analysis": "analysis", "aws": "aws", "news": "news",
		"customs": "customs", "movies": "movy", "movie": "movy", "pies": "pie", "s": "s", "": "", "machines": "machine", "ios": "ios",
	} {
		if got := singular(in); got != want {
			t.Errorf("singular(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAmerican(t *testing.T) {
	for british, want := range map[string]string{
		"organisation": "organization", "visualising": "visualizing", "analyse": "analyze", "analysing": "analyzing",
		"analysis": "analysis", "analyses": "analyses", "colour": "color", "behavioural": "behavioral", "paediatrics": "pediatrics",
		"archaeology": "archeology", "modelling": "modeling", "counsellor": "counselor", "centre": "center", "theatres": "theaters",
		"programme": "program", "selling": "selling", "biller": "biller", "jewellery": "jewelry", "crisis": "crisis", "four": "four", "rising": "rising",
	} {
		if got := american(british); got != want {
			t.Errorf("american(%q) = %q, want %q", british, got, want)
		}
		if want != american(want) {
			t.Errorf("american(%q) = %q: it is American already", want, american(want))
		}
	}
}

func TestFoldsNeverPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.StringMatching(`[a-zßé'.+#]{0,12}`).Draw(t, "word")
		if once := canonical(w); len(once) > len(w) {
			t.Fatalf("canonical(%q) = %q has grown", w, once)
		}
		if isVerbForm(w, w) {
			t.Fatalf("%q is no form of itself", w)
		}
	})
}

func TestIsVerbForm(t *testing.T) {
	for _, yes := range [][2]string{{"paint", "painting"}, {"coding", "code"}, {"plan", "planning"}, {"cook", "cooking"}} {
		if !isVerbForm(yes[0], yes[1]) {
			t.Errorf("%v are forms of one verb", yes)
		}
	}
	for _, no := range [][2]string{{"engine", "engineering"}, {"s", "sing"}, {"paint", "painter"}, {"ring", "ring"}, {"", ""}} {
		if isVerbForm(no[0], no[1]) {
			t.Errorf("%v are not", no)
		}
	}
}

func TestParts(t *testing.T) {
	for in, want := range map[string][]string{
		"":                             nil,
		"one":                          {"one"},
		"one, two. Three (four)!":      {"one", " two", " Three ", "four"},
		"node.js 10,000 3:2":           {"node.js 10,000 3:2"},
		"a - b well-known – c — d • e": {"a ", " b well-known ", " c ", " d ", " e"},
		"…end.":                        {"…end"},
	} {
		if diff := cmp.Diff(want, slices.Collect(parts(in))); diff != "" {
			t.Errorf("parts(%q) (-want +got):\n%s", in, diff)
		}
	}
	for range parts("one, two") {
		break
	}
}
