package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
)

// Replayer fills recorded lists again from their records.
type Replayer interface {
	// Replay does so with a number of draws behind each probability that is not exact;
	// 0 is as many as were recorded. Errors: CodeNotFound for a list, or a posterior,
	// that is not kept; CodeInvalid for a list without exploration or a number of
	// draws.
	Replay(ctx context.Context, rankingID string, draws int) (*explore.Replay, error)
}

type replayDTO struct {
	ID            string            `json:"id"`
	CreatedAt     time.Time         `json:"created_at"`
	Surface       lectern.Surface   `json:"surface"`
	Row           lectern.Row       `json:"row,omitempty"`
	ConfigVersion string            `json:"config_version"`
	Settings      string            `json:"settings"`
	Policy        string            `json:"policy"`
	Posterior     int64             `json:"posterior"`
	Seed          string            `json:"seed"`
	Same          bool              `json:"same"`
	Differs       []int             `json:"differs"`
	Draws         int               `json:"draws"`
	Slate         []string          `json:"slate"`
	Choices       []replayChoiceDTO `json:"choices"`
	Items         []replayItemDTO   `json:"items"`
}

type replayChoiceDTO struct {
	Position int    `json:"position"`
	CourseID string `json:"course_id"`
	InPlace  string `json:"in_place_of"`
	By       string `json:"by"`
	Options  int    `json:"options"`
	Owed     int    `json:"owed"`
}

type replayItemDTO struct {
	CourseID        string  `json:"course_id"`
	Position        int     `json:"position"`
	Before          int     `json:"before"`
	Recorded        float64 `json:"recorded"`
	RecordedError   float64 `json:"recorded_error"`
	Propensity      float64 `json:"propensity"`
	PropensityError float64 `json:"propensity_error"`
	Agrees          bool    `json:"agrees"`
}

func (s *Server) replayRanking(in *request) error {
	if s.deps.Replays == nil {
		return lectern.Errorf(lectern.CodeUnavailable, "lists cannot be replayed here")
	}
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	draws := 0
	if text := in.QueryParam("draws"); text != "" {
		if draws, err = strconv.Atoi(text); err != nil {
			return lectern.Invalid("this is not a number of draws",
				lectern.NewFieldError("draws", text, "is not a number", explore.DrawsAllowed))
		}
	}
	r, err := s.deps.Replays.Replay(in.ctx(), id, draws)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, replayOf(r))
}

func replayOf(r *explore.Replay) replayDTO {
	x := r.Ranking.Exploration
	out := replayDTO{
		ID: r.Ranking.ID, CreatedAt: r.Ranking.CreatedAt, Surface: r.Ranking.Surface, Row: r.Ranking.Row,
		ConfigVersion: r.Ranking.ConfigVersion, Settings: x.Settings, Policy: x.Policy, Posterior: x.Posterior,
		Seed: strconv.FormatUint(x.Seed, 10), Same: r.Filled, Differs: some(r.Differs), Draws: r.Draws, Slate: r.Slate,
		Choices: make([]replayChoiceDTO, len(r.Choices)), Items: make([]replayItemDTO, len(r.Places)),
	}
	for i, c := range r.Choices {
		out.Choices[i] = replayChoiceDTO{Position: c.Place, CourseID: c.CourseID, InPlace: c.Stood, By: c.By, Options: c.Options, Owed: c.Owed}
	}
	for i, p := range r.Places {
		out.Items[i] = replayItemDTO{
			CourseID: p.CourseID, Position: p.Place, Before: p.Stood, Recorded: p.Recorded, RecordedError: p.RecordedError,
			Propensity: p.Propensity, PropensityError: p.PropensityError, Agrees: p.Agrees,
		}
	}
	return out
}
