package postgres_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
)

// TestCatchUpAfterOlderRelease has learners made by a release that does not write the
// feed of profiles, beside this one.
func TestCatchUpAfterOlderRelease(t *testing.T) {
	ctx, dsn := t.Context(), pgtest.Start(t).DSN(t)
	s := open(t, dsn)
	if _, err := s.PutLearners(ctx, []lectern.Learner{{ID: "a"}, {ID: "b"}}); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, `DELETE FROM learner_changes
		WHERE learner_id = (SELECT learner_id FROM identities WHERE external_id = 'a')`); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		if n, err := s.CatchUpProfileChanges(ctx, true); err != nil || n != want {
			t.Errorf("%d learners were put into the feed, want %d: %v", n, want, err)
		}
	}
	var got []string
	changes, err := s.ProfileChanges(ctx, 0, 10)
	for _, c := range changes {
		got = append(got, c.Ref.ID)
	}
	if diff := cmp.Diff([]string{"b", "a"}, got); err != nil || diff != "" {
		t.Errorf("feed (-want +got): %v\n%s", err, diff)
	}
}

// TestMigrateDownForgetsFollowers goes back to a release without the feed of profiles
// and returns: its numbers begin anew, so nobody may go on from an old one.
func TestMigrateDownForgetsFollowers(t *testing.T) {
	ctx := t.Context()
	s := open(t, pgtest.Start(t).DSN(t))
	for _, name := range []string{"profiles", "learners 2", "learners 2 model 7", "index 2"} {
		if err := s.SetFeedPosition(ctx, name, 1000); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.MigrateDown(ctx, 10); err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"profiles": 0, "learners 2": 0, "learners 2 model 7": 0, "index 2": 1000} {
		if at, err := s.FeedPosition(ctx, name); err != nil || at != want {
			t.Errorf("the position of %q is %d, want %d: %v", name, at, want, err)
		}
	}
}
