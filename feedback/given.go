package feedback

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// Given is what somebody says about a suggestion, before it is checked.
type Given struct {
	ID        string               `json:"id"` // made by the client, so that it may be sent again; "" makes one
	Kind      lectern.FeedbackKind `json:"kind"`
	CourseID  string               `json:"course_id"`
	RankingID string               `json:"ranking_id"` // the list it is about
	Position  *int                 `json:"position"`   // 0-based place in that list
	Days      *int                 `json:"days"`       // of not_now
	Reason    lectern.ReportReason `json:"reason"`     // of a report
	Comment   string               `json:"comment"`    // of a report
}

// Faults returns what is wrong whatever is stored.
func (g Given) Faults() []lectern.FieldError {
	var bad []lectern.FieldError
	fail := func(field string, value any, reason, allowed string) {
		bad = append(bad, lectern.NewFieldError(field, value, reason, allowed))
	}
	ids := func(field, id string) {
		if len(id) > lectern.MaxIDBytes || !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
			fail(field, id, "is not an id", fmt.Sprintf("up to %d bytes of text", lectern.MaxIDBytes))
		}
	}
	ids("id", g.ID)
	if !slices.Contains(lectern.FeedbackKinds(), g.Kind) {
		fail("kind", g.Kind, "is unknown", words(lectern.FeedbackKinds()))
	}
	if g.CourseID == "" {
		fail("course_id", "", "is missing", "the id of a course")
	}
	ids("course_id", g.CourseID)
	ids("ranking_id", g.RankingID)
	switch {
	case g.Position == nil:
	case g.RankingID == "":
		fail("position", *g.Position, "needs a ranking_id", "only with ranking_id")
	case *g.Position < 0:
		fail("position", *g.Position, "is not a place", "at least 0")
	}
	switch {
	case g.Days == nil:
	case g.Kind != lectern.FeedbackNotNow:
		fail("days", *g.Days, "is of not_now only", "only with kind not_now")
	case *g.Days < 1 || *g.Days > MaxDays:
		fail("days", *g.Days, "is out of range", fmt.Sprintf("1 to %d", MaxDays))
	}
	return append(bad, g.checkReport()...)
}

// checkReport checks what only reports have.
func (g Given) checkReport() []lectern.FieldError {
	var bad []lectern.FieldError
	fail := func(field string, value any, reason, allowed string) {
		bad = append(bad, lectern.NewFieldError(field, value, reason, allowed))
	}
	if g.Kind != lectern.FeedbackReport {
		if g.Reason != "" {
			fail("reason", g.Reason, "is of a report only", "only with kind report")
		}
		if g.Comment != "" {
			fail("comment", g.Comment, "is of a report only", "only with kind report")
		}
		return bad
	}
	switch {
	case g.Reason == "":
		fail("reason", "", "is missing", words(lectern.ReportReasons()))
	case !slices.Contains(lectern.ReportReasons(), g.Reason):
		fail("reason", g.Reason, "is unknown", words(lectern.ReportReasons()))
	}
	switch {
	case utf8.RuneCountInString(g.Comment) > MaxCommentChars:
		fail("comment", utf8.RuneCountInString(g.Comment), "is too long", fmt.Sprintf("at most %d characters", MaxCommentChars))
	case !utf8.ValidString(g.Comment) || strings.ContainsFunc(g.Comment, isControl):
		fail("comment", g.Comment, "is not text", "text without control characters")
	}
	return bad
}

// isControl reports whether a character has no place in a comment; ends of lines have.
func isControl(r rune) bool {
	return r != '\n' && r != '\r' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

// feedback is what is said, at a time.
func (g Given) feedback(at time.Time) lectern.Feedback {
	f := lectern.Feedback{
		ID: g.ID, CourseID: g.CourseID, Kind: g.Kind, At: at, Reason: g.Reason, Comment: g.Comment,
		RankingID: g.RankingID, Position: g.Position,
	}
	if g.Kind == lectern.FeedbackNotNow {
		until := at.Add(g.lasts())
		f.Until = &until
	}
	return f
}

// lasts is how long "not now" holds.
func (g Given) lasts() time.Duration {
	if g.Days == nil {
		return DefaultDays * day
	}
	return time.Duration(*g.Days) * day
}

// says reports whether something stored is what is given: it was sent before.
func (g Given) says(f lectern.Feedback) bool {
	position := g.Position == nil || f.Position != nil && *g.Position == *f.Position
	until := f.Until == nil || f.Until.Sub(f.At) == g.lasts()
	return position && until && f.Kind == g.Kind && f.CourseID == g.CourseID && f.Reason == g.Reason &&
		f.Comment == g.Comment && f.RankingID == g.RankingID
}

// look holds what is given against what is stored and adds what is wrong. missing
// reports that nobody knows the course, where nothing else is said against it.
func (s *Service) look(
	ctx context.Context, ref lectern.LearnerRef, g Given, bad *[]lectern.FieldError,
) (list shown, missing bool, err error) {
	fine := func(field string) bool {
		return !slices.ContainsFunc(*bad, func(f lectern.FieldError) bool { return f.Field == field })
	}
	if fine("course_id") {
		known, err := s.o.Courses.Courses(ctx, []string{g.CourseID})
		if err != nil {
			return shown{}, false, err
		}
		missing = len(known) == 0
	}
	if g.RankingID != "" && fine("ranking_id") {
		var wrong []lectern.FieldError
		if list, wrong, err = s.cited(ctx, ref, g, missing); err != nil {
			return shown{}, false, err
		}
		for _, f := range wrong {
			if fine(f.Field) {
				*bad = append(*bad, f)
			}
		}
	}
	if missing && len(*bad) > 0 {
		*bad = append(*bad, unknownCourse(g.CourseID))
	}
	return list, missing, nil
}

func unknownCourse(id string) lectern.FieldError {
	return lectern.NewFieldError("course_id", id, "is unknown", "the id of a course that the catalogue has")
}

// cited finds the list that is cited, and says what is wrong with citing it.
func (s *Service) cited(ctx context.Context, ref lectern.LearnerRef, g Given, missing bool) (shown, []lectern.FieldError, error) {
	r, err := s.o.Rankings.Ranking(ctx, g.RankingID)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return shown{}, []lectern.FieldError{lectern.NewFieldError("ranking_id", g.RankingID, "is unknown",
			"the id of a list that was shown, or none")}, nil
	}
	if err != nil {
		return shown{}, nil, err
	}
	own, err := s.owns(ctx, ref, r.Learner)
	switch {
	case err != nil:
		return shown{}, nil, err
	case !own: // whose it is stays untold
		return shown{}, []lectern.FieldError{lectern.NewFieldError("ranking_id", g.RankingID, "was not shown to this learner",
			"the id of a list that was shown to them, or none")}, nil
	case missing:
		return shown{}, nil, nil
	}
	at := slices.IndexFunc(r.Items, func(it lectern.RankedItem) bool { return it.CourseID == g.CourseID })
	switch {
	case at < 0:
		return shown{}, []lectern.FieldError{lectern.NewFieldError("ranking_id", g.RankingID, "does not hold the course",
			"the id of a list that does, or none")}, nil
	case g.Position != nil && *g.Position != at:
		return shown{}, []lectern.FieldError{lectern.NewFieldError("position", *g.Position, "is another course's",
			fmt.Sprintf("%d in this list, or none", at))}, nil
	}
	return shown{ranking: r, at: at, known: true}, nil, nil
}

// owns reports whether a list may be cited by somebody: it was made for them, or for
// nobody.
func (s *Service) owns(ctx context.Context, ref, of lectern.LearnerRef) (bool, error) {
	if of.IsZero() || of == ref {
		return true, nil
	}
	who, err := s.o.Learners.Learner(ctx, ref) // who signed in has another name than before
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	owner, err := s.o.Learners.Learner(ctx, of)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return false, nil
	}
	return who.ID == owner.ID && who.Anonymous == owner.Anonymous, err
}

// words lists what a field may hold.
func words[T ~string](of []T) string {
	out := make([]string, len(of))
	for i, w := range of {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}
