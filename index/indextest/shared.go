package indextest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
)

// Shared is what RunShared checks, with nothing in it yet.
type Shared struct {
	Indexes lectern.SharedIndexes
	// Reopen returns the same indexes as another process sees them, or this one
	// after a restart.
	Reopen func(t *testing.T) lectern.SharedIndexes
	// InUse returns the versions of courses and of learners in use, 0 for none. It
	// may be nil where there is no telling them apart.
	InUse func(t *testing.T) (courses, learners int64)
}

// SharedFactory makes indexes with nothing in them, and cleans up after the test.
type SharedFactory func(t *testing.T) Shared

// RunShared checks an implementation of lectern.SharedIndexes.
func RunShared(t *testing.T, factory SharedFactory) {
	cases := map[string]func(*testing.T, Shared){
		"Nothing":          testSharedNothing,
		"CreateAndOpen":    testSharedCreate,
		"BadSpec":          testSharedBadSpec,
		"SpecSurvives":     testSharedSpec,
		"CreateReplaces":   testSharedReplace,
		"VersionsApart":    testSharedApart,
		"Activate":         testSharedActivate,
		"ActivateTogether": testSharedTogether,
		"Drop":             testSharedDrop,
		"DroppedUnderUse":  testSharedDropped,
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) { f(t, factory(t)) })
	}
}

func spec(version int64) lectern.IndexSpec {
	return lectern.IndexSpec{
		Version: version, Fingerprint: "sha256:abc", Dense: dims(), Sparse: []string{lectern.VectorLexical},
	}
}

func mustCreate(t *testing.T, x lectern.SharedIndexes, s lectern.IndexSpec) lectern.VectorIndex {
	t.Helper()
	index, err := x.Create(t.Context(), s)
	if err != nil {
		t.Fatalf("Create %d: %v", s.Version, err)
	}
	return index
}

func mustOpen(t *testing.T, x lectern.SharedIndexes, version int64) (lectern.VectorIndex, lectern.IndexSpec) {
	t.Helper()
	index, s, err := x.Open(t.Context(), version)
	if err != nil {
		t.Fatalf("Open %d: %v", version, err)
	}
	return index, s
}

func wantVersions(t *testing.T, x lectern.SharedIndexes, want ...int64) {
	t.Helper()
	got, err := x.Versions(t.Context())
	if err != nil {
		t.Fatalf("Versions: %v", err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("Versions = %v, want %v", got, want)
	}
}

func wantActive(t *testing.T, x lectern.SharedIndexes, want int64) {
	t.Helper()
	got, err := x.Active(t.Context())
	if err != nil || got != want {
		t.Errorf("Active = %d, %v, want %d", got, err, want)
	}
}

func wantCode(t *testing.T, what string, err error, want lectern.Code) {
	t.Helper()
	if got := lectern.ErrorCode(err); got != want {
		t.Errorf("%s: code %q, want %q (%v)", what, got, want, err)
	}
}

func testSharedNothing(t *testing.T, s Shared) {
	wantVersions(t, s.Indexes)
	_, err := s.Indexes.Active(t.Context())
	wantCode(t, "Active", err, lectern.CodeNotFound)
	_, _, err = s.Indexes.Open(t.Context(), 1)
	wantCode(t, "Open", err, lectern.CodeNotFound)
	wantCode(t, "Activate", s.Indexes.Activate(t.Context(), 1), lectern.CodeNotFound)
	wantCode(t, "Drop", s.Indexes.Drop(t.Context(), 1), "")
}

func testSharedCreate(t *testing.T, s Shared) {
	created := mustCreate(t, s.Indexes, spec(1))
	wantVersions(t, s.Indexes, 1)
	_, err := s.Indexes.Active(t.Context())
	wantCode(t, "Active before any was put to use", err, lectern.CodeNotFound)

	wantStats(t, created, 0, nil)
	mustUpsert(t, created, point("a", axis(0)))
	for _, x := range []lectern.SharedIndexes{s.Indexes, s.Reopen(t)} {
		opened, _ := mustOpen(t, x, 1)
		wantHits(t, search(t, opened, content(axis(0), 5)), []lectern.Hit{{ID: "a", Score: 1}})
		wantStats(t, opened, 1, map[string]int{lectern.VectorContent: 1})
	}
	opened, _ := mustOpen(t, s.Reopen(t), 1)
	mustUpsert(t, opened, point("b", axis(0)))
	if got := found(t, created, content(axis(0), 5)); got != "a b" {
		t.Errorf("after a write through another: %q", got)
	}
}

func testSharedBadSpec(t *testing.T, s Shared) {
	for name, bad := range map[string]lectern.IndexSpec{
		"version 0":    {Version: 0, Dense: dims()},
		"below 0":      {Version: -1, Dense: dims()},
		"no dimension": {Version: 1, Dense: map[string]int{lectern.VectorContent: 0}},
		"both kinds":   {Version: 1, Dense: dims(), Sparse: []string{lectern.VectorContent}},
	} {
		_, err := s.Indexes.Create(t.Context(), bad)
		wantCode(t, name, err, lectern.CodeInvalid)
	}
	wantVersions(t, s.Indexes)
}

// testSharedSpec checks that a spec is found again as it was given, and counts
// for nothing in searches.
func testSharedSpec(t *testing.T, s Shared) {
	specs := []lectern.IndexSpec{
		spec(3),
		{Version: 1_000_000_000_007, Fingerprint: `läng "er" {}`, Dense: map[string]int{lectern.VectorContent: 8, lectern.VectorReviews: 3, lectern.VectorCF: 2}, Sparse: []string{lectern.VectorLexical, "other"}},
		{Version: 5, Sparse: []string{lectern.VectorLexical}}, // words alone
		{Version: 6, Dense: map[string]int{lectern.VectorContent: 4}},
	}
	for _, want := range specs {
		created := mustCreate(t, s.Indexes, want)
		opened, got := mustOpen(t, s.Reopen(t), want.Version)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("spec differs (-want +got):\n%s", d)
		}
		wantStats(t, opened, 0, nil)
		if dim := want.Dense[lectern.VectorContent]; dim > 0 {
			mustUpsert(t, created, point("a", unit(dim, 0)))
			wantHits(t, search(t, opened, content(unit(dim, 0), 9)), []lectern.Hit{{ID: "a", Score: 1}})
		}
	}
	wantVersions(t, s.Indexes, 3, 5, 6, 1_000_000_000_007)
}

func testSharedReplace(t *testing.T, s Shared) {
	mustUpsert(t, mustCreate(t, s.Indexes, spec(2)), point("old", axis(0)))
	next := spec(2)
	next.Fingerprint, next.Dense = "other", map[string]int{lectern.VectorContent: 4}
	index := mustCreate(t, s.Indexes, next)
	wantVersions(t, s.Indexes, 2)
	wantStats(t, index, 0, nil)
	mustUpsert(t, index, point("new", unit(4, 1)))
	opened, got := mustOpen(t, s.Reopen(t), 2)
	if got.Fingerprint != "other" || got.Dense[lectern.VectorContent] != 4 {
		t.Errorf("spec %v is the old one", got)
	}
	wantHits(t, search(t, opened, content(unit(4, 1), 9)), []lectern.Hit{{ID: "new", Score: 1}})
}

func testSharedApart(t *testing.T, s Shared) {
	one, two := mustCreate(t, s.Indexes, spec(1)), mustCreate(t, s.Indexes, spec(2))
	mustUpsert(t, one, point("a", axis(0)), point("b", axis(1)))
	mustUpsert(t, two, point("a", axis(5)))
	mustDelete(t, two, "b")
	if got := found(t, one, content(axis(0), 9)); got != "a b" {
		t.Errorf("version 1 has %q", got)
	}
	wantHits(t, search(t, two, content(axis(5), 9)), []lectern.Hit{{ID: "a", Score: 1}})
}

func testSharedActivate(t *testing.T, s Shared) {
	mustCreate(t, s.Indexes, spec(1))
	mustCreate(t, s.Indexes, spec(2))
	for _, version := range []int64{1, 2, 2, 1} { // and back again
		if err := s.Indexes.Activate(t.Context(), version); err != nil {
			t.Fatalf("Activate %d: %v", version, err)
		}
		wantActive(t, s.Indexes, version)
		wantActive(t, s.Reopen(t), version)
	}
	wantCode(t, "Activate of none", s.Indexes.Activate(t.Context(), 9), lectern.CodeNotFound)
	wantActive(t, s.Indexes, 1)
	wantVersions(t, s.Indexes, 1, 2)
}

// testSharedTogether looks at what is in use all the while it changes: courses
// and learners are never of two versions.
func testSharedTogether(t *testing.T, s Shared) {
	if s.InUse == nil {
		t.Skip("courses and learners cannot be told apart")
	}
	mustCreate(t, s.Indexes, spec(1))
	mustCreate(t, s.Indexes, spec(2))
	if err := s.Indexes.Activate(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20 {
			if err := s.Indexes.Activate(t.Context(), int64(1+(i+1)%2)); err != nil {
				t.Errorf("Activate: %v", err)
			}
		}
	}()
	for looking := true; looking; {
		select {
		case <-done:
			looking = false
		default:
		}
		if courses, learners := s.InUse(t); courses != learners || courses == 0 {
			t.Errorf("courses are of version %d, learners of %d", courses, learners)
			looking = false
		}
	}
	<-done
}

func testSharedDrop(t *testing.T, s Shared) {
	for version := range int64(3) {
		mustCreate(t, s.Indexes, spec(version+1))
	}
	if err := s.Indexes.Activate(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "Drop of the one in use", s.Indexes.Drop(t.Context(), 2), lectern.CodeConflict)
	for range 2 {
		wantCode(t, "Drop", s.Indexes.Drop(t.Context(), 1), "")
		wantVersions(t, s.Indexes, 2, 3)
	}
	_, _, err := s.Reopen(t).Open(t.Context(), 1)
	wantCode(t, "Open of a dropped one", err, lectern.CodeNotFound)
	wantCode(t, "Activate of a dropped one", s.Indexes.Activate(t.Context(), 1), lectern.CodeNotFound)
	wantActive(t, s.Indexes, 2)
	mustOpen(t, s.Indexes, 2)
}

// testSharedDropped checks that an index that is gone fails, and comes back empty.
func testSharedDropped(t *testing.T, s Shared) {
	index := mustCreate(t, s.Indexes, spec(1))
	mustUpsert(t, index, point("a", axis(0)))
	wantCode(t, "Drop", s.Reopen(t).Drop(t.Context(), 1), "")
	if _, err := index.Search(t.Context(), []lectern.VectorQuery{content(axis(0), 1)}); err == nil {
		t.Error("Search works on a dropped index")
	}
	if err := index.Upsert(t.Context(), []lectern.Point{point("b", axis(0))}); err == nil {
		t.Error("Upsert works on a dropped index")
	}
	wantVersions(t, s.Indexes)
	wantStats(t, mustCreate(t, s.Indexes, spec(1)), 0, nil)
}
