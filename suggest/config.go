package suggest

import (
	"math"
	"time"

	"github.com/lectern-dev/lectern"
)

// Config tunes what goes beyond words: meaning, and what is known of learners.
type Config struct {
	PersonalWeight float64       `koanf:"personal_weight"` // how far a learner's taste moves suggestions of one class, 0 to 1; 0 is the same order for everybody
	ProfileTimeout time.Duration `koanf:"profile_timeout"` // waited for a learner's profile or searches, before answering without
	ProfileTTL     time.Duration `koanf:"profile_ttl"`     // age at which a profile in memory is held against the store
	ProfileCache   int           `koanf:"profile_cache"`   // learners kept in memory

	Phrases         int           `koanf:"phrases"`          // skills, wordings and completions whose best courses are computed ahead; 0 for no suggestions by meaning
	PhraseCourses   int           `koanf:"phrase_courses"`   // courses computed ahead for each of them
	Similarity      float64       `koanf:"similarity"`       // cosine from which a phrase means what was typed; 0 measures what is rare among the embedder's phrases
	EmbedTimeout    time.Duration `koanf:"embed_timeout"`    // waited for the vector of what was typed, where the embedder is another server
	EmbedGiveUp     time.Duration `koanf:"embed_give_up"`    // after which such a vector is not waited for in the background either
	EmbedAtOnce     int           `koanf:"embed_at_once"`    // such vectors under way at a time
	QueryVectors    int           `koanf:"query_vectors"`    // vectors of what was typed, kept in memory
	MeaningsEvery   time.Duration `koanf:"meanings_every"`   // how often the courses of completions are searched anew while the catalogue changes
	MeaningsRetry   time.Duration `koanf:"meanings_retry"`   // after embedder or index did not answer
	MeaningsTimeout time.Duration `koanf:"meanings_timeout"` // of one call to embedder or index in the background

	HalfLife time.Duration `koanf:"-"` // of the weight of an event in a profile: the profiles' own, set where both are wired
}

// DefaultConfig returns the settings that Lectern ships with.
func DefaultConfig() Config {
	return Config{
		PersonalWeight: 0.3,
		ProfileTimeout: 10 * time.Millisecond,
		ProfileTTL:     2 * time.Second,
		ProfileCache:   2000,

		Phrases:         5000,
		PhraseCourses:   10,
		Similarity:      0,
		EmbedTimeout:    25 * time.Millisecond,
		EmbedGiveUp:     2 * time.Second,
		EmbedAtOnce:     8,
		QueryVectors:    5000,
		MeaningsEvery:   5 * time.Minute,
		MeaningsRetry:   10 * time.Second,
		MeaningsTimeout: 5 * time.Second,

		HalfLife: 90 * 24 * time.Hour,
	}
}

// mostPhrases bounds what every keystroke is compared with.
const mostPhrases = 5000

// Validate returns a CodeInvalid error that names every key with a value that is
// not acceptable.
func (c Config) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("suggest."+key, value, "is not allowed", allowed))
		}
	}
	share := func(f float64) bool { return f >= 0 && f <= 1 && !math.IsNaN(f) }
	check(share(c.PersonalWeight), "personal_weight", c.PersonalWeight, "0 to 1")
	check(c.ProfileTimeout > 0, "profile_timeout", c.ProfileTimeout, "over 0")
	check(c.ProfileTTL > 0, "profile_ttl", c.ProfileTTL, "over 0")
	check(c.ProfileCache >= 1, "profile_cache", c.ProfileCache, "at least 1")
	check(c.Phrases >= 0 && c.Phrases <= mostPhrases, "phrases", c.Phrases, "0 to 5000")
	check(c.PhraseCourses >= 1 && c.PhraseCourses <= 20, "phrase_courses", c.PhraseCourses, "1 to 20")
	check(share(c.Similarity), "similarity", c.Similarity, "0 to 1")
	check(c.EmbedTimeout > 0, "embed_timeout", c.EmbedTimeout, "over 0")
	check(c.EmbedGiveUp >= c.EmbedTimeout, "embed_give_up", c.EmbedGiveUp, "at least suggest.embed_timeout")
	check(c.EmbedAtOnce >= 1, "embed_at_once", c.EmbedAtOnce, "at least 1")
	check(c.QueryVectors >= 1, "query_vectors", c.QueryVectors, "at least 1")
	check(c.MeaningsEvery >= time.Second, "meanings_every", c.MeaningsEvery, "at least 1s")
	check(c.MeaningsRetry >= time.Second, "meanings_retry", c.MeaningsRetry, "at least 1s")
	check(c.MeaningsTimeout > 0, "meanings_timeout", c.MeaningsTimeout, "over 0")
	check(c.HalfLife > 0, "half_life", c.HalfLife, "over 0")
	if len(bad) > 0 {
		return lectern.Invalid("the settings of suggestions are not usable", bad...)
	}
	return nil
}
