package demo

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The files that Write makes.
const (
	CoursesFile  = "courses.jsonl"
	ReviewsFile  = "reviews.jsonl"
	LearnersFile = "learners.jsonl"
	EventsFile   = "events.jsonl"
	TruthFile    = "truth.jsonl" // never to be imported
)

// Write writes the platform into dir, which it makes: one JSON object a line,
// in the form that imports take. The lines of TruthFile carry a kind (topic,
// course or learner). Existing files are replaced.
func Write(dir string, p *Platform) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the demo folder: %w", err)
	}
	return errors.Join(
		writeLines(filepath.Join(dir, CoursesFile), each(p.Courses)),
		writeLines(filepath.Join(dir, ReviewsFile), each(p.Reviews)),
		writeLines(filepath.Join(dir, LearnersFile), each(p.Learners)),
		writeLines(filepath.Join(dir, EventsFile), each(p.Events)),
		writeLines(filepath.Join(dir, TruthFile), each(p.Truth.Topics), each(p.Truth.Courses), each(p.Truth.Learners)),
	)
}

// lines yields one value per line.
type lines func(yield func(any) bool)

func each[T any](list []T) lines {
	return func(yield func(any) bool) {
		for i := range list {
			if !yield(&list[i]) {
				return
			}
		}
	}
}

// writeLines writes a file in full or leaves the old one as it was.
func writeLines(path string, parts ...lines) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".writing-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", filepath.Base(path), err)
			_ = f.Close() // the first error is the one to report
			_ = os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<16)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, part := range parts {
		for v := range part {
			if err := enc.Encode(withKind(v)); err != nil {
				return err
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// withKind marks the lines of the truth file, which holds three kinds.
func withKind(v any) any {
	switch t := v.(type) {
	case *TopicTruth:
		return struct {
			Kind string `json:"kind"`
			*TopicTruth
		}{"topic", t}
	case *CourseTruth:
		return struct {
			Kind string `json:"kind"`
			*CourseTruth
		}{"course", t}
	case *LearnerTruth:
		return struct {
			Kind string `json:"kind"`
			*LearnerTruth
		}{"learner", t}
	}
	return v
}
