// Package jobs works the queue that the stores fill: jobs are inserted in the
// transaction of the write that needs them and worked here, at least once.
// It knows the queue but no store: the driver and the work are passed in.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/quiet"
)

// Handlers do the work. A handler that returns an error is called again later;
// its context ends when the job takes too long or the runner is stopped hard.
type Handlers struct {
	EmbedCourses  func(ctx context.Context, job lectern.EmbedCoursesJob) error
	TrainEmbedder func(ctx context.Context, job lectern.TrainEmbedderJob) error
	// EmbedReviews may be nil where reviews get no vectors: its jobs are then done
	// as soon as they come up.
	EmbedReviews func(ctx context.Context, job lectern.EmbedReviewsJob) error
}

// Options tune a Runner. Zero values mean the defaults.
type Options struct {
	Logger   *slog.Logger
	Periodic []Periodic
	// Leader reports whether this process does the periodic work now. It is asked
	// several times a second and must not block. Leave it nil where no other
	// process works the same store.
	Leader func() bool
	// ID names this process in the jobs that it takes, so that others can tell
	// whose they are. No two running processes may share one; made up when "".
	ID string
	// Rescue makes jobs that a dead process left running available again and
	// returns how many. It runs before the workers start; leave it nil where
	// other processes work the same queue.
	Rescue       func(ctx context.Context) (int, error)
	Workers      int           // jobs worked at a time; 3 when 0
	PollInterval time.Duration // how often an idle queue without notifications is looked at; 500 ms when 0
	EmbedTimeout time.Duration // 15 minutes when 0
	TrainTimeout time.Duration // 1 hour when 0
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Workers <= 0 {
		o.Workers = 3
	}
	if o.PollInterval <= 0 {
		o.PollInterval = 500 * time.Millisecond
	}
	if o.EmbedTimeout <= 0 {
		o.EmbedTimeout = 15 * time.Minute
	}
	if o.TrainTimeout <= 0 {
		o.TrainTimeout = time.Hour
	}
	return o
}

// maxRetryDelay bounds the pause before a failed job's next attempt.
const maxRetryDelay = 5 * time.Minute

// maxAttempts keeps a job alive through an outage of hours.
const maxAttempts = 200

// Job is what Enqueue accepts: lectern.EmbedCoursesJob, lectern.EmbedReviewsJob
// or lectern.TrainEmbedderJob.
type Job interface{ Kind() string }

// Runner works a queue. TTx is the transaction type of the store's driver.
type Runner[TTx any] struct {
	client   *river.Client[TTx]
	schedule *schedule
	opts     Options
}

// New makes a runner; Start starts it. EmbedCourses and TrainEmbedder are required.
func New[TTx any](driver riverdriver.Driver[TTx], h Handlers, opts Options) (*Runner[TTx], error) {
	if h.EmbedCourses == nil || h.TrainEmbedder == nil {
		return nil, errors.New("jobs: a handler is missing")
	}
	if h.EmbedReviews == nil {
		h.EmbedReviews = func(context.Context, lectern.EmbedReviewsJob) error { return nil }
	}
	opts = opts.withDefaults()
	workers := river.NewWorkers()
	err := errors.Join(
		river.AddWorkerSafely(workers, &worker[lectern.EmbedCoursesJob]{timeout: opts.EmbedTimeout, run: h.EmbedCourses}),
		river.AddWorkerSafely(workers, &worker[lectern.EmbedReviewsJob]{timeout: opts.EmbedTimeout, run: h.EmbedReviews}),
		river.AddWorkerSafely(workers, &worker[lectern.TrainEmbedderJob]{timeout: opts.TrainTimeout, run: h.TrainEmbedder}),
	)
	periodic, scheduleErr := newSchedule(opts.Periodic, opts.Leader, opts.Logger)
	if err := errors.Join(err, scheduleErr); err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	client, err := river.NewClient(driver, &river.Config{
		ID:                opts.ID,
		Logger:            quiet.Logger(opts.Logger),
		Workers:           workers,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: opts.Workers}},
		FetchPollInterval: opts.PollInterval,
		FetchCooldown:     min(100*time.Millisecond, opts.PollInterval),
		MaxAttempts:       maxAttempts,
		JobTimeout:        opts.EmbedTimeout, // every worker states its own
		// Where another replica may have died, its jobs come back after this, or
		// after their worker's timeout where that is longer.
		RescueStuckJobsAfter:        opts.EmbedTimeout + time.Minute,
		CompletedJobRetentionPeriod: time.Hour,
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return &Runner[TTx]{client: client, schedule: periodic, opts: opts}, nil
}

// Start rescues what a dead process left behind and starts the workers and the
// periodic tasks, which stop when ctx ends or Stop is called.
func (r *Runner[TTx]) Start(ctx context.Context) error {
	if r.opts.Rescue != nil {
		n, err := r.opts.Rescue(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			r.opts.Logger.InfoContext(ctx, "jobs of a dead process are queued again", "jobs", n)
		}
	}
	if err := r.client.Start(ctx); err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	r.schedule.start(ctx)
	return nil
}

// hardStop is how long cancelled jobs get to return.
const hardStop = 5 * time.Second

// Stop lets running jobs and periodic tasks finish until ctx ends, then cancels
// them. Cancelled jobs are worked again after the next start.
func (r *Runner[TTx]) Stop(ctx context.Context) error {
	r.schedule.quit()
	defer r.schedule.abort()
	err := errors.Join(r.client.Stop(ctx), r.schedule.wait(ctx))
	if err == nil || ctx.Err() == nil {
		return err
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), hardStop)
	defer cancel()
	r.schedule.abort()
	return errors.Join(r.client.StopAndCancel(hard), r.schedule.wait(hard))
}

// Enqueue queues a job in a transaction of its own. A TrainEmbedderJob that is
// already waiting or running swallows the new one; queued reports whether the
// job was added.
func (r *Runner[TTx]) Enqueue(ctx context.Context, job Job) (queued bool, err error) {
	var opts *river.InsertOpts
	switch job.(type) {
	case lectern.EmbedCoursesJob, lectern.EmbedReviewsJob:
	case lectern.TrainEmbedderJob:
		opts = &river.InsertOpts{UniqueOpts: unfinished()}
	default:
		return false, fmt.Errorf("jobs: unknown job %q", job.Kind())
	}
	res, err := r.client.Insert(ctx, job, opts)
	if err != nil {
		return false, fmt.Errorf("enqueue %s: %w", job.Kind(), err)
	}
	return !res.UniqueSkippedAsDuplicate, nil
}

// unfinished makes a job the only one of its kind that is not done yet.
func unfinished() river.UniqueOpts {
	return river.UniqueOpts{
		ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
			rivertype.JobStateRunning, rivertype.JobStateScheduled,
		},
	}
}

// worker works one kind of job.
type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	timeout time.Duration
	run     func(ctx context.Context, args T) error
}

// Work implements river.Worker.
func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error { return w.run(ctx, job.Args) }

// Timeout implements river.Worker.
func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.timeout }

// NextRetry implements river.Worker: 1 s after the first failure, twice as long
// after each further one, at most maxRetryDelay.
func (w *worker[T]) NextRetry(job *river.Job[T]) time.Time {
	delay := maxRetryDelay
	if failed := len(job.Errors); failed < 9 {
		delay = min(delay, time.Second<<failed)
	}
	return time.Now().Add(delay)
}
