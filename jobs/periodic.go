package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Periodic is work to be done again and again, by one process at a time: the
// one that Options.Leader says is the leader. The runs of a task never overlap;
// a run that fails is not repeated before its next turn.
type Periodic struct {
	Name       string // names the task in the log
	Every      time.Duration
	RunOnStart bool // also right after this process becomes the leader
	// Run does the work. Its context ends when leadership is lost, when it takes
	// longer than half an hour, or when the runner is stopped hard.
	Run func(ctx context.Context) error
}

const (
	periodicTimeout = 30 * time.Minute       // bounds one run of a task
	leaderPoll      = 250 * time.Millisecond // how often the leader is asked for
)

// schedule runs periodic tasks while this process is the leader. They are not
// jobs of the queue, whose own election takes up to 20 s to notice that a leader
// was killed, and cannot be told to hurry.
type schedule struct {
	tasks  []Periodic
	leader func() bool
	log    *slog.Logger

	mu      sync.Mutex
	cancel  context.CancelFunc // ends running tasks; nil before start
	closing chan struct{}      // closed by quit: no task is begun any more
	closed  bool
	done    chan struct{} // closed when nothing runs any more
}

func newSchedule(tasks []Periodic, leader func() bool, log *slog.Logger) (*schedule, error) {
	names := make(map[string]bool, len(tasks))
	for _, p := range tasks {
		if names[p.Name] || p.Name == "" || p.Every <= 0 || p.Run == nil {
			return nil, fmt.Errorf("periodic task %q: needs a name of its own, an interval and something to run", p.Name)
		}
		names[p.Name] = true
	}
	if leader == nil {
		leader = func() bool { return true }
	}
	return &schedule{tasks: tasks, leader: leader, log: log}, nil
}

// start begins to run tasks, until ctx ends or quit is called.
func (s *schedule) start(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil && !s.closed || len(s.tasks) == 0 {
		return
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.closing, s.closed, s.done = make(chan struct{}), false, make(chan struct{})
	go func(closing, done chan struct{}) {
		defer close(done)
		s.run(ctx, closing)
	}(s.closing, s.done)
}

// quit begins no further task; running ones go on.
func (s *schedule) quit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil && !s.closed {
		s.closed = true
		close(s.closing)
	}
}

// wait waits after quit until running tasks have returned or ctx ends.
func (s *schedule) wait(ctx context.Context) error {
	s.mu.Lock()
	done := s.done
	s.mu.Unlock()
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("periodic tasks are still running: %w", ctx.Err())
	}
}

// abort ends the contexts of running tasks.
func (s *schedule) abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
}

func (s *schedule) run(ctx context.Context, closing <-chan struct{}) {
	poll := time.NewTicker(leaderPoll)
	defer poll.Stop()
	for {
		if s.leader() {
			s.term(ctx, closing, poll.C)
		}
		select {
		case <-ctx.Done():
			return
		case <-closing:
			return
		case <-poll.C:
		}
	}
}

// term runs the tasks until leadership is lost, which cancels those that run.
func (s *schedule) term(ctx context.Context, closing <-chan struct{}, poll <-chan time.Time) {
	ctx, lose := context.WithCancel(ctx)
	defer lose()
	var tasks sync.WaitGroup
	for _, p := range s.tasks {
		tasks.Go(func() { s.repeat(ctx, closing, p) })
	}
	finished := make(chan struct{})
	go func() {
		tasks.Wait()
		close(finished)
	}()
	for {
		select {
		case <-finished: // ctx has ended, or the last task returned after quit
			return
		case <-poll:
			if !s.leader() {
				lose()
				<-finished
				return
			}
		}
	}
}

// repeat runs one task at its times.
func (s *schedule) repeat(ctx context.Context, closing <-chan struct{}, p Periodic) {
	first := p.Every
	if p.RunOnStart {
		first = 0
	}
	turn := time.NewTimer(first)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-closing:
			return
		case <-turn.C:
		}
		if over(ctx.Done()) || over(closing) { // at the same time: select has no favourite
			return
		}
		turn.Reset(p.Every) // from the run's beginning; a turn that comes during it follows at once
		if err := s.once(ctx, p); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "a periodic task failed", "task", p.Name, "error", err)
		}
	}
}

func over(end <-chan struct{}) bool {
	select {
	case <-end:
		return true
	default:
		return false
	}
}

// once runs a task and turns a panic into an error.
func (s *schedule) once(ctx context.Context, p Periodic) (err error) {
	ctx, cancel := context.WithTimeout(ctx, periodicTimeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			s.log.ErrorContext(ctx, "a periodic task panicked", "task", p.Name, "panic", r, "stack", string(debug.Stack()))
			err = errors.New("it panicked")
		}
	}()
	return p.Run(ctx)
}
