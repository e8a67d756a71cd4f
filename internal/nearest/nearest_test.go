package nearest

import "testing"

func TestOf(t *testing.T) {
	candidates := []string{"title", "description", "workload_hours", "level", "id"}
	tests := []struct{ word, want string }{
		{"titel", "title"},
		{"Title", "title"},
		{"workload_hour", "workload_hours"},
		{"desc", "description"}, // a prefix
		{"lvl", "level"},
		{"zebra", ""},
		{"", ""},
	}
	for _, tt := range tests {
		got, ok := Of(tt.word, candidates)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Of(%q) = %q, %v; want %q", tt.word, got, ok, tt.want)
		}
	}
	if _, ok := Of("x", nil); ok {
		t.Error("Of without candidates found one")
	}
	if got, want := Hint("levle", candidates), `; did you mean "level"?`; got != want {
		t.Errorf("Hint = %q, want %q", got, want)
	}
}
