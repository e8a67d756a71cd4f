package retrieve

import (
	"math"
	"time"

	"github.com/lectern-dev/lectern"
)

// Config tunes how lists are made.
type Config struct {
	Depth          int              `koanf:"depth"`            // courses in a recorded list, over all its pages
	PerSource      int              `koanf:"per_source"`       // candidates asked of each source
	MaxInterests   int              `koanf:"max_interests"`    // stated interests that fetch candidates of their own
	LexicalWeight  float64          `koanf:"lexical_weight"`   // search: share of words in the fused score; 0 turns words off
	SemanticWeight float64          `koanf:"semantic_weight"`  // search: share of meaning in the fused score; 0 turns meaning off
	LexicalWords   int              `koanf:"lexical_words"`    // search: words of a query up to which lexical_weight holds; in longer ones the share of words falls in proportion, to the benefit of meaning; 0 holds it always
	TitleWeight    float64          `koanf:"title_weight"`     // search: what a title that holds the words of the query adds, against 1 for words and meaning
	PhraseWeight   float64          `koanf:"phrase_weight"`    // search: what a title that holds them as one phrase adds besides; half of that where one of the course's skills does
	SkillsWeight   float64          `koanf:"skills_weight"`    // search: what the skills that the query asks for say in the order that feedback follows, against 1 for words and meaning; 0 turns skills off in searches
	SkillsInQuery  float64          `koanf:"skills_in_query"`  // search: how far the query's vector is moved towards the names of those skills, against 1 for itself, with an embedder trained on the catalogue
	ReviewsWeight  float64          `koanf:"reviews_weight"`   // search: how much of what its score lacks a course gains at most by reviews near the query; 0 saves that search
	Feedback       int              `koanf:"feedback"`         // search: leading courses that the query's vector is moved towards before meaning is searched again; 0 saves that search
	FeedbackWeight float64          `koanf:"feedback_weight"`  // search: how far, against 1 for the query itself
	MinSimilarity  float64          `koanf:"min_similarity"`   // cosine below which a vector hit is no candidate
	ExpandQueries  bool             `koanf:"expand_queries"`   // search: complete the last word, correct unknown words
	KnownWordsOnly bool             `koanf:"known_words_only"` // with an embedder trained on the catalogue, embed only those words of queries, interests and goals that the catalogue knows; others are always given the whole text
	MinKnown       float64          `koanf:"min_known"`        // search: share of the query's information that the catalogue must know for a list
	CoveragePower  float64          `koanf:"coverage_power"`   // search: how hard the score by words falls with the share of the query that a course lacks; 0 is not at all
	NewWithin      time.Duration    `koanf:"new_within"`       // age up to which the source "new" offers a course
	Budgets        Budgets          `koanf:"budgets"`
	RecentWeight   float64          `koanf:"recent_weight"` // home: how much nearness to the last session counts, against 1 for nearness to an interest
	ShareWeight    float64          `koanf:"share_weight"`  // home: how much of its nearness a course loses at most for serving a lesser interest
	TwinOverlap    float64          `koanf:"twin_overlap"`  // share of the skills from which a course of no higher level is a twin of a completed one, not a step on
	ExactCourses   int              `koanf:"exact_courses"` // catalogue size up to which collaborative candidates come from the model itself; beyond, from its factors in the index, where it has some
	Popularity     PopularityConfig `koanf:"popularity"`
	Trending       TrendingConfig   `koanf:"trending"`
	Home           HomeConfig       `koanf:"home"`
	Record         RecordConfig     `koanf:"record"`
}

// Budgets bound the stages. A stage that overruns is left out and named in
// List.Degraded where the list can do without it.
type Budgets struct {
	Profile    time.Duration `koanf:"profile"`    // read profile and taste
	Embed      time.Duration `koanf:"embed"`      // embed the query
	Candidates time.Duration `koanf:"candidates"` // all that one list asks of the index; on the first page of a search as much again for facets and suggestions
	Courses    time.Duration `koanf:"courses"`    // read the page's courses
	Neighbours time.Duration `koanf:"neighbours"` // home: ask what similar learners take
}

// PopularityConfig says what popularity is made of.
type PopularityConfig struct {
	HalfLife         time.Duration   `koanf:"half_life"`          // after which an event counts half
	ActivityShare    float64         `koanf:"activity_share"`     // against the share of all-time ratings and enrolments
	StatedMeanWeight float64         `koanf:"stated_mean_weight"` // ratings that a stated mean without a count stands for
	Weights          ActivityWeights `koanf:"weights"`
}

// TrendingConfig says when a course gains on its own past.
type TrendingConfig struct {
	HalfLife    time.Duration `koanf:"half_life"`    // of the activity that is held against popularity.half_life; shorter
	Refresh     time.Duration `koanf:"refresh"`      // how often trends are taken anew
	MinActivity float64       `koanf:"min_activity"` // activity of late that a course must have
	MinZ        float64       `koanf:"min_z"`        // by how many standard deviations it must gain
	Prior       float64       `koanf:"prior"`        // activity added to what is expected, so that one event is no trend
	Courses     int           `koanf:"courses"`      // trending courses at most
}

// HomeConfig tunes home pages.
type HomeConfig struct {
	PerSource    int           `koanf:"per_source"`    // candidates asked of each source, where a taste is known, but for the learner's interests; twice as many of the collaborative model, row_depth at most of sources for one row
	MinItems     int           `koanf:"min_items"`     // items below which a row is left out; continue, because and next need one
	RowDepth     int           `koanf:"row_depth"`     // courses in a recorded row but for_you, over all its pages
	ActiveWithin time.Duration `koanf:"active_within"` // continue comes first when one of its courses was touched within
	FitWeeks     float64       `koanf:"fit_weeks"`     // weeks of the learner's budget that a course may take to fit the time
	CacheTTL     time.Duration `koanf:"cache_ttl"`     // how long a page is kept while nothing changes; 0 keeps none
	CacheSize    int           `koanf:"cache_size"`    // pages kept
	CacheCourses int           `koanf:"cache_courses"` // courses kept to fill pages with
}

// ActivityWeights say what one event counts as activity.
type ActivityWeights struct {
	Click    float64 `koanf:"click"`    // what a click counts as activity
	Save     float64 `koanf:"save"`     // what a bookmark counts as activity
	Enrol    float64 `koanf:"enrol"`    // what an enrolment counts as activity
	Progress float64 `koanf:"progress"` // what a progress report counts as activity
	Complete float64 `koanf:"complete"` // what a completion counts as activity
	Rate     float64 `koanf:"rate"`     // what a rating counts as activity
}

// RecordConfig bounds the recorder of lists.
type RecordConfig struct {
	FlushEvery time.Duration `koanf:"flush_every"` // rankings wait at most this long to be stored
	Queue      int           `koanf:"queue"`       // rankings waiting at most; beyond, new ones are not stored
	Keep       int           `koanf:"keep"`        // rankings readable from memory
}

// DefaultConfig returns the settings that docs/ranking.md describes.
func DefaultConfig() Config {
	return Config{
		Depth:          200,
		PerSource:      200,
		MaxInterests:   4,
		LexicalWeight:  0.5,
		SemanticWeight: 0.5,
		LexicalWords:   2,
		TitleWeight:    0.2,
		PhraseWeight:   0.2,
		SkillsWeight:   0.5,
		SkillsInQuery:  1,
		ReviewsWeight:  0.2,
		Feedback:       3,
		FeedbackWeight: 1,
		MinSimilarity:  0.05,
		ExpandQueries:  true,
		KnownWordsOnly: true,
		MinKnown:       0.2,
		CoveragePower:  1,
		NewWithin:      120 * 24 * time.Hour,
		RecentWeight:   0.9,
		ShareWeight:    0.1,
		TwinOverlap:    0.5,
		ExactCourses:   20_000,
		Budgets: Budgets{
			Profile: 100 * time.Millisecond, Embed: 200 * time.Millisecond,
			Candidates: 500 * time.Millisecond, Courses: 500 * time.Millisecond, Neighbours: 50 * time.Millisecond,
		},
		Popularity: PopularityConfig{
			HalfLife: 30 * 24 * time.Hour, ActivityShare: 0.6, StatedMeanWeight: 10,
			Weights: ActivityWeights{Click: 0.2, Save: 0.5, Enrol: 1, Progress: 0.2, Complete: 1.5, Rate: 0.5},
		},
		Trending: TrendingConfig{
			HalfLife: 7 * 24 * time.Hour, Refresh: 10 * time.Minute,
			MinActivity: 2, MinZ: 1, Prior: 3, Courses: 500,
		},
		Home: HomeConfig{
			PerSource: 80, MinItems: 3, RowDepth: 50, ActiveWithin: 14 * 24 * time.Hour, FitWeeks: 8,
			CacheTTL: time.Minute, CacheSize: 2000, CacheCourses: 4000,
		},
		Record: RecordConfig{FlushEvery: 200 * time.Millisecond, Queue: 4096, Keep: 512},
	}
}

// Validate reports every setting that is not acceptable, by its key.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("retrieve."+key, value, "is not allowed", allowed))
		}
	}
	check(c.Depth >= 1 && c.Depth <= 2000, "depth", c.Depth, "1 to 2000")
	check(c.PerSource >= 1 && c.PerSource <= 2000, "per_source", c.PerSource, "1 to 2000")
	check(c.MaxInterests >= 0 && c.MaxInterests <= 20, "max_interests", c.MaxInterests, "0 to 20")
	check(weight(c.LexicalWeight), "lexical_weight", c.LexicalWeight, "at least 0")
	check(weight(c.SemanticWeight), "semantic_weight", c.SemanticWeight, "at least 0")
	check(c.LexicalWeight+c.SemanticWeight > 0, "semantic_weight", c.SemanticWeight, "over 0 when retrieve.lexical_weight is 0")
	check(c.LexicalWords >= 0 && c.LexicalWords <= 64, "lexical_words", c.LexicalWords, "0 to 64")
	check(weight(c.TitleWeight), "title_weight", c.TitleWeight, "at least 0")
	check(weight(c.PhraseWeight), "phrase_weight", c.PhraseWeight, "at least 0")
	check(weight(c.SkillsWeight), "skills_weight", c.SkillsWeight, "at least 0")
	check(weight(c.SkillsInQuery), "skills_in_query", c.SkillsInQuery, "at least 0")
	check(c.ReviewsWeight >= 0 && c.ReviewsWeight <= 1, "reviews_weight", c.ReviewsWeight, "0 to 1")
	check(c.Feedback >= 0 && c.Feedback <= 50, "feedback", c.Feedback, "0 to 50")
	check(weight(c.FeedbackWeight), "feedback_weight", c.FeedbackWeight, "at least 0")
	check(c.MinSimilarity >= -1 && c.MinSimilarity <= 1, "min_similarity", c.MinSimilarity, "-1 to 1")
	check(c.MinKnown >= 0 && c.MinKnown <= 1, "min_known", c.MinKnown, "0 to 1")
	check(c.CoveragePower >= 0 && c.CoveragePower <= 4, "coverage_power", c.CoveragePower, "0 to 4")
	check(c.RecentWeight >= 0 && c.RecentWeight <= 1, "recent_weight", c.RecentWeight, "0 to 1")
	check(c.ShareWeight >= 0 && c.ShareWeight <= 1, "share_weight", c.ShareWeight, "0 to 1")
	check(c.TwinOverlap > 0 && c.TwinOverlap <= 1, "twin_overlap", c.TwinOverlap, "over 0, at most 1")
	check(c.ExactCourses >= 0, "exact_courses", c.ExactCourses, "at least 0")
	check(c.NewWithin >= 0, "new_within", c.NewWithin, "at least 0")
	b := c.Budgets
	check(b.Profile > 0, "budgets.profile", b.Profile, "over 0")
	check(b.Embed > 0, "budgets.embed", b.Embed, "over 0")
	check(b.Candidates > 0, "budgets.candidates", b.Candidates, "over 0")
	check(b.Neighbours > 0, "budgets.neighbours", b.Neighbours, "over 0")
	check(b.Courses > 0, "budgets.courses", b.Courses, "over 0")
	p := c.Popularity
	check(p.HalfLife >= time.Hour, "popularity.half_life", p.HalfLife, "at least 1h")
	check(p.ActivityShare >= 0 && p.ActivityShare <= 1, "popularity.activity_share", p.ActivityShare, "0 to 1")
	check(weight(p.StatedMeanWeight), "popularity.stated_mean_weight", p.StatedMeanWeight, "at least 0")
	w := p.Weights
	check(weight(w.Click), "popularity.weights.click", w.Click, "at least 0")
	check(weight(w.Save), "popularity.weights.save", w.Save, "at least 0")
	check(weight(w.Enrol), "popularity.weights.enrol", w.Enrol, "at least 0")
	check(weight(w.Progress), "popularity.weights.progress", w.Progress, "at least 0")
	check(weight(w.Complete), "popularity.weights.complete", w.Complete, "at least 0")
	check(weight(w.Rate), "popularity.weights.rate", w.Rate, "at least 0")
	bad = append(bad, c.Trending.problems(p.HalfLife)...)
	bad = append(bad, c.Home.problems()...)
	r := c.Record
	check(r.FlushEvery > 0 && r.FlushEvery <= time.Second, "record.flush_every", r.FlushEvery, "over 0, at most 1s")
	check(r.Queue >= 1, "record.queue", r.Queue, "at least 1")
	check(r.Keep >= 1, "record.keep", r.Keep, "at least 1")
	if len(bad) > 0 {
		return lectern.Invalid("the retrieve settings are not usable", bad...)
	}
	return nil
}

// weight reports whether f can be a weight.
func weight(f float64) bool { return f >= 0 && !math.IsInf(f, 0) }

// fields gathers what is wrong under one prefix.
type fields struct {
	prefix string
	bad    []lectern.FieldError
}

func (f *fields) check(ok bool, key string, value any, allowed string) {
	if !ok {
		f.bad = append(f.bad, lectern.NewFieldError(f.prefix+key, value, "is not allowed", allowed))
	}
}

func (t TrendingConfig) problems(popularity time.Duration) []lectern.FieldError {
	f := fields{prefix: "retrieve.trending."}
	f.check(t.HalfLife >= time.Hour && t.HalfLife < popularity, "half_life", t.HalfLife, "at least 1h, below retrieve.popularity.half_life")
	f.check(t.Refresh >= time.Second, "refresh", t.Refresh, "at least 1s")
	f.check(weight(t.MinActivity), "min_activity", t.MinActivity, "at least 0")
	f.check(weight(t.MinZ) && t.MinZ > 0, "min_z", t.MinZ, "over 0")
	f.check(weight(t.Prior) && t.Prior > 0, "prior", t.Prior, "over 0")
	f.check(t.Courses >= 1 && t.Courses <= 5000, "courses", t.Courses, "1 to 5000")
	return f.bad
}

func (h HomeConfig) problems() []lectern.FieldError {
	f := fields{prefix: "retrieve.home."}
	f.check(h.PerSource >= 1 && h.PerSource <= 2000, "per_source", h.PerSource, "1 to 2000")
	f.check(h.MinItems >= 1 && h.MinItems <= 50, "min_items", h.MinItems, "1 to 50")
	f.check(h.RowDepth >= 1 && h.RowDepth <= 500, "row_depth", h.RowDepth, "1 to 500")
	f.check(h.ActiveWithin >= 0, "active_within", h.ActiveWithin, "at least 0")
	f.check(weight(h.FitWeeks) && h.FitWeeks > 0, "fit_weeks", h.FitWeeks, "over 0")
	f.check(h.CacheTTL >= 0 && h.CacheTTL <= time.Minute, "cache_ttl", h.CacheTTL, "0 to 1m")
	f.check(h.CacheSize >= 0, "cache_size", h.CacheSize, "at least 0")
	f.check(h.CacheCourses >= 0, "cache_courses", h.CacheCourses, "at least 0")
	return f.bad
}
