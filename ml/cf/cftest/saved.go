package cftest

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
)

// save returns the bytes of a fitted model.
func save(tb testing.TB, m cf.Model) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		tb.Fatalf("Save: %v", err)
	}
	return b.Bytes()
}

// saveLoad asks that a loaded model is the saved one, and that saved models can
// follow each other in one stream.
func (s *suite) saveLoad(t *testing.T) {
	for _, ordered := range []bool{true, false} {
		m := s.fit(t, Tastes(10, 150, ordered))
		saved := save(t, m)
		if again := save(t, m); !bytes.Equal(saved, again) {
			t.Error("saved twice, a model has different bytes")
		}
		other := s.fit(t, Tastes(11, 60, true))
		stream := bytes.NewReader(append(bytes.Clone(saved), save(t, other)...))
		loaded := s.make()
		for _, want := range []cf.Model{m, other} { // the second replaces the first
			if err := loaded.Load(stream); err != nil {
				t.Fatalf("Load: %v", err)
			}
			same(t, loaded, want, "loaded")
		}
		if stream.Len() != 0 {
			t.Errorf("%d bytes are left after the last model", stream.Len())
		}
		if f, ok := m.(cf.Factored); ok {
			sameFactors(t, f, load(t, s.make(), saved).(cf.Factored))
		}
		if n, ok := m.(cf.Successor); ok {
			sameNext(t, n, load(t, s.make(), saved).(cf.Successor))
		}
	}
}

func load(tb testing.TB, m cf.Model, saved []byte) cf.Model {
	tb.Helper()
	if err := m.Load(bytes.NewReader(saved)); err != nil {
		tb.Fatalf("Load: %v", err)
	}
	return m
}

// damaged asks that anything but a saved model is refused, at little cost, and
// leaves the model as it was.
func (s *suite) damaged(t *testing.T) {
	m := s.fit(t, Tastes(12, 100, true))
	saved := save(t, m)
	victim := s.fit(t, Tastes(13, 80, true))
	before := s.fit(t, Tastes(13, 80, true))
	refuse := func(what string, b []byte) {
		t.Helper()
		var start, end runtime.MemStats
		runtime.ReadMemStats(&start)
		err := victim.Load(bytes.NewReader(b))
		runtime.ReadMemStats(&end)
		if lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: Load returned %v, want %s", what, err, lectern.CodeInvalid)
		}
		if used := end.TotalAlloc - start.TotalAlloc; used > 64<<20+16*uint64(len(b)) {
			t.Errorf("%s: Load of %d bytes allocated %d", what, len(b), used)
		}
	}
	refuse("nothing", nil)
	refuse("text", []byte("once upon a time there was no model at all in this file"))
	step := max(1, len(saved)/200)
	for n := 1; n < len(saved); n += step {
		refuse("cut short", saved[:n])
	}
	r := rand.New(rand.NewPCG(14, 15))
	for range 200 {
		b := bytes.Clone(saved)
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		refuse("one bit turned", b)
	}
	for at := 0; at+8 <= min(len(saved), 800); at++ {
		b := bytes.Clone(saved)
		binary.LittleEndian.PutUint64(b[at:], 1<<31-1)
		if !bytes.Equal(b, saved) {
			refuse("a large number somewhere", b)
		}
	}
	same(t, victim, before, "after all that")
}

// Fuzz loads what the fuzzer makes of a saved model: it must be refused or work.
// seal, where it is not nil, makes a checksum right again, so that the fuzzer gets
// past it.
func Fuzz(f *testing.F, make func() cf.Model, seal func([]byte) []byte) {
	s := &suite{make: make}
	d := Tastes(16, 30, true)
	saved := save(f, s.fit(f, d))
	f.Add(saved)
	f.Add(saved[:len(saved)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if seal != nil {
			b = seal(b)
		}
		m := make()
		if err := m.Load(bytes.NewReader(b)); err != nil {
			if lectern.ErrorCode(err) != lectern.CodeInvalid {
				t.Errorf("Load returned %v", err)
			}
			return
		}
		into := []float32{0, 0}
		m.Predict(history(0, 1, 2), []int32{0, int32(m.Items() - 1)}, into)
		m.Predict(nil, []int32{0, int32(m.Items() - 1)}, into)
		if f, ok := m.(cf.Factored); ok {
			f.FoldIn(history(0, 1, 2))
		}
		if n, ok := m.(cf.Successor); ok {
			n.Next(1, slices.Repeat([]float32{0}, m.Items()))
		}
	})
}

// finite asks for finite scores after a fit on anything at all.
func (s *suite) finite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 10).Draw(t, "courses")
		d := &cf.Data{Items: names(n), Ordered: rapid.Bool().Draw(t, "ordered")}
		one := historyOf(n)
		d.Histories = rapid.SliceOfN(one, 0, 8).Draw(t, "histories")
		m := s.make()
		if err := m.Fit(context.Background(), d); err != nil {
			if lectern.ErrorCode(err) != lectern.CodeInvalid || d.Events() > 0 {
				t.Fatalf("Fit on %d interactions: %v", d.Events(), err)
			}
			return
		}
		h := historyOf(n+2).Draw(t, "history")
		if scores := all(m, h); !finite(scores) {
			t.Fatalf("scores are not finite: %v", scores)
		}
		if f, ok := m.(cf.Factored); ok && !finite(f.FoldIn(h)) {
			t.Fatalf("the learner's factor is not finite: %v", f.FoldIn(h))
		}
	})
}

// historyOf draws histories of some of n courses, each once, with all kinds of
// weights.
func historyOf(n int) *rapid.Generator[cf.History] {
	return rapid.Custom(func(t *rapid.T) cf.History {
		items := rapid.SliceOfNDistinct(rapid.Int32Range(0, int32(n-1)), 0, n, rapid.ID[int32]).Draw(t, "items")
		var h cf.History
		for _, i := range items {
			w := rapid.SampledFrom([]float32{1, 1, 0.1, 2.5, 1e-30, 1e30}).Draw(t, "weight")
			h = append(h, cf.Interaction{Item: i, Weight: w, At: rapid.Int64Range(0, 2e9).Draw(t, "at")})
		}
		return h
	})
}
