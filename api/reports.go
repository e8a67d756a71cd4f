package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/feedback"
)

// Reports is what administrators do about reports; feedback.Service does.
type Reports interface {
	// ByCourse and ByTerm group reports, most first.
	ByCourse(ctx context.Context, q feedback.Query) ([]feedback.CourseReports, feedback.Totals, error)
	ByTerm(ctx context.Context, q feedback.Query) ([]feedback.TermReports, feedback.Totals, error)
	// Settle says what becomes of the reports about a course. Errors: CodeInvalid,
	// CodeNotFound where there are none.
	Settle(ctx context.Context, courseID string, t feedback.Settlement) (int, error)
	// Rule makes a rule of them. Errors: CodeInvalid, CodeNotFound, CodePrecondition.
	Rule(ctx context.Context, courseID string, g feedback.RuleGiven) (feedback.RuleMade, error)
}

var _ Reports = (*feedback.Service)(nil)

// defaultGroups is how many groups of reports are shown when nobody says.
const defaultGroups = 50

// reportsByCourseDTO is one view of the reports, and reportsByTermDTO the other.
type reportsByCourseDTO struct {
	Courses []feedback.CourseReports `json:"courses"`
	feedback.Totals
}

type reportsByTermDTO struct {
	Terms []feedback.TermReports `json:"terms"`
	feedback.Totals
}

func (s *Server) reports() (Reports, error) {
	if s.deps.Reports == nil {
		return nil, lectern.Errorf(lectern.CodeUnavailable, "reports are not taken here")
	}
	return s.deps.Reports, nil
}

func (s *Server) listReports(in *request) error {
	keeper, err := s.reports()
	if err != nil {
		return err
	}
	q, err := reportQuery(in)
	if err != nil {
		return err
	}
	in.Response().Header().Set("Cache-Control", "private, no-store")
	if in.QueryParam("group") == "term" {
		terms, totals, err := keeper.ByTerm(in.ctx(), q)
		if err != nil {
			return err
		}
		return respond(in, http.StatusOK, reportsByTermDTO{some(terms), totals})
	}
	courses, totals, err := keeper.ByCourse(in.ctx(), q)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, reportsByCourseDTO{some(courses), totals})
}

// reportQuery reads the parameters.
func reportQuery(in *request) (feedback.Query, error) {
	q := feedback.Query{CourseID: in.QueryParam("course_id"), Limit: defaultGroups}
	for _, s := range splitWords(in.QueryParams()["status"]) { // the description has checked the words
		q.Statuses = append(q.Statuses, lectern.ReportStatus(s))
	}
	if text := in.QueryParam("since"); text != "" {
		at, err := sinceOf(text)
		if err != nil {
			return q, err
		}
		q.Since = at
	}
	if n, err := strconv.Atoi(in.QueryParam("limit")); err == nil {
		q.Limit = n
	}
	return q, nil
}

// sinceOf reads a time, or a day.
func sinceOf(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, lectern.Invalid("since is not a time",
		lectern.NewFieldError("since", text, "is not a time", "a day such as 2026-03-01, or a time such as 2026-03-01T12:00:00Z"))
}

func (s *Server) settleReports(in *request) error {
	keeper, err := s.reports()
	if err != nil {
		return err
	}
	course, err := pathParam(in, "course")
	if err != nil {
		return err
	}
	var t feedback.Settlement
	if err := s.decode(in, &t); err != nil {
		return err
	}
	t.By = in.caller.keyID
	n, err := keeper.Settle(in.ctx(), course, t)
	if err != nil {
		return err
	}
	groups, _, err := keeper.ByCourse(in.ctx(), feedback.Query{CourseID: course})
	if err != nil {
		return err
	}
	out := struct {
		Changed int                     `json:"changed"`
		Course  *feedback.CourseReports `json:"course,omitempty"`
	}{Changed: n}
	if len(groups) == 1 { // else the last of them was taken back meanwhile
		out.Course = &groups[0]
	}
	return respond(in, http.StatusOK, out)
}

func (s *Server) ruleOfReports(in *request) error {
	keeper, err := s.reports()
	if err != nil {
		return err
	}
	course, err := pathParam(in, "course")
	if err != nil {
		return err
	}
	var given feedback.RuleGiven
	if err := s.decode(in, &given); err != nil {
		return err
	}
	given.Author, given.IfMatch = in.caller.keyID, in.Request().Header.Get("If-Match")
	made, err := keeper.Rule(in.ctx(), course, given)
	if err != nil {
		return err
	}
	h := in.Response().Header()
	h.Set("ETag", made.ETag)
	h.Set(headerConfigVersion, made.Name)
	h.Set("Cache-Control", "private, no-cache")
	status := http.StatusCreated
	if !made.Changed {
		status = http.StatusOK
	}
	return respond(in, status, made)
}
