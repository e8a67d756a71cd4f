package explore

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"maps"
	"time"

	"github.com/lectern-dev/lectern"
)

// Shelf keeps what is counted, so that a process that starts need not read again what it
// was counted from.
type Shelf interface {
	// Counts returns what was kept last, nil where nothing was.
	Counts(ctx context.Context) ([]byte, error)
	// KeepCounts keeps counts in the place of those before.
	KeepCounts(ctx context.Context, body []byte) error
}

const (
	// keepEvery is how often counts that have changed are kept.
	keepEvery = time.Minute
	// keepEnd is how long the end of a process waits for them to be kept.
	keepEnd = 5 * time.Second
	// keptFormat rises when kept cannot be read as before.
	keptFormat = 1
)

// kept is Counts up to a place in the log of lists. It names nobody: people are hashes
// that hold for a day.
type kept struct {
	Format int
	Log    int64 // lists up to here are counted
	Days   int   // for which courses were new

	Day       int64
	People    map[uint32]int32
	Courses   map[string]int32
	Providers map[string]int32
	Explored  int32
	Shown     map[string]int32
	Own       map[uint64]keptOwn // counted, and not in the log up to Log
}

type keptOwn struct {
	Lists int
	Since time.Time
}

// KeepBy lets the follower begin with what a shelf keeps, and keep there what it counts
// while leads says that this process is the one to do so. It is for before Run.
func (f *Follower) KeepBy(shelf Shelf, leads func() bool) { f.shelf, f.leads = shelf, leads }

// restore begins with what is kept, and reports whether there was something to begin
// with.
func (f *Follower) restore(ctx context.Context, cfg *Config) (bool, error) {
	if f.shelf == nil {
		return false, nil
	}
	body, err := f.shelf.Counts(ctx)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil:
		f.logger.WarnContext(ctx, "what is kept of exploration's counts cannot be read: it is counted anew", "error", err)
		return false, nil
	case body == nil:
		return false, nil
	}
	var k kept
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(&k); err != nil || k.Format != keptFormat || k.Days < cfg.NewCourses.Days {
		return false, nil //nolint:nilerr // of another build, or too little: the log has it all
	}
	today := k.Log
	if at := f.clock(); k.Day < dayOf(at) { // what is of today comes first
		if today, err = f.find(ctx, at.UTC().Truncate(24*time.Hour)); err != nil {
			return false, err
		}
		today = max(today, k.Log)
	}
	f.counts.take(&k)
	f.after, f.today, f.older, f.keptAt = today, today, k.Log, k.Log
	return true, nil
}

// keep keeps what is counted, where all is and there is more than before.
func (f *Follower) keep(ctx context.Context) error {
	if f.shelf == nil || !f.leads() || f.after == f.keptAt {
		return nil
	}
	k, ok := f.counts.keep()
	if !ok {
		return nil
	}
	cfg, _ := f.settings.Current()
	k.Format, k.Log, k.Days = keptFormat, f.after, cfg.NewCourses.Days
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(k); err != nil {
		return lectern.Errorf(lectern.CodeInternal, "write the counts of exploration: %w", err)
	}
	if err := f.shelf.KeepCounts(ctx, body.Bytes()); err != nil {
		return fmt.Errorf("keep the counts of exploration: %w", err)
	}
	f.keptAt = f.after
	return nil
}

// keep copies what is counted; ok is false while not all is.
func (c *Counts) keep() (k *kept, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.today || !c.all {
		return nil, false
	}
	k = &kept{
		Day: c.day, People: maps.Clone(c.people), Courses: maps.Clone(c.courses), Providers: maps.Clone(c.providers),
		Explored: c.explored, Shown: maps.Clone(c.shown), Own: make(map[uint64]keptOwn, len(c.own)),
	}
	for seed, o := range c.own {
		k.Own[seed] = keptOwn{o.lists, o.since}
	}
	return k, true
}

// take adds what was kept.
func (c *Counts) take(k *kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.Day > c.day {
		c.day, c.explored = k.Day, 0
		clear(c.people)
		clear(c.courses)
		clear(c.providers)
	}
	if k.Day == c.day {
		c.explored += k.Explored
		add(c.people, k.People)
		add(c.courses, k.Courses)
		add(c.providers, k.Providers)
	}
	add(c.shown, k.Shown)
	for seed, o := range k.Own {
		c.own[seed] = own{c.own[seed].lists + o.Lists, o.Since}
	}
}

func add[K comparable](to, from map[K]int32) {
	for key, n := range from {
		to[key] += n
	}
}
