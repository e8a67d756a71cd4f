package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/simulate"
)

// simulation is what lectern simulate was asked to do.
type simulation struct {
	world    simulate.WorldOptions
	options  simulate.Options
	perWeek  int    // new courses
	url, key string // of a running server; "" simulates in process
	policy   string // that explores; "" is as set
	start    string
	prepare  bool // write the platform and stop
	train    int  // days after which models are trained anew
	truth    string
	effects  []string
	asJSON   bool
	folder   string
	progress func(format string, args ...any)
}

func newSimulateCommand() *cobra.Command {
	o := simulation{options: simulate.DefaultOptions()}
	o.world.Demo = demo.DefaultOptions(lectern.SystemClock())
	o.world.Demo.Courses, o.world.Demo.Learners, o.world.Demo.Reviews, o.world.Demo.Events = 800, 800, 2000, 20_000
	cmd := &cobra.Command{
		Use: "simulate", Args: noArgs,
		Short: "Let learners whose interests are known react to real lists, days in seconds",
		Long: `Makes a demo platform whose truth is known and lets its learners visit: they look at
home pages, lists and searches from the top, tire, click, enrol, study over days, complete
or drop, rate, dismiss and at times report. Everything that serves is there, in process,
with a clock moved by hand; what a server does in the background is done at every midnight.

With --data the folder is kept: metrics, replays, estimates and experiments work on it by
the command line and by lectern serve. A folder that holds a simulation is gone on with
from the day that it has come to; --prepare writes the platform and stops, so that
experiments may be defined before the first day.

--truth writes what is true as NDJSON: learners, courses, and every list with the chances
of each of its places. docs/simulator.md says how learners behave.`,
		Example: `  lectern simulate
  lectern simulate --data sim --days 28 --truth truth.ndjson
  lectern simulate --data sim --prepare`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := loadEnvironment(cmd)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("data") {
				o.folder = env.config.Data
			}
			o.progress = func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) }
			if err := o.settle(); err != nil {
				return usageError{err}
			}
			if o.url != "" {
				return o.ask(cmd.Context(), cmd.OutOrStdout())
			}
			return o.run(cmd.Context(), env.config, cmd.OutOrStdout())
		},
	}
	o.flags(cmd)
	return withConfigFlags(cmd)
}

func (o *simulation) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Uint64Var(&o.world.Demo.Seed, "seed", 1, "of the platform, and of everything drawn by lot")
	flags.IntVar(&o.world.Demo.Courses, "courses", o.world.Demo.Courses, "courses of the platform, new ones included")
	flags.IntVar(&o.world.Demo.Learners, "learners", o.world.Demo.Learners, "learners of the platform")
	flags.IntVar(&o.world.Demo.Reviews, "reviews", o.world.Demo.Reviews, "reviews of the platform")
	flags.IntVar(&o.world.Demo.Events, "events", o.world.Demo.Events, "events of the platform")
	flags.StringVar(&o.url, "url", "", "a running server to visit, in the place of an engine in process; its clock is its own, and days are rounds")
	flags.StringVar(&o.key, "key", "", "its API key, of scope server")
	flags.StringVar(&o.policy, "policy", "", "what explores: thompson, linucb, epsilon_greedy, none, off or oracle; by default as the settings say")
	flags.StringVar(&o.start, "start", "", "the first day, as 2026-01-15; by default as many days ago as are simulated")
	flags.IntVar(&o.options.Days, "days", o.options.Days, "days that are simulated")
	flags.IntVar(&o.options.Learners, "visitors", o.options.Learners, "learners who visit")
	flags.Float64Var(&o.options.Visits, "visits", o.options.Visits, "visits of one of them in a day, on average")
	flags.IntVar(&o.options.PageSize, "page", o.options.PageSize, "items of a list")
	flags.Float64Var(&o.options.Pages, "pages", o.options.Pages, "share of visits that look at the home page; the others look at one list")
	flags.Float64Var(&o.options.Searches, "searches", o.options.Searches, "share of those others that search; the rest looks at the list of recommendations")
	flags.IntVar(&o.perWeek, "new-courses", 10, "new courses a week")
	flags.IntVar(&o.train, "train-every", 7, "days after which models are trained anew; 0 is never")
	flags.StringSliceVar(&o.effects, "effect", nil, "what an arm changes, as EXPERIMENT/ARM:clicks=1.05 or :enrols=1.1; may be repeated")
	flags.StringVar(&o.truth, "truth", "", "file that the truth is written into, as NDJSON")
	flags.BoolVar(&o.prepare, "prepare", false, "write the platform into --data and stop")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
}

// settle works out what the flags leave open.
func (o *simulation) settle() error {
	if allowed := append(explore.Policies(), policyOff, policyOracle, ""); !slices.Contains(allowed, o.policy) {
		return fmt.Errorf("--policy %q is not one of thompson, linucb, epsilon_greedy, none, off or oracle", o.policy)
	}
	if o.url != "" && (o.key == "" || o.folder != "" || o.prepare || o.policy != "" || o.start != "") {
		return errors.New("--url needs --key, a key of scope server, and has no --data, --prepare, --policy or --start: those are the server's")
	}
	if o.prepare && o.folder == "" {
		return errors.New("--prepare needs --data, the folder to write into")
	}
	if o.perWeek < 0 || o.train < 0 {
		return errors.New("--new-courses and --train-every are at least 0")
	}
	o.options.Seed = o.world.Demo.Seed
	today := lectern.SystemClock().Truncate(24 * time.Hour)
	o.world.Start = today.AddDate(0, 0, -o.options.Days)
	if o.start != "" {
		at, err := time.Parse(time.DateOnly, o.start)
		if err != nil {
			return fmt.Errorf("--start %q is not a day such as 2026-01-15", o.start)
		}
		o.world.Start = at
	}
	if o.perWeek > 0 {
		o.world.Interval = 7 * 24 * time.Hour / time.Duration(o.perWeek)
		o.world.New = (o.options.Days*o.perWeek + 6) / 7
	}
	for _, text := range o.effects {
		e, err := simulate.ParseEffect(text)
		if err != nil {
			return err
		}
		o.options.Effects = append(o.options.Effects, e)
	}
	return nil
}

// run simulates in a folder that is kept, or in a temporary one.
func (o *simulation) run(ctx context.Context, config Config, out io.Writer) (err error) {
	dir := o.folder
	if dir == "" {
		if dir, err = os.MkdirTemp("", "lectern-simulate-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	before, err := o.resume(dir)
	if err != nil {
		return err
	}
	w, err := simulate.NewWorld(o.world)
	if err != nil {
		return usageError{err}
	}
	s, err := openSimSite(ctx, dir, config, w.Start.AddDate(0, 0, o.options.First), o.options.Seed, o.policy)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	s.trainEvery = o.train
	if err := o.affect(ctx, s); err != nil {
		return err
	}
	if err := o.fill(ctx, s, w, before); err != nil {
		return err
	}
	if o.prepare && before {
		o.progress("%s holds the platform already; the next day is %s", dir, s.now.Format(time.DateOnly))
		return nil
	}
	if o.prepare {
		o.progress("%s holds the platform; the first day is %s", dir, w.Start.Format(time.DateOnly))
		return o.note(dir, 0, false)
	}
	result, err := o.live(ctx, s, w, func() error { return o.note(dir, o.options.First, true) })
	if err != nil {
		return err
	}
	if err := o.note(dir, o.options.First+o.options.Days, false); err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(out, result)
	}
	return result.Write(out)
}

// ask simulates over HTTP: on an empty server, whose clock is its own.
func (o *simulation) ask(ctx context.Context, out io.Writer) error {
	o.world.Start = lectern.SystemClock()
	o.options.KeepsTime = lectern.SystemClock
	w, err := simulate.NewWorld(o.world)
	if err != nil {
		return usageError{err}
	}
	site := &simulate.HTTPSite{URL: o.url, Key: o.key, Client: &http.Client{Timeout: time.Minute}}
	o.progress("a platform of %d courses, %d learners and %d events goes to %s", len(w.Courses), len(w.Learners), len(w.Events), o.url)
	if err := site.Fill(ctx, w); err != nil {
		return err
	}
	var in simulate.Site = site
	if len(o.options.Effects) > 0 {
		in = simulate.HTTPRecords{HTTPSite: site}
	}
	result, err := o.live(ctx, in, w, nil)
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(out, result)
	}
	return result.Write(out)
}

// live lets the days go by, once begin has said that they do; nil says nothing.
func (o *simulation) live(ctx context.Context, s simulate.Site, w *simulate.World, begin func() error) (result simulate.Run, err error) {
	if o.truth != "" {
		f, err := os.OpenFile(o.truth, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return result, err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		o.options.Truth = f
	}
	sim, err := simulate.New(w, s, o.options)
	if err != nil {
		return result, err
	}
	if in, ok := s.(*simSite); ok && o.policy == policyOracle {
		in.askOracle(sim)
	}
	if begin != nil {
		if err := begin(); err != nil {
			return result, err
		}
	}
	o.progress("%d days of %d visitors from %s on", o.options.Days, o.options.Learners, w.Start.AddDate(0, 0, o.options.First).Format(time.DateOnly))
	return sim.Run(ctx)
}

// fill writes the platform into an empty folder, or takes up what one holds.
func (o *simulation) fill(ctx context.Context, s *simSite, w *simulate.World, before bool) error {
	if !before {
		o.progress("a platform of %d courses, %d learners and %d events", len(w.Courses), len(w.Learners), len(w.Events))
		return s.fill(ctx, w)
	}
	if err := s.models.Look(ctx); err != nil {
		return err
	}
	if err := s.reopen(ctx, w.Courses, nil); err != nil { // the embedder learns from what it did
		return err
	}
	came, now := 0, s.Now()
	for came < len(w.New) && w.New[came].PublishedAt.Before(now) {
		came++
	}
	if came > 0 {
		if err := s.hold(ctx, w.New[:came]); err != nil {
			return err
		}
		w.Courses, w.New = append(w.Courses, w.New[:came]...), w.New[came:]
	}
	var err error
	w.Events, err = allEvents(ctx, s.store)
	return err
}

// allEvents reads a store's events in their order.
func allEvents(ctx context.Context, store lectern.EventStore) (out []lectern.Event, err error) {
	var after int64
	for {
		events, next, err := store.ScanEvents(ctx, after, siteBatch)
		out = append(out, events...)
		if err != nil || next == 0 { // the place to go on from is 0 where there is no more
			return out, err
		}
		after = next
	}
}
