package rerank

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// fieldRule is what one field of the document means and may be. Validate checks by
// it and Schema tells it, so that the two never differ.
type fieldRule struct {
	about string // a sentence
	// Of numbers.
	min, max  float64
	over      bool      // min itself is not allowed
	under     bool      // max itself is not allowed
	oneOf     []float64 // nothing else; nil is all from min to max
	note      string    // what a special value means
	words     []string  // of texts: nothing else
	pattern   string    // of texts
	maxLength int       // of texts, in bytes
	maxItems  int       // of lists
}

// allows reports whether a number is allowed.
func (f fieldRule) allows(v float64) bool {
	switch {
	case math.IsNaN(v) || v < f.min || v > f.max || f.over && v == f.min || f.under && v == f.max:
		return false
	case f.oneOf == nil:
		return true
	}
	for _, x := range f.oneOf {
		if x == v {
			return true
		}
	}
	return false
}

// allowed says in words which numbers are.
func (f fieldRule) allowed() string {
	low, high := number(f.min), number(f.max)
	words := low + " to " + high
	switch {
	case f.oneOf != nil:
		parts := make([]string, len(f.oneOf))
		for i, x := range f.oneOf {
			parts[i] = number(x)
		}
		words = strings.Join(parts, ", ")
	case f.over:
		words = "over " + low + ", at most " + high
	case f.under:
		words = "at least " + low + ", under " + high
	}
	if f.note != "" {
		words += "; " + f.note
	}
	return words
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Bounds of what nobody needs more of.
const (
	maxWeight = 1e6
	maxDays   = 36_500
	maxPrior  = 1e6
	maxCount  = 1e6
	maxPlaces = 200
)

// fieldRules describes every field by its path, of which * is any surface or row and
// [] any place of a list.
func fieldRules() map[string]fieldRule {
	out := map[string]fieldRule{
		"weights":          {about: "How much each term counts, per surface. Only the proportions within a surface matter."},
		"weights.home":     {about: "Weights of the list of recommendations, and of rows of home pages that have none of their own. An absent weight is 0 where the surface is given."},
		"weights.search":   {about: "Weights of searches. An absent weight is 0 where the surface is given."},
		"weights.similar":  {about: "Weights of courses like another. An absent weight is 0 where the surface is given."},
		"weights.next":     {about: "Weights of what to take after a course. An absent weight is 0 where the surface is given."},
		"weights.trending": {about: "Weights of what gains on its own past. An absent weight is 0 where the surface is given."},
		"weights.rows":     {about: "Weights of single rows of home pages, by row, in place of those of home. An absent weight is 0."},
		"weights.rows.*":   {about: "Weights of this row."},
		"disabled":         {about: "Terms that take no part anywhere, whatever their weights.", maxItems: int(termCount)},
		"disabled[]":       {about: "The name of a term.", words: termNames[:]},
		"terms":            {about: "How terms are computed."},
		"lists":            {about: "How a list is made of scored courses."},
		"preferences":      {about: "How far a learner's stated preferences change weights: by what they are multiplied. 1 and 1 let learners change nothing."},
		"rules":            {about: "Decisions about some courses: pin, boost, bury or hide them.", maxItems: MaxRules},
		"reasons":          {about: "From when on a reason is worth giving."},
	}
	for name, about := range termSentences() {
		out["weights.*."+name] = fieldRule{about: about, max: maxWeight, note: "0 takes no part"}
	}
	for _, part := range []map[string]fieldRule{termFields(), listFields(), preferenceFields(), reasonFields(), ruleFields()} {
		for path, f := range part {
			out[path] = f
		}
	}
	return out
}

func termSentences() map[string]string {
	return map[string]string{
		"relevance":        "Weight of the match with the query; search only.",
		"similarity":       "Weight of closeness to the learner's taste, or to the course that the list is about.",
		"interest_match":   "Weight of the match with a stated interest or the goal.",
		"quality":          "Weight of the Bayesian mean of ratings, recent ones counting more.",
		"popularity":       "Weight of damped activity.",
		"freshness":        "Weight of being new or newly updated, by half-life.",
		"level_fit":        "Weight of the preferred level.",
		"time_fit":         "Weight of the hours left against the learner's weekly hours and pace.",
		"language_fit":     "Weight of the learner's languages.",
		"readiness":        "Weight of the prerequisites that the learner has.",
		"skill_match":      "Weight of the skills that the query asks for; search only.",
		"collaborative":    "Weight of what the behaviour of others says.",
		"not_dismissed":    "Weight of distance from what the learner turned down.",
		"trend":            "Weight of current activity against the course's own past.",
		"complement":       "Weight of coming after what was taken.",
		"sentiment":        "Weight of what reviews say.",
		"goal_progress":    "Weight of the skills that the goal asks for, the learner lacks and the course teaches.",
		"novelty":          "Weight of being unlike what the learner has seen.",
		"completion":       "Weight of the share of similar starters who finished.",
		"creator_exposure": "Weight of being good, and new or seldom shown.",
	}
}

func termFields() map[string]fieldRule {
	return map[string]fieldRule{
		"terms.freshness_half_life_days": {about: "Age in days at which freshness is one half.", over: true, max: maxDays},
		"terms.rating_prior":             {about: "How many ratings the catalogue's mean weighs as: the higher, the more ratings a course needs to stand out.", max: maxPrior},
		"terms.rating_half_life_days":    {about: "Age in days at which a rating counts half.", max: 1460, oneOf: RatingHalfLives(), note: "0 is never"},
		"terms.sentiment_prior":          {about: "How many reviews the catalogue's mean sentiment weighs as.", max: maxPrior},
		"terms.completion_prior":         {about: "How many starters the catalogue's share of finishers weighs as.", max: maxPrior},
		"terms.comfortable_weeks":        {about: "Time fit is 1 for courses that take up to so many weeks.", over: true, max: 520},
		"terms.exposure_days":            {about: "Age in days at which a course is new no longer, for creator exposure.", over: true, max: maxDays},
		"terms.exposure_views":           {about: "Recent views at which a course is shown enough, for creator exposure.", over: true, max: 1e9},
	}
}

func listFields() map[string]fieldRule {
	out := map[string]fieldRule{
		"lists.diversity":         {about: "How much likeness to what stands above costs a course its place, against 1 − so much for its score (maximal marginal relevance)."},
		"lists.diverse_places":    {about: "How many places diversity is for.", max: 100},
		"lists.duplicates_from":   {about: "Cosine from which two courses teach the same, and only the better one is listed.", min: 0.5, max: 2, note: "over 1 is never"},
		"lists.max_provider_run":  {about: "Of home lists: how many courses of one provider may stand in a row.", max: maxPlaces, note: "0 is no cap"},
		"lists.max_category_run":  {about: "Of home lists: how many courses of one category may stand in a row.", max: maxPlaces, note: "0 is no cap"},
		"lists.max_variety_loss":  {about: "Of home lists: how much score breaking up a run may cost at one place.", max: 1},
		"lists.max_per_provider":  {about: "How many courses of one provider may stand among the first limited_places.", max: maxPlaces, note: "0 is no limit"},
		"lists.limited_places":    {about: "How many places max_per_provider is for.", max: maxPlaces},
		"lists.calibration":       {about: "Of home lists: how hard the first places keep to the shares of the learner's profile, against score."},
		"lists.calibrated_places": {about: "Of home lists: how many places calibration is for.", max: 100},
		"lists.dismissed_from":    {about: "Of home lists: cosine to what the learner turned down from which a course that is no nearer to their interests stands behind all others.", max: 1},
	}
	for name, words := range map[string]string{
		"home": "home lists", "search": "searches", "similar": "courses like another", "next": "what to take after a course", "trending": "what is trending",
	} {
		out["lists.diversity."+name] = fieldRule{about: "Diversity of " + words + ".", max: 1, under: true, note: "0 is none"}
	}
	for name, words := range map[string]string{
		"interests": "the learner's interests", "categories": "the categories that they take", "providers": "the providers", "levels": "the levels",
	} {
		out["lists.calibration."+name] = fieldRule{about: "How hard to keep to the shares of " + words + ".", max: 1, under: true, note: "0 is not at all"}
	}
	return out
}

func preferenceFields() map[string]fieldRule {
	out := make(map[string]fieldRule)
	for name, words := range map[string][3]string{
		"popular":     {"weights of popularity and trend", "fewer popular courses", "more popular courses"},
		"new":         {"weight of freshness", "fewer new courses", "more new courses"},
		"different":   {"weight of novelty and lists.diversity", "more of the same", "more that is different"},
		"short":       {"weight of time fit", "no short courses", "short courses"},
		"challenging": {"weight of level fit", "easier courses", "more challenging courses"},
	} {
		path := "preferences." + name
		out[path] = fieldRule{about: "By what the " + words[0] + " is multiplied."}
		multiplies := " multiplies the " + words[0]
		less := fieldRule{about: "For learners who want " + words[1] + ": the number" + multiplies + "; 1 changes nothing.", max: 1}
		more := fieldRule{about: "For learners who want " + words[2] + ": the number" + multiplies + "; 1 changes nothing.", min: 1, max: maxLeaning}
		if name == "challenging" {
			less.min, less.max = 1, maxLeaning
			for _, r := range []struct {
				rule *fieldRule
				step string
			}{{&less, "below"}, {&more, "above"}} {
				r.rule.about = strings.TrimSuffix(r.rule.about, ".") + ". The level that fits best is then one " + r.step +
					" theirs: a wish of either kind makes the fit count more, so both are 1 or over."
			}
		}
		out[path+".less"], out[path+".more"] = less, more
	}
	return out
}

func reasonFields() map[string]fieldRule {
	return map[string]fieldRule{
		"reasons.max":          {about: "How many reasons an item may have.", max: 10},
		"reasons.new_days":     {about: "A course is called new when it was published within so many days.", max: maxDays},
		"reasons.popular_from": {about: "A course is called popular from this popularity term on.", max: 1},
		"reasons.rated_from":   {about: "A course is called highly rated from so many stars on.", min: lectern.MinStars, max: lectern.MaxStars},
		"reasons.rated_count":  {about: "A course is called highly rated from so many ratings on.", min: 1, max: maxCount},
		"reasons.similar_from": {about: "A course is called similar to another, or to an interest, from this match on.", max: 1},
		"reasons.skill_from":   {about: "A course is said to teach a skill of the query from this match on.", max: 1},
		"reasons.others_from":  {about: "What others take is a reason from this collaborative term on.", max: 1},
		"reasons.trend_from":   {about: "A course is called trending from this trend term on.", max: 1},
	}
}

// ruleFields only describes: what rules may be depends on their action, and is checked
// by ruleProblems. A test holds the two against each other.
func ruleFields() map[string]fieldRule {
	value := fieldRule{about: "One value.", pattern: `\S`, maxLength: maxRuleValue}
	values := func(about string) fieldRule { return fieldRule{about: about, maxItems: MaxRuleValues} }
	out := map[string]fieldRule{
		"rules[]":          {about: "One rule: it is about the courses that match every selector that is set (courses, skills, categories, providers), of each by any of its values."},
		"rules[].id":       {about: "The rule's name, its own among all rules; explanations cite it.", pattern: "^[A-Za-z0-9._-]+$", maxLength: maxRuleID},
		"rules[].action":   {about: "What to do with the courses. Hiding goes before pinning, pinning before burying and boosting.", words: words(RuleActions())},
		"rules[].courses":  values("Ids of courses."),
		"rules[].skills":   values("Names of skills."),
		"rules[].surfaces": {about: "Where the rule holds; none is every surface."},
		"rules[].rows":     {about: "In which rows of home pages it holds; none is every row and the list."},
		"rules[].audience": {about: "For whom it holds: those who meet every condition that is set."},
		"rules[].from":     {about: "From when on it holds (RFC 3339); null is from ever."},
		"rules[].until":    {about: "Until when it holds, that moment left out (RFC 3339); null is for ever."},
		"rules[].position": {about: "Of a pin: the place of the first course, counted from 0; further ones follow.", max: MaxRulePosition},
		"rules[].count":    {about: "Of a pin that does not name its courses: how many of the best.", max: MaxRulePosition, note: "0 is 1"},
		"rules[].strength": {about: "Of a boost: how far the score moves to 1; of a burial: how far to 0.", max: 1, note: fmt.Sprintf("0 is %v", DefaultStrength)},
		"rules[].off":      {about: "Keeps the rule without effect."},
		"rules[].note":     {about: "Why, for people.", maxLength: maxRuleNote},

		"rules[].categories":             values("Names of categories."),
		"rules[].providers":              values("Names of providers."),
		"rules[].audience.signed_in":     {about: "True: learners; false: visitors and nobody; null: all."},
		"rules[].audience.min_courses":   {about: "How many courses they did something with, at least.", max: maxWhole},
		"rules[].audience.max_courses":   {about: "How many courses they did something with, at most; null is any number.", max: maxWhole},
		"rules[].audience.languages":     values("Languages that they read (BCP 47); en is en-GB too."),
		"rules[].audience.regions":       values("Regions that they are in."),
		"rules[].audience.organisations": values("Organisations that they belong to."),
		"rules[].audience.levels":        {about: "Levels that they prefer."},

		"rules[].surfaces[]":        {about: "A surface.", words: words(lectern.Surfaces())},
		"rules[].rows[]":            {about: "A row.", words: words(lectern.Rows())},
		"rules[].audience.levels[]": {about: "A level.", words: words(lectern.Levels())},
	}
	for _, list := range []string{"courses", "skills", "categories", "providers", "audience.languages", "audience.regions", "audience.organisations"} {
		out["rules[]."+list+"[]"] = value
	}
	return out
}

func words[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
