package explore

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shelf keeps in memory.
type shelf struct {
	body  []byte
	puts  int
	fails error
}

func (s *shelf) Counts(context.Context) ([]byte, error) { return s.body, s.fails }

func (s *shelf) KeepCounts(_ context.Context, body []byte) error {
	if s.fails == nil {
		s.body, s.puts = body, s.puts+1
	}
	return s.fails
}

func (r replica) keepBy(s *shelf) replica {
	r.KeepBy(s, func() bool { return true })
	return r
}

// counted is what counts say of a day and of new courses.
func (c *Counts) counted() map[string]any {
	return map[string]any{"explored": c.explored, "people": c.people, "courses": c.courses, "providers": c.providers, "shown": c.shown, "known": c.today && c.all}
}

// TestKeptCounts begins with what another process kept, reads only what came after, and
// counts nothing twice: neither what was made and not recorded when it was kept.
func TestKeptCounts(t *testing.T) {
	clock, log, kept := now, &tape{}, &shelf{}
	catchUp := func(r replica) {
		t.Helper()
		if err := r.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	one := newReplica(t, log, &clock, nil).keepBy(kept)
	catchUp(one)
	for i := range 600 {
		one.serve(strconv.Itoa(i))
	}
	one.look(t.Context())
	if kept.puts != 1 {
		t.Fatalf("kept %d times", kept.puts)
	}
	if one.look(t.Context()); kept.puts != 1 {
		t.Error("what did not change is kept again, or too soon")
	}
	var late []func()
	for i := range 5 { // made, and not recorded yet
		req := usual("late"+strconv.Itoa(i), clock)
		order, x := one.Explore(req)
		late = append(late, func() { log.add(*recordedList(req, order, x)) })
	}
	one.serve("last")
	clock = clock.Add(keepEvery)
	one.look(t.Context())
	if kept.puts != 2 {
		t.Fatalf("kept %d times", kept.puts)
	}
	for _, record := range late {
		record()
	}
	log.reads = 0
	two := newReplica(t, log, &clock, nil).keepBy(kept)
	catchUp(two)
	if log.reads > 2 {
		t.Errorf("%d reads of the log", log.reads)
	}
	catchUp(one)
	if diff := cmp.Diff(one.counts.counted(), two.counts.counted()); diff != "" || len(two.counts.own) != 0 || two.counts.explored == 0 {
		t.Errorf("-as counted +as kept\n%s%d lists left over", diff, len(two.counts.own))
	}

	// The next day nobody has seen anything, but of new courses all that was shown counts.
	clock = clock.AddDate(0, 0, 1)
	one.serve("tomorrow")
	catchUp(one)
	three := newReplica(t, log, &clock, nil).keepBy(kept)
	catchUp(three)
	if diff := cmp.Diff(one.counts.counted(), three.counts.counted()); diff != "" {
		t.Errorf("a day later: -as counted +as kept\n%s", diff)
	}

	// What cannot be used is counted anew.
	for name, change := range map[string]func(*Config, *shelf){
		"another build's": func(_ *Config, s *shelf) { s.body = []byte("what is this") },
		"out of reach":    func(_ *Config, s *shelf) { s.fails = errors.New("away") },
		"fewer days":      func(c *Config, _ *shelf) { c.NewCourses.Days = 40 },
	} {
		own := &shelf{body: kept.body}
		four := newReplica(t, log, &clock, func(c *Config) { change(c, own) }).keepBy(own)
		catchUp(four)
		if diff := cmp.Diff(one.counts.counted(), four.counts.counted()); diff != "" {
			t.Errorf("%s: -as counted +anew\n%s", name, diff)
		}
	}
}

// TestCountsAreKeptAtTheEnd of a process, by the one that leads alone.
func TestCountsAreKeptAtTheEnd(t *testing.T) {
	clock, log := now, &tape{}
	for leads, want := range map[bool]int{true: 1, false: 0} {
		kept := &shelf{}
		r := newReplica(t, log, &clock, nil)
		r.KeepBy(kept, func() bool { return leads })
		ctx, end := context.WithCancel(t.Context())
		if err := r.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		r.serve("ann")
		r.asked = clock.Add(time.Second)
		end()
		_ = r.read(t.Context())
		if err := r.Run(ctx); err != nil || kept.puts != want {
			t.Errorf("leads %v: kept %d times, %v", leads, kept.puts, err)
		}
	}
}
