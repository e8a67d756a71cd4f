package api

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/analytics"
	"github.com/lectern-dev/lectern/experiment"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// PlatformMetrics answers with metrics; analytics.Reader is one.
type PlatformMetrics interface {
	// Report answers a request. Errors: CodeInvalid.
	Report(ctx context.Context, q analytics.Request) (*analytics.Report, error)
}

// Goals keeps the platform's goals; analytics.GoalKeeper is one.
type Goals interface {
	// Report says how the goals went in so many weeks. Errors: CodeInvalid.
	Report(ctx context.Context, weeks int) (*analytics.GoalsReport, error)
	// Put sets the goals. Errors: CodeInvalid, CodePrecondition.
	Put(ctx context.Context, body []byte, match, author, comment string) (analytics.GoalsVersion, error)
}

var (
	_ PlatformMetrics = (*analytics.Reader)(nil)
	_ Goals           = analytics.GoalKeeper{}
)

const (
	typeCSV    = "text/csv"
	typeNDJSON = "application/x-ndjson"
)

// platformMetrics answers with metrics.
func (s *Server) platformMetrics(in *request) error {
	if s.deps.PlatformMetrics == nil {
		return lectern.Errorf(lectern.CodeUnavailable, "metrics are not available here")
	}
	q, err := MetricsRequest(in.QueryParam)
	if err != nil {
		return err
	}
	if err := s.knownArmIn(in.ctx(), &q); err != nil {
		return err
	}
	format, err := metricsFormat(in)
	if err != nil {
		return err
	}
	r, err := s.deps.PlatformMetrics.Report(in.ctx(), q)
	if err != nil {
		return err
	}
	h := in.Response().Header()
	h.Set("Cache-Control", "private, no-store")
	switch format {
	case typeCSV:
		h.Set(echo.HeaderContentType, typeCSV+"; charset=utf-8")
		h.Set(echo.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="metrics-%s-%s.csv"`, r.From, r.To))
		in.Response().WriteHeader(http.StatusOK)
		return r.WriteCSV(in.Response())
	case typeNDJSON:
		h.Set(echo.HeaderContentType, typeNDJSON)
		in.Response().WriteHeader(http.StatusOK)
		return r.WriteNDJSON(in.Response())
	}
	return respond(in, http.StatusOK, r)
}

// knownArmIn refuses an experiment, or an arm of one, that nobody has made. Errors:
// CodeInvalid.
func (s *Server) knownArmIn(ctx context.Context, q *analytics.Request) error {
	if q.Experiment == "" || s.deps.Experiments == nil {
		return nil
	}
	list, err := s.deps.Experiments.List(ctx, "")
	if err != nil {
		return err
	}
	return KnownArm(list, q)
}

// KnownArm refuses a request for metrics of an experiment, or of an arm of one, that is
// not among those there are. Errors: CodeInvalid.
func KnownArm(list []experiment.Experiment, q *analytics.Request) error {
	if q.Experiment == "" {
		return nil
	}
	var ids []string
	for i := range list {
		ids = append(ids, list[i].ID)
		if list[i].ID != q.Experiment {
			continue
		}
		arms := []string{experiment.Interleaved}
		if list[i].Kind != experiment.KindInterleaving {
			arms = nil
			for _, a := range list[i].Arms {
				arms = append(arms, a.Name)
			}
		}
		if q.Arm != "" && !slices.Contains(arms, q.Arm) {
			return unknownName("arm", q.Arm, arms)
		}
		return nil
	}
	return unknownName("experiment", q.Experiment, ids)
}

// metricsFormat is what was asked for by parameter or, without one, by Accept.
func metricsFormat(in *request) (string, error) {
	switch f := in.QueryParam("format"); f {
	case "csv":
		return typeCSV, nil
	case "ndjson":
		return typeNDJSON, nil
	case "json":
		return echo.MIMEApplicationJSON, nil
	case "":
	default:
		return "", lectern.Invalid("unknown format", lectern.NewFieldError("format", f, "is unknown", "json, ndjson, csv"))
	}
	for part := range strings.SplitSeq(in.Request().Header.Get(echo.HeaderAccept), ",") {
		if t, _, err := mime.ParseMediaType(part); err == nil && (t == typeCSV || t == typeNDJSON) {
			return t, nil
		}
	}
	return echo.MIMEApplicationJSON, nil
}

// MetricsRequest reads a request for metrics from parameters as the HTTP interface has
// them. Errors: CodeInvalid.
func MetricsRequest(param func(string) string) (analytics.Request, error) {
	q := analytics.Request{From: param("from"), To: param("to"), Metrics: splitNames(param("metrics")), Experiment: param("experiment"), Arm: param("arm")}
	for _, d := range splitNames(param("by")) {
		q.By = append(q.By, lectern.MetricDimension(d))
	}
	if q.Arm != "" && q.Experiment == "" {
		return q, lectern.Invalid("an arm is one of an experiment", lectern.NewFieldError("experiment", "", "is missing", "the experiment of the arm"))
	}
	if text := param("surface"); text != "" {
		surface := lectern.Surface(text)
		known := append(lectern.Surfaces(), analytics.None)
		if !slices.Contains(known, surface) {
			return q, unknownName("surface", text, known)
		}
		if text == analytics.None {
			surface = ""
		}
		q.Surface = &surface
	}
	if text := param("row"); text != "" {
		row := lectern.Row(text)
		if known := append(lectern.Rows(), analytics.None); !slices.Contains(known, row) {
			return q, unknownName("row", text, known)
		}
		if text == analytics.None {
			row = ""
		}
		q.Row = &row
	}
	if text := param("segment"); text != "" {
		segment := lectern.Segment(text)
		known := append(lectern.Segments(), analytics.None)
		if !slices.Contains(known, segment) {
			return q, unknownName("segment", text, known)
		}
		if text == analytics.None {
			segment = ""
		}
		q.Segment = &segment
	}
	if text := param("position"); text != "" {
		n, err := strconv.Atoi(text)
		switch {
		case text == analytics.Beyond:
			n = lectern.MetricPositions
		case text == analytics.None:
			n = lectern.NoPosition
		case err != nil || n < 0 || n >= lectern.MetricPositions:
			return q, lectern.Invalid("this is no position", lectern.NewFieldError("position", text, "is no position",
				fmt.Sprintf("0 to %d, %s, %s", lectern.MetricPositions-1, analytics.Beyond, analytics.None)))
		}
		q.Position = &n
	}
	switch c := param("compare"); c {
	case "previous":
		q.Compare = true
	case "", "none":
	default:
		return q, lectern.Invalid("unknown comparison", lectern.NewFieldError("compare", c, "is unknown", "previous, none"))
	}
	return q, nil
}

func unknownName[T ~string](field, text string, known []T) error {
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	hint := nearest.Hint(text, words)
	return lectern.Invalid("unknown "+field+hint, lectern.NewFieldError(field, text, "is unknown"+hint, strings.Join(words, ", ")))
}

// splitNames splits a parameter at commas.
func splitNames(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

const defaultGoalWeeks = 12

func (s *Server) goals() (Goals, error) {
	if s.deps.Goals == nil {
		return nil, lectern.Errorf(lectern.CodeUnavailable, "goals are not available here")
	}
	return s.deps.Goals, nil
}

func (s *Server) getGoals(in *request) error {
	keeper, err := s.goals()
	if err != nil {
		return err
	}
	r, err := keeper.Report(in.ctx(), intParam(in, "weeks", defaultGoalWeeks))
	if err != nil {
		return err
	}
	in.Response().Header().Set("Cache-Control", "private, no-store")
	in.Response().Header().Set("ETag", r.ETag())
	return respond(in, http.StatusOK, r)
}

func (s *Server) putGoals(in *request) error {
	keeper, err := s.goals()
	if err != nil {
		return err
	}
	v, err := keeper.Put(in.ctx(), in.body, strings.TrimSpace(in.Request().Header.Get("If-Match")), in.caller.keyID, in.QueryParam("comment"))
	if err != nil {
		return err
	}
	in.Response().Header().Set("ETag", v.ETag())
	return respond(in, http.StatusOK, v)
}
