package main

import (
	"context"
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
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/learner"
)

// learnerFlags are those of every command that is about one learner.
type learnerFlags struct {
	visitor bool
	asJSON  bool
}

func (f *learnerFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.visitor, "visitor", false, "the id is the anonymous id of a visitor")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print the document that the HTTP interface answers with")
}

func (f *learnerFlags) ref(id string) lectern.LearnerRef {
	if f.visitor {
		return lectern.LearnerRef{AnonymousID: id}
	}
	return lectern.LearnerRef{ID: id}
}

func newLearnersShowCommand() *cobra.Command {
	var flags learnerFlags
	cmd := &cobra.Command{
		Use: "show ID", Short: "Say in words what is known of a learner", Args: exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withLists(cmd, func(ctx context.Context, e *engine) error {
				d, err := e.describe(ctx, flags.ref(args[0]))
				if err != nil {
					return err
				}
				return printDescription(cmd, d, flags.asJSON)
			})
		},
	}
	flags.add(cmd)
	return withConfigFlags(cmd)
}

func newLearnersCorrectCommand() *cobra.Command {
	var flags learnerFlags
	var patch struct {
		remove, restore, interests []string
		goal, level, pace, hours   string
		prefer                     map[string]string
	}
	cmd := &cobra.Command{
		Use: "correct ID", Short: "Correct what is known of a learner, as they would themselves", Args: exactly("ID"),
		Example: "  lectern learners correct ada --remove-interest baking --weekly-hours 4",
		RunE: func(cmd *cobra.Command, args []string) error {
			p := learner.Patch{RemoveInterests: patch.remove, RestoreInterests: patch.restore}
			given := cmd.Flags().Changed
			if given("interest") {
				p.Interests = learner.To(patch.interests)
				if len(patch.interests) == 1 && patch.interests[0] == "" {
					p.Interests = learner.Back[[]string]()
				}
			}
			if given("goal") {
				p.Goal = learner.To(patch.goal)
			}
			if given("level") {
				p.Level = setOrBack(lectern.Level(patch.level))
			}
			if given("pace") {
				p.Pace = setOrBack(lectern.Pace(patch.pace))
			}
			if given("weekly-hours") {
				var err error
				if p.WeeklyHours, err = hoursOrBack(patch.hours); err != nil {
					return err
				}
			}
			if given("prefer") {
				p.Preferences = preferred(patch.prefer)
			}
			return withLists(cmd, func(ctx context.Context, e *engine) error {
				d, err := e.correct(ctx, flags.ref(args[0]), p)
				if err != nil {
					return err
				}
				return printDescription(cmd, d, flags.asJSON)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringArrayVar(&patch.remove, "remove-interest", nil, "an interest that is none; repeat for several")
	cmd.Flags().StringArrayVar(&patch.restore, "restore-interest", nil, "a removed interest that is one after all; repeat for several")
	cmd.Flags().StringArrayVar(&patch.interests, "interest", nil, `stated interests, in place of those there are; repeat for several; "" alone takes them all back`)
	cmd.Flags().StringVar(&patch.goal, "goal", "", "what the learner wants to become or to do")
	cmd.Flags().StringVar(&patch.level, "level", "", `beginner, intermediate, advanced or mixed; "" takes back what was stated`)
	cmd.Flags().StringVar(&patch.pace, "pace", "", `relaxed, steady or intensive; "" takes back what was stated`)
	cmd.Flags().StringVar(&patch.hours, "weekly-hours", "", `hours a week for learning, 0 to 168; "" takes back what was stated`)
	cmd.Flags().StringToStringVar(&patch.prefer, "prefer", nil,
		"what lists should have more or less of, such as popular=less,challenging=more: "+inWords(lectern.Preferences())+`; popular= takes back what was stated`)
	return withConfigFlags(cmd)
}

// preferred reads preferences; the empty word takes one back.
func preferred(words map[string]string) learner.Change[map[lectern.Preference]*lectern.Leaning] {
	out := make(map[lectern.Preference]*lectern.Leaning, len(words))
	for name, word := range words {
		var leaning *lectern.Leaning
		if l := lectern.Leaning(word); word != "" {
			leaning = &l
		}
		out[lectern.Preference(name)] = leaning
	}
	return learner.To(out)
}

// setOrBack takes the empty word for taking back what was stated.
func setOrBack[T ~string](v T) learner.Change[T] {
	if v == "" {
		return learner.Back[T]()
	}
	return learner.To(v)
}

// hoursOrBack reads hours a week; the empty word takes back what was stated.
func hoursOrBack(s string) (learner.Change[float64], error) {
	if s == "" {
		return learner.Back[float64](), nil
	}
	h, err := strconv.ParseFloat(s, 64)
	if err != nil || !(h >= 0 && h <= 168) {
		return learner.Change[float64]{}, usageError{fmt.Errorf(`--weekly-hours: %q is not allowed; a number from 0 to 168 is, and "" to take back what was stated`, s)}
	}
	return learner.To(h), nil
}

func newLearnersHomeCommand() *cobra.Command {
	var flags learnerFlags
	var limit int
	cmd := &cobra.Command{
		Use: "home ID", Short: "Show a learner's home page, without recording that it was made", Args: exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 || limit > 100 {
				return usageError{fmt.Errorf("--limit: %d is not allowed; 1 to 100 are", limit)}
			}
			return withLists(cmd, func(ctx context.Context, e *engine) error {
				if err := e.fillNeighbours(ctx); err != nil {
					return err
				}
				page, err := e.ranker.Home(ctx, lectern.HomeRequest{Learner: flags.ref(args[0]), Limit: limit})
				if err != nil {
					return err
				}
				if flags.asJSON {
					return printJSON(cmd.OutOrStdout(), page)
				}
				return printHome(cmd.OutOrStdout(), page)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 5, "courses in each row")
	return withConfigFlags(cmd)
}

// fillNeighbours reads every learner, so that similar ones are found.
func (e *engine) fillNeighbours(ctx context.Context) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	var parts errgroup.Group
	parts.Go(func() error { return e.followers.neighbours.Run(running) })
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		stats, err := e.followers.neighbours.Stats(ctx)
		if err != nil || stats.Filled {
			stop()
			return errors.Join(err, parts.Wait())
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), parts.Wait())
		case <-look.C:
		}
	}
}

// vectorsPatience is how long a command waits for vectors that a server makes.
const vectorsPatience = time.Minute

// withLists runs f on an engine that makes lists from an existing store, beside a
// server or without one, and that records none of them.
func withLists(cmd *cobra.Command, f func(context.Context, *engine) error) error {
	return withExistingStore(cmd, func(env environment) (err error) {
		ctx := cmd.Context()
		e, err := newEngine(ctx, env.forDoctor())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, e.close(ctx)) }()
		e.ranker.Rankings = unrecorded{e.ranker.Rankings}
		running, stop := context.WithCancel(ctx)
		var parts errgroup.Group
		parts.Go(func() error { return e.pipeline.Run(running) })
		defer func() { stop(); err = errors.Join(err, parts.Wait()) }()
		if err := e.pipeline.CatchUp(ctx); err != nil {
			return fmt.Errorf("build the index: %w", err)
		}
		if e.pipeline.Ready().Courses == 0 {
			return lectern.Errorf(lectern.CodeNotFound, "the catalogue is empty: import courses first")
		}
		patient, cancel := context.WithTimeout(ctx, vectorsPatience)
		defer cancel()
		if err := e.pipeline.Wait(patient, indexing.Readiness.VectorsReady); err != nil {
			if patient.Err() == nil || ctx.Err() != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "courses have no vectors yet, so meaning does not take part: is a server running?")
		}
		if err := e.catalog.RefreshStats(ctx); err != nil {
			return err
		}
		return f(ctx, e)
	})
}

func printDescription(cmd *cobra.Command, d learner.Description, asJSON bool) error {
	out := cmd.OutOrStdout()
	if asJSON {
		return printJSON(out, d)
	}
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	if !d.Personalisation {
		fmt.Fprintln(t, "The learner does not allow personal lists: nothing is worked out.")
	}
	for _, n := range d.Interests {
		fmt.Fprintf(t, "interest\t%s\t%.0f %%\t%s\t%s\n", n.Name, 100*n.Weight, n.Source, titlesOf(n.Courses))
	}
	if d.Recent != nil {
		fmt.Fprintf(t, "recently\t%s\t\t\t%s\n", d.Recent.Name, titlesOf(d.Recent.Courses))
	}
	for _, n := range d.TurnedDown {
		fmt.Fprintf(t, "turned down\t%s\t\t\t%s\n", n.Name, titlesOf(n.Courses))
	}
	for _, n := range d.SkillsGained {
		fmt.Fprintf(t, "has\t%s\t%.0f %%\n", n.Name, 100*n.Amount)
	}
	for _, n := range d.SkillsWanted {
		fmt.Fprintf(t, "wants\t%s\t%.0f %%\n", n.Name, 100*n.Amount)
	}
	hours := "unknown"
	if d.WeeklyHours.Value != nil {
		hours = strconv.FormatFloat(*d.WeeklyHours.Value, 'f', 1, 64) + " hours a week"
	}
	fmt.Fprintf(t, "level\t%s\t\t%s\n", orUnknown(string(d.Level.Value)), d.Level.Source)
	fmt.Fprintf(t, "pace\t%s\t\t%s\n", orUnknown(string(d.Pace.Value)), d.Pace.Source)
	fmt.Fprintf(t, "time\t%s\t\t%s\n", hours, d.WeeklyHours.Source)
	if len(d.RemovedInterests) > 0 {
		fmt.Fprintf(t, "removed\t%s\n", strings.Join(d.RemovedInterests, ", "))
	}
	for _, n := range d.Preferences {
		fmt.Fprintf(t, "prefers\t%s\t\tstated\n", n.Text)
	}
	for _, n := range d.Feedback {
		fmt.Fprintf(t, "said\t%s\t\t%s\n", n.Text, n.ID)
	}
	fmt.Fprintf(t, "from\t%d courses, %d events\n", d.Courses, d.EventsCounted)
	return t.Flush()
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func titlesOf(courses []learner.CourseNote) string {
	var titles []string
	for _, c := range courses {
		title := c.Title
		if title == "" {
			title = c.ID
		}
		titles = append(titles, title)
	}
	return strings.Join(titles, " · ")
}

func printHome(w io.Writer, page lectern.Home) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, r := range page.Rows {
		fmt.Fprintf(t, "%s: %s\n", r.Row, reasonText(r.Title))
		for _, it := range r.List.Items {
			why := ""
			if len(it.Reasons) > 0 {
				why = reasonText(it.Reasons[0])
			}
			fmt.Fprintf(t, "  %.3f\t%s\t%s\t%s\n", it.Score, it.Course.ID, it.Course.Title, why)
		}
	}
	if len(page.Degraded) > 0 {
		fmt.Fprintf(t, "did not take part: %s\n", strings.Join(page.Degraded, ", "))
	}
	return t.Flush()
}

// reasonText is a reason's code and parameters, those in alphabetical order.
func reasonText(r lectern.Reason) string {
	if len(r.Params) == 0 {
		return r.Code
	}
	var params []string
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		params = append(params, name+": "+r.Params[name])
	}
	return r.Code + " (" + strings.Join(params, ", ") + ")"
}
