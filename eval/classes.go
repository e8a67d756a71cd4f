package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/lectern-dev/lectern"
)

// Class is a kind of query, by what is typed.
type Class string

// The classes of queries. Of a title that is still being typed, 3, 5 and 8
// letters are those of its most specific word, for few begin with
// "Introduction to"; 60 % are of the whole title.
const (
	ClassTitle     Class = "title" // an exact title
	ClassTitle3    Class = "title-3"
	ClassTitle5    Class = "title-5"
	ClassTitle8    Class = "title-8"
	ClassTitle60   Class = "title-60%"
	ClassTitleTypo Class = "title-typo"
	ClassSkill     Class = "skill"
	ClassSkill3    Class = "skill-3"
	ClassSkill5    Class = "skill-5"
	ClassSkill8    Class = "skill-8"
	ClassSkill60   Class = "skill-60%"
	ClassSkillTypo Class = "skill-typo"
	ClassQuestion  Class = "question" // a natural question, from a file
	ClassLanguage  Class = "language" // a title in another language than most, without accents
)

// GeneratedClasses lists the classes that are made from a catalogue, in the
// order of reports.
func GeneratedClasses() []Class {
	return []Class{
		ClassTitle, ClassTitle3, ClassTitle5, ClassTitle8, ClassTitle60, ClassTitleTypo,
		ClassSkill, ClassSkill3, ClassSkill5, ClassSkill8, ClassSkill60, ClassSkillTypo, ClassLanguage,
	}
}

// ClassSet is the queries of one class with their judgements.
type ClassSet struct {
	Class Class
	QuerySet
	Qrels Qrels
}

// ClassOptions says how classes are made from a catalogue.
type ClassOptions struct {
	Sample int    // titles a class at most; 0 is all
	Seed   uint64 // of the sample and of the typos
}

// Classes makes the queries of the given classes from a catalogue. Classes that
// the catalogue has no query for are left out: courses without skills, or all in
// one language. All of a report's classes are to be searched in the same text,
// so all of them say that skills must be left out of it when one does. Errors:
// CodeInvalid for a class that is not made from a catalogue.
func Classes(courses []lectern.Course, want []Class, o ClassOptions) ([]ClassSet, error) {
	titles, titleRels := TitleQueries(courses, o.Sample, o.Seed)
	skills, skillRels := SkillQueries(courses)
	var specific *Specificity
	var out []ClassSet
	for _, class := range want {
		if strings.HasPrefix(string(class), "title-") && specific == nil {
			specific = NewSpecificity(courses, lectern.FieldSkills)
		}
		var set QuerySet
		rels := titleRels
		switch class {
		case ClassTitle:
			set = titles
		case ClassTitle3:
			set = specific.SpecificPrefixes(titles, 3)
		case ClassTitle5:
			set = specific.SpecificPrefixes(titles, 5)
		case ClassTitle8:
			set = specific.SpecificPrefixes(titles, 8)
		case ClassTitle60:
			set = Prefixes(titles)
		case ClassTitleTypo:
			set = Typos(titles, o.Seed)
		case ClassLanguage:
			set, rels = LanguageQueries(courses, o.Sample, o.Seed)
		default:
			if set = skillVariant(class, skills, o.Seed); set.Queries == nil && !slices.Contains(GeneratedClasses(), class) {
				return nil, lectern.Errorf(lectern.CodeInvalid, "class %q is not made from a catalogue", class)
			}
			rels = skillRels
		}
		if len(set.Queries) > 0 {
			out = append(out, ClassSet{Class: class, QuerySet: set, Qrels: rels})
		}
	}
	return out, nil
}

func skillVariant(class Class, skills QuerySet, seed uint64) QuerySet {
	switch class {
	case ClassSkill:
		return skills
	case ClassSkill3:
		return Cut(skills, 3)
	case ClassSkill5:
		return Cut(skills, 5)
	case ClassSkill8:
		return Cut(skills, 8)
	case ClassSkill60:
		return Prefixes(skills)
	case ClassSkillTypo:
		return Typos(skills, seed)
	}
	return QuerySet{}
}

// LeaveOut returns the fields that must be left out of the searched text because
// the judgements of any of the sets were made from them.
func LeaveOut(sets []ClassSet) []lectern.CourseField {
	var out []lectern.CourseField
	for _, s := range sets {
		for _, f := range s.QuerySet.LeaveOut {
			if !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// ClassReport is the quality of rankers by class of queries.
type ClassReport struct {
	Classes []ClassScore `json:"classes"`
}

// ClassScore is one class of a report.
type ClassScore struct {
	Class   Class `json:"class"`
	Queries int   `json:"queries"` // that have a relevant course
	Report
}

// SearchClasses runs Search on every set. Errors are those of Search, naming the
// class.
func SearchClasses(ctx context.Context, rankers []SearchRanker, sets []ClassSet) (ClassReport, error) {
	var out ClassReport
	for _, s := range sets {
		r, err := Search(ctx, rankers, s.Queries, s.Qrels)
		if err != nil {
			return out, fmt.Errorf("class %s: %w", s.Class, err)
		}
		out.Classes = append(out.Classes, ClassScore{Class: s.Class, Queries: r.Queries, Report: r})
	}
	return out, nil
}

// WriteTable prints the report for people.
func (r ClassReport) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "class\tqueries\tranker\tnDCG@10\tMRR@10\tRecall@50\tms/query\t\n")
	for _, c := range r.Classes {
		for _, s := range c.Rankers {
			fmt.Fprintf(t, "%s\t%d\t%s\t%.4f\t%.4f\t%.4f\t%.3f\t\n", c.Class, c.Queries, s.Name, s.NDCG, s.MRR, s.Recall, s.MS)
		}
	}
	return t.Flush()
}

// WriteGains prints, by class, what every ranker gains over the first: means over
// the queries with 95 % intervals from a paired bootstrap.
func (r ClassReport) WriteGains(w io.Writer, seed uint64) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "class\tgain of\tover\tnDCG@10\t95 %%\tMRR@10\t95 %%\tRecall@50\t95 %%\t\n")
	for _, c := range r.Classes {
		for i, s := range c.Rankers[min(1, len(c.Rankers)):] {
			fmt.Fprintf(t, "%s\t%s\t%s", c.Class, s.Name, c.Rankers[0].Name)
			for _, figure := range figures() {
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				g := PairedBootstrap(column(s, figure), column(c.Rankers[0], figure), gainResamples, rng)
				fmt.Fprintf(t, "\t%+.4f\t[%+.4f, %+.4f]", g.Mean, g.Low, g.High)
			}
			fmt.Fprintf(t, "\t\n")
		}
	}
	return t.Flush()
}

// gainResamples is how often the queries are drawn anew for an interval.
const gainResamples = 2000

// figures are what is measured of an answer, in the order of the tables.
func figures() []func(QueryScore) float64 {
	return []func(QueryScore) float64{
		func(q QueryScore) float64 { return q.NDCG },
		func(q QueryScore) float64 { return q.MRR },
		func(q QueryScore) float64 { return q.Recall },
	}
}

func column(s RankerScore, of func(QueryScore) float64) []float64 {
	out := make([]float64, len(s.PerQuery))
	for i, q := range s.PerQuery {
		out[i] = of(q)
	}
	return out
}

// WriteJSON prints the report for programs.
func (r ClassReport) WriteJSON(w io.Writer) error {
	if r.Classes == nil {
		r.Classes = []ClassScore{}
	}
	return json.NewEncoder(w).Encode(r)
}
