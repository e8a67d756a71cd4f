package retrieve_test

import (
	"fmt"

	"github.com/lectern-dev/lectern"
)

// schoolTopics are what the school teaches, each with the words of its titles.
var schoolTopics = []struct{ name, words, skills string }{
	{"python", "Python Program", "Python"},
	{"guitar", "Guitar Song", "Guitar"},
	{"brands", "Marketing Brand", "Marketing"},
	{"cooking", "Cooking Kitchen", "Cooking"},
	{"spanish", "Spanish Grammar", "Spanish"},
}

// school is a catalogue of five topics. Each has two beginner courses that are twins,
// an intermediate course that needs the first of them, an advanced one that needs
// that, and eight courses of mixed level.
func school() []lectern.Course {
	var out []lectern.Course
	for t, topic := range schoolTopics {
		add := func(kind string, level lectern.Level, needs ...string) {
			published := now.AddDate(0, -1-len(out)%7, 0)
			h := float64(10 + 10*(len(out)%5))
			out = append(out, lectern.Course{
				ID: topic.name + "-" + kind, Title: fmt.Sprintf("%s %s", topic.words, kind),
				Description: fmt.Sprintf("%s. %s. Lesson %d.", topic.words, topic.words, len(out)),
				Language:    "en", Provider: fmt.Sprintf("provider %d", len(out)%9), Categories: []string{topic.name},
				Skills: []string{topic.skills, topic.skills + " practice"}, Level: level, WorkloadHours: &h,
				PublishedAt: &published, Prerequisites: needs,
				Stated: lectern.StatedStats{RatingMean: 4 + float64((len(out)*7)%10)/10, RatingCount: 50, Enrolments: 100 + 10*t},
			})
		}
		add("beginner", lectern.LevelBeginner)
		add("twin", lectern.LevelBeginner)
		add("intermediate", lectern.LevelIntermediate, topic.name+"-beginner")
		add("advanced", lectern.LevelAdvanced, topic.name+"-intermediate")
		for i := range 8 {
			add(fmt.Sprintf("workshop-%d", i), lectern.LevelMixed)
		}
	}
	return out
}

// topicOf is the topic of a course of the school.
func topicOf(id string) string {
	for i := range id {
		if id[i] == '-' {
			return id[:i]
		}
	}
	return id
}
