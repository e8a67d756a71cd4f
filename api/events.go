package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
)

// postEvents takes one event or an array of them.
func (s *Server) postEvents(in *request) error {
	body := in.body
	single := body[0] != '['
	rows := []json.RawMessage{body}
	if !single {
		rows = nil
		if err := json.Unmarshal(body, &rows); err != nil {
			return lectern.Invalid("the body is not a JSON array")
		}
	}
	if len(rows) > s.cfg.MaxEvents {
		return lectern.Errorf(lectern.CodeTooLarge, "the array has %d events; at most %d are taken", len(rows), s.cfg.MaxEvents)
	}
	results := make([]outcomeDTO, len(rows))
	events, places := make([]lectern.Event, 0, len(rows)), make([]int, 0, len(rows))
	d := ingest.Decoder{Clock: s.deps.Clock, Noun: "the event"}
	for i, row := range rows {
		results[i].Index = &i
		e, err := d.Event(row)
		if err == nil {
			results[i].ID = e.ID
			err = maySend(in.caller, e)
		}
		switch {
		case err == nil:
			events, places = append(events, e), append(places, i)
		case single:
			return err
		default:
			s.reject(&results[i], err)
		}
	}
	if err := s.appendEvents(in, events, places, results, single); err != nil {
		return err
	}
	for _, r := range results {
		s.metrics.row(string(ingest.Events), r.Outcome)
	}
	return respond(in, http.StatusAccepted, struct {
		Results []outcomeDTO `json:"results"`
	}{results})
}

// appendEvents writes the good events and fills their results in.
func (s *Server) appendEvents(in *request, events []lectern.Event, places []int, results []outcomeDTO, single bool) error {
	if len(events) == 0 {
		return nil
	}
	written, err := s.deps.Ingest.AppendEvents(in.ctx(), events)
	if err != nil {
		return err
	}
	for j, w := range written {
		r := &results[places[j]]
		if w.Err != nil {
			if single {
				return w.Err
			}
			s.reject(r, w.Err)
			continue
		}
		r.Outcome, r.Status = w.Outcome, outcomeStatus(w.Outcome)
	}
	return nil
}

// maySend refuses events in a learner's name to callers without the right.
func maySend(who caller, e lectern.Event) error {
	if e.LearnerID == "" || who.mayActFor(e.LearnerID) {
		return nil
	}
	return forbidden(accessLearner, who)
}

// reject writes an error into a row's result.
func (s *Server) reject(r *outcomeDTO, err error) {
	p := s.asProblem(err, "")
	r.Outcome, r.Status, r.Code, r.Detail, r.Errors = lectern.OutcomeRejected, p.Status, p.Code, p.Detail, p.Errors
}

// batch handles NDJSON of one kind.
func batch(kind ingest.Kind) func(*Server, *request) error {
	return func(s *Server, in *request) error {
		lines, err := s.deps.Ingest.NDJSON(in.ctx(), kind, in.Request().Body,
			ingest.Limits{MaxRows: s.cfg.MaxBatchRows, MaxLineBytes: int(s.cfg.MaxBodyBytes)})
		if err != nil {
			return linesError(err)
		}
		in.Response().Header().Set("Content-Type", "application/x-ndjson")
		in.Response().WriteHeader(http.StatusOK)
		enc := json.NewEncoder(in.Response())
		enc.SetEscapeHTML(false)
		for _, l := range lines {
			s.metrics.row(string(kind), l.Outcome)
			if err := enc.Encode(s.lineOf(l)); err != nil {
				return err
			}
		}
		return nil
	}
}

// linesError tells a body that broke off from a failure of ours.
func linesError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &lectern.Error{Code: lectern.CodeInvalid, Message: "the body could not be read to its end; nothing was written", Err: err}
	}
	return err
}

func (s *Server) lineOf(l ingest.LineResult) outcomeDTO {
	out := outcomeDTO{Line: l.Line, ID: l.ID, Outcome: l.Outcome}
	if l.Err != nil {
		s.reject(&out, l.Err)
		return out
	}
	out.Status = outcomeStatus(l.Outcome)
	return out
}

// maxFeedErrors bounds how many rejected lines a feed's answer lists.
const maxFeedErrors = 100

func (s *Server) feed(in *request) error {
	res, err := s.deps.Ingest.Feed(in.ctx(), in.Request().Body,
		ingest.Limits{MaxRows: s.cfg.MaxFeedRows, MaxLineBytes: int(s.cfg.MaxBodyBytes)}, s.cfg.MaxRetireShare)
	if err != nil {
		return linesError(err)
	}
	out := feedDTO{Lines: len(res.Lines), Retired: res.Retired, Errors: []outcomeDTO{}}
	for _, l := range res.Lines {
		s.metrics.row(string(ingest.Courses), l.Outcome)
		switch {
		case l.Err != nil:
			out.Rejected++
			if len(out.Errors) < maxFeedErrors {
				out.Errors = append(out.Errors, s.lineOf(l))
			}
		case l.Outcome == lectern.OutcomeCreated:
			out.Created++
		case l.Outcome == lectern.OutcomeUpdated:
			out.Updated++
		default:
			out.Unchanged++
		}
	}
	return respond(in, http.StatusOK, out)
}
