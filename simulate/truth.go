package simulate

import (
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
)

// place is one item of a list with what is true of it.
type place struct {
	Position  int     `json:"position"`
	CourseID  string  `json:"course_id"`
	Attention float64 `json:"attention"` // chance of a look
	Chances
	Seen     bool `json:"seen,omitempty"`
	Clicked  bool `json:"clicked,omitempty"`
	Enrolled bool `json:"enrolled,omitempty"`
}

// The lines of the truth, told apart by their kind.
type (
	learnerLine struct {
		Kind string `json:"kind"` // learner
		demo.LearnerTruth
		Visits float64 `json:"visits_per_day"`
	}
	courseLine struct {
		Kind string `json:"kind"` // course
		demo.CourseTruth
		Hours     float64    `json:"hours"`
		New       *time.Time `json:"new,omitempty"` // when it came, of those that came late
		Relevance int        `json:"fits"`          // visiting learners whom it fits, at the start
	}
	listLine struct {
		Kind      string          `json:"kind"` // list
		RankingID string          `json:"ranking_id"`
		LearnerID string          `json:"learner_id"`
		At        time.Time       `json:"at"`
		Day       int             `json:"day"` // from 1
		Surface   lectern.Surface `json:"surface"`
		Row       lectern.Row     `json:"row,omitempty"`
		Value     float64         `json:"value"` // expected reward of the list: of each place attention × value of a look
		Places    []place         `json:"places"`
	}
)

// tellWorld writes the truth of learners and courses.
func (s *Simulation) tellWorld() error {
	fits := s.fits()
	for id, c := range s.courses {
		if c.isNew {
			s.news[id] = &newCourse{course: c, fits: fits[id], good: c.truth.Quality >= GoodQuality, by: map[string]bool{}}
		}
	}
	if s.truth == nil {
		return nil
	}
	for _, l := range s.learners {
		if err := s.truth.Encode(learnerLine{Kind: "learner", LearnerTruth: l.truth, Visits: l.rate}); err != nil {
			return err
		}
	}
	for _, c := range s.inOrder() {
		line := courseLine{Kind: "course", CourseTruth: c.truth, Hours: c.hours, Relevance: fits[c.ID]}
		if c.isNew {
			line.New = c.PublishedAt
		}
		if err := s.truth.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func (v *visit) tellList(surface lectern.Surface, row lectern.Row, rankingID string, places []place) error {
	if v.truth == nil {
		return nil
	}
	line := listLine{
		Kind: "list", RankingID: rankingID, LearnerID: v.learner.ref.ID, At: v.now(v.at), Day: v.day + 1,
		Surface: surface, Row: row, Places: places,
	}
	for _, p := range places {
		line.Value += p.Attention * p.Value
	}
	return v.truth.Encode(line)
}
