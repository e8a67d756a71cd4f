package preview_test

import (
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/preview"
	"github.com/lectern-dev/lectern/rerank"
)

// The interval of a share ends where shares end.
func TestSharesStayWithinBounds(t *testing.T) {
	p := newPlatform(0)
	p.lists = func(ref lectern.LearnerRef) rerank.Comparison {
		c := swapped()
		if ref.ID == "ann" {
			c.Lists[1] = c.Lists[0]
		}
		return c
	}
	r, err := run(t, p, preview.Request{Learners: []string{"ann", "bob"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]*preview.Estimate{"overlap": r.Overall.Overlap, "rbo": r.Overall.RBO, "changed": r.Overall.Changed} {
		if e.Low == nil || *e.Low < 0 || *e.High > 1 {
			t.Errorf("%s %+v", name, e)
		}
	}
}
