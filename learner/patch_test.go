package learner

import "testing"

// TestWhatIsWritten tells characters that people write from those that only disguise.
func TestWhatIsWritten(t *testing.T) {
	for name, tt := range map[string]struct {
		goal string
		ok   bool
	}{
		"several lines":        {"become a nurse\nor a teacher\t(soon)", true},
		"Arabic with its mark": {"أريد تعلم SQL\u200f جيدا", true},
		"NUL":                  {"a\x00b", false},
		"turned around":        {"a\u202eb", false},
		"isolated":             {"a\u2066b", false},
	} {
		t.Run(name, func(t *testing.T) {
			if bad := (Patch{Goal: To(tt.goal)}).check(); (len(bad) == 0) != tt.ok {
				t.Errorf("%q: %v", tt.goal, bad)
			}
		})
	}
}
