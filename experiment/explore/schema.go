package explore

import (
	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/document"
)

// Bounds of what nobody needs more of.
const (
	maxPlace   = 50
	maxPlaces  = 10 // of one surface
	maxRewards = 20
	maxDays    = 3650
	maxName    = 32
)

// fields describes every field of the document by its path.
func fields() map[string]document.Field {
	out := map[string]document.Field{
		"enabled":     {About: "The one switch: false, and no list explores."},
		"policy":      {About: "What chooses at exploring places: linear Thompson sampling, LinUCB, epsilon-greedy, or none, which keeps the list's order but for the uniform floor and the new courses.", Words: Policies()},
		"places":      {About: "The places of each kind of list that explore, counted from 1."},
		"share":       {About: "Share of people whose lists explore.", Max: 1},
		"pool":        {About: "How many courses may be put at an exploring place, beside new ones that are owed impressions.", Min: 2, Max: 100},
		"quality":     {About: "Least quality term of a course that exploration puts anywhere.", Max: 1},
		"score_share": {About: "Least score of a course that exploration puts somewhere, as a share of that of the course whose place it is.", Max: 1},
		"floor":       {About: "Share of choices that are uniform over the pool. It keeps the probability of every course in it above zero, which estimates live on.", Over: true, Max: 1},
		"epsilon":     {About: "Of epsilon_greedy: share of its own choices that are uniform.", Max: 1},
		"alpha":       {About: "Of linucb: how many standard deviations above the mean it hopes for.", Max: 10},
		"spread":      {About: "Of thompson: what the standard deviations of the posterior are multiplied by.", Max: 10},
		"draws":       {About: "Draws of the policy behind a propensity that cannot be computed exactly: the more, the smaller its standard error.", Min: 100, Max: 100_000},
		"caps":        {About: "What a day of exploration may cost anybody."},
		"new_courses": {About: "Impressions that courses are owed in their first weeks."},
		"guardrails":  {About: "When exploration switches itself off."},
		"learning":    {About: "How the policy learns."},
		"rewards":     {About: "What events after a list are worth to the policy; each counts once for a course of a list.", MaxItems: maxRewards},
		"rewards[]":   {About: "One reward."},

		"rewards[].name":        {About: "The reward's name, its own among all.", Pattern: "^[a-z0-9_]+$", MaxLength: maxName},
		"rewards[].event":       {About: "The event that earns it.", Words: rewardEvents()},
		"rewards[].value":       {About: "What it is worth; below 0 it is a loss.", Min: -1, Max: 1},
		"rewards[].within_days": {About: "Days after the list within which the event has to come.", Over: true, Max: 365},
		"rewards[].at_least":    {About: "Of progress: least share done; of a rating: least stars; 0 for all other events.", Max: lectern.MaxStars},
	}
	for name, words := range map[string]string{
		"home": "the list of recommendations and of the row for_you", "search": "searches",
		"similar": "courses like another and of the row because", "next": "what to take after a course and of the row next",
		"trending": "what is trending and of the row trending",
	} {
		out["places."+name] = document.Field{About: "Exploring places of " + words + ".", MaxItems: maxPlaces, Unique: true}
		out["places."+name+"[]"] = document.Field{About: "A place.", Min: 2, Max: maxPlace, Note: "the first place never explores"}
	}
	for _, part := range []map[string]document.Field{safetyFields(), learningFields()} {
		for path, f := range part {
			out[path] = f
		}
	}
	return out
}

func safetyFields() map[string]document.Field {
	return map[string]document.Field{
		"caps.per_learner":  {About: "Explored items shown to one person in a day.", Max: 10_000, Note: "0 is no cap"},
		"caps.per_course":   {About: "How often exploration shows one course in a day.", Max: 1e9, Note: "0 is no cap"},
		"caps.per_provider": {About: "Most of a day's explored items that may be of one provider.", Max: 1, Note: "0 is no cap"},

		"new_courses.days":        {About: "Age in days up to which a course is owed impressions.", Max: 365, Note: "0 owes none"},
		"new_courses.impressions": {About: "How many impressions a new course is owed over those days, evenly.", Max: 1e6, Note: "0 owes none"},
		"new_courses.quality":     {About: "Least quality term of a new course that is owed any.", Max: 1},
		"new_courses.relevance":   {About: "Least score for the learner, as a share of the list's best.", Max: 1},
		"new_courses.share":       {About: "Share of choices that are uniform over the courses that are behind, where there are any.", Max: 1},

		"guardrails.enabled":     {About: "False: nobody watches."},
		"guardrails.days":        {About: "How many days are looked at.", Min: 1, Max: 90},
		"guardrails.impressions": {About: "Explored impressions before anything is concluded.", Min: 1, Max: 1e9},
		"guardrails.confidence":  {About: "Confidence with which a limit has to be overstepped, however often it is looked at.", Min: 0.5, Max: 0.9999},
		"guardrails.report_rate": {About: "Most reports of explored items, as a multiple of the rate of others.", Max: 1000, Note: "0 is no limit"},
		"guardrails.drop_rate":   {About: "Most drops of courses that were explored, as a multiple of the rate of others.", Max: 1000, Note: "0 is no limit"},
		"guardrails.click_rate":  {About: "Least clicks on explored items, as a share of the rate of others, place for place.", Max: 1, Note: "0 is no limit"},
	}
}

func learningFields() map[string]document.Field {
	return map[string]document.Field{
		"learning.half_life_days": {About: "Age in days at which what was learnt counts half.", Max: maxDays, Note: "0 is never"},
		"learning.ridge":          {About: "How many impressions the prior is worth: the more, the longer the list's own order holds.", Over: true, Max: 1e6},
		"learning.noise":          {About: "Standard deviation of what an impression earns: the more, the longer the policy doubts.", Over: true, Max: 10},
	}
}

// rewardEvents are the events that may earn a reward: what people do with a course
// that they were shown.
func rewardEvents() []string {
	return []string{
		string(lectern.EventClick), string(lectern.EventSave), string(lectern.EventEnrol), string(lectern.EventProgress),
		string(lectern.EventComplete), string(lectern.EventRate), string(lectern.EventDrop), string(lectern.EventDismiss),
	}
}
