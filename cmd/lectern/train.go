package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/noise"
	"github.com/lectern-dev/lectern/training"
)

func newTrainCommand() *cobra.Command {
	var run training.Run
	var asJSON bool
	var until string
	cmd := &cobra.Command{
		Use: "train", Args: noArgs,
		Short: "Train collaborative models on the events in the store, and put the best one to use",
		Long: `Takes a snapshot of the events, without the noise that the rules find, fits every
enabled model, compares them on the last part of the snapshot by time, and keeps the
best one as a new version. It comes into use where it beats popularity and is not
far worse than the one in use; running servers load it within two seconds. One
process trains at a time. docs/models.md tells the whole story.`,
		Example: `  lectern train --data ./data
  lectern train --data ./data --tune 2m
  lectern train --data ./data --dry-run`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if run.Tune < 0 {
				return usageError{fmt.Errorf("--tune is %s; it cannot be below 0", run.Tune)}
			}
			if until != "" {
				at, err := time.Parse(time.RFC3339, until)
				if err != nil {
					return usageError{fmt.Errorf("--until %q is not a time such as 2026-01-31T12:00:00Z", until)}
				}
				run.Until = at
			}
			run.Reason = "asked for"
			run.Report = func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) }
			return withExistingStore(cmd, func(env environment) error {
				t, err := newTrainer(env, holderName())
				if err != nil {
					return err
				}
				out, err := t.Train(cmd.Context(), run)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), trainingDocument(out, env.config.Noise))
				}
				return printTraining(cmd.OutOrStdout(), out, env.config.Noise, run.DryRun)
			})
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&run.Tune, "tune", 0, "search hyper-parameters for so long; the configured time when left out")
	flags.StringVar(&until, "until", "", "learn from events up to this time only (RFC 3339)")
	flags.BoolVar(&run.DryRun, "dry-run", false, "print what would come of it, and store nothing")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return withConfigFlags(cmd)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// trainingDocument is a training as JSON.
func trainingDocument(out *training.Outcome, c noise.Config) any {
	type rule struct {
		Name string `json:"name"`
		Says string `json:"says"`
		On   bool   `json:"on"`
		noise.Touched
	}
	var rules []rule
	for _, r := range c.Rules() {
		rules = append(rules, rule{r.Name, r.Says, r.On, out.Version.Noise[r.Name]})
	}
	return struct {
		training.Version
		Activated      bool   `json:"activated"`
		WithoutConsent int    `json:"learners_without_consent"`
		Noise          []rule `json:"noise"`
	}{out.Version, out.Activated, out.Snapshot.WithoutConsent, rules}
}

// printTraining shows a training to people.
func printTraining(w io.Writer, out *training.Outcome, c noise.Config, dry bool) error {
	v := &out.Version
	fmt.Fprintf(w, "learnt from %d events between %s and %s: %d learners took %d courses, %d times\n",
		v.Events, day(v.From), day(v.To), v.Learners, v.Items, v.Interactions)
	fmt.Fprintf(w, "left out: %d learners without consent to personalisation\n\n", out.Snapshot.WithoutConsent)
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "NOISE RULE\tEVENTS\tLEARNERS\tWEIGHT LOST\tWHAT IT DOES")
	for _, r := range c.Rules() {
		if !r.On {
			fmt.Fprintf(tw, "%s\toff\t\t\t%s\n", r.Name, r.Says)
			continue
		}
		n := v.Noise[r.Name]
		fmt.Fprintf(tw, "%s\t%d\t%d\t%.1f\t%s\n", r.Name, n.Events, n.Learners, n.Lost, r.Says)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nvalidation cut: %s\n", v.Cut)
	if err := printModelTable(w, v); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nselected by %s: %s, after %.1f s\n", v.Metric, v.Selected, v.Seconds)
	switch {
	case dry:
		fmt.Fprintln(w, "nothing was stored: --dry-run")
	case out.Activated:
		fmt.Fprintf(w, "version %d is in use\n", v.Version)
	default:
		fmt.Fprintf(w, "version %d was stored, but not put to use: %s\n", v.Version, v.Refused)
	}
	return nil
}

// printModelTable shows what each model of a training measured.
func printModelTable(w io.Writer, v *training.Version) error {
	metrics := map[string]bool{}
	for _, m := range v.Models {
		for name := range m.Metrics {
			metrics[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(metrics))
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "MODEL\t")
	for _, name := range names {
		fmt.Fprintf(tw, "%s\t", strings.ToUpper(name))
	}
	fmt.Fprintln(tw, "FIT\t")
	for _, m := range v.Models {
		name := m.Name
		if name == v.Selected {
			name = "* " + name
		}
		fmt.Fprintf(tw, "%s\t", name)
		for _, metric := range names {
			if x, ok := m.Metrics[metric]; ok {
				fmt.Fprintf(tw, "%.4f\t", x)
			} else {
				fmt.Fprint(tw, "\t")
			}
		}
		fmt.Fprintf(tw, "%.1f s\t\n", m.Seconds)
	}
	return tw.Flush()
}

func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.DateOnly)
}

// countEvents returns how many events the store has.
func countEvents(store lectern.StatsStore) func(context.Context) (int64, error) {
	return func(ctx context.Context) (int64, error) {
		s, err := store.Stats(ctx)
		return s.Events, err
	}
}

func newModelsCommand() *cobra.Command {
	return parent("models", "List the trained models, and choose the one in use", newModelsListCommand(), newModelsActivateCommand())
}

func newModelsListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Args: noArgs, Short: "List the models that the store keeps, newest first",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExistingStore(cmd, func(env environment) error {
				all, err := training.Versions(cmd.Context(), env.store)
				if err != nil {
					return err
				}
				if asJSON {
					if all == nil {
						all = []training.Version{}
					}
					return printJSON(cmd.OutOrStdout(), all)
				}
				return printVersions(cmd.OutOrStdout(), all)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with the table of every training")
	return withConfigFlags(cmd)
}

func printVersions(w io.Writer, all []training.Version) error {
	if len(all) == 0 {
		fmt.Fprintln(w, "there is no model yet: `lectern train` makes one, and so does a running server once there is enough to learn from")
		return nil
	}
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "VERSION\tIN USE\tMODEL\tMETRIC\tPOPULARITY\tEVENTS UP TO\tLEARNERS\tCOURSES\tMADE\tNOTE")
	for _, v := range all {
		note := v.Refused
		if v.Active {
			note = ""
		}
		fmt.Fprintf(tw, "%d\t%t\t%s\t%s %s\t%s\t%s\t%d\t%d\t%s\t%s\n", v.Version, v.Active, v.Selected, v.Metric, v.Value(v.Selected), v.Value(popularName),
			day(v.To), v.Learners, v.Items, v.CreatedAt.Format(time.RFC3339), note)
	}
	return tw.Flush()
}

func newModelsActivateCommand() *cobra.Command {
	return withConfigFlags(&cobra.Command{
		Use: "activate VERSION", Args: exactly("VERSION"),
		Short: "Put another version to use: a way back, or past a training's objection",
		Long: `Puts another version to use: a way back, or past a training's objection. Running
servers load it within two seconds. A version that does not beat popularity is
refused.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			version, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || version < 1 {
				return usageError{errors.New("VERSION is a number as `lectern models list` shows")}
			}
			return withExistingStore(cmd, func(env environment) error {
				t, err := newTrainer(env, holderName())
				if err != nil {
					return err
				}
				v, err := t.Activate(cmd.Context(), version)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "version %d is in use: %s, %s %s\n", v.Version, v.Selected, v.Metric, v.Value(v.Selected))
				return nil
			})
		},
	})
}
