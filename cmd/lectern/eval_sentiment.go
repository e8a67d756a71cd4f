package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/eval/opinions"
)

// What lectern eval sentiment does where nothing else is said.
const (
	sentimentShare  = 0.7
	sentimentRepeat = 5
)

// sentimentEval is what lectern eval sentiment was asked to do.
type sentimentEval struct {
	data, table string // file or folder, file
	reviews     string // file that nothing is learnt from beforehand
	aspects     string // file
	share       float64
	seed        uint64
	repeat      int
	demo        bool
	attacks     bool
	asJSON      bool
}

func newEvalSentimentCommand() *cobra.Command {
	var o sentimentEval
	cmd := &cobra.Command{
		Use: "sentiment", Args: noArgs,
		Short: "Measure what reads reviews: the lexicon against the model learnt from stars",
		Long: `Tells reviews with one or two stars from those with four or five by their text, with
the lexicon and with a model that is learnt from one part of the reviews and tested on
another: the later days, and each course with 15 negative reviews that was left out.
It prints the area under the ROC curve with its 95 % interval, F1 of either class, the
Brier score and the expected calibration error, and the gain of what is learnt. Then
it attacks the larger courses with made-up reviews, and with honest crowds that look
like an attack, and says how many are held back and what that does to the score.

--data is a CSV file with the columns text, stars (1 to 5), date (as 2025-01-31) and
course_id, and learner_id and language where known, in any order (gzip is fine), or a
folder that holds one whose name begins with reviews. --reviews is another such file:
it is measured by itself, and with --data also as a whole by what is learnt from that.
--demo measures on the demo platform, whose aspects are known. --table is a file of
sentences: kind, good, bad or mixed, and text, separated by tabs. --aspects is a CSV
file with the columns text and aspect, and polarity (positive or negative) and language
where known. An aspect is teaching, content, pace, assignments, support or value, several
with semicolons, or none; rows with the same text are one text. It prints precision,
recall and F1 of each. docs/measured/sentiment.md has the figures.`,
		Example: `  lectern eval sentiment --data ./reviews.csv.gz
  lectern eval sentiment --data ./reviews.csv.gz --reviews ./other.csv --aspects ./labelled.csv
  lectern eval sentiment --demo --table ml/sentiment/testdata/table.tsv --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.data == "" && o.reviews == "" && o.aspects == "" && !o.demo {
				return usageError{errors.New("nothing to read: give --data, --reviews, --aspects or --demo")}
			}
			if o.share <= 0 || o.share >= 1 {
				return usageError{fmt.Errorf("--share is between 0 and 1, not %g", o.share)}
			}
			if o.repeat < 1 {
				return usageError{fmt.Errorf("--repeat is at least 1, not %d", o.repeat)}
			}
			return o.measure(cmd.Context(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.data, "data", "", "file of reviews with stars, or a folder that holds one")
	flags.StringVar(&o.reviews, "reviews", "", "file of other reviews with stars, to be measured by what --data teaches")
	flags.StringVar(&o.aspects, "aspects", "", "file of texts with the aspects that they speak of")
	flags.StringVar(&o.table, "table", "", "file of sentences with what they say")
	flags.Float64Var(&o.share, "share", sentimentShare, "share of the reviews, by day, that is learnt from")
	flags.Uint64Var(&o.seed, "seed", evalSeed, "of folds, intervals and attacks")
	flags.IntVar(&o.repeat, "repeat", sentimentRepeat, "times that each attack is made on each course")
	flags.BoolVar(&o.demo, "demo", false, "measure on the reviews of a demo platform too")
	flags.BoolVar(&o.attacks, "attacks", true, "attack the larger courses of --data")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

func (o sentimentEval) measure(ctx context.Context, w io.Writer) error {
	options := opinions.Options{Share: o.share, Seed: o.seed, Repeat: o.repeat, Attacks: o.attacks}
	if o.table != "" {
		table, err := readSentences(o.table)
		if err != nil {
			return err
		}
		options.Table = table
	}
	if o.aspects != "" {
		var err error
		if options.Aspects, err = opinions.ReadLabelled(o.aspects); err != nil {
			return err
		}
	}
	reports, err := o.reports(ctx, options)
	if err != nil {
		return err
	}
	if o.asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(reports)
	}
	for i := range reports {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := reports[i].Write(w); err != nil {
			return err
		}
	}
	return nil
}

// reports measures each set of reviews; what is not of reviews is in the first.
func (o sentimentEval) reports(ctx context.Context, options opinions.Options) ([]opinions.Report, error) {
	var out []opinions.Report
	add := func(name string, reviews []lectern.Review, options opinions.Options) error {
		if len(out) > 0 {
			options.Table, options.Aspects = nil, nil
		}
		r, err := opinions.Measure(ctx, name, reviews, options)
		out = append(out, r)
		return err
	}
	var learn []lectern.Review
	for _, path := range []string{o.data, o.reviews} {
		if path == "" {
			continue
		}
		file, err := reviewFile(path)
		if err != nil {
			return nil, err
		}
		reviews, err := opinions.ReadReviews(file)
		if err != nil {
			return nil, err
		}
		options := options
		options.Learn = learn
		if err := add(filepath.Base(file), reviews, options); err != nil {
			return nil, err
		}
		learn = reviews
	}
	if o.demo {
		reviews, truth := demoReviews()
		options := options
		options.Truth, options.Attacks = truth, false
		if err := add("demo platform", reviews, options); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return out, add("no reviews", nil, options)
	}
	return out, nil
}

func readSentences(file string) ([]opinions.Sentence, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	table, err := opinions.ReadTable(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return table, nil
}

// reviewFile is the file itself, or the first in the folder, sub-folders included,
// whose name begins with reviews.
func reviewFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return path, nil
	}
	found := ""
	err = filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if !d.IsDir() && strings.HasPrefix(name, "reviews") && (strings.HasSuffix(name, ".csv") || strings.HasSuffix(name, ".csv.gz")) {
			found = file
			return fs.SkipAll
		}
		return nil
	})
	if err == nil && found == "" {
		err = fmt.Errorf("%s holds no reviews*.csv or reviews*.csv.gz", path)
	}
	return found, err
}

// demoReviews are those of the demo platform of the published figures, with the hidden
// score of each aspect by course.
func demoReviews() ([]lectern.Review, map[string]map[string]float64) {
	p := demo.Generate(demoOptions())
	truth := map[string]map[string]float64{}
	for _, c := range p.Truth.Courses {
		truth[c.ID] = c.Aspects
	}
	return p.Reviews, truth
}
