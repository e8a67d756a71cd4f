package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/eval/homes"
)

// homeEval is what lectern eval home was asked to do.
type homeEval struct {
	demo     demo.Options
	share    float64 // of the events that lie before the cut
	learners int     // whose lists are judged
	fresh    int     // new courses
	month    homes.Month
	variants int // of the page that the month is simulated with
	asJSON   bool
	progress func(format string, args ...any)
}

// demoPresent is the present of the platforms that are judged: the same at all times,
// so that figures are.
func demoPresent() time.Time { return time.Date(2026, time.January, 15, 12, 0, 0, 0, time.UTC) }

// homeSeed makes the platform of the published figures. No setting was chosen on it.
const homeSeed = 7

// demoOptions are those of the platform that is judged.
func demoOptions() demo.Options {
	o := demo.DefaultOptions(demoPresent())
	o.Seed = homeSeed
	return o
}

func newEvalHomeCommand() *cobra.Command {
	o := homeEval{demo: demoOptions(), variants: len(monthVariants())}
	cmd := &cobra.Command{
		Use: "home", Args: noArgs,
		Short: "Measure home lists, and cold starts, on the demo platform, whose truth is known",
		Long: `Makes a demo platform in a temporary folder, as it stood at a cut in time: what was
before makes profiles, statistics and the collaborative model. Everything that serves
is there, and every event goes in as on a real platform. Then, with learners whose
latent interests are known:

  lists        how well they recover those interests, against chance, popularity and
               every source of candidates alone; whether two interests both show
  dismissed    whether the topic of a dismissed course is gone from the next list
  beginner     whether a completed beginner course brings its successor, not a twin
  new_learner  first lists of learners of whom nothing, or only interests, are known
  new_courses  a simulated month, in which learners visit daily and courses without
               an event are added on the first day: how often those are seen, with
               and without the rows and the source that look for new courses

docs/measured/home.md has the figures and says how each is made. --days 0 leaves the
month out; settings of docs/config.md may be tried as flags.`,
		Example: `  lectern eval home
  lectern eval home --seed 8 --json
  lectern eval home --days 0 --retrieve.share_weight 0`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
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
			return report.Write(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&o.demo.Seed, "seed", homeSeed, "of the platform, and of everything drawn by lot")
	flags.IntVar(&o.demo.Courses, "courses", o.demo.Courses, "courses of the platform")
	flags.IntVar(&o.demo.Learners, "learners", o.demo.Learners, "learners of the platform")
	flags.IntVar(&o.demo.Reviews, "reviews", o.demo.Reviews, "reviews of the platform")
	flags.IntVar(&o.demo.Events, "events", o.demo.Events, "events of the platform")
	flags.Float64Var(&o.share, "share", 0.85, "share of the events that lie before the cut")
	flags.IntVar(&o.learners, "judged", 300, "learners whose lists are judged")
	flags.IntVar(&o.fresh, "new-courses", 40, "courses without an event that are added for the month")
	flags.IntVar(&o.month.Days, "days", 28, "days that are simulated; 0 for none")
	flags.IntVar(&o.month.Visitors, "visitors", 200, "learners who visit every day")
	flags.IntVar(&o.month.PageSize, "page", homes.TopK, "courses in a row of their page")
	flags.IntVar(&o.month.TrainEvery, "train-every", 7, "days after which models are trained anew")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	return withConfigFlags(cmd)
}

func (o *homeEval) validate() error {
	switch {
	case o.share <= 0 || o.share > 1:
		return fmt.Errorf("--share is %g; it lies above 0 and up to 1", o.share)
	case min(o.demo.Courses, o.demo.Learners, o.demo.Events, o.learners, o.month.PageSize) < 1:
		return errors.New("--courses, --learners, --events, --judged and --page are at least 1")
	case min(o.month.Days, o.fresh, o.month.Visitors, o.month.TrainEvery) < 0:
		return errors.New("--days, --new-courses, --visitors and --train-every are at least 0")
	}
	return nil
}

// past is a demo platform as it stood at a cut in time.
type past struct {
	truth   demo.Truth
	cut     time.Time
	courses []lectern.Course // published by then
	fresh   []lectern.Course // held back, to come at the cut
	people  []homes.Person   // who allow personal lists
	signed  []lectern.Learner
	reviews []lectern.Review
	events  []lectern.Event

	embedder lectern.Embedder // trained on courses, once they are written
}

// past generates a platform and cuts it.
func (o *homeEval) past() *past {
	p := demo.Generate(o.demo)
	out := &past{truth: p.Truth, signed: p.Learners, cut: o.demo.Now}
	if n := int(o.share * float64(len(p.Events))); n < len(p.Events) {
		out.cut = p.Events[n].OccurredAt
	}
	for _, c := range p.Courses {
		if c.PublishedAt == nil || !c.PublishedAt.After(out.cut) {
			out.courses = append(out.courses, c)
		}
	}
	for _, r := range p.Reviews {
		if r.WrittenAt == nil || r.WrittenAt.Before(out.cut) {
			out.reviews = append(out.reviews, r)
		}
	}
	taken, wanted := map[[2]string]bool{}, map[string]map[string]bool{}
	for _, e := range p.Events {
		key := [2]string{e.LearnerID, e.CourseID}
		switch {
		case e.OccurredAt.Before(out.cut):
			out.events = append(out.events, e)
			taken[key] = taken[key] || e.Type == lectern.EventEnrol
		case e.Type == lectern.EventEnrol && !taken[key]:
			if wanted[e.LearnerID] == nil {
				wanted[e.LearnerID] = map[string]bool{}
			}
			wanted[e.LearnerID][e.CourseID] = true
		}
	}
	for i, t := range p.Truth.Learners {
		if l := p.Learners[i]; l.Consent == nil || l.Consent.Personalisation {
			out.people = append(out.people, homes.Person{Ref: lectern.LearnerRef{ID: t.ID}, Truth: t, Wanted: wanted[t.ID]})
		}
	}
	o.hold(out)
	return out
}

// run makes the platform and judges it. Each part that changes much has a copy of its
// own.
func (o *homeEval) run(ctx context.Context, config Config) (report homes.Report, err error) {
	dir, err := os.MkdirTemp("", "lectern-eval-home-")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p := o.past()
	o.progress("the platform as it stood on %s: %d courses, %d events", p.cut.Format(time.DateOnly), len(p.courses), len(p.events))
	if err := o.build(ctx, filepath.Join(dir, "base"), config, p); err != nil {
		return report, err
	}
	s, j, err := o.open(ctx, dir, "lists", config, p)
	if err != nil {
		return report, err
	}
	report, err = o.judge(ctx, s, j, p)
	if err = errors.Join(err, s.Close(ctx)); err != nil || o.month.Days == 0 {
		return report, err
	}
	for _, v := range monthVariants()[:o.variants] {
		o.progress("%d days of %d visitors and %d new courses: %s", o.month.Days, o.month.Visitors, len(p.fresh), v.name)
		x, err := o.simulate(ctx, dir, config, p, v)
		if err != nil {
			return report, err
		}
		report.Exposure = append(report.Exposure, x)
	}
	return report, nil
}

// build writes the past into a store in a folder, trains embedder and models, and
// leaves the store to be copied.
func (o *homeEval) build(ctx context.Context, dir string, config Config, p *past) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	s, err := openHomeSite(ctx, dir, config, p.cut)
	if err != nil {
		return err
	}
	for _, write := range []func() error{
		func() error { return s.PutCourses(ctx, p.courses) },
		func() error { return s.PutLearners(ctx, p.signed) },
		func() error { return writeAll(ctx, p.reviews, siteBatch, s.ingest.PutReviews) },
		func() error { return s.Append(ctx, p.events) },
		func() error { return s.Train(ctx) },
	} {
		if err := write(); err != nil {
			return errors.Join(err, s.Close(ctx))
		}
	}
	p.embedder = s.embedder
	return s.Close(ctx)
}

// open makes a site on a copy of what build left.
func (o *homeEval) open(ctx context.Context, dir, name string, config Config, p *past) (*homeSite, *homes.Judge, error) {
	folder := filepath.Join(dir, name)
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(dir, "base"))); err != nil {
		return nil, nil, fmt.Errorf("copy the platform: %w", err)
	}
	s, err := openHomeSite(ctx, folder, config, p.cut)
	if err != nil {
		return nil, nil, err
	}
	s.embedder = p.embedder
	if err = s.hold(ctx, p.courses); err == nil {
		err = s.followSimilar(ctx)
	}
	var j *homes.Judge
	if err == nil {
		j, err = homes.NewJudge(ctx, s, p.truth.Courses, p.people, o.demo.Seed)
	}
	if err != nil {
		return nil, nil, errors.Join(err, s.Close(ctx))
	}
	return s, j, nil
}

// judge fills the report, but for the month.
func (o *homeEval) judge(ctx context.Context, s *homeSite, j *homes.Judge, p *past) (r homes.Report, err error) {
	r.Platform = homes.Platform{
		Seed: o.demo.Seed, Courses: len(p.courses), Learners: len(p.signed), Events: len(p.events), Cut: p.cut.Format(time.DateOnly), Model: "none",
	}
	if m := s.models.Current(); m != nil {
		r.Platform.Model = m.Info().Selected
	}
	o.progress("lists")
	if r.Lists, err = j.Lists(ctx, o.learners); err != nil {
		return r, err
	}
	o.progress("cold starts")
	if r.Cold, err = j.ColdStarts(ctx, o.learners); err != nil {
		return r, err
	}
	o.progress("dismissals")
	if r.Dismissals, err = j.Dismissals(ctx, o.learners); err != nil {
		return r, err
	}
	o.progress("successors")
	r.Successors, err = j.Successors(ctx, o.learners/3)
	return r, err
}

// hold draws the courses that a month begins with and takes them out of the past, with
// all that was done with them: they come at the cut, as if they were made then.
func (o *homeEval) hold(p *past) {
	lots := rand.New(rand.NewPCG(o.demo.Seed, 3))
	for _, i := range lots.Perm(len(p.courses)) {
		a := p.courses[i].Availability
		if len(p.fresh) == o.fresh || o.month.Days == 0 {
			break
		}
		if (a.Status == "" || a.Status == lectern.StatusOpen) && len(a.Regions)+len(a.Organisations) == 0 && a.EnrolFrom == nil && a.EnrolUntil == nil {
			c := p.courses[i]
			c.PublishedAt, c.UpdatedAt = &p.cut, nil
			p.fresh = append(p.fresh, c)
		}
	}
	held := make(map[string]bool, len(p.fresh))
	for _, c := range p.fresh {
		held[c.ID] = true
	}
	p.courses = slices.DeleteFunc(p.courses, func(c lectern.Course) bool { return held[c.ID] })
	p.events = slices.DeleteFunc(p.events, func(e lectern.Event) bool { return held[e.CourseID] })
	p.reviews = slices.DeleteFunc(p.reviews, func(r lectern.Review) bool { return held[r.CourseID] })
}

// monthVariant is a home page with some of what looks for new courses left out.
type monthVariant struct {
	name   string
	hidden []lectern.Row
	change func(*Config)
}

func monthVariants() []monthVariant {
	rows := []lectern.Row{lectern.RowNew, lectern.RowExplore}
	return []monthVariant{
		{name: "as_served"},
		{name: "without_rows", hidden: rows},
		{name: "without_rows_and_source", hidden: rows, change: func(c *Config) { c.Retrieve.NewWithin = 0 }},
	}
}

// simulate lets a month go by on a site of its own.
func (o *homeEval) simulate(ctx context.Context, dir string, config Config, p *past, v monthVariant) (x homes.Exposure, err error) {
	if v.change != nil {
		v.change(&config)
	}
	s, j, err := o.open(ctx, dir, v.name, config, p)
	if err != nil {
		return x, err
	}
	m := o.month
	m.HiddenRows = v.hidden
	x, err = j.Expose(ctx, v.name, p.fresh, m)
	return x, errors.Join(err, s.Close(ctx))
}
