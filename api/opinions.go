package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// Opinions keep what reviews say; opinion.Keeper is one.
type Opinions interface {
	// Summary returns what the reviews of a course say, or how many there are where
	// nobody has read them.
	Summary(ctx context.Context, courseID string) (lectern.ReviewSummary, error)
	// Held returns up to limit reviews that are or were held back, newest first, after
	// the one with this id ("" at first), and how many there are without a limit.
	// Errors: CodeNotFound where the one to go on from is not held any more.
	Held(ctx context.Context, courseID string, status lectern.HoldStatus, after string, limit int) ([]lectern.HeldReview, int, error)
	// Decide upholds or releases a review. Errors: CodeInvalid, CodeNotFound.
	Decide(ctx context.Context, reviewID string, status lectern.HoldStatus, by string) (lectern.HeldReview, error)
}

func noOpinions() error {
	return lectern.Errorf(lectern.CodeUnavailable, "what reviews say is not available here")
}

// opinionDTO is what the reviews of a course say. Without reviews that were read there
// is no score, which is not the same as a score of 0.
type opinionDTO struct {
	CourseID string                  `json:"course_id"`
	Score    *float64                `json:"score"`
	Positive *float64                `json:"positive"`
	Weight   float64                 `json:"weight"`
	Reviews  int                     `json:"reviews"`
	Read     int                     `json:"read"`
	Unread   int                     `json:"unread"`
	Held     int                     `json:"held"`
	Model    string                  `json:"model,omitempty"`
	Aspects  []lectern.AspectSummary `json:"aspects"`
	Trend    []opinionMonthDTO       `json:"trend"`
	MadeAt   *time.Time              `json:"made_at"`
}

type opinionMonthDTO struct {
	Month string  `json:"month"`
	Read  int     `json:"read"`
	Score float64 `json:"score"`
}

func opinionOf(courseID string, s lectern.ReviewSummary) opinionDTO {
	out := opinionDTO{
		CourseID: courseID, Score: s.Score, Weight: s.Weight, Reviews: s.Reviews, Read: s.Read, Unread: s.Unread, Held: s.Held,
		Model: s.Model, Aspects: make([]lectern.AspectSummary, len(s.Aspects)), Trend: make([]opinionMonthDTO, len(s.Trend)),
	}
	if s.Read > 0 {
		out.Positive = &s.Positive
	}
	if !s.MadeAt.IsZero() {
		out.MadeAt = &s.MadeAt
	}
	for i, a := range s.Aspects {
		a.Quotes = some(a.Quotes)
		out.Aspects[i] = a
	}
	for i, m := range s.Trend {
		out.Trend[i] = opinionMonthDTO{Month: m.Month.Format("2006-01"), Read: m.Read, Score: m.Score}
	}
	return out
}

func (s *Server) reviewSummary(in *request) error {
	if s.deps.Opinions == nil {
		return noOpinions()
	}
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	if _, err := s.courseFor(in, id); err != nil {
		return err
	}
	found, err := s.deps.Opinions.Summary(in.ctx(), id)
	if err != nil {
		return err
	}
	return respondTagged(in, opinionOf(id, found))
}

// respondTagged answers with a tag of the content, and without the content where the
// caller has it already.
func respondTagged(in *request, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode an answer: %w", err)
	}
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	h := in.Response().Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache")
	if had := in.Request().Header.Get("If-None-Match"); had == "*" || strings.Contains(had, tag) {
		return in.NoContent(http.StatusNotModified)
	}
	return respond(in, http.StatusOK, v)
}

// heldDTO is a review that is or was held back.
type heldDTO struct {
	ReviewID  string             `json:"review_id"`
	CourseID  string             `json:"course_id"`
	Rule      string             `json:"rule"`
	Detail    string             `json:"detail"`
	HeldAt    time.Time          `json:"held_at"`
	Status    lectern.HoldStatus `json:"status"`
	By        string             `json:"by,omitempty"`
	LearnerID string             `json:"learner_id,omitempty"`
	Text      string             `json:"text"`
	Stars     *float64           `json:"stars,omitempty"`
	WrittenAt *time.Time         `json:"written_at,omitempty"`
}

// heldPageDTO is a page of them; total counts those of all pages.
type heldPageDTO struct {
	Held       []heldDTO `json:"held"`
	Total      int       `json:"total"`
	NextCursor *string   `json:"next_cursor"`
}

// defaultHeld is how many held reviews a page has where nobody says.
const defaultHeld = 50

func (s *Server) listHeld(in *request) error {
	if s.deps.Opinions == nil {
		return noOpinions()
	}
	course, status := in.QueryParam("course_id"), lectern.HoldStatus(in.QueryParam("status"))
	of := fmt.Sprintf("%s held reviews of %q", cmp.Or(status, "all"), course)
	cur, err := parsePageCursor(in.QueryParam("cursor"), of)
	if err != nil {
		return err
	}
	limit := defaultHeld
	if n, err := strconv.Atoi(in.QueryParam("limit")); err == nil { // the description has checked it
		limit = n
	}
	found, total, err := s.deps.Opinions.Held(in.ctx(), course, status, cur.ID, limit+1)
	if err != nil {
		return err
	}
	out := heldPageDTO{Total: total}
	if len(found) > limit {
		found = found[:limit]
		out.NextCursor = optional(pageCursor{Of: of, ID: found[limit-1].ReviewID}.String())
	}
	out.Held = make([]heldDTO, len(found))
	for i, h := range found {
		out.Held[i] = heldDTO(h)
	}
	in.Response().Header().Set("Cache-Control", "private, no-store")
	return respond(in, http.StatusOK, out)
}

func (s *Server) decideHeld(in *request) error {
	if s.deps.Opinions == nil {
		return noOpinions()
	}
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	var body struct {
		Status lectern.HoldStatus `json:"status"`
	}
	if err := s.decode(in, &body); err != nil {
		return err
	}
	h, err := s.deps.Opinions.Decide(in.ctx(), id, body.Status, in.caller.keyID)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return notFound("review", id)
	}
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, heldDTO(h))
}
