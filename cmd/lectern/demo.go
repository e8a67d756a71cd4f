package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/ingest"
)

func newDemoCommand() *cobra.Command {
	options := demo.DefaultOptions(lectern.SystemClock())
	var out, now string
	cmd := &cobra.Command{
		Use: "demo", Args: noArgs,
		Short: "Write the demo platform as files that `lectern import` takes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError{errors.New("--out is required: the folder to write into")}
			}
			if now != "" {
				at, err := time.Parse(time.RFC3339, now)
				if err != nil {
					return usageError{fmt.Errorf("--now %q is not a time such as 2026-01-31T12:00:00Z", now)}
				}
				options.Now = lectern.Timestamp(at)
			}
			p := demo.Generate(options)
			if err := demo.Write(out, p); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %d courses, %d reviews, %d learners and %d events into %s\n",
				len(p.Courses), len(p.Reviews), len(p.Learners), len(p.Events), out)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&out, "out", "", "folder to write into")
	flags.StringVar(&now, "now", "", "the platform's present (RFC 3339); every date is relative to it")
	flags.Uint64Var(&options.Seed, "seed", options.Seed, "the same seed gives the same platform")
	flags.IntVar(&options.Courses, "courses", options.Courses, "courses")
	flags.IntVar(&options.Reviews, "reviews", options.Reviews, "reviews")
	flags.IntVar(&options.Learners, "learners", options.Learners, "learners")
	flags.IntVar(&options.Events, "events", options.Events, "events")
	return cmd
}

// fillWithDemo writes the demo platform into an empty store, through the same
// door as every other row.
func fillWithDemo(ctx context.Context, e *engine) error {
	stats, err := e.store.Stats(ctx)
	if err != nil {
		return err
	}
	if stats.Courses > 0 {
		return nil
	}
	begin := time.Now()
	p := demo.Generate(demo.DefaultOptions(lectern.SystemClock()))
	courses := make([]lectern.CoursePatch, len(p.Courses))
	for i, c := range p.Courses {
		courses[i] = lectern.CoursePatch{Course: c, Replace: true}
	}
	learners := make([]ingest.LearnerPatch, len(p.Learners))
	for i, l := range p.Learners {
		learners[i] = ingest.LearnerPatch{Learner: l, Replace: true}
	}
	size := 2_000
	// Courses come last: whoever sees one sees its reviews and events as well.
	err = errors.Join(
		writeAll(ctx, learners, size, e.ingest.PutLearners),
		writeAll(ctx, p.Reviews, size, e.ingest.PutReviews),
		writeAll(ctx, p.Events, size, e.ingest.AppendEvents),
		writeAll(ctx, courses, size, e.ingest.PutCourses),
	)
	if err != nil {
		return fmt.Errorf("write the demo platform: %w", err)
	}
	e.log.Info("demo platform written", "courses", len(p.Courses), "reviews", len(p.Reviews),
		"learners", len(p.Learners), "events", len(p.Events), "duration", time.Since(begin).Round(time.Millisecond))
	return nil
}

// writeAll writes rows in batches and fails on the first row that is refused:
// the demo's rows are all meant to be good.
func writeAll[T any](ctx context.Context, rows []T, size int, put func(context.Context, []T) ([]lectern.WriteResult, error)) error {
	for batch := range slices.Chunk(rows, size) {
		results, err := put(ctx, batch)
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.Err != nil {
				return r.Err
			}
		}
	}
	return nil
}

// demoKeys are the keys that `make run` prints. They are kept in a file beside
// the demo's data, because the store holds hashes only.
type demoKeys struct{ admin, public string }

const demoKeysFile = "demo-keys"

func loadDemoKeys(ctx context.Context, e *engine) (demoKeys, error) {
	path := filepath.Join(e.config.Data, demoKeysFile)
	kept, err := os.ReadFile(path)
	switch {
	case err == nil:
		if words := strings.Fields(string(kept)); len(words) == 2 {
			return demoKeys{admin: words[0], public: words[1]}, nil
		}
	case !errors.Is(err, fs.ErrNotExist):
		return demoKeys{}, err
	}
	var keys demoKeys
	for _, k := range []struct {
		scope lectern.Scope
		text  *string
	}{{lectern.ScopeAdmin, &keys.admin}, {lectern.ScopePublic, &keys.public}} {
		text, key, err := api.NewKey(k.scope, "demo "+string(k.scope), rand.Reader, lectern.SystemClock())
		if err != nil {
			return demoKeys{}, err
		}
		if err := e.store.PutKey(ctx, key); err != nil {
			return demoKeys{}, err
		}
		*k.text = text
	}
	return keys, os.WriteFile(path, []byte(keys.admin+"\n"+keys.public+"\n"), 0o600)
}

// demoLearner picks the learner that the printed curls ask for: the one with
// the most events among the latest.
func demoLearner(ctx context.Context, e *engine) (string, error) {
	events, _, err := e.store.ScanEvents(ctx, 0, 5_000)
	if err != nil {
		return "", err
	}
	counts := map[string]int{}
	best := ""
	for _, ev := range events {
		if ev.LearnerID == "" {
			continue
		}
		counts[ev.LearnerID]++
		if best == "" || counts[ev.LearnerID] > counts[best] {
			best = ev.LearnerID
		}
	}
	return best, nil
}
