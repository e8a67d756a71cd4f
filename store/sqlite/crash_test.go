package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite"
)

// crashEnv names the database file in the child that is to be killed.
const crashEnv = "LECTERN_TEST_CRASH_DB"

// TestCrashChild is the child of TestKill: it writes, and prints each write's
// name once it is acknowledged, until it is killed.
func TestCrashChild(t *testing.T) {
	path := os.Getenv(crashEnv)
	if path == "" {
		t.Skip("this is the child of TestKill")
	}
	s := open(t, path)
	round := time.Now().UnixNano()
	say := make(chan string)
	for w := range 4 {
		go crashWriter(t.Context(), s, fmt.Sprintf("%d-%d", round, w), say)
	}
	for line := range say {
		fmt.Println(line)
	}
}

func crashWriter(ctx context.Context, s *sqlite.Store, name string, say chan<- string) {
	for i := 0; ; i++ {
		id := fmt.Sprintf("%s-%d", name, i)
		if _, err := s.PutCourses(ctx, []lectern.CoursePatch{course(id)}); err != nil {
			panic(err)
		}
		say <- "ack course " + id
		// The same id twice in a batch, and again in the next: to be there once.
		for range 2 {
			batch := []lectern.EventWrite{event(id, "l-"+name, id), event(id, "l-"+name, id)}
			if _, err := s.AppendEvents(ctx, batch); err != nil {
				panic(err)
			}
		}
		say <- "ack event " + id
		rating := lectern.Rating{CourseID: id, Day: time.Unix(0, 0).Add(time.Hour), Stars: 5, Occurrence: 3}
		if _, err := s.PutRatings(ctx, []lectern.Rating{rating}); err != nil {
			panic(err)
		}
		say <- "ack rating " + id
		f := lectern.Feedback{ID: id, CourseID: id, Kind: lectern.FeedbackLess, At: time.Unix(int64(i), 0)}
		if _, err := s.PutFeedback(ctx, lectern.LearnerRef{ID: "l-" + name}, f); err != nil {
			panic(err)
		}
		say <- "ack feedback " + id
	}
}

// TestKill kills a writing process at random moments and checks that all it
// acknowledged is there, once.
func TestKill(t *testing.T) {
	rounds := 3
	if os.Getenv("LECTERN_TEST_SOAK") != "" {
		rounds = 20
	}
	path := filepath.Join(t.TempDir(), "lectern.db")
	acked := map[string][]string{}
	for round := range rounds {
		after := time.Duration(100+rand.IntN(700)) * time.Millisecond
		n := killAfter(t, path, after, acked)
		t.Logf("round %d: killed %v after its first acknowledgement, %d so far", round, after, n)
		checkAcknowledged(t, path, acked)
	}
}

// killAfter runs the child, kills it after its first acknowledgement and a
// pause, and gathers what it acknowledged.
func killAfter(t *testing.T, path string, pause time.Duration, acked map[string][]string) int {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$", "-test.v")
	child.Env = append(os.Environ(), crashEnv+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	started := false
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) != 3 || words[0] != "ack" {
			continue
		}
		acked[words[1]] = append(acked[words[1]], words[2])
		if !started {
			started = true
			time.AfterFunc(pause, func() { _ = child.Process.Kill() })
		}
	}
	_ = child.Wait() // killed, so never without an error
	if !started {
		t.Fatal("the child acknowledged nothing")
	}
	return len(acked["course"]) + len(acked["event"]) + len(acked["rating"])
}

func checkAcknowledged(t *testing.T, path string, acked map[string][]string) {
	t.Helper()
	ctx := t.Context()
	s := open(t, path)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	courses, err := s.Courses(ctx, acked["course"])
	if err != nil || len(courses) != len(acked["course"]) {
		t.Errorf("%d of %d acknowledged courses are there, %v", len(courses), len(acked["course"]), err)
	}
	stored := map[string]int{}
	for after := int64(0); ; {
		events, next, err := s.ScanEvents(ctx, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			stored[e.ID]++
		}
		if after = next; next == 0 {
			break
		}
	}
	for _, id := range acked["event"] {
		if stored[id] != 1 {
			t.Errorf("event %s is there %d times", id, stored[id])
		}
	}
	stats, err := s.CourseStats(ctx, acked["rating"], time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range stats {
		if st.RatingCount != 3 {
			t.Errorf("course %s has %d ratings, want 3", st.CourseID, st.RatingCount)
		}
	}
	said := map[string][]lectern.Feedback{} // by learner
	for _, id := range acked["feedback"] {
		name := "l-" + id[:strings.LastIndex(id, "-")]
		if said[name] == nil {
			if said[name], err = s.Feedback(ctx, lectern.LearnerRef{ID: name}); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.ContainsFunc(said[name], func(f lectern.Feedback) bool { return f.ID == id }) {
			t.Errorf("feedback %s is gone", id)
		}
	}
	if found, err := s.Check(ctx); err != nil || len(found) > 0 {
		t.Errorf("check: %v, %v", found, err)
	}
}
