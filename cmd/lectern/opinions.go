package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/ml/sentiment/openai"
	"github.com/lectern-dev/lectern/opinion"
)

// newOpinions wires what keeps summaries of reviews. It runs for nobody yet.
func newOpinions(e *engine) (*opinion.Keeper, error) {
	o, err := opinionOptions(e.environment, e.holder)
	if err != nil {
		return nil, err
	}
	if e.leader != nil {
		o.Leader = e.leader
	}
	o.Ready = e.readyForOpinions
	o.Changed = e.pipeline.Notify
	return opinion.New(o)
}

// maxOpinionWait is how long reading waits for what answers requests.
const maxOpinionWait = time.Minute

// readyForOpinions lets the start of a server, and the training of an embedder that
// goes with a first one, pass first, unless that takes long.
func (e *engine) readyForOpinions(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, maxOpinionWait)
	defer cancel()
	err := e.pipeline.Wait(wait, func(r indexing.Readiness) bool { return r.Scanned && !r.Training })
	if ctx.Err() != nil {
		return err
	}
	return nil
}

func opinionOptions(env environment, holder string) (opinion.Options, error) {
	o := opinion.Options{Config: env.config.Opinion, Store: env.store, Holder: holder, Clock: lectern.SystemClock, Logger: env.log}
	if !env.config.Opinion.Chat.Enabled {
		return o, nil
	}
	chat, err := openai.New(env.config.Opinion.Chat, rand.Reader)
	if err != nil {
		return o, err
	}
	o.Chat = chat
	return o, nil
}

// opinionsOf reads and trains without a server.
func opinionsOf(env environment) (*opinion.Keeper, error) {
	o, err := opinionOptions(env, holderName())
	if err != nil {
		return nil, err
	}
	return opinion.New(o)
}

// What is told of the reading of reviews.
var ( // descriptions never change
	descOpinionVersion = prometheus.NewDesc("lectern_reviews_model_version",
		"Version of the model that reads reviews, 0 for the lexicon.", nil, nil)
	descOpinionWaiting = prometheus.NewDesc("lectern_reviews_courses_waiting",
		"Courses with changed reviews that this process has not read yet; 0 where another one leads.", nil, nil)
	descOpinionRead = prometheus.NewDesc("lectern_reviews_courses_read_total",
		"Courses whose reviews this process has read.", nil, nil)
	descOpinionHeld = prometheus.NewDesc("lectern_reviews_held_pending",
		"Reviews held back that nobody has decided on.", nil, nil)
	descOpinionFailures = prometheus.NewDesc("lectern_reviews_training_failures_total",
		"Trainings of this process for reviews that failed.", nil, nil)
	descOpinionRefused = prometheus.NewDesc("lectern_reviews_refused_total",
		"Trainings of this process for reviews whose model was not put to use.", nil, nil)
	descOpinionChat = prometheus.NewDesc("lectern_reviews_chat_total",
		"Reviews that the chat model was asked about, and those that it answered.", []string{"outcome"}, nil)
)

// opinionsCollector reports on the reading of reviews.
type opinionsCollector struct{ engine *engine }

var _ prometheus.Collector = (*opinionsCollector)(nil)

// Describe implements prometheus.Collector.
func (*opinionsCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descOpinionVersion, descOpinionWaiting, descOpinionRead, descOpinionFailures, descOpinionRefused, descOpinionChat,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *opinionsCollector) Collect(out chan<- prometheus.Metric) {
	s := c.engine.opinions.Stats()
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	send(descOpinionVersion, prometheus.GaugeValue, float64(s.Version))
	send(descOpinionWaiting, prometheus.GaugeValue, float64(s.Waiting))
	send(descOpinionRead, prometheus.CounterValue, float64(s.Read))
	send(descOpinionFailures, prometheus.CounterValue, float64(s.Failures))
	send(descOpinionRefused, prometheus.CounterValue, float64(s.Refused))
	send(descOpinionChat, prometheus.CounterValue, float64(s.Chat.Asked), "asked")
	send(descOpinionChat, prometheus.CounterValue, float64(s.Chat.Answered), "answered")
}

// opinions tells what reads reviews and how many are held back.
func (d *doctor) opinions(ctx context.Context, env environment) error {
	stats, err := env.store.Stats(ctx)
	if err != nil {
		return fmt.Errorf("count held reviews: %w", err)
	}
	k, err := opinionsOf(env)
	if err != nil {
		return err
	}
	if err := k.Look(ctx); err != nil {
		return err
	}
	reader := k.Stats()
	d.good("%s reads %d reviews", reader.Model, stats.Reviews)
	if stats.HeldReviews > 0 {
		d.note("%d reviews are held back and wait for a decision: `lectern reviews held` lists them", stats.HeldReviews)
	}
	return nil
}

func newReviewsCommand() *cobra.Command {
	return parent("reviews", "See what reviews say, which are held back, and train what reads them",
		newReviewsSummaryCommand(), newReviewsHeldCommand(), newReviewsTrainCommand(), newReviewsRebuildCommand(), newReviewsScoreCommand())
}

// withOpinions opens a store with data and what reads its reviews.
func withOpinions(cmd *cobra.Command, f func(env environment, k *opinion.Keeper) error) error {
	return withExistingStore(cmd, func(env environment) error {
		k, err := opinionsOf(env)
		if err != nil {
			return err
		}
		return f(env, k)
	})
}

func newReviewsSummaryCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "summary COURSE", Short: "Print what a course's reviews say", Args: exactly("COURSE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withOpinions(cmd, func(env environment, k *opinion.Keeper) error {
				found, err := env.store.Courses(cmd.Context(), args)
				if err != nil {
					return err
				}
				if len(found) == 0 {
					return lectern.Errorf(lectern.CodeNotFound, "there is no course %q", args[0])
				}
				s, err := k.Summary(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if asJSON {
					enc := json.NewEncoder(cmd.OutOrStdout())
					enc.SetIndent("", "  ")
					return enc.Encode(s)
				}
				return printSummary(cmd.OutOrStdout(), found[0], s)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withConfigFlags(cmd)
}

func printSummary(w io.Writer, c lectern.Course, s lectern.ReviewSummary) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%d reviews: %d read, %d in other languages, %d held back\n", c.Title, s.Reviews, s.Read, s.Unread, s.Held)
	switch {
	case s.MadeAt.IsZero() && s.Reviews > 0:
		fmt.Fprintln(&b, "nobody has read them yet: a server does, or `lectern reviews rebuild`")
	case s.Score != nil:
		fmt.Fprintf(&b, "score %.2f, weighing as %.1f reviews of today; %.0f %% are positive; read by %s at %s\n",
			*s.Score, s.Weight, 100*s.Positive, s.Model, s.MadeAt.Format(time.DateTime))
	}
	for _, a := range s.Aspects {
		fmt.Fprintf(&b, "\n%-12s %.2f of %d mentions\n", a.Aspect, a.Score, a.Mentions)
		for _, q := range a.Quotes {
			fmt.Fprintf(&b, "  %.2f %q\n", q.Score, q.Text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func newReviewsHeldCommand() *cobra.Command {
	var course, status string
	var limit int
	cmd := &cobra.Command{
		Use: "held", Short: "List the reviews that are or were held back, newest first", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOpinions(cmd, func(_ environment, k *opinion.Keeper) error {
				held, total, err := k.Held(cmd.Context(), course, lectern.HoldStatus(status), "", limit)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				fmt.Fprintln(w, "REVIEW\tCOURSE\tAUTHOR\tSTATUS\tRULE\tWHY")
				for _, h := range held {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", h.ReviewID, h.CourseID, cmp.Or(h.LearnerID, "-"), h.Status, h.Rule, h.Detail)
				}
				if err := w.Flush(); err != nil || len(held) == total {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d of %d: --limit shows more\n", len(held), total)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&course, "course", "", "only those of this course")
	cmd.Flags().StringVar(&status, "status", "", "only pending, upheld or released ones")
	cmd.Flags().IntVar(&limit, "limit", 50, "at most so many, newest first")
	return withConfigFlags(cmd)
}

func newReviewsTrainCommand() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: "train", Short: "Learn from the platform's starred reviews how reviews read", Args: noArgs,
		Long: "Learn from the platform's starred reviews how reviews read. What was learnt is put to use where it beats\n" +
			"the lexicon on the newest reviews, which it has not seen; a running server then reads every course anew.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOpinions(cmd, func(_ environment, k *opinion.Keeper) error {
				t, err := k.Train(cmd.Context(), dry)
				if err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				fmt.Fprintf(out, "learnt from %d reviews in %s\n", t.Reviews, t.Took.Round(time.Millisecond))
				for _, l := range t.Languages {
					fmt.Fprintf(out, "%s: %d positive, %d neutral, %d negative; area under the ROC curve %.4f, of the lexicon %.4f (cross-validated)\n",
						l.Language, l.Positive, l.Neutral, l.Negative, l.AUC, l.LexiconAUC)
				}
				c := t.Comparison
				fmt.Fprintf(out, "on the newest %d positive and %d negative ones: %.4f, of the lexicon %.4f\n", c.Positive, c.Negative, c.Model, c.Lexicon)
				switch {
				case t.Activated:
					fmt.Fprintf(out, "version %d is in use\n", t.Version)
				case t.Refused != "":
					fmt.Fprintf(out, "not in use: %s\n", t.Refused)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "store nothing")
	return withConfigFlags(cmd)
}

func newReviewsRebuildCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rebuild", Short: "Read the reviews of every course anew", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOpinions(cmd, func(_ environment, k *opinion.Keeper) error {
				begin := time.Now()
				n, err := k.Rebuild(cmd.Context(), func(int) {})
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d courses read by %s in %s\n", n, k.Stats().Model, time.Since(begin).Round(time.Millisecond))
				return nil
			})
		},
	}
	return withConfigFlags(cmd)
}
