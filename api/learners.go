package api

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
)

// defaultTokenLife is how long a learner token lasts when nobody says.
const defaultTokenLife = 15 * time.Minute

func (s *Server) getLearner(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	l, err := s.deps.Learners.Learner(in.ctx(), lectern.LearnerRef{ID: id})
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return notFound("learner", id)
	}
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, learnerOf(l))
}

func (s *Server) putLearner(in *request) error {
	d, err := s.decoder(in, true)
	if err != nil {
		return err
	}
	patch, err := d.Learner(in.body)
	if err != nil {
		return err
	}
	results, err := s.deps.Ingest.PutLearners(in.ctx(), []ingest.LearnerPatch{patch})
	if err != nil {
		return err
	}
	return s.written(in, ingest.Learners, d.ID, results)
}

func (s *Server) deleteLearner(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	return s.erase(in, "learner", id, lectern.LearnerRef{ID: id})
}

func (s *Server) deleteVisitor(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	return s.erase(in, "visitor", id, lectern.LearnerRef{AnonymousID: id})
}

func (s *Server) erase(in *request, what, id string, ref lectern.LearnerRef) error {
	err := s.deps.Learners.DeleteLearner(in.ctx(), ref)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return notFound(what, id)
	}
	if err != nil {
		return err
	}
	return in.NoContent(http.StatusNoContent)
}

func (s *Server) mergeVisitor(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	var body struct {
		AnonymousID string `json:"anonymous_id"`
	}
	if err := json.Unmarshal(in.body, &body); err != nil {
		return lectern.Invalid("the body is not as described")
	}
	if err := checkID("anonymous_id", body.AnonymousID); err != nil {
		return err
	}
	if err := s.deps.Learners.MergeVisitor(in.ctx(), body.AnonymousID, id); err != nil {
		return err
	}
	return in.NoContent(http.StatusNoContent)
}

func (s *Server) learnerToken(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	life := min(defaultTokenLife, s.cfg.MaxTokenLifetime)
	var body struct {
		TTLSeconds int `json:"ttl_seconds"`
	}
	if len(in.body) > 0 {
		if err := json.Unmarshal(in.body, &body); err != nil {
			return lectern.Invalid("the body is not as described")
		}
	}
	if body.TTLSeconds > 0 {
		life = time.Duration(body.TTLSeconds) * time.Second
	}
	if life > s.cfg.MaxTokenLifetime {
		return lectern.Invalid("the token would live too long",
			lectern.NewFieldError("ttl_seconds", body.TTLSeconds, "is too large", "at most "+s.cfg.MaxTokenLifetime.String()))
	}
	text, expires, err := s.tokens.sign(id, s.deps.Clock(), life)
	if err != nil {
		return err
	}
	in.Response().Header().Set("Cache-Control", "no-store")
	return respond(in, http.StatusCreated, struct {
		Token     string    `json:"token"`
		LearnerID string    `json:"learner_id"`
		ExpiresAt time.Time `json:"expires_at"`
	}{text, id, expires})
}
