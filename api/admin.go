package api

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/lectern-dev/lectern"
)

func (s *Server) getRanking(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	r, err := s.deps.Rankings.Ranking(in.ctx(), id)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return notFound("ranking", id)
	}
	if err != nil {
		return err
	}
	say := s.speaker(in, lectern.LearnerRef{})
	out := rankingDTO{
		ID: r.ID, LearnerID: r.Learner.ID, AnonymousID: r.Learner.AnonymousID, Surface: r.Surface, Row: r.Row, Model: r.Model,
		Query: r.Query, Sort: r.Sort, CourseID: r.CourseID, CreatedAt: r.CreatedAt, ConfigVersion: r.ConfigVersion,
		Degraded: some(r.Degraded), Segment: r.Segment, Served: r.Served, Arms: r.Arms, Weights: r.Weights, Items: make([]rankingItemDTO, 0, len(r.Items)),
	}
	if x := r.Exploration; x != nil {
		out.Explored = &exploredDTO{
			Policy: x.Policy, Settings: x.Settings, Posterior: x.Posterior, Positions: some(x.Places), By: some(x.By), Draws: x.Draws,
		}
	}
	for i, it := range r.Items {
		out.Items = append(out.Items, rankingItemDTO{
			CourseID: it.CourseID, Position: i, Score: it.Score, Propensity: it.Propensity, Error: it.PropensityError, Team: it.Team,
			Sources: some(it.Sources), Terms: it.Terms, Adjusted: it.Adjusted,
			PinnedBy: it.Pinned, Duplicates: it.Duplicates, Reasons: say.reasons(it.Reasons),
		})
	}
	return respond(in, http.StatusOK, out)
}

func (s *Server) trace(in *request) error {
	course := in.QueryParam("course")
	if err := checkID("course", course); err != nil {
		return err
	}
	who, err := learnerParams(in)
	if err != nil {
		return err
	}
	filter, err := filterOf(in)
	if err != nil {
		return err
	}
	req := lectern.TraceRequest{
		Learner: who, CourseID: course, Filter: filter,
		Surface: lectern.Surface(in.QueryParam("surface")), Query: strings.TrimSpace(in.QueryParam("q")),
	}
	if req.Surface == "" {
		req.Surface = lectern.SurfaceHome
	}
	if (req.Surface == lectern.SurfaceSearch) != (req.Query != "") {
		return lectern.Invalid("q goes with the surface search, and search with q",
			lectern.FieldError{Field: "q", Reason: "does not fit the surface " + string(req.Surface)})
	}
	t, err := s.deps.Ranker.Trace(in.ctx(), req)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, traceDTO{
		CourseID: t.CourseID, Config: t.ConfigVersion, Outcome: t.Outcome, Position: t.Position, Score: t.Score,
		Stages: some(t.Stages), Terms: some(t.Terms),
	})
}

func (s *Server) stats(in *request) error {
	st, err := s.deps.Stats.Stats(in.ctx())
	if err != nil {
		return err
	}
	out := struct {
		Store map[string]int64 `json:"store"`
		Index *indexDTO        `json:"index,omitempty"`
	}{Store: map[string]int64{
		"courses": st.Courses, "retired": st.Retired, "reviews": st.Reviews, "ratings": st.Ratings,
		"learners": st.Learners, "visitors": st.Visitors, "events": st.Events, "rankings": st.Rankings,
		"parked_reviews": st.ParkedReviews, "parked_ratings": st.ParkedRatings, "parked_events": st.ParkedEvents,
		"last_change": st.LastChange, "pending_jobs": st.PendingJobs,
	}}
	if s.deps.IndexStats != nil {
		ix, err := s.deps.IndexStats(in.ctx())
		if err != nil {
			return err
		}
		out.Index = &indexDTO{Points: ix.Points, Vectors: ix.Vectors, Bytes: ix.Bytes}
		if out.Index.Vectors == nil {
			out.Index.Vectors = map[string]int{}
		}
	}
	return respond(in, http.StatusOK, out)
}

type indexDTO struct {
	Points  int            `json:"points"`
	Vectors map[string]int `json:"vectors"`
	Bytes   int64          `json:"bytes"`
}

func (s *Server) listKeys(in *request) error {
	keys, err := s.deps.Keys.Keys(in.ctx())
	if err != nil {
		return err
	}
	out := struct {
		Keys []keyDTO `json:"keys"`
	}{make([]keyDTO, 0, len(keys))}
	for _, k := range keys {
		out.Keys = append(out.Keys, keyOf(k))
	}
	return respond(in, http.StatusOK, out)
}

func (s *Server) createKey(in *request) error {
	var body struct {
		Name  string        `json:"name"`
		Scope lectern.Scope `json:"scope"`
	}
	if err := json.Unmarshal(in.body, &body); err != nil {
		return lectern.Invalid("the body is not as described")
	}
	text, key, err := NewKey(body.Scope, body.Name, s.deps.Random, s.deps.Clock())
	if err != nil {
		return err
	}
	if err := s.deps.Keys.PutKey(in.ctx(), key); err != nil {
		return err
	}
	out := keyOf(key)
	out.Key = text
	in.Response().Header().Set("Cache-Control", "no-store")
	return respond(in, http.StatusCreated, out)
}

func (s *Server) revokeKey(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	err = s.deps.Keys.RevokeKey(in.ctx(), id, s.deps.Clock())
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return notFound("key", id)
	}
	if err != nil {
		return err
	}
	s.auth.forget()
	return in.NoContent(http.StatusNoContent)
}
