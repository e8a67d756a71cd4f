package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern/eval/recs"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// What lectern eval recs does where nothing else is said.
const (
	recsCutoff    = 10
	recsResamples = 1000
	recsSplit     = "time:0.8"      // of the store and of files with times
	recsFileSplit = "fraction:0.2"  // of files without
	recsTune      = 2 * time.Minute // of --tune alone
	blendName     = "blend"         // the model that selection makes of the others
	popularName   = "popularity"    // the floor that differences are told to
	stdoutName    = "-"
)

// recsEval is what lectern eval recs was asked to do.
type recsEval struct {
	train, test, negatives string // files
	courses, learners      string // files
	split, order           string
	k                      int
	models                 []string
	metric                 string
	tune                   time.Duration
	seed                   uint64
	json, html             string // files to write; - is standard output
	sampled                int    // negatives that a test row is ranked among, 0 for all courses
	out                    reportFiles
	unread                 []string // what could not be read of the files so far
}

func newEvalRecsCommand() *cobra.Command {
	var o recsEval
	cmd := &cobra.Command{
		Use: "recs", Args: cobra.MaximumNArgs(2),
		Short: "Measure recommendations: models on files, or the pipeline on the store",
		Long: `Learns from one part of what learners did and tests on the rest. Every model makes a
list for every learner; the table says how many of the courses that were held back are
among its first k (recall, hit rate, nDCG, …) and how varied, novel and true to the
learner's interests the lists are. random and popularity are always in it: a model
that does not clear them is worth nothing. docs/evaluation.md explains every figure.

What to learn from is --train, a file of user,item rows with a header (more columns
are fine; so are events as JSON lines, and gzip), or, without it, the store of --data:
then the pipeline that serves is measured too, source by source and after reranking.
What to test on is --test, or a part that --split holds back:

  last           the last course of each learner
  fraction:0.2   the last fifth of each learner's courses
  time:0.8       everything after the time that 80 % of the rows lie before
  time:2024-05-01

All courses that a learner has not taken are ranked. Only with --negatives are lists
ranked among the given negatives alone, and then everything printed says SAMPLED.

Which model is best, and with --tune its settings, is decided on a part of the
training data; the rows that are tested on choose nothing.`,
		Example: `  lectern eval recs --train train.csv --test test.csv
  lectern eval recs --train enrolments.csv.gz --split last --models ease,blend --html report.html
  lectern eval recs --train train.csv --test test.csv --negatives negatives.csv --json report.json
  lectern eval recs --data ./data --split time:2024-05-01`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.take(args); err != nil {
				return err
			}
			if err := o.validate(); err != nil {
				return err
			}
			if err := atMostOne(cmd, "train", "data"); err != nil {
				return err
			}
			return o.withReports(func() error {
				if o.train == "" {
					return withExistingStore(cmd, func(env environment) error { return o.fromStore(cmd, env) })
				}
				return o.files(cmd)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.train, "train", "", "what to learn from: csv with user,item[,timestamp], or events as JSON lines; .gz is fine")
	flags.StringVar(&o.test, "test", "", "what to test on, in the same form; without it --split holds back a part of --train")
	flags.StringVar(&o.negatives, "negatives", "", "csv with user,item,negatives: rank each test row among these alone")
	flags.StringVar(&o.courses, "courses", "", "categories and skills of courses: csv with an id, or courses as JSON lines")
	flags.StringVar(&o.learners, "learners", "", "learners as JSON lines: id, region, age or birth_year")
	flags.StringVar(&o.split, "split", "", "last, fraction:0.2, time:0.8 or time:2024-05-01 (default: by time where there are times, else "+recsFileSplit+")")
	flags.StringVar(&o.order, "order", string(recs.OrderAuto), "what the order of rows means: auto, time or none")
	flags.IntVar(&o.k, "k", recsCutoff, "length of the lists")
	flags.StringSliceVar(&o.models, "models", nil, "models to fit, separated by commas (default all; "+strings.Join(modelNames(), ", ")+")")
	flags.StringVar(&o.metric, "metric", "", "what the model is selected by on the validation cut (default ndcg@k)")
	flags.DurationVar(&o.tune, "tune", 0, "time to search for better settings, for example 90s; 0 takes the defaults")
	flags.Uint64Var(&o.seed, "seed", evalSeed, "of everything drawn by lot")
	flags.StringVar(&o.json, "json", "", "file to write the report to as JSON; - or nothing for standard output")
	flags.StringVar(&o.html, "html", "", "file to write the report to as a page with plots")
	flags.Lookup("json").NoOptDefVal = stdoutName
	flags.Lookup("tune").NoOptDefVal = recsTune.String()
	return withConfigFlags(cmd)
}

// take gives the words that stand alone to the flags before them: both --json FILE
// and --json mean something, and so do --tune 90s and --tune.
func (o *recsEval) take(args []string) error {
	for _, a := range args {
		d, err := time.ParseDuration(a)
		switch {
		case err == nil && o.tune == recsTune:
			o.tune = d
		case o.json == stdoutName:
			o.json = a
		default:
			return usageError{fmt.Errorf("lectern eval recs takes no argument %q", a)}
		}
	}
	return nil
}

// validate checks what the flags say.
func (o *recsEval) validate() error {
	if o.k < 1 || o.k > 1000 {
		return usageError{fmt.Errorf("--k %d is not between 1 and 1000", o.k)}
	}
	if o.tune < 0 {
		return usageError{errors.New("--tune is at least 0")}
	}
	if o.metric == "" {
		o.metric = recs.NDCG.At(o.k)
	}
	if err := checkMetric(o.metric); err != nil {
		return err
	}
	if !slices.Contains(recs.Orders(), recs.Order(o.order)) {
		return usageError{fmt.Errorf("--order %q is not one of auto, time, none", o.order)}
	}
	known := modelNames()
	for i, name := range o.models {
		o.models[i] = strings.TrimSpace(name)
		if !slices.Contains(known, o.models[i]) {
			return usageError{fmt.Errorf("--models: %q is not a model%s; there are %s", o.models[i], nearest.Hint(o.models[i], known), strings.Join(known, ", "))}
		}
	}
	if _, err := o.splitOf(true); err != nil {
		return err
	}
	switch {
	case o.test != "" && o.split != "":
		return usageError{errors.New("--test and --split exclude each other: the test rows are either given or held back")}
	case o.negatives != "" && o.test == "":
		return usageError{errors.New("--negatives needs the rows that they belong to: --test")}
	case o.test != "" && o.train == "":
		return usageError{errors.New("--test needs --train")}
	}
	return nil
}

// checkMetric knows the metrics that a model can be chosen by.
func checkMetric(name string) error {
	metric, k, _ := strings.Cut(name, "@")
	n, err := strconv.Atoi(k)
	if err == nil && n >= 1 && slices.Contains([]recs.Metric{recs.Recall, recs.HitRate, recs.NDCG}, recs.Metric(metric)) {
		return nil
	}
	return usageError{fmt.Errorf("--metric %q is not recall@k, hit_rate@k or ndcg@k, for example ndcg@10", name)}
}

// files evaluates models on files.
func (o *recsEval) files(cmd *cobra.Command) (err error) {
	start := time.Now()
	defer func() {
		if err == nil {
			return // the report tells
		}
		for _, line := range o.unread {
			fmt.Fprintln(cmd.ErrOrStderr(), line)
		}
	}()
	set, err := o.readSet()
	if err != nil {
		return err
	}
	options, err := o.options(cmd)
	if err != nil {
		return err
	}
	report, err := o.evaluate(cmd.Context(), set, options)
	if err != nil {
		return err
	}
	report.Files = o.sources()
	report.Took = time.Since(start)
	return o.write(cmd, report)
}

// sources names the files for the report.
func (o *recsEval) sources() map[string]string {
	out := make(map[string]string)
	for key, path := range map[string]string{"train": o.train, "test": o.test, "negatives": o.negatives, "courses": o.courses, "learners": o.learners} {
		if path != "" {
			out[key] = path
		}
	}
	return out
}

// readSet reads the files and holds back what is tested on.
func (o *recsEval) readSet() (*recs.Set, error) {
	train, err := o.readRows(o.train)
	if err != nil {
		return nil, err
	}
	note := o.soundEnds(train)
	if o.test == "" {
		split, err := o.splitOf(train.Timed)
		if err != nil {
			return nil, err
		}
		set, err := recs.Hold(train, split, recs.Order(o.order))
		return o.noted(set, note), err
	}
	test, err := o.readRows(o.test)
	if err != nil {
		return nil, err
	}
	var negatives *recs.Negatives
	if o.negatives != "" {
		if negatives, err = readFile(o.negatives, recs.ReadNegatives); err != nil {
			return nil, err
		}
	}
	set, err := recs.Given(train, test, negatives, recs.Order(o.order))
	return o.noted(set, note), err
}

// readRows reads a file, and keeps in mind what of it cannot be read.
func (o *recsEval) readRows(path string) (*recs.Log, error) {
	l, err := readFile(path, func(r io.Reader) (*recs.Log, error) { return recs.Read(r, recs.DefaultStrengths()) })
	if err == nil && l.Problems.Count > 0 {
		o.unread = append(o.unread, unreadRows(path, l.Problems))
	}
	return l, err
}

// unreadRows says how many rows of a file could not be read, and why the first.
func unreadRows(path string, p recs.Problems) string {
	return fmt.Sprintf("%s: %d rows could not be read, the first on line %d: %s", path, p.Count, p.First[0].Line, p.First[0].Reason)
}

// splitOf reads --split, or takes the split that suits the rows.
func (o *recsEval) splitOf(timed bool) (recs.Split, error) {
	s := o.split
	switch {
	case s != "":
	case timed:
		s = recsSplit
	default:
		s = recsFileSplit
	}
	split, err := recs.ParseSplit(s)
	if err != nil {
		return split, usageError{fmt.Errorf("--split: %w", err)}
	}
	return split, nil
}

// options reads what is known of courses and learners.
func (o *recsEval) options(cmd *cobra.Command) (recs.Options, error) {
	out := recs.Options{K: o.k, Seed: o.seed, Resamples: recsResamples, Year: time.Now().Year(), Floor: popularName,
		Report: func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) }}
	var err error
	if o.courses != "" {
		if out.Courses, err = readFile(o.courses, recs.ReadCourses); err != nil {
			return out, err
		}
		if p := out.Courses.Problems; p.Count > 0 {
			out.Report("%s", unreadRows(o.courses, p))
		}
	}
	if o.learners != "" {
		out.Learners, err = readFile(o.learners, recs.ReadLearners)
	}
	return out, err
}

// evaluate fits the models and judges their lists.
func (o *recsEval) evaluate(ctx context.Context, set *recs.Set, options recs.Options) (*recs.Report, error) {
	fitted, selected, cut, err := o.fit(ctx, set.Train, options.Report)
	if err != nil {
		return nil, err
	}
	return o.judge(ctx, set, fitted, selected, cut, options)
}

// judge has the models make their lists.
func (o *recsEval) judge(ctx context.Context, set *recs.Set, fitted []recs.Fitted, selected, cut string, options recs.Options) (*recs.Report, error) {
	if !set.Data.Until.IsZero() {
		options.Year = set.Data.Until.Year()
	}
	options.Selected = selected
	report, err := recs.Evaluate(ctx, set, fitted, options)
	if err != nil {
		return nil, err
	}
	report.Metric, report.Cut, report.Tune = o.metric, cut, o.tune
	report.MemoryMB = memoryMB()
	return report, nil
}

// memoryMB is the most memory that this process had, 0 where the system does not say.
func memoryMB() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			if err == nil {
				return kb / 1024
			}
		}
	}
	return 0
}
