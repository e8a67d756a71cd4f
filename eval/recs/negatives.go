package recs

import (
	"io"
	"strings"
)

// Negatives are the courses that each held-back course is ranked among.
type Negatives struct {
	of       map[[2]string][]string // by learner and item; item "" is for every item of the learner
	Problems Problems
}

// ReadNegatives reads comma-separated values with the columns user and negatives
// (ids parted by spaces, ; or |) and, where the negatives are those of one course
// held back, item. Errors: CodeInvalid when the file is not of that kind.
func ReadNegatives(r io.Reader) (*Negatives, error) {
	in, end, err := decompressed(r)
	if err != nil {
		return nil, err
	}
	defer end()
	t, err := openTable(in)
	if err != nil {
		return nil, err
	}
	learner, err := t.need(learnerColumn)
	if err != nil {
		return nil, err
	}
	negatives, err := t.need(negColumn)
	if err != nil {
		return nil, err
	}
	item := t.column(itemColumn)
	out := &Negatives{of: make(map[[2]string][]string)}
	err = t.rows(&out.Problems, func(row []string) error {
		who, err := readID("user", row[learner])
		if err != nil {
			return err
		}
		key := [2]string{strings.Clone(who)}
		if item >= 0 {
			if key[1], err = readID("item", row[item]); err != nil {
				return err
			}
			key[1] = strings.Clone(key[1])
		}
		ids := strings.FieldsFunc(strings.Clone(row[negatives]), func(r rune) bool { return r == ' ' || r == ';' || r == '|' || r == '\t' })
		out.of[key] = append(out.of[key], ids...)
		return nil
	})
	if err == nil && len(out.of) == 0 {
		return nil, invalid("the file has no row of negatives that can be read")
	}
	return out, err
}

// find returns the negatives of a course held back.
func (n *Negatives) find(learner, item string) ([]string, bool) {
	ids, ok := n.of[[2]string{learner, item}]
	if !ok {
		ids, ok = n.of[[2]string{learner, ""}]
	}
	return ids, ok
}

// sample makes a case of each row held back, ranked among its negatives. A
// negative that is its own positive is left out (the positive is there once), and so
// is one that the training data does not know: no model can rank it.
func (s *Set) sample(negatives *Negatives) error {
	index := make(map[string]int32, len(s.Train.Items))
	for i, id := range s.Train.Items {
		index[id] = int32(i)
	}
	var cases []Case
	s.Data.ColdLearners, s.Data.UnknownCourses, s.Data.Held = 0, 0, 0
	for _, c := range s.Cases {
		one := func(id string, truth []int32, unknown []string) {
			ids, ok := negatives.find(c.Learner, id)
			if !ok {
				s.Data.WithoutNegatives++
				return
			}
			row := Case{Learner: c.Learner, Group: c.Group, History: c.History, Truth: truth, Unknown: unknown}
			row.Candidates = s.candidates(id, ids, truth, index)
			cases = append(cases, row)
			s.Data.Held++
			s.Data.UnknownCourses += len(unknown)
			if len(c.History) == 0 {
				s.Data.ColdLearners++
			}
		}
		for _, item := range c.Truth {
			one(s.Train.Items[item], []int32{item}, nil)
		}
		for _, id := range c.Unknown {
			one(id, nil, []string{id})
		}
	}
	if len(cases) == 0 {
		return invalid("none of the %d rows held back has negatives", s.Data.WithoutNegatives)
	}
	s.Cases, s.Data.Cases = cases, len(cases)
	s.Protocol.Sampled, s.Protocol.Ranking = true, rankingSampled
	return nil
}

// candidates numbers the negatives of a course, each once, and puts the course
// among them.
func (s *Set) candidates(id string, negatives []string, truth []int32, index map[string]int32) []int32 {
	out := make([]int32, 0, len(negatives)+1)
	out = append(out, truth...)
	seen := make(map[int32]bool, len(negatives)+1)
	for _, neg := range negatives {
		if neg == id {
			s.Data.SelfNegatives++
			continue
		}
		n, ok := index[neg]
		if !ok {
			s.Data.UnknownNegatives++
			continue
		}
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}
