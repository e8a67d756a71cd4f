package learner

import (
	"math"

	"github.com/lectern-dev/lectern"
)

// Source says where a fact about a learner comes from.
type Source string

// The sources of what is known.
const (
	SourceUnknown   Source = "unknown"
	SourceStated    Source = "stated"    // the learner, or the platform in their name, said so
	SourceGoal      Source = "goal"      // the goal says so
	SourceBehaviour Source = "behaviour" // what the learner did says so
	SourceEstimated Source = "estimated" // worked out from what the learner did
)

// levelEstimate is where a learner stands between the levels.
type levelEstimate struct {
	mean     float64 // 0 beginner, 1 intermediate, 2 advanced
	evidence int     // courses
}

// estimateLevel is the mean level of what the learner enrolled in, by weight, where
// a completed course counts LevelUp more than it is: who has finished it is past it.
// Courses for any level, and those that the learner dropped or turned down, say
// nothing.
func (c Config) estimateLevel(entries []weighted, facts []CourseFacts) levelEstimate {
	const taken = lectern.StateEnrolled | lectern.StateProgressed | lectern.StateCompleted
	var out levelEstimate
	sum, total := 0.0, 0.0
	for i, e := range entries {
		at, ok := levelNumber(facts[i].Level)
		if !ok || e.weight <= 0 || e.state&taken == 0 {
			continue
		}
		if e.state&lectern.StateCompleted != 0 {
			at += c.LevelUp
		}
		out.evidence++
		total += e.weight
		sum += e.weight * at
	}
	if out.evidence > 0 {
		out.mean = sum / total
	}
	return out
}

// level is the estimate as one of the levels, "" with too little evidence.
func (c Config) level(e levelEstimate) lectern.Level {
	if e.evidence < c.MinEvidence {
		return ""
	}
	return lectern.Levels()[int(math.Round(min(e.mean, 2)))]
}

// levelNumber places a level on the line from beginner to advanced.
func levelNumber(l lectern.Level) (float64, bool) {
	switch l {
	case lectern.LevelBeginner:
		return 0, true
	case lectern.LevelIntermediate:
		return 1, true
	case lectern.LevelAdvanced:
		return 2, true
	}
	return 0, false
}
