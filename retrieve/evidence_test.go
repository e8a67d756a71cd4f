package retrieve_test

import (
	"slices"
	"testing"

	"github.com/lectern-dev/lectern/retrieve"
)

// TestNoEvidenceNoList: a topic that the catalogue does not have gives an empty
// list, one that it has in part gives a list that does not look certain, and one
// that it has leads with the right course, whether typed in full, in part or with
// a slip.
func TestNoEvidenceNoList(t *testing.T) {
	w := newWorld(t, fixture(t))
	for _, q := range []string{
		"yoga", "chatgpt", "dance", "pilates", "knitting", "golf", "scuba diving", "tattoo", "origami", "astrology",
		"bodybuilding", "surfing", "karate", "firefighting", "skateboarding tricks", "taxidermy", "asdfgh", "xqzptl",
		"how to fix my dishwasher", "horse riding", "2024",
	} {
		if l := w.list(search(q)); l.Total != 0 {
			t.Errorf("%q is no topic of the catalogue, got %v", q, ids(l))
		}
	}
	for q, want := range map[string]string{
		"python": "py-101", "pyton": "py-101", "pyth": "py-101", "guitar": "mus-1", "jazz harmony": "mus-3", "sql": "sql-1",
		"machine learning": "ml-101", "marketing": "mkt-1", "statistics": "stats-1", "javascript": "js-1", "javascrpt": "js-1",
	} {
		if l := w.list(search(q)); l.Total == 0 || l.Items[0].Course.ID != want || l.Items[0].Score < 0.5 {
			t.Errorf("%q: want %s first and sure, got %v", q, want, ids(l))
		}
	}
	whole, part := w.list(search("guitar")), w.list(search("guitar quidditch"))
	if part.Total == 0 || part.Items[0].Course.ID != "mus-1" || part.Items[0].Score > 0.7*whole.Items[0].Score {
		t.Errorf("a query known in part: %v at %v, whole at %v", ids(part), part.Items[0].Score, whole.Items[0].Score)
	}
}

// TestKnowledgeableEmbedder keeps unknown words where the embedder is said to know
// more than the catalogue.
func TestKnowledgeableEmbedder(t *testing.T) {
	w := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.KnownWordsOnly, c.MinSimilarity = false, 0 }))
	if l := w.list(search("quidditch")); l.Total == 0 || l.Items[0].Score > 0.5 {
		t.Errorf("nothing by meaning alone, or as if it were sure: %v", ids(l))
	}
}

// outside is the same embedder as one that knows the language.
type outside struct{ *bagEmbedder }

func (outside) KnowsCatalogueOnly() bool { return false }

// TestKnowledgeFollowsTheEmbedder changes nothing but the embedder in use, as a
// reindex does: what is embedded of a query goes by it, not by the configuration.
func TestKnowledgeFollowsTheEmbedder(t *testing.T) {
	w := newWorld(t, fixture(t), config(func(c *retrieve.Config) { c.MinSimilarity = 0 }))
	if l := w.list(search("quidditch")); l.Total != 0 {
		t.Errorf("an embedder of the catalogue answers a word that is in no course: %v", ids(l))
	}
	w.embedder = outside{w.embedder.(*bagEmbedder)}
	if l := w.list(search("quidditch")); l.Total == 0 {
		t.Error("an embedder that knows the language was not asked")
	}
}

// TestReasonsSayWhatIsShared: terms are the words as matched, not as typed, and a
// course mentions only what its text holds.
func TestReasonsSayWhatIsShared(t *testing.T) {
	w := newWorld(t, fixture(t))
	l := w.list(search("pyton"))
	if r := l.Items[0].Reasons[0]; r.Code != "matches_query" || r.Params["terms"] != "python" {
		t.Errorf("pyton: %v", r)
	}
	for _, it := range w.list(search("guitar python")).Items {
		for _, r := range it.Reasons {
			if r.Code == "matches_query" && r.Params["terms"] == "guitar, python" {
				t.Errorf("%s does not have both: %v", it.Course.ID, r)
			}
		}
	}
	if slices.Contains(ids(w.list(search("guitar quidditch"))), "sql-1") {
		t.Error("an unknown word brought a course")
	}
}
