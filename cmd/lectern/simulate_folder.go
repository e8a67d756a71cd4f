package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/lectern-dev/lectern"
)

// simulatedFolder is what a data folder says of the simulation in it, so that it may go on.
type simulatedFolder struct {
	Seed     uint64    `json:"seed"`
	Courses  int       `json:"courses"`
	Learners int       `json:"learners"`
	Reviews  int       `json:"reviews"`
	Events   int       `json:"events"`
	New      int       `json:"new_courses"`
	Interval string    `json:"interval"`
	Start    time.Time `json:"start"`
	Days     int       `json:"days"` // simulated by now
	// Begun says that more days were begun and not ended: what is in the store is of a
	// time that nobody knows.
	Begun bool `json:"begun,omitempty"`
}

const simulatedFile = "simulation.json"

// readSimulated reads what a folder says of the simulation in it; false is that there is
// none.
func readSimulated(dir string) (f simulatedFolder, found bool, err error) {
	text, err := os.ReadFile(filepath.Join(dir, simulatedFile)) //nolint:gosec // the user's folder
	if errors.Is(err, os.ErrNotExist) {
		return f, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		return f, false, fmt.Errorf("read %s: %w", simulatedFile, err)
	}
	return f, true, nil
}

// folderClock is the time in a folder: where a simulation is in it, that which the
// simulation has come to. Experiments of it are started and judged by the days of its lists.
func folderClock(c Config) (lectern.Clock, error) {
	if c.Store.Driver != driverSQLite {
		return lectern.SystemClock, nil
	}
	f, found, err := readSimulated(c.Data)
	if err != nil || !found {
		return lectern.SystemClock, err
	}
	at := lectern.Timestamp(f.Start.AddDate(0, 0, f.Days))
	return func() time.Time { return at }, nil
}

// resume reads what a folder holds; false is an empty one. Its platform is made again.
func (o *simulation) resume(dir string) (bool, error) {
	f, found, err := readSimulated(dir)
	if err != nil {
		return false, err
	}
	if !found {
		if _, err := os.Stat((Config{Data: dir}).DatabasePath()); err == nil {
			return false, lectern.Errorf(lectern.CodeConflict, "%s holds a store that no simulation made: begin in an empty folder with `lectern simulate --data DIR --prepare`, and define experiments after that", dir)
		}
		return false, nil
	}
	if f.Begun {
		return false, lectern.Errorf(lectern.CodeConflict, "the simulation in %s was stopped on its way, after day %d, and cannot be gone on with: begin in an empty folder", dir, f.Days)
	}
	interval, err := time.ParseDuration(f.Interval)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", simulatedFile, err)
	}
	d := &o.world.Demo
	d.Seed, d.Courses, d.Learners, d.Reviews, d.Events = f.Seed, f.Courses, f.Learners, f.Reviews, f.Events
	o.world.New, o.world.Interval, o.world.Start = f.New, interval, f.Start
	o.options.Seed, o.options.First = f.Seed, f.Days
	return true, nil
}

// note writes down how far the simulation of a folder has come, and whether more days
// have begun.
func (o *simulation) note(dir string, days int, begun bool) error {
	d := o.world.Demo
	text, err := json.MarshalIndent(simulatedFolder{
		Seed: d.Seed, Courses: d.Courses, Learners: d.Learners, Reviews: d.Reviews, Events: d.Events,
		New: o.world.New, Interval: o.world.Interval.String(), Start: o.world.Start, Days: days, Begun: begun,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, simulatedFile), append(text, '\n'), 0o600)
}

// affect refuses effects of arms that nobody is going to be in.
func (o *simulation) affect(ctx context.Context, s *simSite) error {
	for _, e := range o.options.Effects {
		x, err := s.experiments.Get(ctx, e.Arm.Experiment)
		if err != nil {
			return fmt.Errorf("--effect: %w", err)
		}
		if x.State != lectern.ExperimentRunning {
			return usageError{fmt.Errorf("--effect: the experiment %s is %s: `lectern experiments start` lets people in", x.ID, x.State)}
		}
		known := false
		for _, a := range x.Arms {
			known = known || a.Name == e.Arm.Arm
		}
		if !known {
			return usageError{fmt.Errorf("--effect: the experiment %s has no arm %q", x.ID, e.Arm.Arm)}
		}
	}
	return nil
}
