package api

import (
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

// Every code of the ranking side has a sentence in every language, and the
// sentence uses only parameters that it carries.
func TestEveryReasonHasItsSentence(t *testing.T) {
	book := newPhrasebook()
	params := map[string]string{"course_id": "c", "title": "T", "interest": "I", "goal": "G", "terms": "a, b", "query": "Q",
		"rating": "4.6", "count": "120", "level": "beginner", "hours": "12.5", "language": "pt", "skill": "S", "skills": "S, T"}
	for _, code := range append(rerank.ReasonCodes(), retrieve.RowTitles()...) {
		if _, ok := book.phrases[code]; !ok {
			t.Errorf("%s has no sentence", code)
		}
	}
	for code := range phrases() {
		seen := make(map[string]bool)
		for _, tag := range phraseLanguages() {
			say := speaker{book: book, tag: tag.String()}
			text := say.say(lectern.Reason{Code: code, Params: params})
			if text == "" || strings.ContainsAny(text, "{}") || text == book.generic.in(say.tag) || seen[text] {
				t.Errorf("%s in %s: %q", code, tag, text)
			}
			seen[text] = true
		}
	}
}

func TestSay(t *testing.T) {
	book := newPhrasebook()
	tests := []struct {
		lang string
		in   lectern.Reason
		want string
	}{
		{"en", lectern.Reason{Code: "similar_to_course", Params: map[string]string{"title": "Intro {x} to R"}}, "Similar to “Intro {x} to R”"},
		{"de", lectern.Reason{Code: "highly_rated", Params: map[string]string{"rating": "4.6", "count": "120"}}, "Mit 4,6 von 5 von 120 Lernenden bewertet"},
		{"en", lectern.Reason{Code: "highly_rated", Params: map[string]string{"rating": "4.6"}}, "Suggested for you"},
		{"fr", lectern.Reason{Code: "fits_level", Params: map[string]string{"level": "advanced"}}, "Adapté à votre niveau : avancé"},
		{"es", lectern.Reason{Code: "fits_language", Params: map[string]string{"language": "pt-BR"}}, "En un idioma que habla: portugués de Brasil"},
		{"es", lectern.Reason{Code: "of_the_future"}, "Sugerido para usted"},
		{"en", lectern.Reason{Code: "popular"}, "Popular with learners"},
	}
	for _, tt := range tests {
		if got := (speaker{book: book, tag: tt.lang}).say(tt.in); got != tt.want {
			t.Errorf("%s %v: %q, want %q", tt.lang, tt.in, got, tt.want)
		}
	}
}
