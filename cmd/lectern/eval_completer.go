package main

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval"
	"github.com/lectern-dev/lectern/suggest"
)

// fillSuggester gives a suggester of the bench's own the courses of the
// evaluation, without the fields that the queries were made from.
func fillSuggester(ctx context.Context, s *suggest.Suggester, courses []lectern.Course, leaveOut []lectern.CourseField) error {
	entries := make([]suggest.Entry, len(courses))
	for i, c := range courses {
		entries[i] = suggest.Entry{Course: without(c, leaveOut)}
	}
	if err := s.Apply(ctx, entries, nil, true); err != nil {
		return err
	}
	s.Rebuild()
	return nil
}

// suggestCompleter is what GET /v1/autocomplete answers to nobody in particular:
// the group of courses, and below it the group of completions.
func suggestCompleter(s lectern.Suggester) eval.Completer {
	return eval.Completer{Name: "autocomplete", Complete: func(ctx context.Context, typed string, k int) ([]eval.Suggestion, error) {
		got, err := s.Suggest(ctx, lectern.SuggestRequest{Query: typed, Limit: k})
		if err != nil {
			return nil, err
		}
		out := make([]eval.Suggestion, 0, len(got.Courses)+len(got.Completions))
		for _, c := range got.Courses {
			out = append(out, eval.Suggestion{CourseID: c.ID, Text: c.Text})
		}
		for _, c := range got.Completions {
			out = append(out, eval.Suggestion{Text: c.Text})
		}
		return out[:min(k, len(out))], nil
	}}
}
