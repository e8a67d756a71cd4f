package skills_test

import (
	"errors"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

// TestShippedGraph lists everything that is wrong with the files under graph/.
func TestShippedGraph(t *testing.T) {
	g, err := skills.Default()
	if err != nil {
		if e, ok := errors.AsType[*lectern.Error](err); ok {
			for _, f := range e.Fields {
				t.Errorf("%s: %q %s (want %s)", f.Field, f.Value, f.Reason, f.Allowed)
			}
		}
		t.Fatal("the shipped graph is not valid")
	}
	t.Logf("version %s, fingerprint %s: %d skills, %d occupations", g.Version(), g.Fingerprint(), len(g.Skills()), len(g.Occupations()))
}
