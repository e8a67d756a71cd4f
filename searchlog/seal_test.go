package searchlog

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

func testClock() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func newTestSealer() *Sealer { return NewSealer([]byte("0123456789abcdef"), testClock) }

// What was sealed is what is read, and the token stays within what an event may
// cite, whatever was typed.
func TestSealOpen(t *testing.T) {
	s := newTestSealer()
	rapid.Check(t, func(t *rapid.T) {
		who := lectern.LearnerRef{ID: rapid.String().Draw(t, "learner")}
		query := rapid.String().Draw(t, "query")
		ids := rapid.SliceOfN(rapid.StringN(1, 128, 128), 0, 25).Draw(t, "courses")
		token := s.Seal(who, query, ids)
		if !IsToken(token) || len(token) > MaxTokenBytes {
			t.Fatalf("token of %d bytes: %s", len(token), token)
		}
		got, err := s.Open(token)
		if err != nil {
			t.Fatal(err)
		}
		var hashes []CourseHash
		for _, id := range ids[:min(len(ids), 20)] {
			hashes = append(hashes, s.HashCourse(id))
		}
		if !got.At.Equal(testClock()) || !s.Is(got, who) || s.Is(got, lectern.LearnerRef{ID: "someone else"}) ||
			!strings.HasPrefix(Collapse(query), got.Query) || !utf8.ValidString(got.Query) || len(got.Query) > 64 {
			t.Fatalf("%+v", got)
		}
		if len(hashes)+len(got.Courses) > 0 {
			if d := cmp.Diff(hashes, got.Courses); d != "" {
				t.Fatal(d)
			}
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	s := newTestSealer()
	token := s.Seal(lectern.LearnerRef{ID: "ada"}, "pyth", []string{"a", "b"})
	raw, err := base64.RawURLEncoding.DecodeString(token[len(tokenPrefix):])
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw { // not one byte may change
		changed := append([]byte(nil), raw...)
		changed[i] ^= 1
		if _, err := s.Open(tokenPrefix + base64.RawURLEncoding.EncodeToString(changed)); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	other := NewSealer([]byte("another secret, as long"), testClock)
	for name, bad := range map[string]string{
		"foreign":   other.Seal(lectern.LearnerRef{}, "pyth", nil),
		"empty":     "ac.",
		"cut":       token[:len(token)-4],
		"longer":    token + "AAAA",
		"padded":    token + "=",
		"no base64": "ac.***",
		"huge":      "ac." + strings.Repeat("A", 500),
		"uuid":      "019a0000-0000-7000-8000-000000000000",
	} {
		_, err := s.Open(bad)
		var e *lectern.Error
		if !errors.As(err, &e) || e.Code != lectern.CodeInvalid || len(e.Fields) != 1 || e.Fields[0].Field != "ranking_id" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One token is one ranking; the id sorts by time. Tokens do not tell that two
// were for the same learner.
func TestTokenIdentity(t *testing.T) {
	now := testClock()
	s := NewSealer([]byte("0123456789abcdef"), func() time.Time { return now })
	ada := lectern.LearnerRef{ID: "ada"}
	open := func(token string) Shown {
		got, err := s.Open(token)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := open(s.Seal(ada, "pyth", []string{"a"}))
	if again := open(s.Seal(ada, "pyth", []string{"a"})); again.ID != first.ID {
		t.Errorf("ids %s and %s of one token", first.ID, again.ID)
	}
	if second := open(s.Seal(ada, "pyth", []string{"b"})); second.ID == first.ID {
		t.Error("two lists have one id")
	}
	if first.ID[14] != '7' || !strings.ContainsRune("89ab", rune(first.ID[19])) {
		t.Errorf("id %s is no UUID of version 7", first.ID)
	}
	now = now.Add(2 * time.Second)
	later := open(s.Seal(ada, "pyth", []string{"a"}))
	if later.ID <= first.ID || later.learner == first.learner || !s.Is(later, ada) {
		t.Errorf("two seconds later: %+v after %+v", later, first)
	}
	visitor := lectern.LearnerRef{AnonymousID: "ada"}
	if s.Is(later, visitor) || s.Is(later, lectern.LearnerRef{}) {
		t.Error("a visitor, or nobody, passes for a learner")
	}
}

func FuzzOpen(f *testing.F) {
	s := newTestSealer()
	f.Add(s.Seal(lectern.LearnerRef{}, "机器学习", []string{"a"}))
	f.Add("ac.")
	f.Fuzz(func(t *testing.T, token string) {
		if shown, err := s.Open(token); err == nil && len(shown.ID) != 36 {
			t.Errorf("%q: %+v", token, shown)
		}
	})
}

// Sealing happens at every keystroke: it has to stay below 3 µs.
func BenchmarkSeal(b *testing.B) {
	s := newTestSealer()
	ids := make([]string, 6)
	for i := range ids {
		ids[i] = fmt.Sprintf("coursera-course-%d", i)
	}
	who := lectern.LearnerRef{ID: "learner-12345"}
	b.ReportAllocs()
	for b.Loop() {
		s.Seal(who, "machine lear", ids)
	}
}
