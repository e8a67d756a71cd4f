package demo

import (
	"math"
	"time"
)

// Truth is the hidden state behind a platform. It is for evaluation and
// simulation only: no model or ranker may read it.
type Truth struct {
	Topics   []TopicTruth
	Courses  []CourseTruth  // beside Platform.Courses
	Learners []LearnerTruth // beside Platform.Learners
}

// TopicTruth is the hidden side of a topic.
type TopicTruth struct {
	Name    string   `json:"name"`
	Subject string   `json:"subject"`
	Trend   float64  `json:"trend"`            // [-1, 1]
	Season  *float64 `json:"season,omitempty"` // month of the yearly peak, [0, 12)
	Needs   []string `json:"needs,omitempty"`  // topics to take first
}

// CourseTruth is the hidden side of a course.
type CourseTruth struct {
	ID         string             `json:"id"`
	Topic      string             `json:"topic"`
	Level      int                `json:"level"`      // 0 beginner, 1 intermediate, 2 advanced, 3 mixed
	Quality    float64            `json:"quality"`    // standard normal
	Popularity float64            `json:"popularity"` // Pareto, ≥ 0
	Aspects    map[string]float64 `json:"aspects"`    // teaching, content, pace, assignments, support, value
	Closed     *time.Time         `json:"closed,omitempty"`
}

// LearnerTruth is the hidden side of a learner.
type LearnerTruth struct {
	ID          string          `json:"id"`
	AnonymousID string          `json:"anonymous_id,omitempty"` // before the first sign-in
	Interests   []InterestTruth `json:"interests"`
	WeeklyHours float64         `json:"weekly_hours"`
	Diligence   float64         `json:"diligence"` // standard normal
	Language    string          `json:"language"`
}

// InterestTruth is one latent topic of a learner.
type InterestTruth struct {
	Topic  string  `json:"topic"`
	Weight float64 `json:"weight"` // a learner's weights sum to 1
	Level  float64 `json:"level"`  // 0 beginner to 2 advanced, on joining
}

func newTruth(c *catalogue, people *population) Truth {
	var out Truth
	for _, t := range c.banks.topics {
		tt := TopicTruth{Name: t.name, Subject: t.subject.name, Trend: t.trend, Needs: t.needed}
		if t.season >= 0 {
			season := t.season
			tt.Season = &season
		}
		out.Topics = append(out.Topics, tt)
	}
	out.Courses = make([]CourseTruth, len(c.courses))
	for i := range c.latent {
		l := &c.latent[i]
		ct := CourseTruth{
			ID: c.courses[i].ID, Topic: l.topic.name, Level: l.level, Quality: l.quality, Popularity: l.popularity,
			Aspects: make(map[string]float64, len(aspects)),
		}
		for a, name := range aspects {
			ct.Aspects[name] = l.aspects[a]
		}
		if !l.closed.IsZero() {
			closed := l.closed
			ct.Closed = &closed
		}
		out.Courses[i] = ct
	}
	out.Learners = make([]LearnerTruth, len(people.learners))
	for i := range out.Learners {
		l := &people.latent[i]
		lt := LearnerTruth{ID: l.id, AnonymousID: l.anonymous, WeeklyHours: l.weekly, Diligence: l.diligence, Language: "en"}
		if l.lang != nil {
			lt.Language = l.lang.tag
		}
		for _, in := range l.interests {
			lt.Interests = append(lt.Interests, InterestTruth{Topic: in.topic.name, Weight: in.weight, Level: in.level})
		}
		out.Learners[i] = lt
	}
	return out
}

// Relevance is how much a learner wants a course, in [0, 1]: the weight of the
// interest that it serves (by topic) × e^(-gap²) × a logistic of its quality. It
// is zero outside the learner's own topics.
func Relevance(l LearnerTruth, c CourseTruth) float64 {
	for _, in := range l.Interests {
		if in.Topic != c.Topic {
			continue
		}
		gap := 0.0
		if c.Level != mixed {
			gap = float64(c.Level) - in.Level
		}
		return in.Weight * math.Exp(-gap*gap) / (1 + math.Exp(-c.Quality))
	}
	return 0
}
