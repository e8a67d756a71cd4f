package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/tuning"
)

// tuneEval is what lectern eval tune was asked to do.
type tuneEval struct {
	home     homeEval // the platform
	lists    int      // that are logged
	seeds    int      // of choices by known weights
	asJSON   bool
	progress func(format string, args ...any)
}

func newEvalTuneCommand() *cobra.Command {
	o := tuneEval{home: homeEval{demo: demoOptions(), share: 0.85}, lists: 5000, seeds: 20}
	cmd := &cobra.Command{
		Use: "tune", Args: noArgs,
		Short: "Measure what weights are learnt from a log whose choices are simulated",
		Long: `Makes a demo platform in a temporary folder and logs lists on it: half of them by
settings drawn at random, half in random order. Then

  known    learners choose by weights that are known, looking down the list and
           stopping by chance: how often do the intervals of the proposed weights hold
           those behind the choices?
  demo     learners choose by the interests that the demo platform hides: is the
           proposed order of the newer lists better than that of the default weights?

docs/measured/tuning.md has the figures.`,
		Example: `  lectern eval tune
  lectern eval tune --seed 8 --lists 2000`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if min(o.lists, o.seeds) < 1 {
				return usageError{errors.New("--lists and --choices are at least 1")}
			}
			if err := o.home.validateSizes(); err != nil {
				return usageError{err}
			}
			env, err := loadEnvironment(cmd)
			if err != nil {
				return err
			}
			o.progress = func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) }
			report, err := o.run(cmd.Context(), env.config)
			if err != nil {
				return err
			}
			if o.asJSON {
				return printJSON(cmd.OutOrStdout(), report)
			}
			return report.write(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&o.home.demo.Seed, "seed", o.home.demo.Seed, "which platform is made")
	flags.IntVar(&o.home.demo.Courses, "courses", o.home.demo.Courses, "courses of the platform")
	flags.IntVar(&o.home.demo.Learners, "learners", o.home.demo.Learners, "learners of the platform")
	flags.IntVar(&o.home.demo.Events, "events", o.home.demo.Events, "events of the platform")
	flags.IntVar(&o.lists, "lists", o.lists, "lists that are logged")
	flags.IntVar(&o.seeds, "choices", o.seeds, "times that choices by known weights are drawn")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	return withConfigFlags(cmd)
}

// validateSizes checks what the platform is made of.
func (o *homeEval) validateSizes() error {
	if min(o.demo.Courses, o.demo.Learners, o.demo.Events) < 1 {
		return errors.New("--courses, --learners and --events are at least 1")
	}
	return nil
}

// tuneReport is what came of it.
type tuneReport struct {
	Lists  int           `json:"lists"`
	Known  []recoveredBy `json:"known"` // by term
	Held   int           `json:"intervals_that_hold_the_truth"`
	Of     int           `json:"intervals"`
	Seeds  int           `json:"seeds"`
	First  tuning.Gain   `json:"first"`  // of the choices that went in as events
	Gained int           `json:"gained"` // seeds with a gain above 0
	// By the demo platform's hidden interests, against the default weights.
	Demo tuning.Proposal `json:"demo"`
}

// recoveredBy is one term over the seeds.
type recoveredBy struct {
	Term  string  `json:"term"`
	Truth float64 `json:"truth"` // behind the choices, as a share of what was learnt, mean
	Mean  float64 `json:"mean"`  // of what was proposed
	Low   float64 `json:"low"`   // mean lower end
	High  float64 `json:"high"`  // mean upper end
	Held  int     `json:"held"`  // draws whose interval holds the truth
	Draws int     `json:"draws"` // in which it was learnt, not kept
}

// run makes the platform, logs lists and learns from them.
func (o *tuneEval) run(ctx context.Context, config Config) (report tuneReport, err error) {
	dir, err := os.MkdirTemp("", "lectern-eval-tune-")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.home.progress = o.progress
	p := o.home.past()
	o.progress("%d courses, %d learners and %d events: training", len(p.courses), len(p.signed), len(p.events))
	if err := o.home.build(ctx, filepath.Join(dir, "base"), config, p); err != nil {
		return report, err
	}
	report.Lists, report.Seeds = o.lists, o.seeds
	o.progress("choices by known weights, %d times", o.seeds)
	err = o.onSite(ctx, dir, "known", config, p, func(s *tuneSite) error { return o.known(ctx, s, &report) })
	if err != nil {
		return report, err
	}
	o.progress("choices by the platform's hidden interests")
	err = o.onSite(ctx, dir, "demo", config, p, func(s *tuneSite) (err error) {
		if err := s.choose(ctx, s.byInterests); err != nil {
			return err
		}
		report.Demo, err = s.propose(ctx, s.store, 0)
		return err
	})
	return report, err
}

// onSite logs lists on a copy of the platform.
func (o *tuneEval) onSite(ctx context.Context, dir, name string, config Config, p *past, use func(*tuneSite) error) error {
	site, _, err := o.home.open(ctx, dir, name, config, p)
	if err != nil {
		return err
	}
	s := &tuneSite{homeSite: site, seed: o.home.demo.Seed, truth: map[string]demo.CourseTruth{}, begin: site.now}
	for _, c := range p.truth.Courses {
		s.truth[c.ID] = c
	}
	err = s.logLists(ctx, p.people, o.lists)
	if err == nil {
		err = use(s)
	}
	return errors.Join(err, site.Close(ctx))
}

// known draws choices by known weights, the first time as events that go in.
func (o *tuneEval) known(ctx context.Context, s *tuneSite, report *tuneReport) error {
	hidden := hiddenWeights()
	if err := s.choose(ctx, s.byWeights(hidden, 0)); err != nil {
		return err
	}
	var log lectern.ListLog = s.store
	for seed := range uint64(o.seeds) {
		if seed > 0 {
			log = s.chosenAnew(s.byWeights(hidden, seed))
		}
		p, err := s.propose(ctx, log, seed)
		if err != nil {
			return err
		}
		if seed == 0 {
			report.First = p.NDCG
		}
		if p.NDCG.Gain > 0 {
			report.Gained++
		}
		report.add(p, hidden)
	}
	return nil
}

// add holds a proposal against the weights behind the choices, as shares of the terms
// that were learnt.
func (r *tuneReport) add(p tuning.Proposal, hidden map[string]float64) {
	left, sum := 0.0, 0.0
	for _, w := range p.Weights {
		if w.Kept == "" {
			left += w.Proposed
			sum += hidden[w.Term]
		}
	}
	for _, w := range p.Weights {
		if w.Kept != "" {
			continue
		}
		truth := left * hidden[w.Term] / sum
		at := slices.IndexFunc(r.Known, func(k recoveredBy) bool { return k.Term == w.Term })
		if at < 0 {
			at = len(r.Known)
			r.Known = append(r.Known, recoveredBy{Term: w.Term})
		}
		k := &r.Known[at]
		k.add(truth, w)
		r.Of++
		if *w.Low <= truth+1e-6 && truth <= *w.High+1e-6 {
			k.Held++
			r.Held++
		}
	}
}

// add takes one more draw into the means.
func (k *recoveredBy) add(truth float64, w tuning.Weight) {
	k.Draws++
	for to, v := range map[*float64]float64{&k.Truth: truth, &k.Mean: w.Proposed, &k.Low: *w.Low, &k.High: *w.High} {
		*to += (v - *to) / float64(k.Draws)
	}
}

func (r tuneReport) write(w io.Writer) error {
	fmt.Fprintf(w, "%d lists. By known weights, drawn %d times: %d of %d intervals (%.1f %%) hold the weight behind the choices\n\n",
		r.Lists, r.Seeds, r.Held, r.Of, 100*float64(r.Held)/float64(max(r.Of, 1)))
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TERM\tBEHIND THE CHOICES\tPROPOSED, MEAN\t95 %, MEAN\tHELD")
	for _, k := range r.Known {
		fmt.Fprintf(t, "%s\t%.3f\t%.3f\t%.3f to %.3f\t%d of %d\n", k.Term, k.Truth, k.Mean, k.Low, k.High, k.Held, k.Draws)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nnDCG@%d on the newer lists, of the choices that went in as events: %.4f by the default weights, %.4f proposed (%+.4f, 95 %%: %+.4f to %+.4f);\nabove the default in %d of %d draws\n",
		r.First.K, r.First.Current, r.First.Proposed, r.First.Gain, r.First.Low, r.First.High, r.Gained, r.Seeds)
	fmt.Fprintf(w, "\nBy the platform's hidden interests:\n")
	return printProposal(w, r.Demo)
}
