package qdrant

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

// TestOwners lets two databases meet on one Qdrant under one prefix.
func TestOwners(t *testing.T) {
	config := testConfig(qdranttest.Start(t).Addr())
	connect := func(owner string, takes bool) *Indexes {
		t.Helper()
		x, err := Connect(t.Context(), Options{Config: config, Logger: slog.New(slog.DiscardHandler), Owner: owner, TakeOver: takes})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = x.Close() })
		return x
	}
	spec := func(version int64) lectern.IndexSpec {
		return lectern.IndexSpec{Version: version, Dense: map[string]int{lectern.VectorContent: 4}, Sparse: []string{lectern.VectorLexical}}
	}
	mine, copied := connect("production", false), connect("copy", false)
	if _, err := mine.Create(t.Context(), spec(7)); err != nil {
		t.Fatal(err)
	}
	if err := mine.Activate(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if _, err := copied.Create(t.Context(), spec(8)); err != nil {
		t.Fatal(err)
	}
	_, _, opened := copied.Open(t.Context(), 7)
	_, created := copied.Create(t.Context(), spec(7))
	for what, err := range map[string]error{
		"open": opened, "create": created,
		"activate its own in place of the other's": copied.Activate(t.Context(), 8),
		"drop": copied.Drop(t.Context(), 7),
	} {
		if lectern.ErrorCode(err) != lectern.CodeConflict || (what != "drop" && !errors.Is(err, ErrForeign)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if v, err := copied.Versions(t.Context()); err != nil || len(v) != 1 || v[0] != 8 {
		t.Errorf("the copy sees versions %v, %v", v, err)
	}
	if v, err := mine.Active(t.Context()); err != nil || v != 7 {
		t.Errorf("in use: %d, %v", v, err)
	}
	if _, _, err := mine.Open(t.Context(), 7); err != nil {
		t.Errorf("its own: %v", err)
	}
	successor := connect("copy", true)
	if err := successor.Activate(t.Context(), 8); err != nil {
		t.Errorf("taking over: %v", err)
	}
}
