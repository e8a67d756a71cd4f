package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/ope"
	"github.com/lectern-dev/lectern/experiment/ope/synthetic"
	"github.com/lectern-dev/lectern/rerank"
)

// policyEval is what lectern eval policy was asked.
type policyEval struct {
	draft, patch        string // files, or - for standard input
	version             int64
	surface, row        string
	since, until        string
	clip, settle        float64
	plain, asJSON       bool
	simulate            bool
	repetitions, people int
	req                 ope.Request
}

func newEvalPolicyCommand() *cobra.Command {
	var o policyEval
	cmd := &cobra.Command{
		Use: "policy (--draft FILE | --patch FILE | --version N | --policy NAME | --simulate)", Args: noArgs,
		Short: "Estimate from the log what other settings or another policy would have earned",
		Long: `Reads lists that were shown with known probabilities, and what came of them, and says
what they would have earned by a draft of the rerank settings, by a stored version, or by
another exploration policy: by inverse propensity scores, self-normalised ones, a reward
model, and doubly robust estimators, each with its interval and the difference to what was
earned. Nothing is changed. Where the log says too little of the target it is refused, with
the reasons. docs/estimates.md tells how it is done.

--simulate asks many logs of a small world whose truth is known, and prints how often the
intervals hold it and what is refused; docs/measured/ope.md has the figures.`,
		Example: `  lectern eval policy --policy linucb
  lectern eval policy --patch p.json --since 2026-01-01T00:00:00Z --reward click
  lectern eval policy --version 0 --model position_based --json
  lectern eval policy --simulate`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.simulate {
				return o.study(cmd)
			}
			if err := o.read(cmd); err != nil {
				return err
			}
			return withExistingStore(cmd, func(env environment) error { return o.run(cmd, env) })
		},
	}
	o.flags(cmd)
	return withConfigFlags(cmd)
}

func (o *policyEval) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.draft, "draft", "", "a whole document: a file, or -")
	flags.StringVar(&o.patch, "patch", "", "a merge patch on the settings in use: a file, or -")
	flags.Int64Var(&o.version, "version", -1, "a stored version; 0 is the configuration file's")
	flags.StringVar(&o.req.Policy, "policy", "", "none, uniform, epsilon_greedy, linucb or thompson; as each list was made when left out")
	flags.Int64Var(&o.req.Posterior, "posterior", 0, "version by which the policy chooses; 0 is that of each list")
	flags.BoolVar(&o.plain, "no-explore", false, "the target's lists do not explore")
	flags.StringVar(&o.surface, "surface", "home", "home, search, similar, next or trending")
	flags.StringVar(&o.row, "row", "", "a row of home pages, or list for the list alone; all when left out")
	flags.StringVar(&o.since, "since", "", "lists made from this time on (RFC 3339); 90 days when left out")
	flags.StringVar(&o.until, "until", "", "lists made before this time (RFC 3339); now when left out")
	flags.StringVar(&o.req.Lists, "lists", ope.ListsExplored, "explored or all")
	flags.StringVar(&o.req.Places, "places", ope.PlacesAll, "all or exploring")
	flags.StringVar(&o.req.Model, "model", ope.ModelItem, "item_position or position_based")
	flags.StringVar(&o.req.Reward, "reward", "", "a reward of the exploration settings, or sum; the sum and each of them when left out")
	flags.Float64Var(&o.settle, "settle", -1, "days a list must be old; as long as its reward may take when left out")
	flags.Float64Var(&o.clip, "clip", ope.DefaultSettings().Clip, "weights above count as this; 0 clips none")
	flags.Float64Var(&o.req.Switch, "switch", 0, "weights above are left to the reward model; 0 chooses")
	flags.Float64Var(&o.req.Shrinkage, "shrinkage", 0, "λ by which weights shrink; 0 chooses")
	flags.Float64Var(&o.req.Confidence, "confidence", ope.DefaultSettings().Confidence, "of the intervals")
	flags.IntVar(&o.req.Draws, "draws", 0, "resamples behind each interval; as configured when left out")
	flags.Uint64Var(&o.req.Seed, "seed", 0, "of the resamples, or of --simulate")
	flags.Float64Var(&o.req.MinSupport, "min-support", 0, "share of the target's picks that the log must be able to show; as configured when left out")
	flags.BoolVar(&o.simulate, "simulate", false, "ask logs of a world whose truth is known")
	study := synthetic.DefaultStudy()
	flags.IntVar(&o.repetitions, "repetitions", study.Repetitions, "logs of --simulate")
	flags.IntVar(&o.people, "people", study.People, "people in each log of --simulate")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
}

func (o *policyEval) read(cmd *cobra.Command) error {
	given := 0
	for _, is := range []bool{o.draft != "", o.patch != "", o.version >= 0} {
		if is {
			given++
		}
	}
	if given > 1 {
		return usageError{errors.New("give one of --draft, --patch and --version at most")}
	}
	if given == 0 && o.req.Policy == "" && o.req.Posterior == 0 {
		return usageError{errors.New("give --draft, --patch, --version or --policy: nothing would differ from the log")}
	}
	o.req.Surface = lectern.Surface(o.surface)
	if cmd.Flags().Changed("row") {
		row := lectern.Row(o.row)
		if o.row == "list" {
			row = ""
		}
		o.req.Row = &row
	}
	for _, at := range []struct {
		flag, text string
		to         **time.Time
	}{{"since", o.since, &o.req.Since}, {"until", o.until, &o.req.Until}} {
		if at.text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, at.text)
		if err != nil {
			return usageError{fmt.Errorf("--%s %q is not a time such as 2026-01-31T12:00:00Z", at.flag, at.text)}
		}
		*at.to = &t
	}
	explores := !o.plain
	o.req.Explore, o.req.Clip = &explores, &o.clip
	if o.settle >= 0 {
		o.req.SettleDays = &o.settle
	}
	return nil
}

func (o *policyEval) run(cmd *cobra.Command, env environment) error {
	ctx := cmd.Context()
	if err := o.settings(ctx, cmd, env); err != nil {
		return err
	}
	exploring, err := newExploration(ctx, env)
	if err != nil {
		return err
	}
	var courses ruledCourses
	if o.req.Settings != nil {
		if courses, err = readRuledCourses(ctx, env.store); err != nil {
			return err
		}
	}
	estimates, err := newEstimates(env, exploring, courses)
	if err != nil {
		return err
	}
	report, err := estimates.Estimate(ctx, o.req)
	if err != nil {
		return err
	}
	if o.asJSON {
		err = printJSON(cmd.OutOrStdout(), report)
	} else {
		err = printEstimates(cmd.OutOrStdout(), report)
	}
	if err == nil && report.Refused() {
		err = lectern.Errorf(lectern.CodeRefused, "the log says too little of this target")
	}
	return err
}

// settings fills in the target's settings and those in use.
func (o *policyEval) settings(ctx context.Context, cmd *cobra.Command, env environment) error {
	kept, err := newSettings(ctx, env, nil)
	if err != nil {
		return err
	}
	base, err := kept.Get(ctx)
	if err != nil {
		return err
	}
	if !base.Readable {
		return lectern.Errorf(lectern.CodeUnavailable, "this build cannot read the settings in use, so it cannot say what others would change")
	}
	o.req.Base, o.req.BaseName = base.Config, base.Name
	if o.version >= 0 {
		v, err := kept.Version(ctx, o.version)
		if err != nil {
			return err
		}
		cfg, err := rerank.Parse(v.Body)
		if err != nil {
			return err
		}
		o.req.Settings, o.req.SettingsName = &cfg, v.Name
		return nil
	}
	document, err := readArgument(cmd, o.draft)
	if err != nil {
		return err
	}
	patch, err := readArgument(cmd, o.patch)
	if err != nil || document == nil && patch == nil {
		return err
	}
	d, err := kept.Draft(ctx, document, patch)
	if err != nil {
		return err
	}
	o.req.Settings, o.req.SettingsName = &d.Config, "draft"
	return nil
}

// study asks logs of a world whose truth is known.
func (o *policyEval) study(cmd *cobra.Command) error {
	s := synthetic.DefaultStudy()
	s.Repetitions, s.People, s.Model = o.repetitions, o.people, o.req.Model
	if o.req.Seed != 0 {
		s.Seed = o.req.Seed
	}
	if min(s.Repetitions, s.People) < 1 || !slices.Contains(ope.Models(), s.Model) {
		return usageError{fmt.Errorf("--repetitions and --people are at least 1, and --model is one of %s", strings.Join(ope.Models(), ", "))}
	}
	rows, err := s.Run(cmd.Context(), func(done, of int) {
		if done%10 == 0 || done == of {
			fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d logs\n", done, of)
		}
	})
	if err != nil && len(rows) == 0 {
		return err
	}
	if o.asJSON { // also what there is when it was stopped
		return cmp.Or(printJSON(cmd.OutOrStdout(), rows), err)
	}
	return cmp.Or(synthetic.Write(cmd.OutOrStdout(), rows), err)
}

// printEstimates shows a report to people.
func printEstimates(w io.Writer, r ope.Report) error {
	fmt.Fprintf(w, "%s, on %s, %s: %s from %s to %s\n", r.Target, r.Surface, strings.ReplaceAll(r.Model, "_", "-"),
		counted(r.Log.Lists, "list"), r.Since.UTC().Format(time.DateTime), r.Until.UTC().Format(time.DateTime))
	for i := range r.Results {
		res := &r.Results[i]
		v := res.Overlap
		fmt.Fprintf(w, "\n%s: %s\n", res.Reward, res.Verdict)
		if len(res.Refused) > 1 {
			for _, why := range res.Refused[1:] {
				fmt.Fprintf(w, "  also: %s\n", why)
			}
		}
		fmt.Fprintf(w, "  %s of %s, %d of %d places open, support %.1f %%, effective %.0f, mean weight %.3f, greatest %.1f, clipped %.1f %%\n",
			counted(v.Lists, "list"), persons(v.People), v.Open, v.Picks, 100*v.Support, v.Effective, v.MeanWeight.Value, v.MaxWeight, 100*v.Clipped)
		if len(res.Estimates) == 0 {
			continue
		}
		t := tabwriter.NewWriter(w, 2, 4, 2, ' ', 0)
		fmt.Fprintf(t, "  ESTIMATOR\tVALUE\t%.0f %%\tDIFFERENCE\t%.0f %%\n", 100*r.Confidence, 100*r.Confidence)
		fmt.Fprintf(t, "  as logged\t%.5f\t%.5f to %.5f\t\t\n", res.Logged.Value, res.Logged.Low, res.Logged.High)
		for _, e := range res.Estimates {
			fmt.Fprintf(t, "  %s\t%.5f\t%.5f to %.5f\t%+.5f\t%+.5f to %+.5f\n", e.Estimator, e.Value, e.Low, e.High, e.Gain.Value, e.Gain.Low, e.Gain.High)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	if len(r.NotReplayed) > 0 {
		fmt.Fprintf(w, "\nnot replayed: %s\n", strings.Join(r.NotReplayed, ", "))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	return nil
}
