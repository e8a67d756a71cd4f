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
	Held      HoldStatus `json:"-"` // see HeldReview; the store fills it in and takes it from nobody
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

// MeanRating is the mean rating of a course that lists and course pages go by, its
// weight in ratings, and how many there are: of known and stated ratings those with
// more behind them, because a stated total usually includes the known ones. A mean
// stated without a count stands for uncounted ratings. Without any rating all are 0.
func MeanRating(known CourseStats, stated StatedStats, uncounted float64) (mean, weight float64, count int) {
	mean, weight, count = known.RatingMean, float64(known.RatingCount), known.RatingCount
	if stated.RatingMean <= 0 {
		return mean, weight, count
	}
	statedWeight := float64(stated.RatingCount)
	if stated.RatingCount == 0 {
		statedWeight = uncounted
	}
	if statedWeight > weight {
		return stated.RatingMean, statedWeight, stated.RatingCount
	}
	return mean, weight, count
}
