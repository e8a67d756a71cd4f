// Package embedtest is the conformance suite of lectern.Embedder.
package embedtest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/lectern-dev/lectern"
)

// Subject is what the suite needs to know about an embedder.
type Subject struct {
	Embedder lectern.Embedder
	// Known are at least three different texts that have vectors.
	Known []string
	// Unknown are texts without anything the embedder knows; empty for embedders
	// that find something in any text.
	Unknown []string
	// Tolerance is how far the same text's vector may move between calls; 0 asks
	// for the same bits.
	Tolerance float64
}

// Run checks an embedder against the contract of the interface.
func Run(t *testing.T, s Subject) {
	t.Helper()
	if len(s.Known) < 3 {
		t.Fatal("embedtest: give at least three known texts")
	}
	for _, kind := range []lectern.EmbedKind{lectern.EmbedDocument, lectern.EmbedQuery} {
		t.Run(fmt.Sprintf("kind %d", kind), func(t *testing.T) {
			t.Run("unit length and dimension", func(t *testing.T) { s.unitLength(t, kind) })
			t.Run("one vector a text, in order", func(t *testing.T) { s.order(t, kind) })
			t.Run("the same from many goroutines", func(t *testing.T) { s.concurrent(t, kind) })
			t.Run("a caller may write to its vectors", func(t *testing.T) { s.owned(t, kind) })
			t.Run("nil for nothing known", func(t *testing.T) { s.unknown(t, kind) })
			t.Run("no texts", func(t *testing.T) {
				if got := s.embed(t, kind, nil); len(got) != 0 {
					t.Errorf("%d vectors for no text", len(got))
				}
			})
		})
	}
	t.Run("an ended context is an error", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Embedder.Embed(ctx, lectern.EmbedDocument, []string{"never seen before " + s.Known[0]})
		if err == nil {
			t.Error("no error")
		}
	})
	t.Run("fingerprint and dimension stand still", func(t *testing.T) {
		first, second := s.Embedder.Fingerprint(), s.Embedder.Fingerprint()
		if first == "" || first != second {
			t.Errorf("fingerprint %q, then %q", first, second)
		}
		if s.Embedder.Dim() < 1 {
			t.Errorf("dimension %d", s.Embedder.Dim())
		}
	})
}

func (s Subject) embed(t *testing.T, kind lectern.EmbedKind, texts []string) [][]float32 {
	t.Helper()
	v, err := s.Embedder.Embed(t.Context(), kind, texts)
	if err != nil {
		t.Fatalf("Embed: %v", err)
	}
	if len(v) != len(texts) {
		t.Fatalf("%d vectors for %d texts", len(v), len(texts))
	}
	return v
}

func (s Subject) unitLength(t *testing.T, kind lectern.EmbedKind) {
	for i, v := range s.embed(t, kind, s.Known) {
		if len(v) != s.Embedder.Dim() {
			t.Fatalf("text %d: %d floats, Dim says %d", i, len(v), s.Embedder.Dim())
		}
		sum := 0.0
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		if !(math.Abs(math.Sqrt(sum)-1) < 1e-4) {
			t.Errorf("text %d: length %v", i, math.Sqrt(sum))
		}
	}
}

func (s Subject) order(t *testing.T, kind lectern.EmbedKind) {
	together := s.embed(t, kind, s.Known)
	backwards := slices.Clone(s.Known)
	slices.Reverse(backwards)
	reversed := s.embed(t, kind, backwards)
	repeated := s.embed(t, kind, []string{s.Known[0], s.Known[1], s.Known[0]})
	for i, text := range s.Known {
		s.same(t, "alone", s.embed(t, kind, []string{text})[0], together[i])
		s.same(t, "reversed", reversed[len(s.Known)-1-i], together[i])
	}
	s.same(t, "repeated", repeated[2], repeated[0])
}

func (s Subject) concurrent(t *testing.T, kind lectern.EmbedKind) {
	want := s.embed(t, kind, s.Known)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, text := range s.Known {
				got, err := s.Embedder.Embed(t.Context(), kind, []string{text})
				if err != nil {
					t.Errorf("Embed: %v", err)
					return
				}
				s.same(t, "concurrent", got[0], want[i])
			}
		})
	}
	wg.Wait()
}

func (s Subject) owned(t *testing.T, kind lectern.EmbedKind) {
	first := s.embed(t, kind, s.Known[:1])[0]
	want := slices.Clone(first)
	clear(first)
	s.same(t, "after a caller wrote to its own", s.embed(t, kind, s.Known[:1])[0], want)
}

func (s Subject) unknown(t *testing.T, kind lectern.EmbedKind) {
	if len(s.Unknown) == 0 {
		t.Skip("this embedder finds something in any text")
	}
	mixed := append([]string{s.Known[0]}, s.Unknown...)
	for range 2 { // the second time a cache may answer
		got := s.embed(t, kind, mixed)
		if got[0] == nil {
			t.Error("a known text has no vector beside unknown ones")
		}
		for i, v := range got[1:] {
			if v != nil {
				t.Errorf("%q has a vector", s.Unknown[i])
			}
		}
	}
}

func (s Subject) same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d floats, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= s.Tolerance) {
			t.Errorf("%s: float %d is %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}
