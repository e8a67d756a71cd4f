package rerank

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Facts are what scoring needs to know of a course, whoever asks. They are
// shared between lists: read only.
type Facts struct {
	ID          string
	Title       string
	Level       lectern.Level
	Hours       *float64 // total workload; nil is unknown
	Language    string   // as the course states it
	Languages   []string // lectern.LanguageKeys of it
	Provider    string   // folded
	TitleKey    uint64   // TitleKey of title and provider; 0 is to be found out
	Category    string   // the broadest one, folded
	PublishedAt time.Time
	FreshAt     time.Time // the later of publication and last substantial update; zero is unknown
	RatingMean  float64   // stars
	RatingCount int       // 0 is unrated, or a mean whose count is not known
	// RatingWeight is how many ratings the mean weighs as; 0 is unrated.
	RatingWeight float64
	Popularity   Signal
	// Recent are the ratings with each of RatingHalfLives but the first, decayed to
	// RecentAt; a weight of 0 is none, and then RatingMean stands in.
	Recent   [4]RecentRating
	RecentAt time.Time
	// What reviews say: the mean of SentimentWeight reviews, in [0, 1]; 0 is none.
	Sentiment       float64
	SentimentWeight float64
	Views           float64  // recent ones, decayed; how often it was shown
	Skills          []string // FoldKeys of what it teaches, for rules
	Categories      []string // folded, for rules
	Needs           []string // ids of the direct prerequisites
}

// RecentRating is a mean of decayed ratings.
type RecentRating struct {
	Weight float64 // ratings it weighs as
	Mean   float64 // stars
}

// Signal is a measured value in [0, 1], or unknown.
type Signal struct {
	Value float64
	Known bool
}

// Known makes a Signal, clamped to [0, 1]. What is not a number is unknown.
func Known(v float64) Signal {
	if v != v {
		return Signal{}
	}
	return Signal{Value: min(max(v, 0), 1), Known: true}
}

// Match is how well two things agree, as a cosine: 1 is the same, 0 is nothing in
// common, below 0 is opposed; or unknown.
type Match struct {
	Value float64
	Known bool
}

// Matched makes a Match, clamped to [-1, 1]. What is not a number is unknown.
func Matched(v float64) Match {
	if v != v {
		return Match{}
	}
	return Match{Value: min(max(v, -1), 1), Known: true}
}

// Candidate is one course on its way into a list, with what was measured of it
// for this request.
type Candidate struct {
	Course     *Facts
	Sources    []string // candidate sources that brought it, best first
	Relevance  Signal   // fused score of words and meaning; search only
	Skills     Signal   // how well it teaches the skills that the query asks for; unknown when it asks for none
	ExactTitle bool     // the query is the course's title
	Similarity Match    // cosine to the learner's taste, or to the course of SurfaceSimilar
	Interest   Match    // best match among the stated interests and the goal
	Readiness  Signal   // share of the direct prerequisites that the learner has completed or is at; unknown when there are none
	Missing    []string // ids of the other ones
	// Collaborative is what others' behaviour says: how the model ranks the course for
	// the learner, or, of SurfaceSimilar, how often the same people take both.
	Collaborative Signal
	Away          Match  // cosine to what the learner turned down
	Trend         Signal // how much it gains on its own past
	Complement    Signal // how surely it comes after what the learner took, or after the course asked about
	// Vector is the course's content vector, of unit length; nil is unknown.
	Vector []float32
	// Goal is the share of the skills that the goal asks for and the learner lacks
	// which the course teaches, the more important ones weighing more; unknown without
	// a goal. GoalSkills are their names.
	Goal       Signal
	GoalSkills []string
	Novelty    Signal // 1 − the highest cosine to what the learner has taken or looked at
	// Starters are the similar learners who started the course, or all of them where no
	// similar one did, and Finishers those of them who finished.
	Starters   float64
	Finishers  float64
	Alike      bool     // Starters are similar learners, not all of them
	HoursLeft  *float64 // of a course under way; nil is all of Course.Hours
	Interested int      // which of Request.Shares it serves, from 1 on; 0 is none
	// Lead is a reason that comes before all others; nil is none.
	Lead *lectern.Reason
	// What the signals came from, for reasons.
	InterestText string   // the interest that matched best
	InterestGoal bool     // ... is the learner's goal
	NearestID    string   // the course the learner liked, or asked about, that is nearest
	NearestTitle string   //
	NearestSim   float64  // cosine to it
	MatchedTerms []string // words of the query that the course's title, skills or categories hold
	Mentioned    []string // words of the query that its whole text holds
	Skill        string   // name of the skill that says most for Skills
	FollowsID    string   // the course that Complement is about
	FollowsTitle string   //
	TwinOf       string   // the completed course that it teaches again
}

// Request is what scoring needs to know beside the candidates.
type Request struct {
	Surface     lectern.Surface
	At          time.Time
	Level       lectern.Level // wanted; "" is unknown
	WeeklyHours *float64      // time the learner has; nil is unknown
	Languages   []string      // wanted, as lectern.LanguageKeys; none is unknown
	// Assumed says that level, hours and languages were not stated by anybody, but
	// estimated, or taken from the course asked about: good to rank by, not to give
	// as a reason.
	LevelAssumed     bool
	HoursAssumed     bool
	LanguagesAssumed bool
	// Shares are the parts that the learner's interests have in their attention; they
	// sum to 1. With two or more the head of a home list keeps to them.
	Shares []float64
	// Mix is what the learner takes, in shares that sum to 1; nil where too little is
	// known.
	Mix *Mix
	Row lectern.Row // of SurfaceHome; the list without a row is RowForYou
	Who Who
	// Preferences are what the learner wants more or less of.
	Preferences map[lectern.Preference]lectern.Leaning
	// FinishRate is the share of starters in the catalogue who finish; 0 is unknown.
	FinishRate float64
	// ViewsMean is the mean of Facts.Views in the catalogue; 0 is unknown: nobody logs
	// what was shown.
	ViewsMean float64
	// PopularityMiddle is the median of Facts.Popularity in the catalogue; 0 is unknown.
	PopularityMiddle float64
	// SentimentMean is the mean sentiment of the catalogue's reviews; 0 is unknown.
	SentimentMean float64
	// Likely are the languages that most of the catalogue is in, as
	// lectern.LanguageKeys: a mild guess while no language is known.
	Likely     []string
	Query      string  // search only
	RatingMean float64 // stars, mean of the catalogue; 0 when nothing is rated
	Depth      int     // how many are wanted; 0 is all
}

// Mix is in which shares a learner takes courses, by folded name.
type Mix struct {
	Categories map[string]float64
	Providers  map[string]float64
	Levels     map[lectern.Level]float64
}

// Scored is one candidate in its place.
type Scored struct {
	Index   int     // into the candidates
	Score   float64 // Σ weight × value, and what rules adjusted
	Values  []float64
	Reasons []lectern.Reason

	Adjusted   []lectern.Term // what rules added or took, one each
	Pinned     string         // id of the rule that put it in its place
	Duplicates []int          // candidates that were left out for it
}

// Ranked is a list in order.
type Ranked struct {
	Terms []lectern.TermWeight // beside Scored.Values; as they were for this request
	Items []Scored
}

// Reranker puts candidates in order. Implementations are pure: the same input
// gives the same list.
type Reranker interface {
	// Version names the settings; it changes when any of them does.
	Version() string
	// Pins returns ids of courses that rules pin for this request: they are to be among
	// the candidates if they may be shown, whatever the sources bring.
	Pins(req Request) []string
	// Rerank returns the first Depth candidates, best first.
	Rerank(req Request, candidates []Candidate) Ranked
}

// Source gives the reranker in use, which may be another one for every request.
type Source interface{ Reranker() Reranker }

// Always is a Source of one reranker.
type Always struct{ R Reranker }

// Reranker returns it.
func (a Always) Reranker() Reranker { return a.R }

// Explain lays values out as terms with their contributions, followed by what rules
// adjusted: they sum to the score. It returns nil when the values do not belong to
// these terms.
func Explain(terms []lectern.TermWeight, values []float64, adjusted []lectern.Term) []lectern.Term {
	if len(values) != len(terms) {
		return nil
	}
	out := make([]lectern.Term, len(terms), len(terms)+len(adjusted))
	for i, t := range terms {
		out[i] = lectern.Term{Name: t.Name, Weight: t.Weight, Value: values[i], Contribution: t.Weight * values[i]}
	}
	return append(out, adjusted...)
}
