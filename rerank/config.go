package rerank

import (
	"math"
	"time"

	"github.com/lectern-dev/lectern"
)

// Config tunes scoring.
type Config struct {
	Weights           Weights       `koanf:"weights"`
	FreshnessHalfLife time.Duration `koanf:"freshness_half_life"` // age at which freshness is one half
	RatingPrior       float64       `koanf:"rating_prior"`        // ratings that the catalogue's mean weighs as
	ComfortableWeeks  float64       `koanf:"comfortable_weeks"`   // time_fit is 1 up to so many weeks
	MaxProviderRun    int           `koanf:"max_provider_run"`    // home: courses of one provider in a row; 0 is no cap
	MaxCategoryRun    int           `koanf:"max_category_run"`    // home: courses of one category in a row; 0 is no cap
	MaxVarietyLoss    float64       `koanf:"max_variety_loss"`    // home: score that breaking up a run may cost at one place
	Calibration       float64       `koanf:"calibration"`         // home: how hard the first places keep to the shares of a learner's interests, against score; 0 is not at all
	CalibratedPlaces  int           `koanf:"calibrated_places"`   // home: how many places that is
	DismissedFrom     float64       `koanf:"dismissed_from"`      // home: cosine to what the learner turned down from which a course that is no nearer to their interests stands behind all others
	Reasons           ReasonConfig  `koanf:"reasons"`
}

// ReasonConfig says from when on a reason is worth giving.
type ReasonConfig struct {
	Max         int           `koanf:"max"`          // reasons per item
	NewWithin   time.Duration `koanf:"new_within"`   // new_course: published within
	PopularFrom float64       `koanf:"popular_from"` // popular: popularity term at least
	RatedFrom   float64       `koanf:"rated_from"`   // highly_rated: stars at least
	RatedCount  int           `koanf:"rated_count"`  // highly_rated: ratings at least
	SimilarFrom float64       `koanf:"similar_from"` // similar_to_course, matches_interest: match at least
	SkillFrom   float64       `koanf:"skill_from"`   // teaches_skill: match with the skills of the query at least
	OthersFrom  float64       `koanf:"others_from"`  // similar_learners, taken_together: collaborative term at least
	TrendFrom   float64       `koanf:"trend_from"`   // trending: trend term at least
}

// Weights are the weights of the terms on every surface. Only their proportions
// matter: a surface's weights are divided by their sum.
type Weights struct {
	Home     TermWeights `koanf:"home"`
	Search   TermWeights `koanf:"search"`
	Similar  TermWeights `koanf:"similar"`
	Next     TermWeights `koanf:"next"`
	Trending TermWeights `koanf:"trending"`
}

// TermWeights has one weight per term, each ≥ 0; a term of weight 0 takes no part.
type TermWeights struct {
	Relevance  float64 `koanf:"relevance"`      // weight of the match with the query
	Similarity float64 `koanf:"similarity"`     // weight of closeness to the taste, or to the course
	Interest   float64 `koanf:"interest_match"` // weight of the match with a stated interest
	Quality    float64 `koanf:"quality"`        // weight of the Bayesian mean of ratings
	Popularity float64 `koanf:"popularity"`     // weight of damped activity
	Freshness  float64 `koanf:"freshness"`      // weight of age, by half-life
	Level      float64 `koanf:"level_fit"`      // weight of the preferred level
	Time       float64 `koanf:"time_fit"`       // weight of hours against the weekly budget
	Language   float64 `koanf:"language_fit"`   // weight of the learner's languages
	Readiness  float64 `koanf:"readiness"`      // weight of the prerequisites that the learner has
	Skills     float64 `koanf:"skill_match"`    // weight of the skills that the query asks for

	Collaborative float64 `koanf:"collaborative"` // weight of what others' behaviour says
	NotDismissed  float64 `koanf:"not_dismissed"` // weight of distance from what the learner turned down
	Trend         float64 `koanf:"trend"`         // weight of gaining on its own past
	Complement    float64 `koanf:"complement"`    // weight of coming after what was taken
}

// DefaultConfig returns the settings that docs/ranking.md gives reasons for.
func DefaultConfig() Config {
	return Config{
		Weights:           DefaultWeights(),
		FreshnessHalfLife: 180 * 24 * time.Hour,
		RatingPrior:       20,
		ComfortableWeeks:  8,
		MaxProviderRun:    2,
		MaxCategoryRun:    4,
		MaxVarietyLoss:    0.05,
		Calibration:       0.1,
		CalibratedPlaces:  10,
		DismissedFrom:     0.3,
		Reasons: ReasonConfig{
			Max: 3, NewWithin: 60 * 24 * time.Hour, PopularFrom: 0.6,
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
			Similarity: 0.28, Interest: 0.12, Collaborative: 0.26, Quality: 0.09, Popularity: 0.05,
			Freshness: 0.01, Level: 0.04, Time: 0.01, Language: 0.04, Readiness: 0.04,
			NotDismissed: 0.03, Trend: 0.01, Complement: 0.02,
		},
		Search: TermWeights{
			Relevance: 0.68, Skills: 0.235,
			Similarity: 0.015, Quality: 0.015, Popularity: 0.04, Language: 0.015,
		},
		Similar: TermWeights{
			Similarity: 0.48, Collaborative: 0.30,
			Quality: 0.04, Popularity: 0.10, Freshness: 0.02, Language: 0.06,
		},
		Next: TermWeights{
			Complement: 0.48, Similarity: 0.28, Readiness: 0.05,
			Quality: 0.04, Popularity: 0.05, Language: 0.10,
		},
		Trending: TermWeights{
			Trend: 0.85, Quality: 0.05, Language: 0.10,
		},
	}
}

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	v := checker{prefix: "rerank."}
	v.bad = append(v.bad, c.Weights.problems()...)
	v.check(c.FreshnessHalfLife > 0, "freshness_half_life", c.FreshnessHalfLife, "over 0")
	v.check(finite(c.RatingPrior) && c.RatingPrior >= 0, "rating_prior", c.RatingPrior, "at least 0")
	v.check(finite(c.ComfortableWeeks) && c.ComfortableWeeks > 0, "comfortable_weeks", c.ComfortableWeeks, "over 0")
	v.check(c.MaxProviderRun >= 0, "max_provider_run", c.MaxProviderRun, "at least 0; 0 is no cap")
	v.check(c.MaxCategoryRun >= 0, "max_category_run", c.MaxCategoryRun, "at least 0; 0 is no cap")
	v.check(unit(c.MaxVarietyLoss), "max_variety_loss", c.MaxVarietyLoss, "0 to 1")
	v.check(c.Calibration >= 0 && c.Calibration < 1, "calibration", c.Calibration, "0 to below 1")
	v.check(c.CalibratedPlaces >= 0 && c.CalibratedPlaces <= 100, "calibrated_places", c.CalibratedPlaces, "0 to 100")
	v.check(unit(c.DismissedFrom), "dismissed_from", c.DismissedFrom, "0 to 1")
	r := c.Reasons
	v.check(r.Max >= 0 && r.Max <= 10, "reasons.max", r.Max, "0 to 10")
	v.check(r.NewWithin >= 0, "reasons.new_within", r.NewWithin, "at least 0")
	v.check(unit(r.PopularFrom), "reasons.popular_from", r.PopularFrom, "0 to 1")
	v.check(r.RatedFrom >= lectern.MinStars && r.RatedFrom <= lectern.MaxStars, "reasons.rated_from", r.RatedFrom, "1 to 5")
	v.check(r.RatedCount >= 1, "reasons.rated_count", r.RatedCount, "at least 1")
	v.check(unit(r.SimilarFrom), "reasons.similar_from", r.SimilarFrom, "0 to 1")
	v.check(unit(r.OthersFrom), "reasons.others_from", r.OthersFrom, "0 to 1")
	v.check(unit(r.TrendFrom), "reasons.trend_from", r.TrendFrom, "0 to 1")
	v.check(unit(r.SkillFrom), "reasons.skill_from", r.SkillFrom, "0 to 1")
	return v.err()
}

// Validate reports every weight that is not acceptable, by its key.
func (w Weights) Validate() error {
	v := checker{bad: w.problems()}
	return v.err()
}

func (w Weights) problems() []lectern.FieldError {
	v := checker{prefix: "rerank.weights."}
	for _, s := range surfaces() {
		sum := 0.0
		for i, weight := range w.of(s).vector() {
			v.check(finite(weight) && weight >= 0, string(s)+"."+termNames[i], weight, "a number of at least 0")
			sum += weight
		}
		v.check(sum > 0 && !math.IsInf(sum, 0), string(s), sum, "at least one weight over 0")
	}
	return v.bad
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

// vector returns the weights in the order of the term constants.
func (w TermWeights) vector() [termCount]float64 {
	return [termCount]float64{
		w.Relevance, w.Similarity, w.Interest, w.Quality, w.Popularity,
		w.Freshness, w.Level, w.Time, w.Language, w.Readiness, w.Skills,
		w.Collaborative, w.NotDismissed, w.Trend, w.Complement,
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

func unit(f float64) bool { return f >= 0 && f <= 1 }
