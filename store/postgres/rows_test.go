package postgres_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres"
)

// outcomes returns what became of each row; those that were rejected must be
// CodeInvalid.
func outcomes(t *testing.T, results []lectern.WriteResult, err error) []lectern.WriteOutcome {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var out []lectern.WriteOutcome
	for _, r := range results {
		if r.Outcome == lectern.OutcomeRejected && lectern.ErrorCode(r.Err) != lectern.CodeInvalid {
			t.Errorf("rejected with %v", r.Err)
		}
		out = append(out, r.Outcome)
	}
	return out
}

// testNotText sends what PostgreSQL cannot keep as text: the rows are rejected
// one by one, and asking for them finds nothing.
func testNotText(t *testing.T, dsn string) {
	s := open(t, dsn)
	ctx := t.Context()
	const created, bad = lectern.OutcomeCreated, lectern.OutcomeRejected
	for _, odd := range []string{"a\x00b", "\xff"} {
		id := "good" + odd[:1]
		patches := []lectern.CoursePatch{course(id), course("x"), course(odd), course("y"), course("z"), course("zz")}
		patches[1].Course.Description = odd
		patches[3].Course.Skills = []string{"fine", odd}
		patches[4].Course.Availability.Regions = []string{odd}
		patches[5].Course.Extra = map[string]json.RawMessage{"k": json.RawMessage(`"` + odd + `"`)}
		if odd == "\xff" {
			id = "good"
			patches[0] = course(id)
		}
		res, err := s.PutCourses(ctx, patches)
		if diff := cmp.Diff([]lectern.WriteOutcome{created, bad, bad, bad, bad, bad}, outcomes(t, res, err)); diff != "" {
			t.Errorf("courses with %q (-want +got):\n%s", odd, diff)
		}
		res, err = s.PutReviews(ctx, []lectern.Review{
			{ID: "r" + id, CourseID: id, Text: "fine"}, {ID: "r1", CourseID: id, Text: odd}, {ID: "r1", CourseID: odd},
			{ID: odd, CourseID: id}, {ID: "r1", CourseID: id, LearnerID: odd}, {ID: "r1", CourseID: id, Source: odd},
		})
		if diff := cmp.Diff([]lectern.WriteOutcome{created, bad, bad, bad, bad, bad}, outcomes(t, res, err)); diff != "" {
			t.Errorf("reviews with %q (-want +got):\n%s", odd, diff)
		}
		res, err = s.PutRatings(ctx, []lectern.Rating{
			{CourseID: id, Day: day1, Stars: 4, Occurrence: 1}, {CourseID: odd, Day: day1, Stars: 4, Occurrence: 1},
			{CourseID: id, Day: day1, Stars: 4, Occurrence: 1, Source: odd},
		})
		if diff := cmp.Diff([]lectern.WriteOutcome{created, bad, bad}, outcomes(t, res, err)); diff != "" {
			t.Errorf("ratings with %q (-want +got):\n%s", odd, diff)
		}
		event := lectern.Event{ID: "e" + id, Type: lectern.EventClick, LearnerID: "l", CourseID: id, OccurredAt: day1}
		oddEvent := event
		oddEvent.ID, oddEvent.Query = "e1", odd
		res, err = s.AppendEvents(ctx, []lectern.EventWrite{{Event: event}, {Event: oddEvent}})
		if diff := cmp.Diff([]lectern.WriteOutcome{created, bad}, outcomes(t, res, err)); diff != "" {
			t.Errorf("events with %q (-want +got):\n%s", odd, diff)
		}
		testAskNotText(t, s, odd, id)
	}
}

func testAskNotText(t *testing.T, s *postgres.Store, odd, good string) {
	t.Helper()
	ctx := t.Context()
	if got, err := s.Courses(ctx, []string{odd, good}); err != nil || len(got) != 1 {
		t.Errorf("courses: %v, %v", got, err)
	}
	if got, err := s.CourseStats(ctx, []string{odd, good}, day1, time.Hour); err != nil || len(got) != 1 {
		t.Errorf("statistics: %v, %v", got, err)
	}
	if got, err := s.Reviews(ctx, odd, "", 5); err != nil || len(got) != 0 {
		t.Errorf("reviews: %v, %v", got, err)
	}
	if got, err := s.RatingHistory(ctx, odd); err != nil || len(got) != 0 {
		t.Errorf("history: %v, %v", got, err)
	}
	if n, err := s.DeleteCourses(ctx, []string{odd}); err != nil || n != 0 {
		t.Errorf("deleted %d: %v", n, err)
	}
	if n, err := s.RetireMissing(ctx, []string{odd}, 0); lectern.ErrorCode(err) != lectern.CodeRefused {
		t.Errorf("retired %d: %v", n, err)
	}
	_, errAfter := s.Reviews(ctx, good, odd, 5)
	_, errProfile := s.Profile(ctx, lectern.LearnerRef{ID: odd})
	for what, err := range map[string]error{
		"page after": errAfter, "delete review": s.DeleteReview(ctx, odd), "profile": errProfile,
	} {
		if lectern.ErrorCode(err) != lectern.CodeNotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// testOddTimes sends times that PostgreSQL can and cannot keep.
func testOddTimes(t *testing.T, dsn string) {
	s := open(t, dsn)
	year := func(y int) time.Time { return time.Date(y, 7, 1, 12, 0, 0, 0, time.UTC) }
	for _, y := range []int{-3000, 0, 1, 1969, 9999, 150_000} {
		at := year(y)
		p := course("c")
		p.Course.PublishedAt = &at
		res, err := s.PutCourses(t.Context(), []lectern.CoursePatch{p})
		if got := outcomes(t, res, err); got[0] == lectern.OutcomeRejected {
			t.Errorf("year %d: %v", y, res[0].Err)
		}
		got, err := s.Courses(t.Context(), []string{"c"})
		if err != nil || len(got) != 1 || !got[0].PublishedAt.Equal(at) {
			t.Errorf("year %d is read as %v, %v", y, got, err)
		}
		res, err = s.PutRatings(t.Context(), []lectern.Rating{{CourseID: "c", Day: at, Stars: 4, Occurrence: 1}})
		outcomes(t, res, err)
	}
	history, err := s.RatingHistory(t.Context(), "c")
	if err != nil || len(history) != 6 || history[0].Month.Year() != -3000 || history[5].Month.Year() != 150_000 {
		t.Errorf("history: %v, %v", history, err)
	}
	for _, y := range []int{-5000, 290_000} {
		at := year(y)
		p := course("d")
		p.Course.Availability.EnrolFrom = &at
		res, err := s.PutCourses(t.Context(), []lectern.CoursePatch{course("e"), p})
		if got := outcomes(t, res, err); got[0] == lectern.OutcomeRejected || got[1] != lectern.OutcomeRejected {
			t.Errorf("year %d: %v", y, got)
		}
		res, err = s.PutReviews(t.Context(), []lectern.Review{{ID: "r", CourseID: "e", WrittenAt: &at}})
		if got := outcomes(t, res, err); got[0] != lectern.OutcomeRejected {
			t.Errorf("year %d: %v", y, got)
		}
		res, err = s.PutRatings(t.Context(), []lectern.Rating{{CourseID: "e", Day: at, Stars: 4, Occurrence: 1}})
		if got := outcomes(t, res, err); got[0] != lectern.OutcomeRejected {
			t.Errorf("year %d: %v", y, got)
		}
	}
}

func testInfo(t *testing.T, dsn string) {
	opts := postgres.Options{Config: postgres.DefaultConfig()}
	opts.DSN = dsn
	opts.Clock = func() time.Time { return time.Now().Add(-time.Hour) }
	opts.DirectDSN = dsn + " connect_timeout=7" // another way to the same database
	s, err := postgres.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.Version == "" || info.Database == "" || info.Bytes == 0 || info.MaxConns < 10 || info.Conns < 1 || info.RoundTrip <= 0 {
		t.Errorf("%+v", info)
	}
	if off := info.ClockAhead - time.Hour; off.Abs() > 5*time.Second {
		t.Errorf("the server's clock is %v ahead of one that is an hour late", info.ClockAhead)
	}
	if info.Pooler || info.Standby || info.Misdirected {
		t.Errorf("%+v, of a plain server", info)
	}
	opts.DirectDSN = dsn + " dbname=postgres"
	astray, err := postgres.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = astray.Close() }()
	if info, err = astray.Info(t.Context()); err != nil || !info.Misdirected {
		t.Errorf("a direct address of another database: %+v, %v", info, err)
	}
}

// testStatementModes does a little of everything without prepared statements,
// and as behind a pooler.
func testStatementModes(t *testing.T, dsn string) {
	for name, change := range map[string]func(*postgres.Options){
		"unprepared": func(o *postgres.Options) { o.PreparedStatements = false },
		"pooled":     func(o *postgres.Options) { o.PreparedStatements, o.DirectDSN = false, dsn+" connect_timeout=7" },
	} {
		opts := postgres.Options{Config: postgres.DefaultConfig()}
		opts.DSN = dsn
		change(&opts)
		s, err := postgres.Open(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(name, err)
		}
		p := course(name)
		p.Course.Extra = map[string]json.RawMessage{"k": json.RawMessage(`[1]`)}
		p.Course.Skills = []string{"a", "b"}
		if _, err := s.PutCourses(t.Context(), []lectern.CoursePatch{p}); err != nil {
			t.Fatal(name, err)
		}
		got, err := s.Courses(t.Context(), []string{name})
		if err != nil || len(got) != 1 || len(got[0].Skills) != 2 {
			t.Error(name, got, err)
		}
		if listens := s.RiverDriver().SupportsListener(); listens != (name == "unprepared") {
			t.Errorf("%s: workers listen: %v", name, listens)
		}
		if err := s.Close(); err != nil {
			t.Error(name, err)
		}
	}
}
