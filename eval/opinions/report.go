package opinions

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment"
)

// Options are what Measure does.
type Options struct {
	Share   float64 // of the reviews, by day, that are learnt from
	Seed    uint64
	Repeat  int // each attack on each course
	Attacks bool
	Table   []Sentence
	Learn   []lectern.Review // all learnt from for one more split, tested on all; nil makes none
	Aspects []Labelled
	Truth   map[string]map[string]float64 // hidden score by course and aspect; nil where nobody knows
}

// minCourseNegatives and minCourseReviews are what a course needs to be left out, and
// to be attacked.
const (
	minCourseNegatives = 15
	minCourseReviews   = 200
	minUnseenNegatives = 15 // to learn from, where a course is left out
)

// Report is all that Measure found of one set of reviews.
type Report struct {
	Name    string         `json:"name"`
	Classes [3]int         `json:"classes"`           // negative, neutral, positive
	Lexicon *Figures       `json:"lexicon,omitempty"` // on all reviews, nothing learnt; nil where there is one class only
	Held    HonestHolds    `json:"held"`
	Splits  []Comparison   `json:"splits"`
	Skipped []string       `json:"skipped,omitempty"` // splits with too little to learn from
	Attacks []AttackResult `json:"attacks,omitempty"`
	Aspects []ModelAspects `json:"aspects,omitempty"`
	Tables  []TableResult  `json:"tables,omitempty"`

	Labelled []LabelledResult `json:"labelled,omitempty"`
}

// ModelAspects is how the aspects that one model sees go with the truth.
type ModelAspects struct {
	Model   string        `json:"model"`
	Aspects []AspectTruth `json:"aspects"`
	Stars   float64       `json:"stars"` // correlation of the overall score with the mean of the stars
}

// Measure compares the lexicon with what is learnt: on the later part of the reviews,
// and on each course with negative reviews enough that was left out. All choices are
// made within the parts that are learnt from.
func Measure(ctx context.Context, name string, reviews []lectern.Review, o Options) (Report, error) {
	lex := sentiment.NewLexicon()
	fit := sentiment.DefaultFitOptions()
	fit.Seed = o.Seed
	out := Report{Name: name}
	out.Classes[0], out.Classes[1], out.Classes[2] = Classes(reviews)
	out.Held = Honest(reviews, sentiment.DefaultBombingConfig())
	if s := score(lex, reviews); out.Classes[0] > 0 && out.Classes[2] > 0 {
		f := figures(lex.Name(), s, middle, o.Seed)
		out.Lexicon = &f
	}
	if len(o.Learn) > 0 {
		if err := out.compare(ctx, "unseen: all of these, learnt from the others", o.Learn, reviews, lex, fit); err != nil {
			return out, err
		}
	}
	before, after := SplitByTime(reviews, o.Share)
	split := fmt.Sprintf("time: after %.0f %%", 100*o.Share)
	if len(after) > 0 {
		split = "time: from " + after[0].WrittenAt.Format("2006-01-02")
	}
	if err := out.compare(ctx, split, before, after, lex, fit); err != nil {
		return out, err
	}
	fit.MinPerClass = minUnseenNegatives
	for _, id := range courseIDs(reviews) {
		others, of := LeaveCourseOut(reviews, id)
		if n, _, _ := Classes(of); n < minCourseNegatives {
			continue
		}
		if err := out.compare(ctx, "unseen: "+id, others, of, lex, fit); err != nil {
			return out, err
		}
	}
	if o.Attacks {
		out.attack(reviews, lex, o)
	}
	return out, out.rest(ctx, before, reviews, lex, o)
}

func (r *Report) compare(ctx context.Context, split string, train, test []lectern.Review, lex *sentiment.Lexicon, fit sentiment.FitOptions) error {
	if n, _, p := Classes(test); n == 0 || p == 0 {
		r.Skipped = append(r.Skipped, split+": one class only to test on")
		return nil
	}
	c, err := Compare(ctx, split, train, test, lex, fit)
	if isTooFew(err) {
		r.Skipped = append(r.Skipped, err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	r.Splits = append(r.Splits, c)
	return nil
}

func (r *Report) attack(reviews []lectern.Review, lex *sentiment.Lexicon, o Options) {
	byCourse := map[string][]lectern.Review{}
	for _, v := range reviews {
		byCourse[v.CourseID] = append(byCourse[v.CourseID], v)
	}
	for id, of := range byCourse {
		if len(of) < minCourseReviews {
			delete(byCourse, id)
		}
	}
	if len(byCourse) == 0 {
		return
	}
	for _, known := range []bool{true, false} {
		for _, a := range Attacks() {
			r.Attacks = append(r.Attacks, Bomb(byCourse, a, known, lex, sentiment.DefaultBombingConfig(), o.Seed, o.Repeat))
		}
	}
}

// rest measures sentences and aspects with the lexicon and with a model learnt from
// the earlier part.
func (r *Report) rest(ctx context.Context, train, all []lectern.Review, lex *sentiment.Lexicon, o Options) error {
	models := []sentiment.SentenceClassifier{lex}
	fit := sentiment.DefaultFitOptions()
	fit.Seed = o.Seed
	m, _, err := sentiment.Fit(ctx, train, lex, fit)
	switch {
	case err == nil:
		models = append(models, m)
	case !isTooFew(err):
		return err
	}
	for _, c := range models {
		if len(o.Table) > 0 {
			r.Tables = append(r.Tables, Judge(c, o.Table))
		}
		if len(o.Aspects) > 0 {
			r.Labelled = append(r.Labelled, JudgeAspects(c, sentiment.SeedAspects(lex), o.Aspects))
		}
		if o.Truth == nil {
			continue
		}
		seeds := sentiment.SeedAspects(lex)
		for _, a := range []struct {
			name    string
			aspects *sentiment.Aspects
		}{{"seeds", seeds}, {"grown", seeds.Grow(train, sentiment.DefaultGrowOptions())}} {
			s := sentiment.DefaultSummaryOptions()
			s.Aspects = a.aspects
			v := ModelAspects{Model: kind(c) + ", " + a.name}
			v.Aspects, v.Stars = AgainstTruth(all, c, s, o.Truth)
			r.Aspects = append(r.Aspects, v)
		}
	}
	return nil
}

// kind is the name of a model without its version.
func kind(c sentiment.Classifier) string {
	name, _, _ := strings.Cut(c.Name(), "/")
	return name
}

// Write prints the report as text.
func (r *Report) Write(w io.Writer) error {
	p := &printer{w: w}
	p.f("%s: %d negative, %d neutral, %d positive reviews\n", r.Name, r.Classes[0], r.Classes[1], r.Classes[2])
	p.f("held back as they are, of authors unknown: %d of %d (%.2f %%)", r.Held.Held, r.Held.Of, 100*r.Held.Share())
	for _, rule := range slices.Sorted(maps.Keys(r.Held.ByRule)) {
		p.f(" %s %d", rule, r.Held.ByRule[rule])
	}
	p.f("\n")
	if f := r.Lexicon; f != nil {
		p.f("\nall, by the lexicon with nothing learnt\n")
		p.head()
		p.figures(f)
	}
	for _, c := range r.Splits {
		p.comparison(c)
	}
	for _, s := range r.Skipped {
		p.f("\nleft out: %s\n", s)
	}
	if len(r.Attacks) > 0 {
		p.f("\n%-40s %-8s %6s %10s %8s %8s %8s\n", "attack", "authors", "held", "own held", "before", "unheld", "after")
	}
	for _, a := range r.Attacks {
		known := "unknown"
		if a.AuthorsKnown {
			known = "known"
		}
		name := a.Name
		if a.Honest {
			name = "honest: " + name
		}
		p.f("%-40s %-8s %5.1f%% %9.2f%% %8.4f %8.4f %8.4f\n", name, known, 100*a.Held, 100*a.HonestHeld, a.Before, a.Unheld, a.After)
	}
	for _, m := range r.Aspects {
		p.f("\naspects by %s, Spearman with the truth of courses (overall with stars %.3f)\n", m.Model, m.Stars)
		for _, a := range m.Aspects {
			p.f("  %-12s %.3f  (%d courses)\n", a.Aspect, a.Spearman, a.Courses)
		}
	}
	for _, t := range r.Tables {
		p.f("\nsentences by %s: %d of %d right (%.1f %%)\n", t.Model, t.Right, t.Of, 100*float64(t.Right)/float64(max(t.Of, 1)))
		for _, s := range t.Wrong {
			p.f("  %-10s %.2f, want %-5s %s\n", s.Kind, s.P, s.Want, s.Text)
		}
	}
	for i := range r.Labelled {
		p.labelled(&r.Labelled[i])
	}
	return p.err
}

// printer keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) comparison(c Comparison) {
	p.f("\n%s\n  learnt from %d negative, %d neutral, %d positive; tested on %d, %d, %d\n", c.Split,
		c.Train[0], c.Train[1], c.Train[2], c.Test[0], c.Test[1], c.Test[2])
	for _, f := range c.Fit {
		p.f("  %s: penalty %g of n-grams, %d features, cross-validated AUC %.4f (lexicon %.4f), F1 of negative %.3f\n", f.Language, f.Penalty, f.Features, f.AUC, f.LexiconAUC, f.F1)
	}
	p.head()
	p.figures(&c.Lexicon)
	if c.Learnt != nil {
		p.figures(c.Learnt)
	}
	p.f("  gain     %+.4f [%+.4f, %+.4f]\n", c.Gain, c.GainOver[0], c.GainOver[1])
}

func (p *printer) head() {
	p.f("  %-8s %-24s %-15s %-15s %-9s %-7s %-7s %s\n", "", "AUC", "F1 neg/pos, .5", "F1 neg/pos, cut", "cut", "Brier", "ECE", "unread")
}

func (p *printer) figures(f *Figures) {
	name, _, _ := strings.Cut(f.Model, "/")
	p.f("  %-8s %.4f [%.4f, %.4f]  %.3f   %.3f   %.3f   %.3f   %.3f     %.4f  %.4f  %d\n", name, f.AUC, f.Interval[0], f.Interval[1],
		f.F1Middle[0], f.F1Middle[1], f.F1[0], f.F1[1], f.Threshold, f.Brier, f.ECE, f.Unread)
}
