package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/tuning"
)

// tuneFlags are what lectern config rerank tune was asked.
type tuneFlags struct {
	surface, row, since, until, out string
	rewards                         map[string]string
	holdout, l2                     float64
	asJSON                          bool
	req                             tuning.Request
}

func newRerankTuneCommand() *cobra.Command {
	var f tuneFlags
	cmd := &cobra.Command{
		Use: "tune", Args: noArgs,
		Short: "Propose rerank weights from what learners chose in their lists",
		Long: `Learns the weights of one surface from logged lists and the events that cite them,
and measures the gain on the newest of them. Prints each weight with its 95 %
interval and the gain in nDCG with its interval; --out writes a draft that can be
previewed. Nothing is put to use. It refuses, and says why, where the log says too
little. docs/preview.md tells how it is done.`,
		Example: `  lectern config rerank tune --out draft.json
  lectern config rerank preview --draft draft.json
  lectern config rerank tune --surface search --since 2026-01-01T00:00:00Z --reward click=1,enrol=5`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.read(cmd); err != nil {
				return err
			}
			return withExistingStore(cmd, func(env environment) error { return f.run(cmd, env) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.surface, "surface", "home", "home, search, similar, next or trending")
	flags.StringVar(&f.row, "row", "", "a row of home pages")
	flags.StringVar(&f.since, "since", "", "learn from lists made from this time on (RFC 3339); 90 days when left out")
	flags.StringVar(&f.until, "until", "", "learn from lists made before this time (RFC 3339); now when left out")
	flags.StringVar(&f.req.Method, "method", tuning.MethodPairwise, "pairwise or coordinate")
	flags.StringToStringVar(&f.rewards, "reward", nil, "what an event is worth, such as click=1,enrol=5; all others are worth nothing")
	flags.Float64Var(&f.holdout, "holdout", tuning.DefaultHoldout, "share of the lists, the newest, on which the gain is measured")
	flags.Float64Var(&f.l2, "l2", tuning.DefaultL2, "pull of weights towards 0")
	flags.Uint64Var(&f.req.Seed, "seed", 0, "of the resamples behind the intervals")
	flags.StringVar(&f.out, "out", "", "write the settings with the proposed weights to this file")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	return withConfigFlags(cmd)
}

func (f *tuneFlags) read(cmd *cobra.Command) error {
	f.req.Surface, f.req.Row = lectern.Surface(f.surface), lectern.Row(f.row)
	for _, at := range []struct {
		flag, text string
		to         **time.Time
	}{{"since", f.since, &f.req.Since}, {"until", f.until, &f.req.Until}} {
		if at.text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, at.text)
		if err != nil {
			return usageError{fmt.Errorf("--%s %q is not a time such as 2026-01-31T12:00:00Z", at.flag, at.text)}
		}
		*at.to = &t
	}
	if len(f.rewards) > 0 {
		f.req.Rewards = map[lectern.EventType]float64{}
	}
	for kind, text := range f.rewards {
		worth, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return usageError{fmt.Errorf("--reward %s=%s: %q is not a number", kind, text, text)}
		}
		f.req.Rewards[lectern.EventType(kind)] = worth
	}
	f.req.Holdout = &f.holdout
	if cmd.Flags().Changed("l2") {
		f.req.L2 = &f.l2
	}
	return nil
}

func (f *tuneFlags) run(cmd *cobra.Command, env environment) error {
	ctx := cmd.Context()
	kept, err := keptSettings(env, nil)
	if err != nil {
		return err
	}
	base, err := kept.Get(ctx)
	if err != nil {
		return err
	}
	if !base.Readable {
		return lectern.Errorf(lectern.CodeUnavailable, "this build cannot read the settings in use, so it cannot propose a change of them")
	}
	tuner, err := newTuner(env)
	if err != nil {
		return err
	}
	revised, err := tuner.Revise(ctx, base.Config, f.req)
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := os.WriteFile(f.out, append(revised.Draft, '\n'), 0o600); err != nil {
			return err
		}
	}
	if f.asJSON {
		return printJSON(cmd.OutOrStdout(), struct {
			Base string `json:"base"`
			tuning.Revision
		}{base.Name, revised})
	}
	return printProposal(cmd.OutOrStdout(), revised.Proposal)
}

// printProposal shows proposed weights to people.
func printProposal(w io.Writer, p tuning.Proposal) error {
	fmt.Fprintf(w, "%s, %s: learnt from %s of %s before %s (%s), measured on %s from then on\n\n",
		p.Surface, p.Method, counted(p.Log.Train, "list"), persons(p.Log.People), p.Split.UTC().Format(time.DateTime), counted(p.Log.Pairs, "pair"), counted(p.Log.Test, "list"))
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TERM\tIN USE\tPROPOSED\t95 %\t")
	for _, x := range p.Weights {
		if x.Kept != "" {
			fmt.Fprintf(t, "%s\t%.3f\t%.3f\t\tkept: %s\n", x.Term, x.Current, x.Proposed, x.Kept)
			continue
		}
		fmt.Fprintf(t, "%s\t%.3f\t%.3f\t%.3f to %.3f\t\n", x.Term, x.Current, x.Proposed, *x.Low, *x.High)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nnDCG@%d on the newer lists: %.4f → %.4f, gain %+.4f (95 %%: %+.4f to %+.4f)\n",
		p.NDCG.K, p.NDCG.Current, p.NDCG.Proposed, p.NDCG.Gain, p.NDCG.Low, p.NDCG.High)
	fmt.Fprintf(w, "What was looked at: by %s. %s\n", p.Position.Examined, p.Position.Handling)
	for _, warning := range p.Warnings {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	return nil
}
