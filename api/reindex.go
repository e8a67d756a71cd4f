package api

import (
	"encoding/json"
	"net/http"

	"github.com/lectern-dev/lectern"
)

func (s *Server) reindexStatus(in *request) error { return s.answerReindex(in, http.StatusOK) }

func (s *Server) reindex(in *request) error {
	if s.deps.Reindexer == nil {
		return lectern.Errorf(lectern.CodeUnavailable, "reindexing is not available here")
	}
	r, err := reindexRequest(in.body)
	if err != nil {
		return err
	}
	if err := s.deps.Reindexer.StartReindex(in.ctx(), r); err != nil {
		return err
	}
	return s.answerReindex(in, http.StatusAccepted)
}

// reindexRequest reads the body, which may be left out.
func reindexRequest(body []byte) (ReindexRequest, error) {
	var given struct {
		Embedder   string `json:"embedder"`
		Rollback   bool   `json:"rollback"`
		Generation int64  `json:"generation"`
	}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &given); err != nil {
			return ReindexRequest{}, lectern.Invalid("the body is not as described")
		}
	}
	var bad []lectern.FieldError
	for _, f := range []struct {
		name  string
		given bool
		value any
	}{
		{"embedder", given.Embedder != "", given.Embedder},
		{"rollback", given.Rollback, given.Rollback},
		{"generation", given.Generation != 0, given.Generation},
	} {
		if f.given {
			bad = append(bad, lectern.NewFieldError(f.name, f.value, "does not go with the others", "one of embedder, rollback, generation"))
		}
	}
	if len(bad) > 1 {
		return ReindexRequest{}, lectern.Invalid("embedder, rollback and generation exclude each other", bad...)
	}
	return ReindexRequest(given), nil
}

func (s *Server) answerReindex(in *request, status int) error {
	out := reindexDTO{State: ReindexIdle}
	if s.deps.Reindexer != nil {
		st, err := s.deps.Reindexer.ReindexStatus(in.ctx())
		if err != nil {
			return err
		}
		out = reindexDTO(st)
	}
	return respond(in, status, out)
}

func (s *Server) generations(in *request) error {
	out := struct {
		Generations []generationDTO `json:"generations"`
	}{[]generationDTO{}}
	if s.deps.Reindexer != nil {
		all, err := s.deps.Reindexer.Generations(in.ctx())
		if err != nil {
			return err
		}
		for _, g := range all {
			out.Generations = append(out.Generations, generationDTO(g))
		}
	}
	return respond(in, http.StatusOK, out)
}
