package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// defaultRow is how many items a row of a home page has when nobody says.
const defaultRow = 12

// homeDTO is a home page.
type homeDTO struct {
	Rows     []rowDTO `json:"rows"`
	Degraded []string `json:"degraded"`
}

// rowDTO is one row: a list with a title.
type rowDTO struct {
	Row   lectern.Row `json:"row"`
	Title reasonDTO   `json:"title"`
	listDTO
}

func (s *Server) homeAnyone(in *request) error { return s.home(in, lectern.LearnerRef{}) }

func (s *Server) homeLearner(in *request) error {
	ref, err := s.inPath(in, false)
	if err != nil {
		return err
	}
	return s.home(in, ref)
}

func (s *Server) homeVisitor(in *request) error {
	ref, err := s.inPath(in, true)
	if err != nil {
		return err
	}
	return s.home(in, ref)
}

// inPath is the learner or visitor that the path names, whose lists the caller
// may read.
func (s *Server) inPath(in *request, visitor bool) (lectern.LearnerRef, error) {
	id, err := pathParam(in, "id")
	if err != nil {
		return lectern.LearnerRef{}, err
	}
	if !visitor {
		return lectern.LearnerRef{ID: id}, nil // the route's access saw to it
	}
	ref := lectern.LearnerRef{AnonymousID: id}
	return ref, s.mayRead(in, ref)
}

// home answers with a page of rows.
func (s *Server) home(in *request, who lectern.LearnerRef) error {
	if s.deps.Home == nil {
		return lectern.Errorf(lectern.CodeUnavailable, "home pages are not available here")
	}
	filter, err := filterOf(in)
	if err != nil {
		return err
	}
	req := lectern.HomeRequest{
		Learner: who, Filter: filter, FitTime: flag(in, "fit_time"), Limit: defaultRow, Explain: explain(in),
	}
	if in.QueryParam("limit") != "" {
		req.Limit = s.pageLimit(in)
	}
	page, err := s.deps.Home.Home(in.ctx(), req)
	if err != nil {
		return err
	}
	setTiming(in, page.Timings)
	say := s.speaker(in, who)
	personal(in, say)
	out := homeDTO{Rows: make([]rowDTO, 0, len(page.Rows)), Degraded: some(page.Degraded)}
	for _, r := range page.Rows {
		s.metrics.list(lectern.SurfaceHome, r.List)
		out.Rows = append(out.Rows, rowDTO{
			Row: r.Row, Title: say.reasons([]lectern.Reason{r.Title})[0], listDTO: listOf(r.List, say, req.Explain),
		})
	}
	return respond(in, http.StatusOK, out)
}

func (s *Server) rowAnyone(in *request) error { return s.row(in, lectern.LearnerRef{}) }

func (s *Server) rowLearner(in *request) error {
	ref, err := s.inPath(in, false)
	if err != nil {
		return err
	}
	return s.row(in, ref)
}

func (s *Server) rowVisitor(in *request) error {
	ref, err := s.inPath(in, true)
	if err != nil {
		return err
	}
	return s.row(in, ref)
}

// row answers with one row of a home page, page by page.
func (s *Server) row(in *request, who lectern.LearnerRef) error {
	name, err := pathParam(in, "row")
	if err != nil {
		return err
	}
	if !slices.Contains(lectern.Rows(), lectern.Row(name)) {
		names := make([]string, len(lectern.Rows()))
		for i, r := range lectern.Rows() {
			names[i] = string(r)
		}
		return &lectern.Error{
			Code: lectern.CodeNotFound, Message: "there is no row " + name + nearest.Hint(name, names),
			Fields: []lectern.FieldError{lectern.NewFieldError("row", name, "is not a row", strings.Join(names, ", "))},
		}
	}
	course := in.QueryParam("course")
	if course != "" {
		if err := checkID("course", course); err != nil {
			return err
		}
	}
	return s.list(in, lectern.ListRequest{
		Surface: lectern.SurfaceHome, Row: lectern.Row(name), CourseID: course, Learner: who, FitTime: flag(in, "fit_time"),
	})
}

// next answers with what people take after a course.
func (s *Server) next(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	who, err := s.listFor(in)
	if err != nil {
		return err
	}
	return s.list(in, lectern.ListRequest{Surface: lectern.SurfaceNext, CourseID: id, Learner: who})
}

// trending answers with what gains on its own past.
func (s *Server) trending(in *request) error {
	who, err := s.listFor(in)
	if err != nil {
		return err
	}
	return s.list(in, lectern.ListRequest{Surface: lectern.SurfaceTrending, Learner: who})
}
