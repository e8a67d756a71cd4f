package learner

import (
	"fmt"

	"github.com/lectern-dev/lectern"
)

// preferenceNotes are a learner's preferences in words, in the order of all there are.
func preferenceNotes(c lectern.Corrections) []PreferenceNote {
	out := []PreferenceNote{}
	for _, p := range lectern.Preferences() {
		if leaning, ok := c.Preferences[p]; ok {
			out = append(out, PreferenceNote{Name: p, Leaning: leaning, Text: inWords(p, leaning)})
		}
	}
	return out
}

// inWords says a preference.
func inWords(p lectern.Preference, leaning lectern.Leaning) string {
	more := leaning == lectern.LeanMore
	switch p {
	case lectern.PreferPopular:
		return oneOf(more, "more courses that many take", "fewer courses that many take")
	case lectern.PreferNew:
		return oneOf(more, "more recent courses", "fewer recent courses")
	case lectern.PreferDifferent:
		return oneOf(more, "more that is unlike what they know", "less that is unlike what they know")
	case lectern.PreferShort:
		return oneOf(more, "more courses that fit their time", "courses that fit their time matter less")
	case lectern.PreferChallenging:
		return oneOf(more, "more challenging courses", "less challenging courses")
	}
	return string(leaning) + " " + string(p)
}

func oneOf(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// feedbackNotes are what a learner said about suggestions, in words.
func (p *Profiles) feedbackNotes(said []lectern.Feedback) []FeedbackNote {
	out := make([]FeedbackNote, len(said))
	ids := make([]string, len(said))
	for i, f := range said {
		ids[i] = f.CourseID
	}
	titles := make([]string, len(said))
	if p.from.Courses != nil {
		for i, f := range p.from.Courses.Facts(ids) {
			titles[i] = f.Title
		}
	}
	for i, f := range said {
		out[i] = FeedbackNote{ID: f.ID, Kind: f.Kind, CourseID: f.CourseID, Title: titles[i], At: f.At, Until: f.Until}
		name := titles[i]
		if name == "" {
			name = f.CourseID
		}
		out[i].Text = aboutCourse(f, name)
	}
	return out
}

// aboutCourse says one thing that was said about a course.
func aboutCourse(f lectern.Feedback, name string) string {
	switch f.Kind {
	case lectern.FeedbackMore:
		return fmt.Sprintf("more like “%s”", name)
	case lectern.FeedbackLess:
		return fmt.Sprintf("less like “%s”", name)
	case lectern.FeedbackNotNow:
		if f.Until != nil {
			return fmt.Sprintf("“%s” not before %s", name, f.Until.UTC().Format("2 January 2006"))
		}
		return fmt.Sprintf("“%s” not now", name)
	case lectern.FeedbackKnown:
		return fmt.Sprintf("knows “%s” already", name)
	case lectern.FeedbackReport:
		return fmt.Sprintf("reported “%s” as %s", name, reasonWords(f.Reason))
	}
	return fmt.Sprintf("%s: “%s”", f.Kind, name)
}

// reasonWords says why a suggestion is poor.
func reasonWords(r lectern.ReportReason) string {
	switch r {
	case lectern.ReportWrongLevel:
		return "of the wrong level"
	case lectern.ReportQuality:
		return "of poor quality"
	case lectern.ReportRepeated:
		return "shown too often"
	case lectern.ReportOther:
		return "poor"
	}
	return string(r)
}
