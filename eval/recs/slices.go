package recs

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Slice is a part of the cases, or of the courses held back, that is judged by
// itself.
type Slice struct {
	By    string `json:"by"` // history, course, category, age or region
	Name  string `json:"name"`
	Cases int    `json:"cases"`
	Held  int    `json:"held_back"` // courses held back that count

	cases []int32               // that are in the slice
	keep  func(item int32) bool // which courses held back count; nil is all
	// unknown is how many of those count that the training data does not know.
	unknown func(c *Case) int
}

// SliceScore is what a model found of a slice.
type SliceScore struct {
	By     string  `json:"by"`
	Name   string  `json:"name"`
	Cases  int     `json:"cases"`
	Held   int     `json:"held_back"`
	Recall float64 `json:"recall"`
	Hit    float64 `json:"hit_rate"`
	NDCG   float64 `json:"ndcg"`
}

// maxNamed bounds the categories and regions that have a slice of their own.
const maxNamed = 12

// band is a range of counts with its name.
type band struct {
	from, to int
	name     string
}

// The bands of history lengths, and of how many learners took a course.
var (
	historyBands = []band{{0, 0, "no history"}, {1, 2, "1–2"}, {3, 5, "3–5"}, {6, 10, "6–10"}, {11, math.MaxInt, "11 and more"}}
	coldBands    = []band{{0, 0, "not in training"}, {1, 5, "1–5 learners"}, {6, 20, "6–20 learners"}, {21, 100, "21–100 learners"}, {101, math.MaxInt, "more than 100"}}
)

func bandOf(bands []band, n int) int {
	return slices.IndexFunc(bands, func(b band) bool { return b.from <= n && n <= b.to })
}

// slicesOf parts the cases.
func slicesOf(s *Set, o Options, takers []int) []Slice {
	out := s.byHistory()
	out = append(out, s.byColdness(takers)...)
	out = append(out, s.byCategory(o.Courses)...)
	out = append(out, s.byPerson("age", o.Learners, func(p Person) string { return p.ageBand(o.Year) })...)
	out = append(out, s.byPerson("region", o.Learners, func(p Person) string { return p.Region })...)
	return slices.DeleteFunc(out, func(p Slice) bool { return len(p.cases) == 0 })
}

func (s *Set) byHistory() []Slice {
	out := make([]Slice, len(historyBands))
	for i, b := range historyBands {
		out[i] = Slice{By: "history", Name: b.name}
	}
	for i := range s.Cases {
		p := &out[bandOf(historyBands, len(s.Cases[i].History))]
		p.cases = append(p.cases, int32(i))
		p.Held += s.Cases[i].Relevant()
	}
	return counted(out)
}

// byColdness parts the courses held back by how many learners took them in training.
func (s *Set) byColdness(takers []int) []Slice {
	out := make([]Slice, 0, len(coldBands))
	for n, b := range coldBands {
		out = append(out, s.byItem("course", b.name, func(item int32) bool { return bandOf(coldBands, takers[item]) == n },
			func(c *Case) int {
				if n == 0 {
					return len(c.Unknown)
				}
				return 0
			}))
	}
	return counted(out)
}

// byItem keeps the courses held back that keep says, and of the unknown ones as many
// as unknown says.
func (s *Set) byItem(by, name string, keep func(int32) bool, unknown func(*Case) int) Slice {
	p := Slice{By: by, Name: name, keep: keep, unknown: unknown}
	for i := range s.Cases {
		c := &s.Cases[i]
		n := unknown(c)
		for _, item := range c.Truth {
			if keep(item) {
				n++
			}
		}
		if n > 0 {
			p.cases = append(p.cases, int32(i))
			p.Held += n
		}
	}
	return p
}

func (s *Set) byCategory(courses *Courses) []Slice {
	if courses == nil {
		return nil
	}
	of, names := courses.categories(s.Train.Items)
	var out []Slice
	for n, name := range names {
		out = append(out, s.byItem("category", name, func(item int32) bool { return contains(of[item], int32(n)) },
			func(c *Case) int {
				sum := 0
				for _, id := range c.Unknown {
					if slices.Contains(courses.Categories[id], name) {
						sum++
					}
				}
				return sum
			}))
	}
	return largest(counted(out))
}

func (s *Set) byPerson(by string, people map[string]Person, of func(Person) string) []Slice {
	if len(people) == 0 {
		return nil
	}
	at := make(map[string]int)
	var out []Slice
	for i := range s.Cases {
		name := of(people[s.Cases[i].Learner])
		if name == "" {
			name = "unknown"
		}
		n, ok := at[name]
		if !ok {
			n = len(out)
			at[name] = n
			out = append(out, Slice{By: by, Name: name})
		}
		out[n].cases = append(out[n].cases, int32(i))
		out[n].Held += s.Cases[i].Relevant()
	}
	if len(out) == 1 && out[0].Name == "unknown" {
		return nil
	}
	return largest(counted(out))
}

func counted(all []Slice) []Slice {
	for i := range all {
		all[i].Cases = len(all[i].cases)
	}
	return all
}

// largest keeps the slices with the most cases, in the order of their names.
func largest(all []Slice) []Slice {
	slices.SortStableFunc(all, func(a, b Slice) int {
		return cmp.Or(cmp.Compare(b.Cases, a.Cases), strings.Compare(a.Name, b.Name))
	})
	all = all[:min(len(all), maxNamed)]
	slices.SortFunc(all, func(a, b Slice) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// score judges the lists of a model within a slice.
func (p Slice) score(s *Set, lists []int32, k int) SliceScore {
	out := SliceScore{By: p.By, Name: p.Name, Cases: p.Cases, Held: p.Held}
	var truth []int32
	for _, i := range p.cases {
		c := &s.Cases[i]
		relevant := c.Relevant()
		truth = append(truth[:0], c.Truth...)
		if p.keep != nil {
			truth = slices.DeleteFunc(truth, func(item int32) bool { return !p.keep(item) })
			relevant = len(truth) + p.unknown(c)
		}
		a := Judge(listOf(lists, int(i), k), truth, relevant, k)
		out.Recall += a.Recall
		out.Hit += a.HitRate
		out.NDCG += a.NDCG
	}
	n := float64(max(len(p.cases), 1))
	out.Recall, out.Hit, out.NDCG = out.Recall/n, out.Hit/n, out.NDCG/n
	return out
}

// listOf cuts the list of a case out of all lists, which are padded with −1.
func listOf(lists []int32, i, k int) []int32 {
	list := lists[i*k : (i+1)*k]
	if end := slices.Index(list, -1); end >= 0 {
		list = list[:end]
	}
	return list
}
