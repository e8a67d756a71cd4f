package ifmatch_test

import (
	"testing"

	"github.com/lectern-dev/lectern/internal/ifmatch"
)

func TestParse(t *testing.T) {
	for header, fits := range map[string]bool{
		"": true, "*": true, `"v3"`: true, "v3": true, `"v2", "v3"`: true,
		`W/"v3"`: false, `"v2"`: false, "v30": false,
	} {
		m, err := ifmatch.Parse(header)
		if err != nil || m.Fits(`"v3"`) != fits {
			t.Errorf("%s fits %t, %v", header, m.Fits(`"v3"`), err)
		}
	}
	for _, header := range []string{`"`, `"v3`, "v3,", "v 3"} {
		if _, err := ifmatch.Parse(header); err == nil {
			t.Errorf("%s is taken", header)
		}
	}
}
