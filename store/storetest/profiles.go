package storetest

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
)

// moved reads the whole feed of profiles above after, and its end. Everybody may
// be in it once.
func moved(t *testing.T, s Store, after int64) ([]lectern.ProfileChange, int64) {
	t.Helper()
	var out []lectern.ProfileChange
	seen := map[int64]bool{}
	for {
		batch := must[[]lectern.ProfileChange](t)(s.ProfileChanges(t.Context(), after, 3))
		for _, c := range batch {
			if c.Seq <= after || seen[c.Key] {
				t.Fatalf("after %d comes %+v", after, c)
			}
			if c.Gone != c.Ref.IsZero() {
				t.Errorf("%+v: gone and named, or neither", c)
			}
			after, seen[c.Key] = c.Seq, true
		}
		out = append(out, batch...)
		if len(batch) < 3 {
			return out, after
		}
	}
}

// wantMoved checks who is in the feed above after, in order ("" is somebody gone,
// "~v" a visitor), and returns its end.
func wantMoved(t *testing.T, s Store, what string, after int64, want ...string) int64 {
	t.Helper()
	changes, end := moved(t, s, after)
	var got []string
	for _, c := range changes {
		name := c.Ref.ID
		if c.Ref.AnonymousID != "" {
			name = "~" + c.Ref.AnonymousID
		}
		got = append(got, name)
	}
	equal(t, what, got, want, cmpopts.EquateEmpty())
	equal(t, what+": the end of the feed", must[lectern.StoreStats](t)(s.Stats(t.Context())).LastProfileChange, end)
	return end
}

// keyOf checks that the feed and ProfileKey agree.
func keyOf(t *testing.T, s Store, ref lectern.LearnerRef) int64 {
	t.Helper()
	key := must[int64](t)(s.ProfileKey(t.Context(), ref))
	changes, _ := moved(t, s, 0)
	for _, c := range changes {
		if c.Ref == ref && c.Key != key {
			t.Errorf("key %d of %+v, and %d in the feed", key, ref, c.Key)
		}
	}
	return key
}

func testProfileFeed(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b")
	end := wantMoved(t, s, "nobody", 0)
	putLearners(t, s, lectern.Learner{ID: "l"}, lectern.Learner{ID: "v", Anonymous: true}, lectern.Learner{})
	end = wantMoved(t, s, "created", end, "l", "~v")
	key := keyOf(t, s, lectern.LearnerRef{ID: "l"})
	putLearners(t, s, lectern.Learner{ID: "l"})
	wantMoved(t, s, "nothing new", end)
	putLearners(t, s, lectern.Learner{ID: "l", Goal: "g"})
	end = wantMoved(t, s, "updated", end, "l")
	wantMoved(t, s, "everybody once, by their newest change", 0, "~v", "l")

	appendEvents(t, s, anonymousClick("1", "v", "a", noon1), click("2", "m", "a", noon1), click("3", "m", "b", noon1))
	end = wantMoved(t, s, "events", end, "~v", "m")
	appendEvents(t, s, anonymousClick("1", "v", "a", noon1))
	wantMoved(t, s, "a duplicate", end)
	view := lectern.EventWrite{Event: lectern.Event{ID: "4", Type: lectern.EventView, LearnerID: "m", CourseID: "a", OccurredAt: noon1}}
	appendEvents(t, s, view)
	wantMoved(t, s, "what adds nothing", end)
	appendEvents(t, s, click("5", "l", "later", noon1))
	end = wantMoved(t, s, "an event of a course to come", end, "l")
	putCourses(t, s, "later")
	wantMoved(t, s, "the course", end) // its events count from the start: no profile changes

	ok(t, s.PutCorrections(ctx, lectern.LearnerRef{ID: "m"}, lectern.Corrections{Pace: lectern.PaceSteady}))
	end = wantMoved(t, s, "corrections", end, "m")
	equal(t, "the same key all along", keyOf(t, s, lectern.LearnerRef{ID: "l"}), key)
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "r", CourseID: "a", LearnerID: "m", Text: "t"}}))
	ok(t, s.PutRankings(ctx, []lectern.Ranking{{ID: "rk", Learner: lectern.LearnerRef{ID: "m"}, CreatedAt: noon1}}))
	wantMoved(t, s, "what makes no profile", end)
	for _, limit := range []int{0, -1} {
		equal(t, "no rows", len(must[[]lectern.ProfileChange](t)(s.ProfileChanges(ctx, 0, limit))), 0)
	}
}

func testProfileFeedMerge(t *testing.T, s Store) {
	ctx := t.Context()
	appendEvents(t, s, anonymousClick("1", "v", "a", noon1), anonymousClick("2", "w", "a", noon1), anonymousClick("3", "x", "a", noon1), click("4", "l", "a", noon1))
	changes, end := moved(t, s, 0)
	visitor, learner := changes[0].Key, changes[3].Key
	ok(t, s.MergeVisitor(ctx, "v", "l"))
	got, end := moved(t, s, end)
	want := []lectern.ProfileChange{{Key: visitor, Gone: true}, {Key: learner, Ref: lectern.LearnerRef{ID: "l"}}}
	equal(t, "a merge", got, want, cmpopts.IgnoreFields(lectern.ProfileChange{}, "Seq"))
	ok(t, s.MergeVisitor(ctx, "v", "l"))
	ok(t, s.MergeVisitor(ctx, "nobody", "l"))
	wantMoved(t, s, "merges of nobody", end)

	signIn := click("5", "l", "a", noon1)
	signIn.Event.AnonymousID = "w"
	appendEvents(t, s, signIn)
	end = wantMoved(t, s, "a sign-in", end, "", "l")
	signIn = click("6", "new", "a", noon1)
	signIn.Event.AnonymousID = "x"
	appendEvents(t, s, signIn)
	wantMoved(t, s, "a sign-in of somebody new", end, "", "new")
}

func testProfileFeedGone(t *testing.T, s Store) {
	ctx := t.Context()
	const id = "erase-me-8d21"
	appendEvents(t, s, click("1", id, "a", noon1), click("2", "m", "a", noon1))
	changes, end := moved(t, s, 0)
	ok(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: id}))
	_, err := s.ProfileKey(ctx, lectern.LearnerRef{ID: id})
	wantCode(t, err, lectern.CodeNotFound)
	got, end := moved(t, s, end)
	equal(t, "an erasure", got, []lectern.ProfileChange{{Key: changes[0].Key, Gone: true}}, cmpopts.IgnoreFields(lectern.ProfileChange{}, "Seq"))
	if in, can := s.(Inspector); can {
		equal(t, "mentions", must[[]string](t)(in.Mentions(ctx, id)), []string(nil))
	}
	// The same id is somebody else from now on.
	appendEvents(t, s, click("3", id, "a", noon1))
	if again := keyOf(t, s, lectern.LearnerRef{ID: id}); again == changes[0].Key {
		t.Errorf("key %d was given twice", again)
	}
	must[int](t)(s.PruneProfileChanges(ctx, end-2)) // too early
	if whole, _ := moved(t, s, 0); !whole[1].Gone {
		t.Errorf("who is gone is missing too early: %+v", whole)
	}
	equal(t, "pruned", must[int](t)(s.PruneProfileChanges(ctx, end+100)), 1)
	wantMoved(t, s, "the living", 0, "m", id)
	equal(t, "findings", must[[]string](t)(s.Check(ctx)), []string(nil))
}

// testProfileFeedCatchUp tells again of those who are gone; those who were never in
// the feed need a release without it, and a test of each store.
func testProfileFeedCatchUp(t *testing.T, s Store) {
	ctx := t.Context()
	appendEvents(t, s, click("1", "gone", "a", noon1), click("2", "l", "a", noon1))
	key := keyOf(t, s, lectern.LearnerRef{ID: "gone"})
	ok(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: "gone"}))
	_, end := moved(t, s, 0)
	equal(t, "nobody is missing", must[int](t)(s.CatchUpProfileChanges(ctx, false)), 0)
	wantMoved(t, s, "nothing", end)
	equal(t, "who is gone", must[int](t)(s.CatchUpProfileChanges(ctx, true)), 1)
	again, _ := moved(t, s, end)
	equal(t, "told again", again, []lectern.ProfileChange{{Key: key, Gone: true}}, cmpopts.IgnoreFields(lectern.ProfileChange{}, "Seq"))
	equal(t, "findings", must[[]string](t)(s.Check(ctx)), []string(nil))
}

// testProfileFeedCompact removes entries that nobody sees.
func testProfileFeedCompact(t *testing.T, s Store) {
	ctx := t.Context()
	var middle int64
	for i := range 10 {
		appendEvents(t, s, click(fmt.Sprint("l", i), "l", "a", noon1), click(fmt.Sprint("m", i), "m", "a", noon1))
		if i == 4 {
			appendEvents(t, s, click("n", "n", "a", noon1))
			middle = must[lectern.StoreStats](t)(s.Stats(ctx)).LastProfileChange
		}
	}
	before, end := moved(t, s, 0)
	equal(t, "everybody once", len(before), 3)
	// Each step leaves one entry of l and of m at or below its end.
	equal(t, "up to the middle", must[int](t)(s.CompactProfileChanges(ctx, 0, middle)), 8)
	equal(t, "again", must[int](t)(s.CompactProfileChanges(ctx, 0, middle)), 0)
	equal(t, "from there on", must[int](t)(s.CompactProfileChanges(ctx, middle, end)), 10)
	equal(t, "beyond", must[int](t)(s.CompactProfileChanges(ctx, end, end+100)), 0)
	after, _ := moved(t, s, 0)
	equal(t, "the feed", after, before)
	wantMoved(t, s, "an event", end, appendAs(t, s, "l"))
}

func appendAs(t *testing.T, s Store, learner string) string {
	t.Helper()
	appendEvents(t, s, click("one more", learner, "a", noon1))
	return learner
}

// testProfileFeedOrder has a follower read while many write: whatever it is given,
// nothing may show below it later.
func testProfileFeedOrder(t *testing.T, s Store) {
	const writers, each = 6, 25
	done := make(chan struct{})
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				id := fmt.Sprintf("e-%d-%d", w, i)
				switch {
				case i%9 == 8:
					ref := lectern.LearnerRef{ID: fmt.Sprint("l", (w+i)%7)}
					if err := s.DeleteLearner(t.Context(), ref); err != nil && lectern.ErrorCode(err) != lectern.CodeNotFound {
						t.Error(err)
					}
				case i%4 == 3:
					if _, err := s.PutLearners(t.Context(), []lectern.Learner{{ID: fmt.Sprint("l", (w+i)%7), Goal: id}}); err != nil {
						t.Error(err)
					}
				default:
					batch := []lectern.EventWrite{click(id, fmt.Sprint("l", (w+i)%7), "a", noon1), anonymousClick(id+"v", fmt.Sprint("v", w), "a", noon1)}
					if _, err := s.AppendEvents(t.Context(), batch); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	go func() {
		writing.Wait()
		close(done)
	}()
	last := map[int64]int64{} // key → newest number that the follower was given
	after := int64(0)
	compacted := int64(0)
	follow := func() {
		must[int](t)(s.CompactProfileChanges(t.Context(), compacted, after))
		compacted = after
		for _, c := range must[[]lectern.ProfileChange](t)(s.ProfileChanges(t.Context(), after, 5)) {
			after, last[c.Key] = c.Seq, c.Seq
		}
	}
	for running := true; running; {
		follow()
		select {
		case <-done:
			running = false
		default:
		}
	}
	for before := int64(-1); before != after; {
		before = after
		follow()
	}
	whole, _ := moved(t, s, 0)
	for _, c := range whole {
		if last[c.Key] != c.Seq {
			t.Errorf("the follower has %d of key %d, the feed %d", last[c.Key], c.Key, c.Seq)
		}
	}
	equal(t, "everybody", len(last), len(whole))
}

func replaced(t *testing.T, s Store, ref lectern.LearnerRef, version int64, entries []lectern.ProfileEntry) bool {
	t.Helper()
	return must[bool](t)(s.ReplaceProfile(t.Context(), ref, version, entries))
}

func testReplaceProfile(t *testing.T, s Store) {
	ctx := t.Context()
	ref := lectern.LearnerRef{ID: "l"}
	_, err := s.ReplaceProfile(ctx, ref, 1, nil)
	wantCode(t, err, lectern.CodeNotFound)
	putCourses(t, s, "a", "b", "c")
	appendEvents(t, s, click("1", "l", "a", noon1), click("2", "l", "b", noon1))
	p := profile(t, s, ref)
	_, end := moved(t, s, 0)

	if !replaced(t, s, ref, p.Version, p.Entries) {
		t.Error("equal entries were refused")
	}
	equal(t, "after equal ones", profile(t, s, ref), p)
	wantMoved(t, s, "equal ones", end)

	next := []lectern.ProfileEntry{
		p.Entries[1],
		{CourseID: "c", Weight: -2.5, WeightAt: noon1.Add(time.Hour), HalfLife: halfLife / 2, State: lectern.StateDropped | lectern.StateRated, LastAt: noon1.Add(2 * time.Hour)},
		{CourseID: "unknown", Weight: 1e-300, WeightAt: noon1, HalfLife: time.Microsecond, LastAt: noon1.Add(1500 * time.Nanosecond)},
	}
	if replaced(t, s, ref, p.Version-1, next) || replaced(t, s, ref, p.Version+1, next) {
		t.Error("a profile was replaced that is another version's")
	}
	equal(t, "after refusals", profile(t, s, ref), p)
	wantMoved(t, s, "refusals", end)
	if !replaced(t, s, ref, p.Version, next) {
		t.Error("the profile was not replaced")
	}
	next[2].LastAt = noon1.Add(time.Microsecond)
	after := profile(t, s, ref)
	equal(t, "entries", after.Entries, next)
	if after.Version <= p.Version {
		t.Errorf("version went from %d to %d", p.Version, after.Version)
	}
	end = wantMoved(t, s, "replaced", end, "l")

	// Events add to what was put there, with its half-life decaying it.
	appendEvents(t, s, click("3", "l", "c", noon1.Add(time.Hour).Add(halfLife)))
	equal(t, "weight", profile(t, s, ref).Entries[1].Weight, 1-1.25, cmpopts.EquateApprox(0, 1e-9))
	end = wantMoved(t, s, "an event", end, "l")
	after = profile(t, s, ref)
	if !replaced(t, s, ref, after.Version, nil) {
		t.Error("the profile was not emptied")
	}
	equal(t, "no entries", len(profile(t, s, ref).Entries), 0)
	wantMoved(t, s, "emptied", end, "l")
	equal(t, "events", len(must[[]lectern.Event](t)(s.LearnerEvents(ctx, ref, 9))), 3)

	// A visitor's, by the anonymous id, also after it became a learner's.
	appendEvents(t, s, anonymousClick("4", "v", "a", noon1))
	ok(t, s.MergeVisitor(ctx, "v", "l"))
	visitor := lectern.LearnerRef{AnonymousID: "v"}
	if !replaced(t, s, visitor, profile(t, s, visitor).Version, next[:1]) {
		t.Error("the profile was not replaced")
	}
	equal(t, "the learner's entries", profile(t, s, ref).Entries, next[:1])
}

func testReplaceReject(t *testing.T, s Store) {
	appendEvents(t, s, click("1", "l", "a", noon1))
	ref := lectern.LearnerRef{ID: "l"}
	p := profile(t, s, ref)
	fine := lectern.ProfileEntry{CourseID: "a", Weight: 1, WeightAt: noon1, HalfLife: halfLife, LastAt: noon1}
	for what, change := range map[string]func(*lectern.ProfileEntry){
		"no course":         func(e *lectern.ProfileEntry) { e.CourseID = "" },
		"no half-life":      func(e *lectern.ProfileEntry) { e.HalfLife = 0 },
		"no number":         func(e *lectern.ProfileEntry) { e.Weight = math.NaN() },
		"infinity":          func(e *lectern.ProfileEntry) { e.Weight = math.Inf(-1) },
		"no time":           func(e *lectern.ProfileEntry) { e.WeightAt = time.Time{} },
		"no time of events": func(e *lectern.ProfileEntry) { e.LastAt = time.Time{} },
	} {
		e := fine
		change(&e)
		if _, err := s.ReplaceProfile(t.Context(), ref, p.Version, []lectern.ProfileEntry{e}); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := s.ReplaceProfile(t.Context(), ref, p.Version, []lectern.ProfileEntry{fine, fine})
	wantCode(t, err, lectern.CodeInvalid)
	equal(t, "the profile", profile(t, s, ref), p)
}

// testReplaceRaces replaces a profile while events arrive: none of them may be
// lost, because a replacement that has not seen one is refused.
func testReplaceRaces(t *testing.T, s Store) {
	const events = 60
	ref := lectern.LearnerRef{ID: "l"}
	appendEvents(t, s, click("first", "l", "a", noon1))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range events {
			if _, err := s.AppendEvents(t.Context(), []lectern.EventWrite{click(fmt.Sprint(i), "l", "a", noon1)}); err != nil {
				t.Error(err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		p := profile(t, s, ref)
		p.Entries[0].State |= lectern.StateSaved
		p.Entries[0].Weight += 1000
		if replaced(t, s, ref, p.Version, p.Entries) {
			p.Entries[0].Weight -= 1000
			replaced(t, s, ref, p.Version+1, p.Entries)
		}
	}
	// Replacements that were not taken back add thousands.
	equal(t, "weight", math.Mod(profile(t, s, ref).Entries[0].Weight, 1000), float64(events+1))
}

func testCorrections(t *testing.T, s Store) {
	ctx := t.Context()
	ref := lectern.LearnerRef{ID: "l"}
	said := lectern.Corrections{RemovedInterests: []string{"go", "ünïcode <b>"}, Pace: lectern.PaceIntensive}
	wantCode(t, s.PutCorrections(ctx, ref, said), lectern.CodeNotFound)
	appendEvents(t, s, click("1", "l", "a", noon1))
	p := profile(t, s, ref)
	_, end := moved(t, s, 0)
	equal(t, "at first", p.Corrections, lectern.Corrections{})

	ok(t, s.PutCorrections(ctx, ref, said))
	after := profile(t, s, ref)
	equal(t, "corrections", after.Corrections, said)
	if after.Version <= p.Version {
		t.Errorf("version went from %d to %d", p.Version, after.Version)
	}
	end = wantMoved(t, s, "corrections", end, "l")
	ok(t, s.PutCorrections(ctx, ref, said))
	equal(t, "said again", profile(t, s, ref), after)
	wantMoved(t, s, "said again", end)

	putLearners(t, s, lectern.Learner{ID: "l", Goal: "another"}) // facts do not touch them
	equal(t, "corrections", profile(t, s, ref).Corrections, said)
	wantCode(t, s.PutCorrections(ctx, ref, lectern.Corrections{Pace: "frantic"}), lectern.CodeInvalid)
	ok(t, s.PutCorrections(ctx, ref, lectern.Corrections{}))
	equal(t, "taken back", profile(t, s, ref).Corrections, lectern.Corrections{})

	ok(t, s.PutCorrections(ctx, ref, said))
	ok(t, s.DeleteLearner(ctx, ref))
	appendEvents(t, s, click("2", "l", "a", noon1))
	equal(t, "of somebody new", profile(t, s, ref).Corrections, lectern.Corrections{})
}

func testCorrectionsMerge(t *testing.T, s Store) {
	ctx := t.Context()
	put := func(ref lectern.LearnerRef, c lectern.Corrections) {
		t.Helper()
		ok(t, s.PutCorrections(ctx, ref, c))
	}
	for i, name := range []string{"v", "w", "x"} {
		appendEvents(t, s, anonymousClick(fmt.Sprint("v", i), name, "a", noon1))
	}
	appendEvents(t, s, click("l", "l", "a", noon1), click("m", "m", "a", noon1))
	put(lectern.LearnerRef{ID: "l"}, lectern.Corrections{RemovedInterests: []string{"go", "rust"}, Pace: lectern.PaceRelaxed})
	put(lectern.LearnerRef{AnonymousID: "v"}, lectern.Corrections{RemovedInterests: []string{"rust", "sql"}, Pace: lectern.PaceSteady})
	put(lectern.LearnerRef{AnonymousID: "w"}, lectern.Corrections{Pace: lectern.PaceSteady})
	ok(t, s.MergeVisitor(ctx, "v", "l"))
	want := lectern.Corrections{RemovedInterests: []string{"go", "rust", "sql"}, Pace: lectern.PaceRelaxed}
	equal(t, "both said something", profile(t, s, lectern.LearnerRef{ID: "l"}).Corrections, want)
	ok(t, s.MergeVisitor(ctx, "x", "l"))
	equal(t, "the visitor said nothing", profile(t, s, lectern.LearnerRef{ID: "l"}).Corrections, want)
	ok(t, s.MergeVisitor(ctx, "w", "m"))
	equal(t, "the learner said nothing", profile(t, s, lectern.LearnerRef{ID: "m"}).Corrections, lectern.Corrections{Pace: lectern.PaceSteady})
}

func testEntriesByKey(t *testing.T, s Store) {
	ctx := t.Context()
	appendEvents(t, s, click("1", "l", "b", noon1), click("2", "l", "a", noon1), click("3", "m", "a", noon1), anonymousClick("4", "v", "a", noon1), click("5", "gone", "a", noon1))
	keys := map[string]int64{}
	changes, _ := moved(t, s, 0)
	for _, c := range changes {
		keys[c.Ref.ID+c.Ref.AnonymousID] = c.Key
	}
	putLearners(t, s, lectern.Learner{ID: "m", Consent: &lectern.Consent{Exploration: true}}, lectern.Learner{ID: "l", Consent: &lectern.Consent{Personalisation: true}})
	ok(t, s.DeleteLearner(ctx, lectern.LearnerRef{ID: "gone"}))
	asked := []int64{keys["v"], keys["m"], keys["l"], keys["gone"], keys["l"], math.MaxInt64}
	got, err := s.EntriesByKey(ctx, asked)
	ok(t, err)
	equal(t, "those who allow it", got, map[int64][]lectern.ProfileEntry{
		keys["l"]: profile(t, s, lectern.LearnerRef{ID: "l"}).Entries,
		keys["v"]: profile(t, s, lectern.LearnerRef{AnonymousID: "v"}).Entries,
	})
	equal(t, "what was asked stays", asked[0], keys["v"])
}
