package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment"
)

// Experiments keeps experiments; experiment.Service does, with Standings by the wiring.
type Experiments interface {
	// List returns those of a state, "" for all, the latest changed first. Errors:
	// CodeInvalid.
	List(ctx context.Context, state lectern.ExperimentState) ([]experiment.Experiment, error)
	// Get returns one with its history. Errors: CodeNotFound.
	Get(ctx context.Context, id string) (experiment.Experiment, error)
	// Create stores a draft. Errors: CodeInvalid, CodeUnknownField, CodeConflict.
	Create(ctx context.Context, c experiment.Change) (experiment.Experiment, error)
	// Edit applies a merge patch. Errors: CodeInvalid, CodeUnknownField, CodeNotFound,
	// CodePrecondition; CodeRefused for what is fixed.
	Edit(ctx context.Context, id string, c experiment.Change) (experiment.Experiment, error)
	// Delete removes a draft. Errors: CodeNotFound, CodePrecondition, CodeRefused.
	Delete(ctx context.Context, id string, c experiment.Change) error
	// Start lets people in. Errors: CodeConflict naming the free share, and those of Edit.
	Start(ctx context.Context, id string, c experiment.Change) (experiment.Experiment, error)
	// Stop ends it and puts the settings of an arm to use, "" for none. Errors: those of
	// Edit.
	Stop(ctx context.Context, id, promote string, c experiment.Change) (experiment.Experiment, error)
	// Results says what came of it so far. Errors: CodeNotFound, CodeRefused for a draft,
	// CodeUnavailable.
	Results(ctx context.Context, id string) (experiment.Results, error)
	// Holdout sets those held out against everybody else. Errors: CodeInvalid; CodeRefused
	// where nobody is held out.
	Holdout(ctx context.Context, q experiment.HoldoutRequest) (experiment.HoldoutResults, error)
	// Standings says which arms somebody falls into, or why none.
	Standings(ctx context.Context, ref lectern.LearnerRef, surface lectern.Surface, row lectern.Row) ([]experiment.Standing, error)
}

// experiments returns their keeper. Errors: CodeUnavailable.
func (s *Server) experiments() (Experiments, error) {
	if s.deps.Experiments == nil {
		return nil, lectern.Errorf(lectern.CodeUnavailable, "experiments are not available here")
	}
	return s.deps.Experiments, nil
}

func (s *Server) listExperiments(in *request) error {
	keeper, err := s.experiments()
	if err != nil {
		return err
	}
	list, err := keeper.List(in.ctx(), lectern.ExperimentState(in.QueryParam("state")))
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, struct {
		Experiments []experiment.Experiment `json:"experiments"`
	}{some(list)})
}

func (s *Server) listUnitMetrics(in *request) error {
	return respond(in, http.StatusOK, struct {
		Metrics []experiment.Metric `json:"metrics"`
	}{experiment.Metrics()})
}

// respondExperiment writes an experiment with its version in the header.
func respondExperiment(in *request, status int, x experiment.Experiment) error {
	in.Response().Header().Set("ETag", x.ETag)
	in.Response().Header().Set("Cache-Control", "private, no-cache")
	return respond(in, status, x)
}

func (s *Server) createExperiment(in *request) error {
	keeper, err := s.experiments()
	if err != nil {
		return err
	}
	x, err := keeper.Create(in.ctx(), s.experimentChange(in))
	if err != nil {
		return err
	}
	in.Response().Header().Set("Location", "/v1/admin/experiments/"+x.ID)
	return respondExperiment(in, http.StatusCreated, x)
}

// experimentChange is what a request says of a change.
func (s *Server) experimentChange(in *request) experiment.Change {
	return experiment.Change{
		Body: in.body, IfMatch: in.Request().Header.Get("If-Match"), Author: in.caller.keyID, Comment: in.QueryParam("comment"),
	}
}

func (s *Server) getExperiment(in *request) error {
	keeper, id, err := s.experiment(in)
	if err != nil {
		return err
	}
	x, err := keeper.Get(in.ctx(), id)
	if err != nil {
		return err
	}
	return respondExperiment(in, http.StatusOK, x)
}

// experiment returns the keeper and the id in the path.
func (s *Server) experiment(in *request) (Experiments, string, error) {
	keeper, err := s.experiments()
	if err != nil {
		return nil, "", err
	}
	id, err := pathParam(in, "id")
	return keeper, id, err
}

func (s *Server) patchExperiment(in *request) error {
	keeper, id, err := s.experiment(in)
	if err != nil {
		return err
	}
	if strings.TrimSpace(in.Request().Header.Get("If-Match")) == "" {
		return &lectern.Error{
			Code:    codePreconditionRequired,
			Message: "say in If-Match which version of the experiment the change was made from, so that nobody else's change is lost",
			Fields: []lectern.FieldError{lectern.NewFieldError("If-Match", "", "is required",
				"the ETag of GET /v1/admin/experiments/"+id+", or * for whichever there is")},
		}
	}
	x, err := keeper.Edit(in.ctx(), id, s.experimentChange(in))
	if err != nil {
		return err
	}
	return respondExperiment(in, http.StatusOK, x)
}

func (s *Server) deleteExperiment(in *request) error {
	keeper, id, err := s.experiment(in)
	if err != nil {
		return err
	}
	if err := keeper.Delete(in.ctx(), id, s.experimentChange(in)); err != nil {
		return err
	}
	return in.NoContent(http.StatusNoContent)
}

func (s *Server) startExperiment(in *request) error {
	keeper, id, err := s.experiment(in)
	if err != nil {
		return err
	}
	c := s.experimentChange(in)
	var body struct {
		Comment string `json:"comment"`
	}
	if len(in.body) > 0 {
		if err := s.decode(in, &body); err != nil {
			return err
		}
		c.Comment = body.Comment
	}
	x, err := keeper.Start(in.ctx(), id, c)
	if err != nil {
		return err
	}
	return respondExperiment(in, http.StatusOK, x)
}

func (s *Server) stopExperiment(in *request) error {
	keeper, id, err := s.experiment(in)
	if err != nil {
		return err
	}
	c := s.experimentChange(in)
	var body struct {
		Promote string `json:"promote"`
		Comment string `json:"comment"`
	}
	if len(in.body) > 0 {
		if err := s.decode(in, &body); err != nil {
			return err
		}
		c.Comment = body.Comment
	}
	x, err := keeper.Stop(in.ctx(), id, body.Promote, c)
	if err != nil {
		return err
	}
	return respondExperiment(in, http.StatusOK, x)
}

func (s *Server) experimentResults(in *request) error {
	keeper, id, err := s.experiment(in)
	if err != nil {
		return err
	}
	r, err := keeper.Results(in.ctx(), id)
	if err != nil {
		return err
	}
	in.Response().Header().Set("Cache-Control", "private, no-cache")
	if in.QueryParam("format") == "csv" {
		table, err := r.CSV()
		if err != nil {
			return err
		}
		return in.Blob(http.StatusOK, "text/csv; charset=utf-8", table)
	}
	return respond(in, http.StatusOK, r)
}

func (s *Server) assignments(in *request) error {
	keeper, err := s.experiments()
	if err != nil {
		return err
	}
	ref := lectern.LearnerRef{ID: in.QueryParam("learner"), AnonymousID: in.QueryParam("visitor")}
	if err := onePerson(ref); err != nil {
		return err
	}
	list, err := keeper.Standings(in.ctx(), ref, lectern.Surface(in.QueryParam("surface")), lectern.Row(in.QueryParam("row")))
	if err != nil {
		return err
	}
	in.Response().Header().Set("Cache-Control", "private, no-store")
	return respond(in, http.StatusOK, struct {
		Assignments []experiment.Standing `json:"assignments"`
	}{some(list)})
}

// onePerson refuses nobody, and a learner and a visitor at once.
func onePerson(ref lectern.LearnerRef) error {
	if ref.IsZero() {
		return lectern.Invalid("nobody is named", lectern.NewFieldError("learner", "", "is required", "the id of a learner; or visitor, an anonymous id"))
	}
	if ref.ID != "" && ref.AnonymousID != "" {
		return lectern.Invalid("two are named", lectern.NewFieldError("visitor", ref.AnonymousID, "cannot be given together with learner", "one of learner and visitor"))
	}
	return nil
}
