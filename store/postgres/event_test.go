package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/postgres"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func click(id, learner, courseID string) lectern.EventWrite {
	return lectern.EventWrite{
		Event: lectern.Event{ID: id, Type: lectern.EventClick, LearnerID: learner, CourseID: courseID, OccurredAt: noon},
		Delta: &lectern.ProfileDelta{Weight: 1, HalfLife: 30 * 24 * time.Hour, State: lectern.StateClicked},
	}
}

func anonymousClick(id, visitor, courseID string) lectern.EventWrite {
	e := click(id, "", courseID)
	e.Event.AnonymousID = visitor
	return e
}

// replicas opens two stores on one new database.
func replicas(t *testing.T, server *pgtest.Server) (stores [2]*postgres.Store, dsn string) {
	t.Helper()
	dsn = server.DSN(t)
	return [2]*postgres.Store{open(t, dsn), openUnmigrated(t, dsn)}, dsn
}

// count runs a query that returns one number, past the store.
func count(t *testing.T, dsn, query string, args ...any) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func wantCount(t *testing.T, what, dsn, query string, want int) {
	t.Helper()
	if got := count(t, dsn, query); got != want {
		t.Errorf("%s: %d, want %d", what, got, want)
	}
}

func wantClean(t *testing.T, s *postgres.Store) {
	t.Helper()
	if found, err := s.Check(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("check: %q, %v", found, err)
	}
}

func wait(t *testing.T, g *errgroup.Group) {
	t.Helper()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestReplicas(t *testing.T) {
	server := pgtest.Start(t)
	for name, test := range map[string]func(*testing.T, *pgtest.Server){
		"the same event":            testSameEvent,
		"merges of one visitor":     testMergeRace,
		"sign-ins of one visitor":   testSignInRace,
		"erasing while events come": testDeleteRace,
		"a scan misses nothing":     testScanOrder,
		"a commit that takes long":  testSlowCommit,
		"everything at once":        testEverythingAtOnce,
		"artefact versions":         testArtefactRace,
		"secrets":                   testSecretRace,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

// testSameEvent sends the same events to both replicas at the same time, alone
// and in batches of different order.
func testSameEvent(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	const events, senders = 60, 6
	var created atomic.Int64
	var g errgroup.Group
	for sender := range senders {
		g.Go(func() error {
			r := rand.New(rand.NewPCG(1, uint64(sender)))
			ids := r.Perm(events)
			for batch := range slices.Chunk(ids, 1+sender*sender) {
				var writes []lectern.EventWrite
				for _, id := range batch {
					writes = append(writes, click(fmt.Sprint("e", id), "l", "a"))
				}
				results, err := stores[sender%2].AppendEvents(t.Context(), writes)
				if err != nil {
					return err
				}
				for _, res := range results {
					if res.Outcome != lectern.OutcomeDuplicate {
						created.Add(1)
					}
				}
			}
			return nil
		})
	}
	wait(t, &g)
	if created.Load() != events {
		t.Errorf("%d events were acknowledged as new, want %d", created.Load(), events)
	}
	wantCount(t, "events", dsn, `SELECT count(*) FROM events`, events)
	wantCount(t, "activity", dsn, `SELECT sum(n) FROM course_activity`, events)
	wantCount(t, "learners", dsn, `SELECT count(*) FROM learners`, 1)
	p, err := stores[0].Profile(t.Context(), lectern.LearnerRef{ID: "l"})
	if err != nil || p.Entries[0].Weight != events {
		t.Errorf("profile %+v, %v", p.Entries, err)
	}
}

func testMergeRace(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	for i := range 25 {
		visitor := fmt.Sprint("v", i)
		if _, err := stores[0].AppendEvents(t.Context(), []lectern.EventWrite{anonymousClick("e"+visitor, visitor, "a")}); err != nil {
			t.Fatal(err)
		}
		var won atomic.Int64
		var g errgroup.Group
		for n, s := range stores {
			g.Go(func() error {
				err := s.MergeVisitor(t.Context(), visitor, fmt.Sprint("l", i, "-", n))
				switch lectern.ErrorCode(err) {
				case "":
					won.Add(1)
				case lectern.CodeConflict:
				default:
					return err
				}
				return nil
			})
		}
		wait(t, &g)
		if won.Load() != 1 {
			t.Fatalf("%d merges of one visitor succeeded", won.Load())
		}
	}
	wantCount(t, "visitors", dsn, `SELECT count(*) FROM learners WHERE anonymous`, 0)
	wantCount(t, "learners", dsn, `SELECT count(*) FROM learners`, 25) // the losers came not to be
	wantClean(t, stores[0])
}

// testSignInRace has two learners sign in on one device at the same time: the
// visitor becomes one of them, and each event is the learner's that it names.
func testSignInRace(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	for i := range 25 {
		visitor := fmt.Sprint("v", i)
		if i%2 == 0 { // every other visitor is known before
			if _, err := stores[0].AppendEvents(t.Context(), []lectern.EventWrite{anonymousClick("e"+visitor, visitor, "a")}); err != nil {
				t.Fatal(err)
			}
		}
		var g errgroup.Group
		for n, s := range stores {
			g.Go(func() error {
				signIn := click(fmt.Sprint("s", i, "-", n), fmt.Sprint("l", i, "-", n), "a")
				signIn.Event.AnonymousID = visitor
				_, err := s.AppendEvents(t.Context(), []lectern.EventWrite{signIn, anonymousClick(fmt.Sprint("t", i, "-", n), visitor, "a")})
				return err
			})
		}
		wait(t, &g)
	}
	wantCount(t, "events", dsn, `SELECT count(*) FROM events`, 25*4+13)
	wantCount(t, "visitors", dsn, `SELECT count(*) FROM learners WHERE anonymous`, 0)
	wantCount(t, "learners", dsn, `SELECT count(*) FROM learners`, 50)
	wantCount(t, "events under a name that is another's", dsn, `SELECT count(*) FROM events e
		JOIN identities n ON n.learner_id = e.learner_id AND n.kind = 0
		WHERE e.event_id LIKE 's%' AND 'l' || substr(e.event_id, 2) <> n.external_id`, 0)
	wantClean(t, stores[0])
}

func testDeleteRace(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	ref := lectern.LearnerRef{ID: "l"}
	ctx := t.Context()
	var g errgroup.Group
	for n := range 6 {
		g.Go(func() error {
			s := stores[n%2]
			for i := range 60 {
				var err error
				switch n {
				case 0:
					if err = s.DeleteLearner(ctx, ref); lectern.ErrorCode(err) == lectern.CodeNotFound {
						err = nil
					}
				case 1:
					err = s.PutRankings(ctx, []lectern.Ranking{{ID: fmt.Sprint("r", i), Learner: ref, CreatedAt: noon}})
				case 2:
					_, err = s.AppendEvents(ctx, []lectern.EventWrite{anonymousClick(fmt.Sprint("a", i), "v", "a")})
					if err == nil {
						err = s.MergeVisitor(ctx, "v", "l")
					}
				case 3:
					_, err = s.PutLearners(ctx, []lectern.Learner{{ID: "l", Goal: fmt.Sprint(i)}})
				default:
					_, err = s.AppendEvents(ctx, []lectern.EventWrite{click(fmt.Sprint("e", n, "-", i), "l", "a")})
				}
				if err != nil {
					return fmt.Errorf("part %d: %w", n, err)
				}
			}
			return nil
		})
	}
	wait(t, &g)
	wantCount(t, "keys without events", dsn, `SELECT count(*) FROM event_keys k
		WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.event_id = k.event_id)`, 0)
	wantClean(t, stores[0])
	for _, ref := range []lectern.LearnerRef{ref, {AnonymousID: "v"}} {
		if err := stores[1].DeleteLearner(ctx, ref); err != nil && lectern.ErrorCode(err) != lectern.CodeNotFound {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"learners", "identities", "profile_entries", "events", "event_keys"} {
		wantCount(t, table, dsn, `SELECT count(*) FROM `+table, 0)
	}
	wantCount(t, "rankings with a name", dsn, `SELECT count(*) FROM rankings WHERE learner_id IS NOT NULL`, 0)
}

// testScanOrder follows the events while they come in on both replicas.
func testScanOrder(t *testing.T, server *pgtest.Server) {
	stores, _ := replicas(t, server)
	const writers, each = 6, 100
	var g errgroup.Group
	for w := range writers {
		g.Go(func() error {
			for i := 0; i < each; {
				var batch []lectern.EventWrite
				// Writers have nothing in common, so that small transactions overtake
				// large ones wherever they are let.
				for range 1 + w/2*(w/2)*37 {
					if i < each {
						batch = append(batch, click(fmt.Sprint(w, "-", i), fmt.Sprint("l", w), fmt.Sprint("c", w)))
						i++
					}
				}
				if _, err := stores[w%2].AppendEvents(t.Context(), batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	done := make(chan error, 1)
	go func() { done <- g.Wait() }()
	var seen []string // page by page of one, so that every page is full and has a position
	after := int64(0)
	step := func() bool {
		t.Helper()
		events, next, err := stores[1].ScanEvents(t.Context(), after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			return false
		}
		if next <= after {
			t.Fatalf("the scan went from %d to %d", after, next)
		}
		after = next
		seen = append(seen, events[0].ID)
		return true
	}
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		for step() {
		}
	}
	if len(seen) != writers*each {
		t.Errorf("the scan has seen %d events of %d", len(seen), writers*each)
	}
	slices.Sort(seen)
	if n := len(slices.Compact(seen)); n != writers*each {
		t.Errorf("%d different events of %d", n, writers*each)
	}
}

// testSlowCommit has one replica take long between numbering an event and its
// commit: what the other stores meanwhile must not show before.
func testSlowCommit(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), `
		CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1, 2); RETURN NULL; END';
		CREATE TRIGGER dawdle AFTER INSERT ON events FOR EACH ROW WHEN (NEW.event_id = 'slow') EXECUTE FUNCTION dawdle();
		SELECT pg_advisory_lock(1, 2)`); err != nil {
		t.Fatal(err)
	}
	// objsubid tells locks of two numbers from those of one, as stores take them.
	waiting := func(of int) int {
		return count(t, dsn, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objsubid = $1
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, of)
	}
	var g errgroup.Group
	g.Go(func() error {
		_, err := stores[0].AppendEvents(t.Context(), []lectern.EventWrite{click("slow", "l", "a")})
		return err
	})
	until(t, "the slow event has its number", func() bool { return waiting(2) > 0 })
	stored := make(chan struct{})
	g.Go(func() error {
		defer close(stored)
		_, err := stores[1].AppendEvents(t.Context(), []lectern.EventWrite{click("quick", "m", "b")})
		return err
	})
	until(t, "the quick event is stored, or waits for its turn", func() bool {
		select {
		case <-stored:
			return true
		default:
			return waiting(1) > 0
		}
	})
	events, next, err := stores[1].ScanEvents(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_unlock(1, 2)`); err != nil {
		t.Fatal(err)
	}
	wait(t, &g)
	more, _, err := stores[1].ScanEvents(t.Context(), next, 9)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, e := range append(events, more...) {
		seen = append(seen, e.ID)
	}
	if diff := cmp.Diff([]string{"slow", "quick"}, seen); diff != "" {
		t.Errorf("the scan saw (-want +got):\n%s", diff)
	}
}

// testEverythingAtOnce lets writes meet that lock the same rows in all orders,
// and then adds up.
func testEverythingAtOnce(t *testing.T, server *pgtest.Server) {
	stores, dsn := replicas(t, server)
	ctx := t.Context()
	const writers, rounds, size = 8, 12, 25
	var g errgroup.Group
	for w := range writers {
		g.Go(func() error {
			r := rand.New(rand.NewPCG(7, uint64(w)))
			for round := range rounds {
				s := stores[r.IntN(2)]
				var batch []lectern.EventWrite
				for i := range size {
					id := fmt.Sprint(w, "-", round, "-", i)
					n := r.IntN(12)
					switch e := click(id, fmt.Sprint("l", n), fmt.Sprint("c", r.IntN(6))); r.IntN(4) {
					case 0:
						e.Event.LearnerID, e.Event.AnonymousID = "", fmt.Sprint("v", n)
						batch = append(batch, e)
					case 1:
						e.Event.AnonymousID = fmt.Sprint("v", n) // signs in, always as the same learner
						batch = append(batch, e)
					default:
						batch = append(batch, e)
					}
				}
				_, err := s.AppendEvents(ctx, batch)
				_, putErr := s.PutLearners(ctx, []lectern.Learner{{ID: fmt.Sprint("l", r.IntN(12)), Goal: fmt.Sprint(w, round)}})
				mergeErr := s.MergeVisitor(ctx, fmt.Sprint("v", r.IntN(12)), fmt.Sprint("l", r.IntN(12)))
				if lectern.ErrorCode(mergeErr) == lectern.CodeConflict {
					mergeErr = nil
				}
				if err := errors.Join(err, putErr, mergeErr); err != nil {
					return err
				}
			}
			return nil
		})
	}
	wait(t, &g)
	const all = writers * rounds * size
	wantCount(t, "events", dsn, `SELECT count(*) FROM events`, all)
	wantCount(t, "keys", dsn, `SELECT count(*) FROM event_keys`, all)
	wantCount(t, "activity", dsn, `SELECT sum(n) FROM course_activity`, all)
	wantCount(t, "weights", dsn, `SELECT round(sum(weight)) FROM profile_entries`, all)
	wantCount(t, "entries that are not the sum of their events", dsn, `SELECT count(*) FROM profile_entries p WHERE round(p.weight) <>
		(SELECT count(*) FROM events e WHERE e.learner_id = p.learner_id AND e.course_id = p.course_id)`, 0)
	wantClean(t, stores[0])
}

func testArtefactRace(t *testing.T, server *pgtest.Server) {
	stores, _ := replicas(t, server)
	const each = 10
	var g errgroup.Group
	for n := range 4 {
		g.Go(func() error {
			for range each {
				v, err := stores[n%2].PutArtefact(t.Context(), lectern.Artefact{Kind: "k"}, make([]byte, 3<<19))
				if err == nil {
					err = stores[n%2].ActivateArtefact(t.Context(), "k", v)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	wait(t, &g)
	all, err := stores[0].Artefacts(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	var versions []int64
	active := 0
	for _, a := range all {
		versions = append(versions, a.Version)
		if a.Active {
			active++
		}
	}
	want := make([]int64, 4*each)
	for i := range want {
		want[i] = int64(len(want) - i)
	}
	if diff := cmp.Diff(want, versions); diff != "" || active != 1 {
		t.Errorf("%d active; versions:\n%s", active, diff)
	}
	wantClean(t, stores[0])
}

func testSecretRace(t *testing.T, server *pgtest.Server) {
	stores, _ := replicas(t, server)
	got := make([]string, 8)
	var g errgroup.Group
	for n := range got {
		g.Go(func() error {
			v, err := stores[n%2].Secret(t.Context(), "tokens", []byte{byte(n)})
			got[n] = string(v)
			return err
		})
	}
	wait(t, &g)
	if slices.Sort(got); got[0] != got[len(got)-1] {
		t.Errorf("secrets differ: %q", got)
	}
}

// TestEventsThatServersRefuse makes sure that what PostgreSQL cannot keep is one
// event's fault and not its batch's.
func TestEventsThatServersRefuse(t *testing.T) {
	s := open(t, pgtest.Start(t).DSN(t))
	far, deep := noon.AddDate(300_000, 0, 0), math.MaxInt
	for name, change := range map[string]func(*lectern.Event){
		"NUL in a query":       func(e *lectern.Event) { e.Query = "a\x00b" },
		"odd text":             func(e *lectern.Event) { e.SessionID = "\xff" },
		"odd properties":       func(e *lectern.Event) { e.Properties = []byte("{\"a\":\"\xff\"}") },
		"a time too far":       func(e *lectern.Event) { e.OccurredAt = far },
		"a position too deep":  func(e *lectern.Event) { e.Position = &deep },
		"a version too high":   func(e *lectern.Event) { e.SchemaVersion = deep },
		"NUL in an event's id": func(e *lectern.Event) { e.ID = "a\x00" },
	} {
		bad := click("bad", "l", "a")
		change(&bad.Event)
		good := click("good "+name, "l", "a")
		results, err := s.AppendEvents(t.Context(), []lectern.EventWrite{bad, good})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if results[0].Outcome != lectern.OutcomeRejected || lectern.ErrorCode(results[0].Err) != lectern.CodeInvalid ||
			results[1].Outcome != lectern.OutcomeParked {
			t.Errorf("%s: %+v", name, results)
		}
	}
	if _, err := s.Learner(t.Context(), lectern.LearnerRef{ID: "a\x00"}); lectern.ErrorCode(err) != lectern.CodeNotFound {
		t.Errorf("a learner with a NUL: %v", err)
	}
	if _, err := s.Ranking(t.Context(), "a\x00"); lectern.ErrorCode(err) != lectern.CodeNotFound {
		t.Errorf("a ranking with a NUL: %v", err)
	}
}
