package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
)

// respond answers with a JSON document.
func respond(c echo.Context, status int, v any) error {
	c.Response().Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	c.Response().WriteHeader(status)
	enc := json.NewEncoder(c.Response())
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (s *Server) recommendAnyone(in *request) error {
	return s.list(in, lectern.ListRequest{Surface: lectern.SurfaceHome})
}

func (s *Server) recommendLearner(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	return s.list(in, lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: lectern.LearnerRef{ID: id}})
}

func (s *Server) recommendVisitor(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	ref := lectern.LearnerRef{AnonymousID: id}
	if err := s.mayRead(in, ref); err != nil {
		return err
	}
	return s.list(in, lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: ref})
}

func (s *Server) similar(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	who, err := s.listFor(in)
	if err != nil {
		return err
	}
	return s.list(in, lectern.ListRequest{Surface: lectern.SurfaceSimilar, CourseID: id, Learner: who})
}

// list asks for the page and answers with it.
func (s *Server) list(in *request, req lectern.ListRequest) error {
	l, say, err := s.makeList(in, &req)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, listOf(l, say, req.Explain))
}

// makeList completes the request, asks for the page and sets the answer's headers.
func (s *Server) makeList(in *request, req *lectern.ListRequest) (l lectern.List, say speaker, err error) {
	if req.Filter, err = filterOf(in); err != nil {
		return l, say, err
	}
	req.Limit = s.pageLimit(in)
	req.Cursor = in.QueryParam("cursor")
	req.Explain = explain(in)
	if l, err = s.deps.Ranker.List(in.ctx(), *req); err != nil {
		return l, say, err
	}
	s.metrics.list(req.Surface, l)
	setTiming(in, l.Timings)
	say = s.speaker(in, req.Learner)
	personal(in, say)
	return l, say, nil
}

// personal sets the headers of an answer that is for one learner, in one language,
// and that nobody may keep: every list has a ranking id of its own.
func personal(in *request, say speaker) {
	h := in.Response().Header()
	h.Set("Content-Language", say.tag)
	h.Set("Cache-Control", "private, no-store")
	h.Add(echo.HeaderVary, "Accept-Language")
}

// learnerParams reads the learner or visitor that a list is for.
func learnerParams(in *request) (lectern.LearnerRef, error) {
	ref := lectern.LearnerRef{ID: in.QueryParam("learner"), AnonymousID: in.QueryParam("anonymous")}
	if ref.ID != "" && ref.AnonymousID != "" {
		return ref, lectern.Invalid("name a learner or a visitor, not both",
			lectern.NewFieldError("anonymous", ref.AnonymousID, "is given together with learner", "one of the two"))
	}
	for field, id := range map[string]string{"learner": ref.ID, "anonymous": ref.AnonymousID} {
		if id == "" {
			continue
		}
		if err := checkID(field, id); err != nil {
			return ref, err
		}
	}
	return ref, nil
}

// listFor is learnerParams for a caller who may read that learner's lists.
func (s *Server) listFor(in *request) (lectern.LearnerRef, error) {
	ref, err := learnerParams(in)
	if err != nil {
		return ref, err
	}
	return ref, s.mayRead(in, ref)
}

// mayRead refuses what is personal to callers without the right. A visitor's
// list is protected by the anonymous id alone, until the visitor signs in: from
// then on it is the learner's.
func (s *Server) mayRead(in *request, ref lectern.LearnerRef) error {
	return s.mayReadWithin(in.ctx(), in, ref)
}

// mayReadWithin is mayRead for a caller who waits no longer than ctx.
func (s *Server) mayReadWithin(ctx context.Context, in *request, ref lectern.LearnerRef) error {
	switch {
	case ref.IsZero() || in.caller.trusted():
		return nil
	case ref.ID != "":
		if in.caller.mayActFor(ref.ID) {
			return nil
		}
		return forbidden(accessLearner, in.caller)
	}
	l, err := s.deps.Learners.Learner(ctx, ref)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return nil // nobody we know
	}
	if err != nil {
		return err
	}
	if l.Anonymous || in.caller.mayActFor(l.ID) {
		return nil
	}
	return lectern.Errorf(lectern.CodeForbidden,
		"this visitor has signed in; the learner's token is needed in %s", headerLearnerToken)
}

// filterOf reads the filters, whose form the description has checked already.
func filterOf(in *request) (lectern.Filter, error) {
	q := in.QueryParams()
	f := lectern.Filter{
		Languages:  splitWords(q["language"]),
		Categories: nonEmpty(q["category"]),
		Providers:  nonEmpty(q["provider"]),
		Skills:     nonEmpty(q["skill"]),
	}
	const maxValues = 50
	for field, values := range map[string][]string{"category": f.Categories, "provider": f.Providers, "skill": f.Skills} {
		if len(values) > maxValues {
			return f, lectern.Invalid("too many values", lectern.NewFieldError(field, len(values), "has too many values", "at most 50"))
		}
	}
	for i, l := range f.Languages {
		tag, reason := ingest.LanguageTag(l)
		if reason != "" {
			return f, lectern.Invalid("the parameter language "+reason,
				lectern.NewFieldError("language", l, reason, "BCP 47 tags such as en or pt-BR"))
		}
		f.Languages[i] = tag // as courses have it
	}
	for _, l := range splitWords(q["level"]) {
		f.Levels = append(f.Levels, lectern.Level(l))
	}
	for _, n := range []struct {
		param, what, allowed string
		to                   **float64
	}{
		{"min_hours", "is not a number of hours", "0 to 10000", &f.MinHours},
		{"max_hours", "is not a number of hours", "0 to 10000", &f.MaxHours},
		{"min_rating", "is not a rating", "1 to 5", &f.MinRating},
	} {
		text := in.QueryParam(n.param)
		if text == "" {
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(value) || value < 0 {
			return f, lectern.Invalid(n.param+" is not acceptable", lectern.NewFieldError(n.param, text, n.what, n.allowed))
		}
		*n.to = &value
	}
	if f.MinHours != nil && f.MaxHours != nil && *f.MinHours > *f.MaxHours {
		return f, lectern.Invalid("no course has as many hours",
			lectern.NewFieldError("min_hours", *f.MinHours, "is above max_hours", "at most max_hours"))
	}
	return f, nil
}

// splitWords splits values that never hold a comma at their commas.
func splitWords(values []string) []string {
	var out []string
	for _, v := range values {
		out = append(out, strings.Split(v, ",")...)
	}
	return nonEmpty(out)
}

func nonEmpty(values []string) []string {
	var out []string
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

func (s *Server) pageLimit(in *request) int {
	n, err := strconv.Atoi(in.QueryParam("limit"))
	if err != nil || n < 1 { // not given; the description refuses the rest
		return s.cfg.DefaultPage
	}
	return min(n, s.cfg.MaxPage)
}

func explain(in *request) bool { return flag(in, "explain") }

// flag reads a parameter that is on or off; off where it is not given.
func flag(in *request, name string) bool {
	on, err := strconv.ParseBool(in.QueryParam(name))
	return err == nil && on
}
