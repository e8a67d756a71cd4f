package api

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment"
)

// holdout answers with what trying is worth: those held out against everybody else.
func (s *Server) holdout(in *request) error {
	keeper, err := s.experiments()
	if err != nil {
		return err
	}
	q, err := HoldoutRequest(in.QueryParam)
	if err != nil {
		return err
	}
	format := in.QueryParam("format")
	if format != "" && format != "json" && format != "csv" {
		return lectern.Invalid("unknown format", lectern.NewFieldError("format", format, "is unknown", "json, csv"))
	}
	r, err := keeper.Holdout(in.ctx(), q)
	if err != nil {
		return err
	}
	h := in.Response().Header()
	h.Set("Cache-Control", "private, no-cache")
	if format == "csv" {
		table, err := r.CSV()
		if err != nil {
			return err
		}
		h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="holdout-%s-%s.csv"`, r.From, r.To))
		return in.Blob(http.StatusOK, "text/csv; charset=utf-8", table)
	}
	return respond(in, http.StatusOK, r)
}

// HoldoutRequest reads a request for the holdout from parameters as the HTTP interface
// has them. Errors: CodeInvalid.
func HoldoutRequest(param func(string) string) (experiment.HoldoutRequest, error) {
	q := experiment.HoldoutRequest{From: param("from"), To: param("to"), Metrics: splitNames(param("metrics"))}
	number := func(name string) (*int, error) {
		text := param(name)
		if text == "" {
			return nil, nil
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, lectern.Invalid("this is no number", lectern.NewFieldError(name, text, "is no number", "a whole number of days"))
		}
		return &n, nil
	}
	days, err := number("days")
	if err != nil {
		return q, err
	}
	if days != nil {
		if q.Days = *days; q.Days < 1 {
			return q, lectern.Invalid("these are no days", lectern.NewFieldError("days", q.Days, "is not allowed", "1 or more"))
		}
	}
	q.BeforeDays, err = number("before_days")
	return q, err
}
