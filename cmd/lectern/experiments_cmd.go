package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment"
	"github.com/lectern-dev/lectern/experiment/stats"
)

func newExperimentsCommand() *cobra.Command {
	cmd := parent("experiments", "Draft, start, stop and judge experiments",
		newExperimentsListCommand(), newExperimentsShowCommand(), newExperimentsCreateCommand(), newExperimentsPatchCommand(),
		newExperimentsDeleteCommand(), newExperimentsStartCommand(), newExperimentsStopCommand(), newExperimentsResultsCommand(),
		newExperimentsHoldoutCommand(), newExperimentsAssignmentsCommand(), newExperimentsMetricsCommand())
	cmd.Long = cmd.Short + ". Running servers know of a change within two seconds."
	return cmd
}

// withExperiments opens the store and hands the keeper of its experiments on.
func withExperiments(cmd *cobra.Command, f func(ctx context.Context, s *experiment.Service, env environment) error) error {
	return withExistingStore(cmd, func(env environment) error {
		env.log = slog.New(slog.DiscardHandler) // nothing is in use here
		var err error
		if env.clock, err = folderClock(env.config); err != nil {
			return err
		}
		kept, err := keptSettings(env, nil)
		if err != nil {
			return err
		}
		trainer, err := newTrainer(env, holderName())
		if err != nil {
			return err
		}
		s, err := keptExperiments(env, newTrials(env, kept, nil, trainer))
		if err != nil {
			return err
		}
		return f(cmd.Context(), s, env)
	})
}

func newExperimentsListCommand() *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use: "list", Short: "List the experiments, the latest changed first", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExperiments(cmd, func(ctx context.Context, s *experiment.Service, _ environment) error {
				list, err := s.List(ctx, lectern.ExperimentState(state))
				if err != nil {
					return err
				}
				out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
				fmt.Fprintln(out, "ID\tVERSION\tSTATE\tLAYER\tARMS\tPRIMARY\tNAME")
				for i := range list {
					x := &list[i]
					var arms []string
					for _, a := range x.Arms {
						arms = append(arms, a.Name)
					}
					layer := x.Layer
					if layer == "" {
						layer = experiment.DefaultLayer
					}
					fmt.Fprintf(out, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", x.ID, x.Version, x.State, layer, strings.Join(arms, ","), x.Primary.Metric, x.Name)
				}
				return out.Flush()
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "those of this state alone: draft, running or stopped")
	return withConfigFlags(cmd)
}

// showExperiment prints an experiment as JSON.
func showExperiment(cmd *cobra.Command, x any) error {
	body, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return printIndented(cmd.OutOrStdout(), body)
}

func newExperimentsShowCommand() *cobra.Command {
	return withConfigFlags(&cobra.Command{
		Use: "show ID", Short: "Print an experiment with its history", Args: exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withExperiments(cmd, func(ctx context.Context, s *experiment.Service, _ environment) error {
				x, err := s.Get(ctx, args[0])
				if err != nil {
					return err
				}
				return showExperiment(cmd, x)
			})
		},
	})
}

// changing is a command that changes one experiment.
func changing(cmd *cobra.Command, f func(ctx context.Context, s *experiment.Service, c experiment.Change, args []string) (experiment.Experiment, error)) *cobra.Command {
	var base, comment string
	cmd.Flags().StringVar(&base, "base", "", "version of the experiment that the change was made from, for example 3")
	cmd.Flags().StringVar(&comment, "comment", "", "why, for the history")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return withExperiments(cmd, func(ctx context.Context, s *experiment.Service, _ environment) error {
			x, err := f(ctx, s, experiment.Change{IfMatch: base, Author: authorCLI, Comment: comment}, args)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is %s, version %d\n", x.ID, x.State, x.Version)
			for _, hint := range x.Hints {
				fmt.Fprintln(cmd.ErrOrStderr(), "hint:", hint)
			}
			return nil
		})
	}
	return withConfigFlags(cmd)
}

func newExperimentsCreateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "create FILE", Short: "Draft an experiment from a JSON file; - is the standard input", Args: exactly("FILE")}
	return changing(cmd, func(ctx context.Context, s *experiment.Service, c experiment.Change, args []string) (x experiment.Experiment, err error) {
		if c.Body, err = readSmall(cmd, args[0]); err != nil {
			return x, err
		}
		return s.Create(ctx, c)
	})
}

func newExperimentsPatchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "patch ID FILE", Short: "Apply a JSON merge patch to a draft, or to the ramp of a running experiment", Args: exactly("ID", "FILE")}
	return changing(cmd, func(ctx context.Context, s *experiment.Service, c experiment.Change, args []string) (x experiment.Experiment, err error) {
		if c.Body, err = readSmall(cmd, args[1]); err != nil {
			return x, err
		}
		return s.Edit(ctx, args[0], c)
	})
}

func newExperimentsDeleteCommand() *cobra.Command {
	return withConfigFlags(&cobra.Command{
		Use: "delete ID", Short: "Delete a draft", Args: exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withExperiments(cmd, func(ctx context.Context, s *experiment.Service, _ environment) error {
				if err := s.Delete(ctx, args[0], experiment.Change{Author: authorCLI}); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is deleted\n", args[0])
				return nil
			})
		},
	})
}

func newExperimentsStartCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "start ID", Short: "Let people into a draft", Args: exactly("ID")}
	return changing(cmd, func(ctx context.Context, s *experiment.Service, c experiment.Change, args []string) (experiment.Experiment, error) {
		return s.Start(ctx, args[0], c)
	})
}

func newExperimentsStopCommand() *cobra.Command {
	var promote string
	cmd := &cobra.Command{Use: "stop ID", Short: "Stop an experiment, and put the settings and the model of an arm to use", Args: exactly("ID")}
	cmd.Flags().StringVar(&promote, "promote", "", "arm whose version of the rerank settings, and of the collaborative model, is put to use")
	return changing(cmd, func(ctx context.Context, s *experiment.Service, c experiment.Change, args []string) (experiment.Experiment, error) {
		return s.Stop(ctx, args[0], promote, c)
	})
}

func newExperimentsResultsCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "results ID", Short: "Print what came of an experiment so far", Args: exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withExperiments(cmd, func(ctx context.Context, s *experiment.Service, _ environment) error {
				r, err := s.Results(ctx, args[0])
				if err != nil {
					return err
				}
				return printAs(cmd, format, &r, func(w io.Writer) error { return printResults(w, &r) })
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json or csv")
	return withConfigFlags(cmd)
}

// printAs prints results in the format asked for; text does so for people.
func printAs(cmd *cobra.Command, format string, r interface{ CSV() ([]byte, error) }, text func(io.Writer) error) error {
	switch format {
	case "json":
		return showExperiment(cmd, r)
	case "csv":
		table, err := r.CSV()
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(table)
		return err
	case "text":
		return text(cmd.OutOrStdout())
	}
	return usageError{lectern.Invalid("this is not a format", lectern.NewFieldError("format", format, "is not a format", "text, json, csv"))}
}

// printResults writes the verdict and the metrics that decide.
func printResults(w io.Writer, r *experiment.Results) error {
	fmt.Fprintf(w, "%s (%s), day %d (planned: %d): %s\n%s\n\n", r.Experiment, r.State, r.Day, r.Planned, r.Verdict.State, r.Verdict.Reason)
	if r.Verdict.Day > 0 {
		fmt.Fprintf(w, "reached on day %d, %s", r.Verdict.Day, r.Verdict.Date)
		if r.Today.State != r.Verdict.State {
			fmt.Fprintf(w, "; by today's look alone: %s", r.Today.State)
		}
		fmt.Fprint(w, "\n\n")
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "WARNING: %s\n\n", warning)
	}
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "ARM\tPLANNED\tPEOPLE\tCROSSED")
	for _, a := range r.Arms {
		fmt.Fprintf(out, "%s\t%.1f %%\t%d\t%d\n", a.Name, 100*a.Share, a.People, a.Crossed)
	}
	fmt.Fprintln(out)
	if r.Duel != nil {
		fmt.Fprintln(out, "PEOPLE WHO ACTED\tPREFER THE FIRST\tTHE SECOND\tNEITHER\tSHARE OF THE FIRST\tALWAYS-VALID")
		fmt.Fprintf(out, "%.0f\t%.0f\t%.0f\t%.0f\t%.1f %%\t%.1f to %.1f %%\n", r.Duel.People, r.Duel.Votes.A, r.Duel.Votes.B, r.Duel.Votes.Ties,
			100*r.Duel.Share, 100*r.Duel.Always.Low, 100*r.Duel.Always.High)
	}
	arms := make([]string, len(r.Arms))
	for i := range r.Arms {
		arms[i] = r.Arms[i].Name
	}
	printLevels(out, "ARM", arms, r.Metrics)
	if err := out.Flush(); err != nil {
		return err
	}
	if r.NoSize != "" {
		fmt.Fprintln(w, "no planned size:", r.NoSize)
	}
	for _, note := range r.Notes {
		fmt.Fprintln(w, "note:", note)
	}
	return nil
}

// printLevels writes a line for each metric and arm.
func printLevels(out io.Writer, heading string, arms []string, metrics []experiment.MetricResult) {
	if len(metrics) > 0 {
		fmt.Fprintf(out, "METRIC\tROLE\t%s\tRAW\tADJUSTED (CUPED)\tCHANGE OF ADJUSTED\tAT EVERY LOOK\tAT ONE LOOK\n", heading)
	}
	for i := range metrics {
		m := &metrics[i]
		for arm, level := range m.Levels {
			change, always, fixed := "", "", ""
			for _, c := range m.Comparisons {
				if c.Arm == arm {
					change, always, fixed = relative(c.Relative), span(c.Relative.Always.Low, c.Relative.Always.High), span(c.Relative.Fixed.Low, c.Relative.Fixed.High)
				}
			}
			raw, adjusted := "–", "–"
			if !level.Empty() {
				raw, adjusted = fmt.Sprintf("%.4g", level.Value), fmt.Sprintf("%.4g", level.Adjusted)
			}
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.Metric, m.Role, arms[arm], raw, adjusted, change, always, fixed)
		}
	}
}

func percents(x float64) string { return fmt.Sprintf("%+.1f %%", 100*x) }

func relative(e stats.Effect) string {
	if e.Unknown {
		return "–"
	}
	return percents(e.Value)
}

// span is an interval, "–" where neither end is known.
func span(low, high float64) string {
	end := func(x float64) string {
		if math.IsInf(x, 0) {
			return "–"
		}
		return percents(x)
	}
	if math.IsInf(low, 0) && math.IsInf(high, 0) {
		return "–"
	}
	return end(low) + " to " + end(high)
}

func newExperimentsAssignmentsCommand() *cobra.Command {
	var visitor bool
	cmd := &cobra.Command{
		Use: "assignments LEARNER", Short: "Print what somebody was exposed to, and their part in running experiments", Args: exactly("LEARNER"),
		Long: "Print what somebody was exposed to in every running experiment. Whom they fall to is told by GET /v1/admin/experiments/assignments of a server, which knows their profile.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withExperiments(cmd, func(ctx context.Context, s *experiment.Service, env environment) error {
				ref := lectern.LearnerRef{ID: args[0]}
				if visitor {
					ref = lectern.LearnerRef{AnonymousID: args[0]}
				}
				met, err := env.store.Exposures(ctx, ref)
				if err != nil {
					return err
				}
				out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
				fmt.Fprintln(out, "EXPERIMENT\tARM\tSINCE\tSEGMENT\tCROSSED")
				for _, m := range met {
					fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%v\n", m.Experiment, m.Arm, m.At.Format("2006-01-02T15:04:05Z"), m.Segment, m.Crossed)
				}
				return out.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&visitor, "visitor", false, "the id is the anonymous one of a visitor")
	return withConfigFlags(cmd)
}

func newExperimentsMetricsCommand() *cobra.Command {
	return withConfigFlags(&cobra.Command{ // which it has no use for; but scripts give them to every command of the family
		Use: "metrics", Short: "List what experiments may be judged by", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			for _, m := range experiment.Metrics() {
				better := "higher is better"
				if m.LowerIsBetter {
					better = "lower is better"
				}
				fmt.Fprintf(out, "%s\t%s\t%s\n", m.Name, m.About, better)
			}
			return out.Flush()
		},
	})
}
