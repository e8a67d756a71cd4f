package rerank

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Config is the settings document: what lists are made by. The same document, as JSON,
// is what administrators change at run time; the configuration file holds what is in
// use until they do. Times are in days.
type Config struct {
	Weights     Weights          `koanf:"weights" json:"weights"`
	Disabled    []string         `koanf:"disabled" json:"disabled"` // terms that take no part anywhere, whatever their weights
	Terms       TermConfig       `koanf:"terms" json:"terms"`
	Lists       ListConfig       `koanf:"lists" json:"lists"`
	Preferences PreferenceConfig `koanf:"preferences" json:"preferences"`
	Rules       []Rule           `koanf:"-" json:"rules"`
	Reasons     ReasonConfig     `koanf:"reasons" json:"reasons"`
}

// TermConfig tunes how terms are computed.
type TermConfig struct {
	FreshnessHalfLifeDays float64 `koanf:"freshness_half_life_days" json:"freshness_half_life_days"` // age at which freshness is one half
	RatingPrior           float64 `koanf:"rating_prior" json:"rating_prior"`                         // ratings that the catalogue's mean weighs as
	RatingHalfLifeDays    float64 `koanf:"rating_half_life_days" json:"rating_half_life_days"`       // age at which a rating counts half: 0 (never), 180, 365, 730 or 1460
	SentimentPrior        float64 `koanf:"sentiment_prior" json:"sentiment_prior"`                   // reviews that the catalogue's mean sentiment weighs as
	CompletionPrior       float64 `koanf:"completion_prior" json:"completion_prior"`                 // starters that the catalogue's share of finishers weighs as
	ComfortableWeeks      float64 `koanf:"comfortable_weeks" json:"comfortable_weeks"`               // time_fit is 1 up to so many weeks
	ExposureDays          float64 `koanf:"exposure_days" json:"exposure_days"`                       // creator_exposure: age at which a course is new no longer
	ExposureViews         float64 `koanf:"exposure_views" json:"exposure_views"`                     // creator_exposure: recent views at which a course is shown enough
}

// RatingHalfLives are the half-lives of ratings that may be set, in days; 0 is never.
func RatingHalfLives() []float64 { return []float64{0, 180, 365, 730, 1460} }

// ListConfig tunes how a list is made of scored courses.
type ListConfig struct {
	Diversity        PerSurface `koanf:"diversity" json:"diversity"`                 // maximal marginal relevance: how much likeness to what stands above costs, against 1 − so much for the score
	DiversePlaces    int        `koanf:"diverse_places" json:"diverse_places"`       // how many places that is for
	DuplicatesFrom   float64    `koanf:"duplicates_from" json:"duplicates_from"`     // cosine from which two courses teach the same, and only the better one is listed; over 1 is never
	MaxProviderRun   int        `koanf:"max_provider_run" json:"max_provider_run"`   // home: courses of one provider in a row; 0 is no cap
	MaxCategoryRun   int        `koanf:"max_category_run" json:"max_category_run"`   // home: courses of one category in a row; 0 is no cap
	MaxVarietyLoss   float64    `koanf:"max_variety_loss" json:"max_variety_loss"`   // home: score that breaking up a run may cost at one place
	MaxPerProvider   int        `koanf:"max_per_provider" json:"max_per_provider"`   // courses of one provider among the first limited_places; 0 is no limit
	LimitedPlaces    int        `koanf:"limited_places" json:"limited_places"`       // how many places that is
	Calibration      MixConfig  `koanf:"calibration" json:"calibration"`             // home: how hard the first places keep to the shares of the learner's profile, against score
	CalibratedPlaces int        `koanf:"calibrated_places" json:"calibrated_places"` // home: how many places that is
	DismissedFrom    float64    `koanf:"dismissed_from" json:"dismissed_from"`       // home: cosine to what the learner turned down from which a course that is no nearer to their interests stands behind all others
}

// PerSurface is one amount per surface, each in [0, 1).
type PerSurface struct {
	Home     float64 `koanf:"home" json:"home"`         // of home lists
	Search   float64 `koanf:"search" json:"search"`     // of searches
	Similar  float64 `koanf:"similar" json:"similar"`   // of similar courses
	Next     float64 `koanf:"next" json:"next"`         // of what comes next
	Trending float64 `koanf:"trending" json:"trending"` // of what is trending
}

// MixConfig says how hard a list keeps to each kind of share, each in [0, 1).
type MixConfig struct {
	Interests  float64 `koanf:"interests" json:"interests"`   // to the shares of the learner's interests
	Categories float64 `koanf:"categories" json:"categories"` // to those of the categories they take
	Providers  float64 `koanf:"providers" json:"providers"`   // to those of the providers
	Levels     float64 `koanf:"levels" json:"levels"`         // to those of the levels
}

// PreferenceConfig bounds what a learner's stated preferences change.
type PreferenceConfig struct {
	Popular     Bounds `koanf:"popular" json:"popular"`         // by what popularity and trend are multiplied
	New         Bounds `koanf:"new" json:"new"`                 // by what freshness is multiplied
	Different   Bounds `koanf:"different" json:"different"`     // by what novelty and diversity are multiplied
	Short       Bounds `koanf:"short" json:"short"`             // by what time_fit is multiplied
	Challenging Bounds `koanf:"challenging" json:"challenging"` // by what level_fit is multiplied, for a level below or above the learner's
}

// maxLeaning bounds what a preference may multiply a weight by.
const maxLeaning = 10

// Bounds are what a leaning multiplies a weight by: less in [0, 1], more from 1 to 10. 1
// and 1 let learners change nothing. Of challenging both are 1 to 10: either way the
// level counts for more, and it is another one.
type Bounds struct {
	Less float64 `koanf:"less" json:"less"` // for those who want less of it
	More float64 `koanf:"more" json:"more"` // for those who want more of it
}

// ReasonConfig says from when on a reason is worth giving.
type ReasonConfig struct {
	Max         int     `koanf:"max" json:"max"`                   // reasons per item
	NewDays     float64 `koanf:"new_days" json:"new_days"`         // new_course: published within
	PopularFrom float64 `koanf:"popular_from" json:"popular_from"` // popular: popularity term at least
	RatedFrom   float64 `koanf:"rated_from" json:"rated_from"`     // highly_rated: stars at least
	RatedCount  int     `koanf:"rated_count" json:"rated_count"`   // highly_rated: ratings at least
	SimilarFrom float64 `koanf:"similar_from" json:"similar_from"` // similar_to_course, matches_interest: match at least
	SkillFrom   float64 `koanf:"skill_from" json:"skill_from"`     // teaches_skill: match with the skills of the query at least
	OthersFrom  float64 `koanf:"others_from" json:"others_from"`   // similar_learners, taken_together: collaborative term at least
	TrendFrom   float64 `koanf:"trend_from" json:"trend_from"`     // trending: trend term at least
}

// Weights are the weights of the terms on every surface. Only their proportions
// matter: a surface's weights are divided by their sum.
type Weights struct {
	Home     TermWeights `koanf:"home" json:"home"`
	Search   TermWeights `koanf:"search" json:"search"`
	Similar  TermWeights `koanf:"similar" json:"similar"`
	Next     TermWeights `koanf:"next" json:"next"`
	Trending TermWeights `koanf:"trending" json:"trending"`
	// Rows take the place of their surface's weights in rows of home pages.
	Rows map[lectern.Row]TermWeights `koanf:"-" json:"rows"`
}

// TermWeights has one weight per term, each ≥ 0; a term of weight 0 takes no part.
type TermWeights struct {
	Relevance  float64 `koanf:"relevance" json:"relevance"`           // weight of the match with the query
	Similarity float64 `koanf:"similarity" json:"similarity"`         // weight of closeness to the taste, or to the course
	Interest   float64 `koanf:"interest_match" json:"interest_match"` // weight of the match with a stated interest
	Quality    float64 `koanf:"quality" json:"quality"`               // weight of the Bayesian mean of ratings
	Popularity float64 `koanf:"popularity" json:"popularity"`         // weight of damped activity
	Freshness  float64 `koanf:"freshness" json:"freshness"`           // weight of age, by half-life
	Level      float64 `koanf:"level_fit" json:"level_fit"`           // weight of the preferred level
	Time       float64 `koanf:"time_fit" json:"time_fit"`             // weight of hours against the weekly budget
	Language   float64 `koanf:"language_fit" json:"language_fit"`     // weight of the learner's languages
	Readiness  float64 `koanf:"readiness" json:"readiness"`           // weight of the prerequisites that the learner has
	Skills     float64 `koanf:"skill_match" json:"skill_match"`       // weight of the skills that the query asks for

	Collaborative float64 `koanf:"collaborative" json:"collaborative"` // weight of what others' behaviour says
	NotDismissed  float64 `koanf:"not_dismissed" json:"not_dismissed"` // weight of distance from what the learner turned down
	Trend         float64 `koanf:"trend" json:"trend"`                 // weight of gaining on its own past
	Complement    float64 `koanf:"complement" json:"complement"`       // weight of coming after what was taken

	Sentiment    float64 `koanf:"sentiment" json:"sentiment"`               // weight of what reviews say
	GoalProgress float64 `koanf:"goal_progress" json:"goal_progress"`       // weight of the skills that the goal asks for and the course adds
	Novelty      float64 `koanf:"novelty" json:"novelty"`                   // weight of being unlike what the learner has seen
	Completion   float64 `koanf:"completion" json:"completion"`             // weight of the share of similar starters who finished
	Exposure     float64 `koanf:"creator_exposure" json:"creator_exposure"` // weight of being good, and new or seldom shown
}

// DefaultConfig returns the settings that docs/ranking.md gives reasons for.
func DefaultConfig() Config {
	return Config{
		Weights:  DefaultWeights(),
		Disabled: []string{},
		Terms: TermConfig{
			FreshnessHalfLifeDays: 180, RatingPrior: 20, RatingHalfLifeDays: 730, SentimentPrior: 10,
			CompletionPrior: 20, ComfortableWeeks: 8, ExposureDays: 60, ExposureViews: 100,
		},
		Lists: ListConfig{
			Diversity: PerSurface{Home: 0.02}, DiversePlaces: 20, DuplicatesFrom: 0.98,
			MaxProviderRun: 2, MaxCategoryRun: 4, MaxVarietyLoss: 0.05, LimitedPlaces: 20,
			Calibration: MixConfig{Interests: 0.1}, CalibratedPlaces: 10, DismissedFrom: 0.3,
		},
		Preferences: PreferenceConfig{
			Popular: Bounds{0.25, 3}, New: Bounds{0.25, 3}, Different: Bounds{0.25, 3},
			Short: Bounds{0.25, 3}, Challenging: Bounds{1.5, 1.5},
		},
		Rules: []Rule{},
		Reasons: ReasonConfig{
			Max: 3, NewDays: 60, PopularFrom: 0.6,
			RatedFrom: 4.5, RatedCount: 10, SimilarFrom: 0.2, SkillFrom: 0.2, OthersFrom: 0.8, TrendFrom: 0.3,
		},
	}
}

// DefaultWeights returns weights that sum to 1 on every surface. In search the
// terms beside relevance and skills sum to less than what an exact title is ahead
// by in those two.
func DefaultWeights() Weights {
	return Weights{
		Home: TermWeights{
			Similarity: 0.25, Interest: 0.11, Collaborative: 0.23, Quality: 0.07, Sentiment: 0.03, Popularity: 0.04,
			Freshness: 0.01, Level: 0.04, Time: 0.01, Language: 0.04, Readiness: 0.03, GoalProgress: 0.03,
			NotDismissed: 0.03, Trend: 0.01, Complement: 0.02, Novelty: 0.01, Completion: 0.02, Exposure: 0.02,
		},
		Search: TermWeights{
			Relevance: 0.68, Skills: 0.235,
			Similarity: 0.015, Quality: 0.01, Sentiment: 0.005, Popularity: 0.04, Language: 0.015,
		},
		Similar: TermWeights{
			Similarity: 0.48, Collaborative: 0.30,
			Quality: 0.03, Sentiment: 0.02, Popularity: 0.09, Freshness: 0.02, Language: 0.06,
		},
		Next: TermWeights{
			Complement: 0.48, Similarity: 0.28, Readiness: 0.05,
			Quality: 0.03, Sentiment: 0.02, Popularity: 0.04, Language: 0.10,
		},
		Trending: TermWeights{
			Trend: 0.85, Quality: 0.03, Sentiment: 0.02, Language: 0.10,
		},
	}
}

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	v := checker{prefix: keyPrefix}
	v.bad = append(fieldProblems(c), c.Weights.problems(c.Disabled)...)
	for i, name := range c.Disabled {
		v.check(slices.Contains(termNames[:], name), fmt.Sprintf("disabled[%d]", i), name, strings.Join(termNames[:], ", "))
	}
	v.bad = append(v.bad, ruleProblems(c.Rules)...)
	return v.err()
}

// Validate reports every weight that is not acceptable, by its key.
func (w Weights) Validate() error {
	v := checker{prefix: keyPrefix}
	v.bad = append(spec().Problems(reflect.ValueOf(w), "weights"), w.problems(nil)...)
	return v.err()
}

// surfaces lists the surfaces with weights of their own.
func surfaces() []lectern.Surface {
	return []lectern.Surface{
		lectern.SurfaceHome, lectern.SurfaceSearch, lectern.SurfaceSimilar, lectern.SurfaceNext, lectern.SurfaceTrending,
	}
}

// of returns the weights of one surface.
func (w Weights) of(s lectern.Surface) TermWeights {
	switch s {
	case lectern.SurfaceSearch:
		return w.Search
	case lectern.SurfaceSimilar:
		return w.Similar
	case lectern.SurfaceNext:
		return w.Next
	case lectern.SurfaceTrending:
		return w.Trending
	default:
		return w.Home
	}
}

// of returns the amount for one surface.
func (p PerSurface) of(s lectern.Surface) float64 {
	switch s {
	case lectern.SurfaceSearch:
		return p.Search
	case lectern.SurfaceSimilar:
		return p.Similar
	case lectern.SurfaceNext:
		return p.Next
	case lectern.SurfaceTrending:
		return p.Trending
	default:
		return p.Home
	}
}

// vector returns the weights in the order of the term constants.
func (w TermWeights) vector() [termCount]float64 {
	return [termCount]float64{
		w.Relevance, w.Similarity, w.Interest, w.Quality, w.Popularity,
		w.Freshness, w.Level, w.Time, w.Language, w.Readiness, w.Skills,
		w.Collaborative, w.NotDismissed, w.Trend, w.Complement,
		w.Sentiment, w.GoalProgress, w.Novelty, w.Completion, w.Exposure,
	}
}

// checker gathers what is wrong with a configuration.
type checker struct {
	prefix string
	bad    []lectern.FieldError
}

func (v *checker) check(ok bool, key string, value any, allowed string) {
	if !ok {
		v.bad = append(v.bad, lectern.NewFieldError(v.prefix+key, value, "is not allowed", allowed))
	}
}

func (v *checker) err() error {
	if len(v.bad) == 0 {
		return nil
	}
	return lectern.Invalid("the rerank settings are not usable", v.bad...)
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// list writes values for people.
func list[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}
