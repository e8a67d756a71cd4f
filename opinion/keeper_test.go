package opinion_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/opinion"
	"github.com/lectern-dev/lectern/store/sqlite"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func openStore(t *testing.T) *sqlite.Store { t.Helper(); return openStoreAt(t, lectern.SystemClock) }

func openStoreAt(t *testing.T, clock lectern.Clock) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "lectern.db"), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func newKeeper(t *testing.T, s opinion.Store, change func(*opinion.Options)) *opinion.Keeper {
	t.Helper()
	o := opinion.Options{
		Config: opinion.DefaultConfig(), Store: s, Holder: t.Name(), Clock: lectern.SystemClock,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	o.Config.Poll, o.Config.Settle, o.Config.Train = 10*time.Millisecond, 20*time.Millisecond, false
	if change != nil {
		change(&o)
	}
	k, err := opinion.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// start runs a keeper until the returned function is called or the test ends.
func start(t *testing.T, k *opinion.Keeper) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = k.Run(ctx) }() // ends with stop
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func putCourses(t *testing.T, s *sqlite.Store, ids ...string) {
	t.Helper()
	for _, id := range ids {
		_, err := s.PutCourses(t.Context(), []lectern.CoursePatch{{Replace: true, Course: lectern.Course{
			ID: id, Title: "Course " + id, Availability: lectern.Availability{Status: lectern.StatusOpen}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func putReviews(t *testing.T, s *sqlite.Store, reviews ...lectern.Review) {
	t.Helper()
	results, err := s.PutReviews(t.Context(), reviews)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

func review(course, id, text string, stars float64, at time.Time) lectern.Review {
	return lectern.Review{ID: id, CourseID: course, Text: text, Stars: &stars, Language: "en", WrittenAt: &at}
}

// patience bounds every wait: what takes longer is not slow but stuck.
const patience = 2 * time.Minute

// until waits until a condition holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// caughtUp waits until all that has changed is read, and the store knows: the write of
// the position at a keeper's end is given up when it takes long.
func caughtUp(t *testing.T, s *sqlite.Store) {
	t.Helper()
	now, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	until(t, "all changes are read", func() bool {
		at, err := s.FeedPosition(t.Context(), "opinion")
		return err == nil && at >= now.LastChange
	})
}

func summary(t *testing.T, k *opinion.Keeper, course string) lectern.ReviewSummary {
	t.Helper()
	s, err := k.Summary(t.Context(), course)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFollowsReviews(t *testing.T) {
	s := openStore(t)
	putCourses(t, s, "good", "bad", "quiet")
	putReviews(t, s, review("good", "g1", "Wonderful course, the teacher explains everything clearly.", 5, noon))
	k := newKeeper(t, s, nil)
	if got := summary(t, k, "good"); got.Reviews != 1 || got.Score != nil || got.Read != 0 {
		t.Errorf("before anything was read: %+v", got)
	}
	stop := start(t, k)
	until(t, "the first course is read", func() bool { return summary(t, k, "good").Read == 1 })
	putReviews(t, s,
		review("bad", "b1", "Terrible course, the lectures are boring and confusing.", 1, noon),
		review("bad", "b2", "A waste of time and money. The assignments are awful.", 1, noon.AddDate(0, 1, 0)),
		review("bad", "b3", "这门课程非常好，老师讲得很清楚。", 5, noon))
	k.Notify()
	until(t, "another course is read", func() bool { return summary(t, k, "bad").Read == 2 })
	good, bad := summary(t, k, "good"), summary(t, k, "bad")
	if good.Score == nil || bad.Score == nil || *good.Score <= *bad.Score {
		t.Errorf("good %+v, bad %+v", good, bad)
	}
	if bad.Read != 2 || bad.Unread != 1 || bad.Positive != 0 || good.Positive != 1 || len(bad.Trend) != 2 {
		t.Errorf("bad %+v", bad)
	}
	if quiet := summary(t, k, "quiet"); quiet.Reviews != 0 || quiet.Score != nil || !quiet.MadeAt.IsZero() {
		t.Errorf("quiet %+v", quiet)
	}
	stats, err := s.CourseStats(t.Context(), []string{"bad"}, noon, time.Hour)
	if err != nil || stats[0].Sentiment != *bad.Score || stats[0].SentimentWeight != bad.Weight {
		t.Errorf("statistics %+v, %v; summary %+v", stats, err, bad)
	}
	for _, id := range []string{"b1", "b2", "b3"} {
		if err := s.DeleteReview(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the reviews are gone", func() bool { got := summary(t, k, "bad"); return got.Reviews == 0 && got.Score == nil })
	caughtUp(t, s)
	stop()

	// What came while nobody led is read by the next one in office, and nothing else.
	putReviews(t, s, review("quiet", "q1", "Excellent!", 5, noon))
	next := newKeeper(t, s, nil)
	start(t, next)
	until(t, "the rest is read", func() bool { return summary(t, next, "quiet").Read == 1 })
	if n := next.Stats().Read; n > 2 {
		t.Errorf("%d courses were read again", n)
	}
}

func TestReviewsBeforeTheirCourse(t *testing.T) {
	s := openStore(t)
	k := newKeeper(t, s, nil)
	start(t, k)
	putReviews(t, s, review("later", "r", "Great course.", 5, noon))
	putCourses(t, s, "later")
	until(t, "the course is read", func() bool { return summary(t, k, "later").Read == 1 })
	caughtUp(t, s)
	read := k.Stats().Read
	if _, err := s.PutCourses(t.Context(), []lectern.CoursePatch{{Course: lectern.Course{ID: "later", Title: "Other"}}}); err != nil {
		t.Fatal(err)
	}
	caughtUp(t, s)
	if k.Stats().Read != read {
		t.Error("a course was read again though its reviews are as they were")
	}
}

// babble is text that nobody else writes.
func babble(seed, words int) string {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	var out []string
	for range words {
		var w []byte
		for range 2 + r.IntN(3) {
			w = append(w, "bdfgklmnprst"[r.IntN(12)], "aeiou"[r.IntN(5)])
		}
		out = append(out, string(w))
	}
	return strings.Join(out, " ") + "."
}

// attack returns an honest history and a burst of one-star reviews by new accounts.
func attack(course string) (honest, burst []lectern.Review) {
	for i := range 60 {
		r := review(course, fmt.Sprintf("h%02d", i), "A good course. "+babble(i, 14), 5, noon.AddDate(0, 0, -4*i-30))
		r.LearnerID = fmt.Sprint("learner", i)
		honest = append(honest, r)
	}
	insults := strings.Fields("terrible awful boring useless confusing outdated worthless horrible dreadful poor")
	for i := range 20 {
		r := review(course, fmt.Sprintf("x%02d", i), fmt.Sprintf("A %s course, %s lectures. %s", insults[i%10], insults[(i+3)%10], babble(1000+i, 14)), 1, noon.Add(time.Duration(i)*time.Minute))
		r.LearnerID = fmt.Sprint("fresh", i)
		burst = append(burst, r)
	}
	return honest, burst
}

func TestHoldsAnAttackBack(t *testing.T) {
	s := openStore(t)
	putCourses(t, s, "a")
	honest, burst := attack("a")
	putReviews(t, s, honest...)
	k := newKeeper(t, s, func(o *opinion.Options) { o.Clock = func() time.Time { return noon.AddDate(0, 0, 1) } })
	ctx := t.Context()
	refresh := func() lectern.ReviewSummary {
		t.Helper()
		if err := k.Refresh(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		return summary(t, k, "a")
	}
	before := refresh()
	putReviews(t, s, burst...)
	after := refresh()
	if after.Held != len(burst) || after.Reviews != len(honest)+len(burst) || *after.Score != *before.Score {
		t.Fatalf("before %+v\nafter %+v", before, after)
	}
	held, total, err := k.Held(ctx, "a", lectern.HoldPending, "", 100)
	if err != nil || total != len(held) || len(held) != len(burst) || held[0].Detail == "" || held[0].Text == "" {
		t.Fatalf("held %d of %d: %v", len(held), len(burst), err)
	}
	for _, a := range after.Aspects {
		for _, q := range a.Quotes {
			if strings.HasPrefix(q.ReviewID, "x") {
				t.Errorf("a held review is quoted: %+v", q)
			}
		}
	}
	again := refresh()
	repeated, _, _ := k.Held(ctx, "a", lectern.HoldPending, "", 100)
	if d := cmp.Diff(held, repeated); d != "" || again.Held != after.Held {
		t.Errorf("the second verdict differs: %s", d)
	}

	if _, err := k.Decide(ctx, "x00", lectern.HoldUpheld, "key"); err != nil {
		t.Fatal(err)
	}
	for _, r := range burst[1:] {
		if _, err := k.Decide(ctx, r.ID, lectern.HoldReleased, "key"); err != nil {
			t.Fatal(err)
		}
	}
	final := summary(t, k, "a")
	if final.Held != 1 || final.Read != len(honest)+len(burst)-1 || *final.Score >= *before.Score {
		t.Errorf("after the decisions: %+v", final)
	}
	refresh()
	if left, _, _ := k.Held(ctx, "a", lectern.HoldPending, "", 100); len(left) != 0 {
		t.Errorf("%d reviews that were decided on are judged again", len(left))
	}
	if _, err := k.Decide(ctx, "h00", lectern.HoldUpheld, "key"); err != nil {
		t.Fatal(err)
	}
	if got := summary(t, k, "a"); got.Held != 2 || got.Read != final.Read-1 {
		t.Errorf("after holding one by hand: %+v", got)
	}
}

// wave is a burst of one-star reviews of a course by the same fifteen new accounts.
func wave(course string, text bool) []lectern.Review {
	var out []lectern.Review
	for i := range 15 {
		r := review(course, fmt.Sprint(course, "x", i), "", 1, noon.Add(-time.Duration(i)*time.Minute))
		if text {
			r.Text = "Useless. " + babble(5000+i+len(course)*100, 12)
		}
		r.LearnerID = fmt.Sprint("fresh", i)
		out = append(out, r)
	}
	return out
}

// TestHoldsAWaveBack: accounts that attack course after course do not become known by
// what is held, with text or without, and no rating moves. A course of six reviews is
// protected too.
func TestHoldsAWaveBack(t *testing.T) {
	for _, text := range []bool{true, false} {
		t.Run(fmt.Sprintf("text %v", text), func(t *testing.T) {
			// The clock stands still: what reviews say fades with every second.
			clock := func() time.Time { return noon }
			s := openStoreAt(t, clock)
			k := newKeeper(t, s, func(o *opinion.Options) { o.Clock = clock })
			ctx := t.Context()
			for n, course := range []string{"c", "dd", "eee", "ffff", "ggggg"} {
				putCourses(t, s, course)
				reviews := 40
				if n == 4 {
					reviews = 6
				}
				for i := range reviews {
					r := review(course, fmt.Sprint(course, "h", i), "A good course. "+babble(100*n+i, 14), 5, noon.AddDate(0, 0, -4*i-10))
					r.LearnerID = fmt.Sprint(course, "learner", i)
					putReviews(t, s, r)
				}
				refresh := func() lectern.CourseStats {
					t.Helper()
					if err := k.Refresh(ctx, course); err != nil {
						t.Fatal(err)
					}
					stats, err := s.CourseStats(ctx, []string{course}, noon, time.Hour)
					if err != nil {
						t.Fatal(err)
					}
					return stats[0]
				}
				before := refresh()
				before.ReviewCount = 0
				putReviews(t, s, wave(course, text)...)
				for range 2 { // the verdict is the same when it is made again
					after := refresh()
					after.ReviewCount = 0
					if d := cmp.Diff(before, after, cmpopts.EquateApprox(0, 1e-6)); d != "" {
						t.Errorf("%s: the wave moved it: %s", course, d)
					}
					held, total, err := k.Held(ctx, course, lectern.HoldPending, "", 200)
					if err != nil || len(held) != 15 || total != 15 || held[0].LearnerID == "" {
						t.Errorf("%s: %d held: %v", course, len(held), err)
					}
				}
			}
		})
	}
}

// platform fills a store with reviews whose words say what the lexicon does not know.
func platform(t *testing.T, s *sqlite.Store, each int) {
	t.Helper()
	good, bad := strings.Fields("zorbling flumped quorple"), strings.Fields("grelking snarped vumble")
	for c := range 8 {
		course := fmt.Sprint("c", c)
		putCourses(t, s, course)
		var reviews []lectern.Review
		for i := range each {
			at := noon.AddDate(0, 0, -i*3-c)
			reviews = append(reviews, review(course, fmt.Sprint(course, "g", i), babble(1000*c+i, 6)+" "+good[i%3]+" "+babble(1000*c+i+500, 6), 5, at))
			if i%4 == 0 {
				reviews = append(reviews, review(course, fmt.Sprint(course, "b", i), babble(-1000*c-i-1, 6)+" "+bad[i/4%3]+" "+babble(-1000*c-i-501, 6), 1, at))
			}
		}
		putReviews(t, s, reviews...)
	}
}

func TestTrainsAndPutsToUse(t *testing.T) {
	s := openStore(t)
	platform(t, s, 40)
	k := newKeeper(t, s, nil)
	start(t, k)
	until(t, "all are read by the lexicon", func() bool { return summary(t, k, "c7").Read > 0 && !k.Stats().Left })
	lexical := summary(t, k, "c0")
	out, err := k.Train(t.Context(), true)
	if err != nil || out.Version != 0 || out.Activated {
		t.Fatalf("a trial: %+v, %v", out, err)
	}
	if out, err = k.Train(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if !out.Activated || out.Version != 1 || out.Comparison.Model < 0.95 || out.Comparison.Model <= out.Comparison.Lexicon {
		t.Fatalf("%+v", out)
	}
	until(t, "all are read by the model", func() bool {
		return !slices.ContainsFunc([]string{"c0", "c3", "c7"}, func(id string) bool { return summary(t, k, id).Model == lexical.Model })
	})
	if st := k.Stats(); st.Version != 1 || st.Model != summary(t, k, "c0").Model {
		t.Errorf("stats %+v", st)
	}
	a, err := s.ActiveArtefact(t.Context(), opinion.Kind)
	if err != nil || a.Version != 1 || a.Meta["comparison"] == "" || a.Meta["reviews"] == "" {
		t.Errorf("%+v, %v", a, err)
	}
	for range 3 {
		if _, err := k.Train(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Artefacts(t.Context(), opinion.Kind)
	if err != nil || len(all) != 3 {
		t.Errorf("%d versions stay, %v", len(all), err)
	}
}

func TestTooLittleToLearnFrom(t *testing.T) {
	s := openStore(t)
	putCourses(t, s, "a")
	putReviews(t, s, review("a", "1", "Great.", 5, noon), review("a", "2", "Bad.", 1, noon))
	_, err := newKeeper(t, s, nil).Train(t.Context(), false)
	if lectern.ErrorCode(err) != lectern.CodePrecondition {
		t.Errorf("%v", err)
	}
}

func TestUnreadableModel(t *testing.T) {
	s := openStore(t)
	putCourses(t, s, "a")
	putReviews(t, s, review("a", "1", "Great course.", 5, noon))
	for _, body := range []string{`{"format": 99, "model": {}}`, `{"format": 1, "model": {"format": "other"}}`, `no JSON`} {
		v, err := s.PutArtefact(t.Context(), lectern.Artefact{Kind: opinion.Kind, CreatedAt: noon}, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.ActivateArtefact(t.Context(), opinion.Kind, v); err != nil {
			t.Fatal(err)
		}
		k := newKeeper(t, s, nil)
		for range 2 {
			if err := k.Look(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.Refresh(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if got := summary(t, k, "a"); !strings.HasPrefix(got.Model, "lexicon") || got.Read != 1 || k.Stats().Version != 0 {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

func TestManyReviewsAreCapped(t *testing.T) {
	s := openStore(t)
	putCourses(t, s, "a")
	var reviews []lectern.Review
	for i := range 40 {
		reviews = append(reviews, review("a", fmt.Sprint("r", i), fmt.Sprintf("Lecture %d was great.", i), 5, noon.AddDate(0, 0, i)))
	}
	putReviews(t, s, reviews...)
	k := newKeeper(t, s, func(o *opinion.Options) { o.Config.MaxReviews = 10 })
	if err := k.Refresh(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := summary(t, k, "a"); got.Reviews != 40 || got.Read != 10 || len(got.Trend) != 2 || got.Trend[0].Read != 1 { // 31 March, and April

		t.Errorf("%+v", got)
	}
}

func TestRebuild(t *testing.T) {
	s := openStore(t)
	putCourses(t, s, "a", "b")
	putReviews(t, s, review("a", "1", "Great course.", 5, noon))
	k := newKeeper(t, s, nil)
	told := 0
	n, err := k.Rebuild(t.Context(), func(c int) { told = c })
	if err != nil || n != 2 || told != 2 || summary(t, k, "a").Read != 1 {
		t.Errorf("%d, %d, %v", n, told, err)
	}
}

func TestConfigNamesEveryFault(t *testing.T) {
	c := opinion.DefaultConfig()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	c.Poll, c.Keep, c.Bombing.Chance, c.Chat.Enabled = 0, 0, 2, true
	e, ok := errors.AsType[*lectern.Error](c.Validate())
	if !ok {
		t.Fatal("nothing is wrong with it")
	}
	var names []string
	for _, f := range e.Fields {
		names = append(names, f.Field)
	}
	want := []string{"opinion.poll", "opinion.keep", "opinion.bombing.chance", "opinion.chat.base_url", "opinion.chat.model"}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
}
