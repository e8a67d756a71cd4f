package analytics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/lease"
)

// LeaseName is the lease under which one process among all keeps the metrics.
const LeaseName = "metrics"

// Store is what a Keeper needs of the store.
type Store interface {
	lectern.MetricStore
	lectern.OutcomeLog
	Courses(ctx context.Context, ids []string) ([]lectern.Course, error)
	Ranking(ctx context.Context, id string) (lectern.Ranking, error)
}

// Options are what a Keeper is made of.
type Options struct {
	Store  Store
	Config Config
	Clock  lectern.Clock
	Logger *slog.Logger
	Lease  *lease.Lease // only for Run
}

// Keeper keeps the sums in step with the logs. Run may be running in one goroutine;
// the other methods are safe for concurrent use.
type Keeper struct {
	o Options

	mu    sync.Mutex
	stats Stats
}

// Stats are what a Keeper tells of its work.
type Stats struct {
	Leading  bool
	Since    time.Time // when it began to lead
	Counted  uint64    // events, lists and pieces of feedback
	At       time.Time // of the latest step without error; zero is none
	CaughtUp time.Time // when there was last nothing more to be counted; zero is never
	Changed  bool      // the settings differ from what the metrics were counted by
	Failures uint64
}

// New returns a Keeper. Errors: CodeInvalid.
func New(o Options) (*Keeper, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	return &Keeper{o: o}, nil
}

// Stats returns what the keeper did so far.
func (k *Keeper) Stats() Stats {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stats
}

func (k *Keeper) tell(change func(*Stats)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change(&k.stats)
}

// Run follows the logs while this process leads, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := k.o.Lease.Run(ctx); err != nil {
			k.o.Logger.WarnContext(ctx, "the lease of metrics", slog.Any("err", err))
		}
	})
	k.o.Lease.While(ctx, k.follow)
	wg.Wait()
	return nil
}

func (k *Keeper) follow(ctx context.Context) {
	now := k.o.Clock()
	k.tell(func(s *Stats) { s.Leading, s.Since, s.CaughtUp = true, now, time.Time{} })
	defer k.tell(func(s *Stats) { s.Leading = false })
	timer := time.NewTimer(0)
	defer timer.Stop()
	failed, warned := false, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		wait := k.o.Config.Poll
		n, err := k.Step(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			wait = max(wait, time.Second)
			k.tell(func(s *Stats) { s.Failures++ })
			// Where others write as fast as this counts, somebody becomes somebody else
			// in every step: the next one begins with what is so now.
			if !failed && lectern.ErrorCode(err) != lectern.CodePrecondition {
				k.o.Logger.WarnContext(ctx, "metrics are not counted", slog.Any("err", err), slog.Duration("retry_in", wait))
			}
		case n > 0:
			wait = 0
		}
		failed = err != nil
		if changed := k.Stats().Changed; changed && !warned {
			warned = true
			k.o.Logger.WarnContext(ctx, "metrics are still counted by the settings before: lectern metrics rebuild counts them anew",
				slog.String("time_zone", k.o.Config.TimeZone))
		}
		timer.Reset(wait)
	}
}

// Step counts one batch of each log and returns how much it was; 0 says that there is
// nothing new. Several processes may call it: what one has counted no other does.
func (k *Keeper) Step(ctx context.Context) (int, error) {
	wanted, err := k.o.Config.Definition()
	if err != nil {
		return 0, err
	}
	n, _, err := k.tryStep(ctx, lectern.MetricsInUse, wanted)
	if errors.Is(err, errOldRules) {
		k.o.Logger.InfoContext(ctx, "metrics were counted by the rules of an earlier release: they are counted anew, and answered from as they were until then")
		n, err = k.Rebuild(ctx, nil)
	}
	if err != nil {
		return 0, err
	}
	now := k.o.Clock()
	k.tell(func(s *Stats) {
		s.Counted += uint64(n)
		s.At = now
		if n == 0 {
			s.CaughtUp = now
		}
	})
	return n, nil
}

// tryStep takes a step, again where others were faster; it returns where the metrics are
// when there is nothing new.
func (k *Keeper) tryStep(ctx context.Context, run lectern.MetricRun, wanted Definition) (n int, at lectern.MetricProgress, err error) {
	for try := 0; ; try++ {
		n, at, err = k.step(ctx, run, wanted)
		if lectern.ErrorCode(err) == lectern.CodePrecondition && try < 3 {
			continue // another process was faster, or somebody has gone
		}
		if err != nil {
			return 0, at, err
		}
		return n, at, nil
	}
}

// CatchUp takes steps until there is nothing new, and returns how much was counted.
func (k *Keeper) CatchUp(ctx context.Context) (int, error) {
	total := 0
	for {
		n, err := k.Step(ctx)
		total += n
		if err != nil || n == 0 {
			return total, err
		}
	}
}

// Rebuild counts everything in the logs anew, by the settings as they are now, beside
// what is in use, which goes on meanwhile and is read until all is counted; then it takes
// its place at once. progress is told how much has been counted after each step; nil is
// fine. Errors: CodeConflict when another process has rebuilt, or begun to, meanwhile.
func (k *Keeper) Rebuild(ctx context.Context, progress func(int)) (int, error) {
	def, err := k.o.Config.Definition()
	if err != nil {
		return 0, err
	}
	if err := k.o.Store.StartMetrics(ctx, def.String()); err != nil {
		return 0, fmt.Errorf("begin to count the metrics anew: %w", err)
	}
	total := 0
	for {
		n, at, err := k.tryStep(ctx, lectern.MetricsAnew, def)
		total += n
		switch {
		case err != nil:
			return total, err
		case n > 0:
			if progress != nil {
				progress(total)
			}
			continue
		}
		err = k.o.Store.UseMetrics(ctx, at)
		if lectern.ErrorCode(err) != lectern.CodePrecondition { // else somebody became somebody else: count that, too
			return total, err
		}
	}
}

var errOldRules = errors.New("the metrics were counted by the rules of an earlier release")

// definition returns by what the metrics are counted: what they were begun with.
func (k *Keeper) definition(run lectern.MetricRun, p lectern.MetricProgress, wanted Definition) (Definition, error) {
	switch {
	case run == lectern.MetricsAnew && p.Definition != wanted.String():
		return wanted, lectern.Errorf(lectern.CodeConflict, "another process counts the metrics anew, too, or has just done so: look at them before you begin again")
	case run == lectern.MetricsAnew || p.Definition == "":
		return wanted, nil
	}
	stored, err := parseDefinition(p.Definition)
	switch {
	case err == nil && stored.Rules < rules:
		return stored, errOldRules // what was counted cannot be taken off by other rules
	case err == nil && stored.Rules > rules:
		return stored, lectern.Errorf(lectern.CodeConflict, "the metrics are counted by a later release")
	}
	k.tell(func(s *Stats) { s.Changed = err == nil && stored.String() != wanted.String() })
	return stored, err
}

func (k *Keeper) step(ctx context.Context, run lectern.MetricRun, wanted Definition) (int, lectern.MetricProgress, error) {
	from, err := k.o.Store.MetricProgress(ctx, run)
	if err != nil {
		return 0, from, fmt.Errorf("read how far metrics have come: %w", err)
	}
	def, err := k.definition(run, from, wanted)
	if err != nil {
		return 0, from, err
	}
	n, err := k.count(ctx, run, from, def)
	return n, from, err
}

// count counts one batch of each log from a place in them.
func (k *Keeper) count(ctx context.Context, run lectern.MetricRun, from lectern.MetricProgress, def Definition) (int, error) {
	s, size := k.o.Store, k.o.Config.Batch
	b := lectern.MetricBatch{Run: run, From: from, To: from}
	b.To.Definition = def.String()
	merged, err := s.MergedMarks(ctx, run, size)
	if err != nil {
		return 0, fmt.Errorf("read what waits to be counted as one: %w", err)
	}
	events, next, err := s.ScanOutcomes(ctx, from.Events, size, def.Within, headItems)
	if err != nil {
		return 0, fmt.Errorf("read the log of events: %w", err)
	}
	if events, b.To.Events = k.settled(events, next); len(events) == 0 {
		b.To.Events = from.Events
	}
	lists, next, err := s.ScanRankings(ctx, from.Lists, size, 1)
	if err != nil {
		return 0, fmt.Errorf("read the log of lists: %w", err)
	}
	b.To.Lists = next
	said, err := s.FeedbackChanges(ctx, from.Feedback, size)
	if err != nil {
		return 0, fmt.Errorf("read the log of feedback: %w", err)
	}
	n := len(merged) + len(events) + len(lists) + len(said)
	if n == 0 {
		return 0, nil
	}
	f := newFold(def)
	cited, err := k.cited(ctx, said)
	if err != nil {
		return 0, err
	}
	for i := range said {
		if r := cited[said[i].RankingID]; r != nil && said[i].Person != 0 {
			f.open(r.ID, said[i].Person)
		}
	}
	if err := k.open(ctx, run, f, events, merged); err != nil {
		return 0, err
	}
	for _, m := range merged {
		if err := f.join(m); err != nil {
			return 0, err
		}
		b.Settled = append(b.Settled, m.ID)
	}
	for i := range lists {
		f.list(&lists[i])
	}
	for i := range events {
		f.outcome(&events[i])
	}
	for i := range said {
		f.feedback(&said[i], cited[said[i].RankingID])
	}
	if len(said) > 0 {
		b.To.Feedback = said[len(said)-1].Seq
	}
	for key, m := range f.taken {
		f.count(key, m, 1)
	}
	f.into(&b)
	return n, s.ApplyMetrics(ctx, b)
}

// settled leaves out events from the first one on that cites a list which may yet be
// stored: lists are stored a moment after they were answered with.
func (k *Keeper) settled(events []lectern.Outcome, next int64) ([]lectern.Outcome, int64) {
	young := k.o.Clock().Add(-k.o.Config.Settle)
	for i := range events {
		e := &events[i].Event
		if e.RankingID != "" && !events[i].Direct && e.ReceivedAt.After(young) {
			if i > 0 {
				next = events[i-1].Seq
			}
			return events[:i], next
		}
	}
	return events, next
}

// open reads what has been counted of all that a batch is about.
func (k *Keeper) open(ctx context.Context, run lectern.MetricRun, f *fold, events []lectern.Outcome, merged []lectern.TakenMark) error {
	var courses []string
	var taken []lectern.TakenKey
	for _, m := range merged {
		taken = append(taken, m.TakenKey)
	}
	for i := range events {
		o := &events[i]
		if o.Event.CourseID == "" {
			continue
		}
		if o.List != nil && (o.Direct || doneBy(o.Event.Type) != 0) {
			f.open(o.List.ID, o.Person)
		}
		switch o.Event.Type {
		case lectern.EventProgress, lectern.EventComplete:
			courses = append(courses, o.Event.CourseID)
			fallthrough
		case lectern.EventSave, lectern.EventEnrol, lectern.EventDrop, lectern.EventDismiss:
			taken = append(taken, lectern.TakenKey{Person: o.Person, CourseID: o.Event.CourseID})
		}
	}
	slices.SortFunc(taken, compareTaken)
	taken = slices.Compact(taken)
	ofLists, ofTaken, err := k.o.Store.MetricMarks(ctx, run, slices.Sorted(maps.Keys(f.lists)), taken)
	if err != nil {
		return fmt.Errorf("read what has been counted: %w", err)
	}
	for id, l := range f.lists {
		m, known := ofLists[id]
		if known {
			l.person = m.Person
		}
		if l.mark, err = parseListMark(m.State); err != nil {
			return err
		}
	}
	for _, key := range taken {
		m, err := parseTakenMark(ofTaken[key])
		if err != nil {
			return err
		}
		f.count(key, m, -1)
		f.taken[key] = m
	}
	return k.workloads(ctx, f, courses)
}

func (k *Keeper) workloads(ctx context.Context, f *fold, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	found, err := k.o.Store.Courses(ctx, slices.Compact(ids))
	if err != nil {
		return fmt.Errorf("read workloads: %w", err)
	}
	for i := range found {
		if h := found[i].WorkloadHours; h != nil {
			f.hours[found[i].ID] = *h
		}
	}
	return nil
}

// join makes one of what was counted of a visitor and of the learner they became.
func (f *fold) join(m lectern.TakenMark) error {
	visitors, err := parseTakenMark(m.State)
	if err != nil {
		return err
	}
	f.count(m.TakenKey, visitors, -1)
	f.taken[m.TakenKey].join(visitors)
	return nil
}

// open notes that a batch is about a list.
func (f *fold) open(id string, person int64) {
	if f.lists[id] == nil {
		f.lists[id] = &openList{person: person}
	}
}

// cited returns the lists that feedback is about. One that is no longer kept is none.
func (k *Keeper) cited(ctx context.Context, changes []lectern.FeedbackChange) (map[string]*lectern.Ranking, error) {
	lists := map[string]*lectern.Ranking{}
	for i := range changes {
		id := changes[i].RankingID
		if _, known := lists[id]; known || id == "" {
			continue
		}
		switch got, err := k.o.Store.Ranking(ctx, id); {
		case err == nil:
			got.Items = got.Items[:min(len(got.Items), headItems)] // as lists come with events
			lists[id] = &got
		case lectern.ErrorCode(err) == lectern.CodeNotFound:
			lists[id] = nil
		default:
			return nil, fmt.Errorf("read the list of feedback: %w", err)
		}
	}
	return lists, nil
}

func compareTaken(a, b lectern.TakenKey) int {
	switch {
	case a.Person != b.Person && a.Person < b.Person || a.Person == b.Person && a.CourseID < b.CourseID:
		return -1
	case a == b:
		return 0
	}
	return 1
}
