package lectern

import "time"

// MinStars and MaxStars bound every star rating. Stars are kept to a tenth.
const (
	MinStars = 1.0
	MaxStars = 5.0
)

// Review is what one learner wrote about one course.
type Review struct {
	ID        string     `json:"id"` // given, or derived from source, course, learner, time and text
	Source    string     `json:"source,omitempty"`
	CourseID  string     `json:"course_id"`
	LearnerID string     `json:"learner_id,omitempty"` // external id; "" is unknown
	Stars     *float64   `json:"stars,omitempty"`      // in [MinStars, MaxStars]
	Text      string     `json:"text,omitempty"`
	Language  string     `json:"language,omitempty"` // BCP 47
	Helpful   int        `json:"helpful,omitempty"`  // votes
	WrittenAt *time.Time `json:"written_at,omitempty"`
}

// Rating is one star rating without text. It has no id of its own: it is the
// Occurrence-th rating with these stars for this course on this day from this
// source, so that the same file read twice changes nothing. A review with stars
// and a rating of the same source, course, day and stars are taken for the same
// act: per such cell the larger of the two counts is what counts.
type Rating struct {
	Source     string    `json:"source,omitempty"`
	CourseID   string    `json:"course_id"`
	Day        time.Time `json:"day"`        // UTC midnight
	Stars      float64   `json:"stars"`      // in [MinStars, MaxStars], to a tenth
	Occurrence int       `json:"occurrence"` // 1 is the first
}

// RatingMonth is one month of a course's rating history.
type RatingMonth struct {
	Month time.Time `json:"month"` // first day, UTC
	Count int       `json:"count"`
	Mean  float64   `json:"mean"` // stars
}
