package lectern_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

// TestEmbeddingText pins the text, since content hashes are made of it.
func TestEmbeddingText(t *testing.T) {
	c := lectern.Course{
		Title: " Go \t for\u00a0all ", Skills: []string{"go", "tests"}, Categories: []string{"  "},
		Description: "One.\n\nTwo. ", Syllabus: []string{"a", "b"}, Provider: "Nova", Instructors: []string{"Ada"},
	}
	if got, want := c.EmbeddingText(), "Go for all\ngo; tests\nOne. Two.\na; b"; got != want {
		t.Errorf("EmbeddingText = %q, want %q", got, want)
	}
	if got, want := c.EmbeddingText(lectern.FieldSkills), "Go for all\nOne. Two.\na; b"; got != want {
		t.Errorf("without skills: %q, want %q", got, want)
	}
	if got := (lectern.Course{}).EmbeddingText(); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

// TestEmbeddingTextLines checks any text against the definition: a line for each
// section, its words separated by single spaces.
func TestEmbeddingTextLines(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := lectern.Course{
			Title: rapid.String().Draw(rt, "title"), Description: rapid.String().Draw(rt, "description"),
			Skills: rapid.SliceOf(rapid.String()).Draw(rt, "skills"),
		}
		var lines []string
		for _, s := range c.Sections(lectern.FieldProvider, lectern.FieldInstructors) {
			lines = append(lines, strings.Join(strings.Fields(s.Text), " "))
		}
		if got := strings.Split(c.EmbeddingText(), "\n"); len(lines) > 0 && !slices.Equal(got, lines) {
			rt.Fatalf("lines %q, want %q", got, lines)
		}
	})
}

func BenchmarkEmbeddingText(b *testing.B) {
	c := lectern.Course{
		Title: "A course of courses", Description: strings.Repeat("many words about it ", 60),
		Skills: []string{"one", "two", "three"}, Syllabus: strings.Fields(strings.Repeat("week ", 8)),
	}
	for b.Loop() {
		_ = c.EmbeddingText()
	}
}
