package opinions

import (
	"context"
	"fmt"
	"io"
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
	Classes [3]int         `json:"classes"` // negative, neutral, positive
	Splits  []Comparison   `json:"splits"`
	Skipped []string       `json:"skipped,omitempty"` // splits with too little to learn from
	Attacks []AttackResult `json:"attacks,omitempty"`
	Aspects []ModelAspects `json:"aspects,omitempty"`
	Tables  []TableResult  `json:"tables,omitempty"`
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
		p.f("  %s: penalty %g of n-grams, %d features, cross-validated AUC %.4f (lexicon %.4f)\n", f.Language, f.Penalty, f.Features, f.AUC, f.LexiconAUC)
	}
	p.f("  %-8s %-24s %-7s %-7s %-7s %-7s %s\n", "", "AUC", "F1 neg", "F1 pos", "Brier", "ECE", "unread")
	for _, f := range []*Figures{&c.Lexicon, c.Learnt} {
		if f != nil {
			p.f("  %-8s %.4f [%.4f, %.4f]  %.3f   %.3f   %.4f  %.4f  %d\n", strings.SplitN(f.Model, "/", 2)[0], f.AUC, f.Interval[0], f.Interval[1],
				f.F1[0], f.F1[1], f.Brier, f.ECE, f.Unread)
		}
	}
	p.f("  gain     %+.4f [%+.4f, %+.4f]\n", c.Gain, c.GainOver[0], c.GainOver[1])
}
