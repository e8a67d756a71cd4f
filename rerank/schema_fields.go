package rerank

import (
	"fmt"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/document"
)

// fieldRule is what one field of the document means and may be.
type fieldRule = document.Field

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
		"weights":          {About: "How much each term counts, per surface. Only the proportions within a surface matter."},
		"weights.home":     {About: "Weights of the list of recommendations, and of rows of home pages that have none of their own. An absent weight is 0 where the surface is given."},
		"weights.search":   {About: "Weights of searches. An absent weight is 0 where the surface is given."},
		"weights.similar":  {About: "Weights of courses like another. An absent weight is 0 where the surface is given."},
		"weights.next":     {About: "Weights of what to take after a course. An absent weight is 0 where the surface is given."},
		"weights.trending": {About: "Weights of what gains on its own past. An absent weight is 0 where the surface is given."},
		"weights.rows":     {About: "Weights of single rows of home pages, by row, in place of those of home. An absent weight is 0."},
		"weights.rows.*":   {About: "Weights of this row."},
		"disabled":         {About: "Terms that take no part anywhere, whatever their weights.", MaxItems: int(termCount)},
		"disabled[]":       {About: "The name of a term.", Words: termNames[:]},
		"terms":            {About: "How terms are computed."},
		"lists":            {About: "How a list is made of scored courses."},
		"preferences":      {About: "How far a learner's stated preferences change weights: by what they are multiplied. 1 and 1 let learners change nothing."},
		"rules":            {About: "Decisions about some courses: pin, boost, bury or hide them.", MaxItems: MaxRules},
		"reasons":          {About: "From when on a reason is worth giving."},
	}
	for name, about := range termSentences() {
		out["weights.*."+name] = fieldRule{About: about, Max: maxWeight, Note: "0 takes no part"}
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
		"terms.freshness_half_life_days": {About: "Age in days at which freshness is one half.", Over: true, Max: maxDays},
		"terms.rating_prior":             {About: "How many ratings the catalogue's mean weighs as: the higher, the more ratings a course needs to stand out.", Max: maxPrior},
		"terms.rating_half_life_days":    {About: "Age in days at which a rating counts half.", Max: 1460, OneOf: RatingHalfLives(), Note: "0 is never"},
		"terms.sentiment_prior":          {About: "How many reviews the catalogue's mean sentiment weighs as.", Max: maxPrior},
		"terms.completion_prior":         {About: "How many starters the catalogue's share of finishers weighs as.", Max: maxPrior},
		"terms.comfortable_weeks":        {About: "Time fit is 1 for courses that take up to so many weeks.", Over: true, Max: 520},
		"terms.exposure_days":            {About: "Age in days at which a course is new no longer, for creator exposure.", Over: true, Max: maxDays},
		"terms.exposure_views":           {About: "Recent views at which a course is shown enough, for creator exposure.", Over: true, Max: 1e9},
	}
}

func listFields() map[string]fieldRule {
	out := map[string]fieldRule{
		"lists.diversity":         {About: "How much likeness to what stands above costs a course its place, against 1 − so much for its score (maximal marginal relevance)."},
		"lists.diverse_places":    {About: "How many places diversity is for.", Max: 100},
		"lists.duplicates_from":   {About: "Cosine from which two courses teach the same, and only the better one is listed.", Min: 0.5, Max: 2, Note: "over 1 is never"},
		"lists.max_provider_run":  {About: "Of home lists: how many courses of one provider may stand in a row.", Max: maxPlaces, Note: "0 is no cap"},
		"lists.max_category_run":  {About: "Of home lists: how many courses of one category may stand in a row.", Max: maxPlaces, Note: "0 is no cap"},
		"lists.max_variety_loss":  {About: "Of home lists: how much score breaking up a run may cost at one place.", Max: 1},
		"lists.max_per_provider":  {About: "How many courses of one provider may stand among the first limited_places.", Max: maxPlaces, Note: "0 is no limit"},
		"lists.limited_places":    {About: "How many places max_per_provider is for.", Max: maxPlaces},
		"lists.calibration":       {About: "Of home lists: how hard the first places keep to the shares of the learner's profile, against score."},
		"lists.calibrated_places": {About: "Of home lists: how many places calibration is for.", Max: 100},
		"lists.dismissed_from":    {About: "Of home lists: cosine to what the learner turned down from which a course that is no nearer to their interests stands behind all others.", Max: 1},
	}
	for name, words := range map[string]string{
		"home": "home lists", "search": "searches", "similar": "courses like another", "next": "what to take after a course", "trending": "what is trending",
	} {
		out["lists.diversity."+name] = fieldRule{About: "Diversity of " + words + ".", Max: 1, Under: true, Note: "0 is none"}
	}
	for name, words := range map[string]string{
		"interests": "the learner's interests", "categories": "the categories that they take", "providers": "the providers", "levels": "the levels",
	} {
		out["lists.calibration."+name] = fieldRule{About: "How hard to keep to the shares of " + words + ".", Max: 1, Under: true, Note: "0 is not at all"}
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
		out[path] = fieldRule{About: "By what the " + words[0] + " is multiplied."}
		multiplies := " multiplies the " + words[0]
		less := fieldRule{About: "For learners who want " + words[1] + ": the number" + multiplies + "; 1 changes nothing.", Max: 1}
		more := fieldRule{About: "For learners who want " + words[2] + ": the number" + multiplies + "; 1 changes nothing.", Min: 1, Max: maxLeaning}
		if name == "challenging" {
			less.Min, less.Max = 1, maxLeaning
			for _, r := range []struct {
				rule *fieldRule
				step string
			}{{&less, "below"}, {&more, "above"}} {
				r.rule.About = strings.TrimSuffix(r.rule.About, ".") + ". The level that fits best is then one " + r.step +
					" theirs: a wish of either kind makes the fit count more, so both are 1 or over."
			}
		}
		out[path+".less"], out[path+".more"] = less, more
	}
	return out
}

func reasonFields() map[string]fieldRule {
	return map[string]fieldRule{
		"reasons.max":          {About: "How many reasons an item may have.", Max: 10},
		"reasons.new_days":     {About: "A course is called new when it was published within so many days.", Max: maxDays},
		"reasons.popular_from": {About: "A course is called popular from this popularity term on.", Max: 1},
		"reasons.rated_from":   {About: "A course is called highly rated from so many stars on.", Min: lectern.MinStars, Max: lectern.MaxStars},
		"reasons.rated_count":  {About: "A course is called highly rated from so many ratings on.", Min: 1, Max: maxCount},
		"reasons.similar_from": {About: "A course is called similar to another, or to an interest, from this match on.", Max: 1},
		"reasons.skill_from":   {About: "A course is said to teach a skill of the query from this match on.", Max: 1},
		"reasons.others_from":  {About: "What others take is a reason from this collaborative term on.", Max: 1},
		"reasons.trend_from":   {About: "A course is called trending from this trend term on.", Max: 1},
	}
}

// ruleFields only describes: what rules may be depends on their action, and is checked
// by ruleProblems. A test holds the two against each other.
func ruleFields() map[string]fieldRule {
	value := fieldRule{About: "One value.", Pattern: `\S`, MaxLength: maxRuleValue}
	values := func(about string) fieldRule { return fieldRule{About: about, MaxItems: MaxRuleValues} }
	out := map[string]fieldRule{
		"rules[]":          {About: "One rule: it is about the courses that match every selector that is set (courses, skills, categories, providers), of each by any of its values."},
		"rules[].id":       {About: "The rule's name, its own among all rules; explanations cite it.", Pattern: "^[A-Za-z0-9._-]+$", MaxLength: maxRuleID},
		"rules[].action":   {About: "What to do with the courses. Hiding goes before pinning, pinning before burying and boosting.", Words: words(RuleActions())},
		"rules[].courses":  values("Ids of courses."),
		"rules[].skills":   values("Names of skills."),
		"rules[].surfaces": {About: "Where the rule holds; none is every surface."},
		"rules[].rows":     {About: "In which rows of home pages it holds; none is every row and the list."},
		"rules[].audience": {About: "For whom it holds: those who meet every condition that is set."},
		"rules[].from":     {About: "From when on it holds (RFC 3339); null is from ever."},
		"rules[].until":    {About: "Until when it holds, that moment left out (RFC 3339); null is for ever."},
		"rules[].position": {About: "Of a pin: the place of the first course, counted from 0; further ones follow.", Max: MaxRulePosition},
		"rules[].count":    {About: "Of a pin that does not name its courses: how many of the best.", Max: MaxRulePosition, Note: "0 is 1"},
		"rules[].strength": {About: "Of a boost: how far the score moves to 1; of a burial: how far to 0.", Max: 1, Note: fmt.Sprintf("0 is %v", DefaultStrength)},
		"rules[].off":      {About: "Keeps the rule without effect."},
		"rules[].note":     {About: "Why, for people.", MaxLength: maxRuleNote},

		"rules[].categories":             values("Names of categories."),
		"rules[].providers":              values("Names of providers."),
		"rules[].audience.signed_in":     {About: "True: learners; false: visitors and nobody; null: all."},
		"rules[].audience.min_courses":   {About: "How many courses they did something with, at least.", Max: document.MaxWhole},
		"rules[].audience.max_courses":   {About: "How many courses they did something with, at most; null is any number.", Max: document.MaxWhole},
		"rules[].audience.languages":     values("Languages that they read (BCP 47); en is en-GB too."),
		"rules[].audience.regions":       values("Regions that they are in."),
		"rules[].audience.organisations": values("Organisations that they belong to."),
		"rules[].audience.levels":        {About: "Levels that they prefer."},

		"rules[].surfaces[]":        {About: "A surface.", Words: words(lectern.Surfaces())},
		"rules[].rows[]":            {About: "A row.", Words: words(lectern.Rows())},
		"rules[].audience.levels[]": {About: "A level.", Words: words(lectern.Levels())},
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
