package recs

import (
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern/ml/cf"
)

// Set is what is learnt from and what is asked: the same for every model.
type Set struct {
	Train    *cf.Data
	Cases    []Case
	Protocol Protocol
	Data     Counts
}

// Case is one list that is asked for, with what a good one holds.
type Case struct {
	Learner string
	Group   int32      // the learner's number: cases of one learner are no independent evidence
	History cf.History // what is known of the learner; empty for one who is new
	Exclude []int32    // courses that cannot be in the list: the learner has taken them
	Truth   []int32    // courses held back that the training data knows
	Unknown []string   // and those that it does not: no model can find them
	// Candidates are all that is ranked, Truth among them; nil is every course.
	Candidates []int32
}

// Relevant is how many courses a perfect list would hold, had it room.
func (c Case) Relevant() int { return len(c.Truth) + len(c.Unknown) }

// Protocol says how lists were made and judged, for people and programs.
type Protocol struct {
	Name    string   `json:"name"` // given, time, last or fraction
	Split   string   `json:"split"`
	Order   string   `json:"order"` // what the order of a learner's rows was taken for
	Ordered bool     `json:"ordered"`
	Sampled bool     `json:"sampled"` // ranked among given negatives alone
	Ranking string   `json:"ranking"`
	Notes   []string `json:"notes,omitempty"`
}

// protocolGiven is the name of the protocol where files say what is held back.
const protocolGiven = "given"

// The two ways to rank.
const (
	rankingFull    = "full: all courses of the training data that the learner has not taken"
	rankingSampled = "SAMPLED: only the given negatives and the one course that was held back; the figures cannot be compared with those of full ranking"
)

// Counts describe the data.
type Counts struct {
	Learners int `json:"learners"` // in the training data
	Courses  int `json:"courses"`
	Events   int `json:"events"` // learner–course pairs to learn from
	Cases    int `json:"cases"`  // lists that were judged
	Held     int `json:"held_back"`
	// Of the rows held back: of courses that the training data does not know, which
	// count as misses, and of courses that the learner has taken before, which are
	// left out.
	UnknownCourses int `json:"held_back_of_unknown_courses"`
	Again          int `json:"held_back_taken_before"`
	ColdLearners   int `json:"learners_without_history"` // judged, though nothing is known of them
	Skipped        int `json:"learners_without_test"`    // learnt from, but not judged
	Repeats        int `json:"repeated_rows"`            // rows whose pair was there before: the first counts
	// Of given negatives: rows held back that have none, negatives that are the
	// course held back itself, and negatives that the training data does not know.
	WithoutNegatives int `json:"held_back_without_negatives,omitempty"`
	SelfNegatives    int `json:"negatives_equal_to_their_positive,omitempty"`
	UnknownNegatives int `json:"unknown_negatives,omitempty"`

	From, Until  time.Time `json:"-"`
	Problems     Problems  `json:"-"`
	TestProblems Problems  `json:"-"`
}

// set numbers the courses that the training part knows and makes the cases.
func (p parted) set(protocol Protocol) (*Set, error) {
	protocol.Ranking = rankingFull
	s := &Set{Train: &cf.Data{Ordered: protocol.Ordered}, Protocol: protocol}
	s.Data.Problems, s.Data.Repeats = p.Problems, p.Repeats
	if p.Events {
		s.Data.Repeats = 0 // several events about one course are what events are
	}
	s.Data.From, s.Data.Until = p.span()
	known := make([]int32, len(p.Items)) // log item → item of the training data
	for i := range known {
		known[i] = -1
	}
	for _, rows := range p.before {
		for _, r := range rows {
			known[r.Item] = 0
		}
	}
	for i := range known {
		if known[i] == 0 {
			known[i] = int32(len(s.Train.Items))
			s.Train.Items = append(s.Train.Items, p.Items[i])
		}
	}
	for i := range p.Learners {
		p.addLearner(s, i, known)
	}
	s.Data.Learners, s.Data.Courses, s.Data.Events = len(s.Train.Histories), len(s.Train.Items), s.Train.Events()
	s.Data.Cases = len(s.Cases)
	if s.Data.Events == 0 {
		return nil, invalid("nothing is left to learn from")
	}
	if len(s.Cases) == 0 {
		return nil, p.untested(protocol)
	}
	return s, nil
}

// untested says why nobody can be tested.
func (p parted) untested(protocol Protocol) error {
	rows, known, learners := 0, 0, 0
	for _, after := range p.after {
		had := known
		for _, r := range after {
			rows++
			if r.Wanted {
				known++ // or there would be a case
			}
		}
		if known > had {
			learners++
		}
	}
	switch {
	case rows == 0 && protocol.Name == protocolGiven:
		return invalid("nothing is left to test on: there is no test row that can be read")
	case rows == 0:
		return invalid("nothing is held back to test on: %s", protocol.Split)
	case known == rows:
		return invalid("nothing is left to test on: all %d rows held back, of %d learners, are in the training history already", rows, learners)
	}
	return invalid("nothing is left to test on: of %d rows held back, %d, of %d learners, are in the training history already and %d tell of no course taken",
		rows, known, learners, rows-known)
}

// addLearner adds what one learner leaves to learn from and to test on.
func (p parted) addLearner(s *Set, i int, known []int32) {
	history, taken := historyOf(p.before[i], known)
	if len(history) > 0 {
		s.Train.Histories = append(s.Train.Histories, history)
		s.Train.Learners = append(s.Train.Learners, strings.TrimPrefix(p.Learners[i], visitorPrefix))
	}
	c := Case{Learner: strings.TrimPrefix(p.Learners[i], visitorPrefix), Group: int32(i), History: history, Exclude: taken}
	seen := make(map[int32]bool)
	for _, r := range p.after[i] {
		if !r.Wanted || seen[r.Item] {
			continue
		}
		seen[r.Item] = true
		item := known[r.Item]
		switch {
		case item < 0:
			c.Unknown = append(c.Unknown, p.Items[r.Item])
			s.Data.UnknownCourses++
		case slices.Contains(taken, item):
			s.Data.Again++
		default:
			c.Truth = append(c.Truth, item)
		}
	}
	if c.Relevant() == 0 {
		if len(history) > 0 {
			s.Data.Skipped++
		}
		return
	}
	s.Data.Held += c.Relevant()
	if len(history) == 0 {
		s.Data.ColdLearners++
	}
	s.Cases = append(s.Cases, c)
}

// historyOf turns rows, oldest first, into a history, and into the courses that are
// not offered again. A course is in the history at its first mention, as strong as
// the strongest; one that was dropped or dismissed after all else is not.
func historyOf(rows []Row, known []int32) (h cf.History, taken []int32) {
	at := make(map[int32]int, len(rows))
	off := make(map[int32]bool)
	for _, r := range rows {
		item := known[r.Item]
		if r.Taken && !off[item] {
			off[item] = true
			taken = append(taken, item)
		}
		n, ok := at[item]
		switch {
		case !ok:
			at[item] = len(h)
			h = append(h, cf.Interaction{Item: item, Weight: max(r.Weight, 0), At: r.At})
		case r.Weight <= 0:
			h[n].Weight = 0
		default:
			h[n].Weight = max(h[n].Weight, r.Weight)
		}
	}
	h = slices.DeleteFunc(h, func(i cf.Interaction) bool { return i.Weight <= 0 })
	return slices.Clip(h), slices.Clip(taken)
}
