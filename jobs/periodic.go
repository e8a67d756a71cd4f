package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
)

// periodicTimeout bounds one run of a periodic task.
const periodicTimeout = 30 * time.Minute

// periodicArgs is the queue's job for one run of a periodic task.
type periodicArgs struct {
	Name string `json:"name"`
}

// Kind names the job.
func (periodicArgs) Kind() string { return "periodic" }

// periodicJobs turns tasks into the queue's schedule and the worker for them.
func periodicJobs(tasks []Periodic) ([]*river.PeriodicJob, *worker[periodicArgs], error) {
	byName := make(map[string]Periodic, len(tasks))
	var schedule []*river.PeriodicJob
	for _, p := range tasks {
		if _, twice := byName[p.Name]; twice || p.Name == "" || p.Every <= 0 || p.Run == nil {
			return nil, nil, fmt.Errorf("periodic task %q: needs a name of its own, an interval and something to run", p.Name)
		}
		byName[p.Name] = p
		schedule = append(schedule, river.NewPeriodicJob(
			river.PeriodicInterval(p.Every),
			func() (river.JobArgs, *river.InsertOpts) {
				// One attempt: the next run is the retry.
				return periodicArgs{Name: p.Name}, &river.InsertOpts{MaxAttempts: 1, UniqueOpts: unfinished(true)}
			},
			&river.PeriodicJobOpts{RunOnStart: p.RunOnStart},
		))
	}
	return schedule, &worker[periodicArgs]{timeout: periodicTimeout, run: func(ctx context.Context, a periodicArgs) error {
		p, known := byName[a.Name]
		if !known {
			return nil // left over from a version that had this task
		}
		return p.Run(ctx)
	}}, nil
}
