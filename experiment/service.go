package experiment

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/ifmatch"
)

// Versions knows what arms may name. The wiring implements it.
type Versions interface {
	// CheckSettings and CheckModel say whether a version exists and can be used here.
	// Errors: CodeNotFound, CodeRefused.
	CheckSettings(ctx context.Context, version int64) error
	CheckModel(ctx context.Context, version int64) error
	// SettingsInUse is the version of the rerank settings in use.
	SettingsInUse(ctx context.Context) (int64, error)
	// ModelInUse is the version of the collaborative model in use, 0 for none.
	ModelInUse(ctx context.Context) (int64, error)
	// ActivateModel puts a version of the collaborative model to use. Errors: CodeNotFound;
	// CodeRefused for one that must not be; CodeConflict while models are trained.
	ActivateModel(ctx context.Context, version int64) error
	// ActivateSettings puts a version of the rerank settings to use.
	ActivateSettings(ctx context.Context, version int64, author, comment string) error
	// Hold makes versions ready to rank with, and keeps them so until the next call.
	Hold(ctx context.Context, settings, models []int64) error
}

// Options are what a Service works with.
type Options struct {
	Config   Config
	Store    lectern.ExperimentStore // an ExperimentWatcher too where the backend has notifications
	Versions Versions
	Log      lectern.ExperimentLog
	Looks    lectern.ExperimentLooks
	// Day is the day of a time in the platform's time zone, in days since 1970-01-01.
	Day func(t time.Time) int
	// ListsKept is how long lists are kept that nobody acted on; 0 is for ever.
	ListsKept time.Duration
	// ModelKind is the kind of artefact that collaborative models are kept as.
	ModelKind string
	NewID     func() string // of experiments that are not given one
	Clock     lectern.Clock
	Logger    *slog.Logger
}

// Service keeps experiments. It is safe for concurrent use.
type Service struct {
	o        Options
	assigner *Assigner
	look     chan struct{} // one look at a time
	revision int64         // that the assigner has; −1 is none
}

// New returns a service that has not looked yet.
func New(o Options) *Service {
	return &Service{o: o, assigner: NewAssigner(o.Config.Holdout), look: make(chan struct{}, 1), revision: -1}
}

// Assigner says who is in which arm.
func (s *Service) Assigner() *Assigner { return s.assigner }

// stored is an experiment as it was read.
type stored struct {
	lectern.Experiment
	body
}

// Change is one write.
type Change struct {
	Body    []byte // a definition, or a merge patch
	IfMatch string // ETags, or *; "" only for those who may overwrite
	Author  string // id of the API key, or "cli"
	Comment string
}

// all reads every experiment. One that this build cannot read is left out and told.
func (s *Service) all(ctx context.Context) ([]*stored, int64, error) {
	rows, revision, err := s.o.Store.Experiments(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("read the experiments: %w", err)
	}
	out := make([]*stored, 0, len(rows))
	for _, r := range rows {
		x := &stored{Experiment: r}
		if err := json.Unmarshal(r.Body, &x.body); err != nil {
			s.o.Logger.ErrorContext(ctx, "this build cannot read an experiment; nobody is in it here", "experiment", r.ID, "error", err)
			continue
		}
		out = append(out, x)
	}
	return out, revision, nil
}

func find(all []*stored, id string) (*stored, error) {
	i := slices.IndexFunc(all, func(x *stored) bool { return x.ID == id })
	if i < 0 {
		return nil, lectern.Errorf(lectern.CodeNotFound, "there is no experiment %q", id)
	}
	return all[i], nil
}

// show describes an experiment.
func (x *stored) show() Experiment {
	return Experiment{
		ID: x.ID, Version: x.Version, ETag: etag(x.Version), State: x.State, Definition: x.Definition,
		Plan: x.Plan, Outcome: x.Outcome, CreatedAt: x.CreatedAt, UpdatedAt: x.UpdatedAt,
	}
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// List returns all experiments, those of a state alone where one is named, the latest
// changed first. Errors: CodeInvalid for a state that does not exist.
func (s *Service) List(ctx context.Context, state lectern.ExperimentState) ([]Experiment, error) {
	states := []lectern.ExperimentState{lectern.ExperimentDraft, lectern.ExperimentRunning, lectern.ExperimentStopped}
	if state != "" && !slices.Contains(states, state) {
		return nil, lectern.Invalid("this is not a state", lectern.NewFieldError("state", state, "is not a state", strings.Join(texts(states), ", ")))
	}
	all, _, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	out := []Experiment{}
	for _, x := range all {
		if state == "" || x.State == state {
			out = append(out, x.show())
		}
	}
	slices.SortStableFunc(out, func(a, b Experiment) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	return out, nil
}

// Get returns one with its history. Errors: CodeNotFound.
func (s *Service) Get(ctx context.Context, id string) (Experiment, error) {
	all, _, err := s.all(ctx)
	if err != nil {
		return Experiment{}, err
	}
	x, err := find(all, id)
	if err != nil {
		return Experiment{}, err
	}
	return s.withHistory(ctx, x)
}

func (s *Service) withHistory(ctx context.Context, x *stored) (Experiment, error) {
	out := x.show()
	changes, err := s.o.Store.ExperimentChanges(ctx, x.ID)
	if err != nil {
		return Experiment{}, fmt.Errorf("read the history of an experiment: %w", err)
	}
	for _, c := range changes {
		out.History = append(out.History, Entry{Version: c.Version, Action: c.Action, Author: c.Author, Comment: c.Comment, At: c.At})
	}
	out.Hints = s.hints(x)
	return out, nil
}

// hints say what is doubtful about an experiment.
func (s *Service) hints(x *stored) []string {
	var out []string
	if x.Plan != nil && x.Plan.Size != nil && x.Plan.Size.AlwaysDays > float64(x.days()) {
		out = append(out, fmt.Sprintf("at the pace of the weeks before, finding the minimum effect takes %.0f days, more than the %d planned",
			math.Ceil(x.Plan.Size.AlwaysDays), x.days()))
	}
	if x.State == lectern.ExperimentRunning && x.kind() == KindAB && x.Primary.MinimumEffect == 0 {
		out = append(out, "without primary.minimum_effect it is never said that there is no difference")
	}
	if x.kind() == KindInterleaving {
		out = append(out, "only lists in which the two versions differ compare anything: see that they rank differently here (lectern config diff, previews); results count the ties")
	}
	return out
}

// tries is how often a change that somebody else overtook is made anew.
const tries = 20

// change makes a change of one experiment from how all of them are, as often as others
// overtake it. With an id of "" it makes a new one.
func (s *Service) change(ctx context.Context, id string, c Change, make func(ctx context.Context, x *stored, all []*stored) (action string, err error)) (Experiment, error) {
	if len(c.Comment) > 1000 || strings.ContainsRune(c.Comment, 0) {
		return Experiment{}, lectern.Invalid("the comment is not acceptable",
			lectern.NewFieldError("comment", c.Comment, "is too long, or holds a NUL character", "at most 1000 bytes of text"))
	}
	for try := 1; ; try++ {
		x, err := s.changeOnce(ctx, id, c, make)
		if lectern.ErrorCode(err) == lectern.CodePrecondition && try < tries && !isStale(err) {
			continue
		}
		if err != nil {
			return Experiment{}, err
		}
		if err := s.Look(context.WithoutCancel(ctx)); err != nil {
			s.o.Logger.WarnContext(ctx, "a change of an experiment is stored, but not in use here yet", "error", err)
		}
		return s.withHistory(ctx, x)
	}
}

func (s *Service) changeOnce(ctx context.Context, id string, c Change, make func(context.Context, *stored, []*stored) (string, error)) (*stored, error) {
	all, revision, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	now := lectern.Timestamp(s.o.Clock())
	x := &stored{Experiment: lectern.Experiment{CreatedAt: now}}
	if id != "" {
		found, err := find(all, id)
		if err != nil {
			return nil, err
		}
		copied := *found
		x = &copied
		if err := checkMatch(c.IfMatch, etag(x.Version)); err != nil {
			return nil, err
		}
	}
	others := slices.DeleteFunc(slices.Clone(all), func(o *stored) bool { return o.ID == id })
	before, err := json.Marshal(x.body)
	if err != nil {
		return nil, err
	}
	action, err := make(ctx, x, others)
	if err != nil {
		return nil, err
	}
	if x.Body, err = json.Marshal(x.body); err != nil {
		return nil, err
	}
	if id != "" && action == actionEdited && bytes.Equal(before, x.Body) {
		return x, nil // no change, no version
	}
	x.Version++
	x.UpdatedAt = now
	_, err = s.o.Store.PutExperiment(ctx, x.Experiment, lectern.ExperimentChange{
		Experiment: x.ID, Version: x.Version, Action: action, Author: c.Author, Comment: c.Comment, At: now, Body: x.Body,
	}, revision)
	return x, err
}

// What is done to experiments.
const (
	actionCreated = "created"
	actionEdited  = "edited"
	actionStarted = "started"
	actionRamped  = "ramped"
	actionStopped = "stopped"
	actionDeleted = "deleted"
)

// stale says that an experiment was changed by somebody else.
func stale(given, now string) error {
	return &lectern.Error{
		Code: lectern.CodePrecondition, Message: "the experiment was changed meanwhile; read it again and repeat the change",
		Fields: []lectern.FieldError{lectern.NewFieldError("If-Match", given, "is not the version of now", now)},
	}
}

func isStale(err error) bool {
	e, ok := asError(err)
	return ok && len(e.Fields) > 0 && e.Fields[0].Field == "If-Match"
}

// checkMatch refuses a change that is about another version than the one of now.
// Errors: CodeInvalid, CodePrecondition.
func checkMatch(header, tag string) error {
	match, err := ifmatch.Parse(header)
	if err == nil && !match.Fits(tag) {
		err = stale(header, tag)
	}
	return err
}

// Create stores a draft. The document may name an id beside the definition. Errors:
// CodeInvalid, CodeUnknownField, CodeConflict for an id that exists, CodeNotFound for
// versions that do not.
func (s *Service) Create(ctx context.Context, c Change) (Experiment, error) {
	var in struct {
		ID string `json:"id"`
		Definition
	}
	if err := decode(c.Body, &in); err != nil {
		return Experiment{}, err
	}
	if err := s.check(ctx, &in.Definition); err != nil {
		return Experiment{}, err
	}
	if in.ID == "" {
		in.ID = s.o.NewID()
	}
	if !name.MatchString(in.ID) || in.ID == assignmentsPath || in.ID == metricsPath || in.ID == holdoutPath {
		return Experiment{}, lectern.Invalid("the experiment is not acceptable", lectern.NewFieldError("id", in.ID, "is not an id", nameAllowed))
	}
	return s.change(ctx, "", c, func(_ context.Context, x *stored, all []*stored) (string, error) {
		if _, err := find(all, in.ID); err == nil {
			return "", conflict("this experiment exists", lectern.NewFieldError("id", in.ID, "is the id of another experiment", "another id, or none"))
		}
		x.ID, x.State, x.Definition = in.ID, lectern.ExperimentDraft, in.Definition
		return actionCreated, nil
	})
}

// What is no id, because it is a path beside the ids.
const (
	assignmentsPath = "assignments"
	metricsPath     = "metrics"
	holdoutPath     = "holdout"
)

// check checks a definition and that what it names exists.
func (s *Service) check(ctx context.Context, d *Definition) error {
	if err := d.Validate(); err != nil {
		return err
	}
	var bad []lectern.FieldError
	for i, a := range d.Arms {
		if a.Settings != nil {
			if err := s.o.Versions.CheckSettings(ctx, *a.Settings); err != nil {
				f, err := missing(fmt.Sprintf("arms[%d].settings", i), *a.Settings, "GET /v1/admin/config/rerank/versions lists them", err)
				if err != nil {
					return err
				}
				bad = append(bad, f)
			}
		}
		if a.Model != nil {
			if err := s.o.Versions.CheckModel(ctx, *a.Model); err != nil {
				f, err := missing(fmt.Sprintf("arms[%d].model", i), *a.Model, "GET /v1/admin/models lists them", err)
				if err != nil {
					return err
				}
				bad = append(bad, f)
			}
		}
	}
	if len(bad) > 0 {
		return lectern.Invalid("an arm names what does not exist, or cannot be used", bad...)
	}
	return nil
}

// missing turns the error of a version into that of its field.
func missing(field string, version int64, allowed string, err error) (lectern.FieldError, error) {
	e, ok := asError(err)
	if !ok || e.Code != lectern.CodeNotFound && e.Code != lectern.CodeRefused {
		return lectern.FieldError{}, err
	}
	return lectern.NewFieldError(field, version, "cannot be used: "+e.Message, allowed), nil
}

// Edit applies a merge patch (RFC 7396). A running experiment has its ramp changed and
// nothing else, a stopped one nothing. Errors: CodeInvalid, CodeUnknownField,
// CodeNotFound, CodePrecondition, CodeRefused.
func (s *Service) Edit(ctx context.Context, id string, c Change) (Experiment, error) {
	return s.change(ctx, id, c, func(ctx context.Context, x *stored, _ []*stored) (string, error) {
		if x.State == lectern.ExperimentStopped {
			return "", refused(x, "is stopped: it keeps its results and is changed no more; create another")
		}
		next, err := patched(&x.Definition, c.Body)
		if err != nil {
			return "", err
		}
		if x.State == lectern.ExperimentRunning {
			return s.reramp(x, &next)
		}
		if err := s.check(ctx, &next); err != nil {
			return "", err
		}
		x.Definition = next
		return actionEdited, nil
	})
}

// reramp changes the ramp of a running experiment. Whoever is in it stays.
func (s *Service) reramp(x *stored, next *Definition) (string, error) {
	was := x.Definition
	was.Ramp = next.Ramp
	a, errA := json.Marshal(was)
	b, errB := json.Marshal(next)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		return "", refused(x, "is running: all but its ramp is fixed until it is stopped")
	}
	var f faults
	checkRamp(&f, next.Ramp)
	if err := f.err(); err != nil {
		return "", err
	}
	now := s.o.Clock()
	if before := reached(x.Ramp, now); reached(next.Ramp, now) < before {
		return "", lectern.Invalid("a ramp only grows", lectern.NewFieldError("ramp", reached(next.Ramp, now),
			"would take people out who are in", fmt.Sprintf("at least %g from now on", before)))
	}
	if slices.Equal(x.Ramp, next.Ramp) {
		return actionEdited, nil // which is no change
	}
	x.Ramp = next.Ramp
	return actionRamped, nil
}

func refused(x *stored, why string) error {
	return &lectern.Error{Code: lectern.CodeRefused, Message: fmt.Sprintf("the experiment %s %s", x.ID, why),
		Fields: []lectern.FieldError{lectern.NewFieldError("state", x.State, why, "")}}
}

// Delete removes a draft. Errors: CodeNotFound, CodePrecondition, CodeRefused.
func (s *Service) Delete(ctx context.Context, id string, c Change) error {
	for try := 1; ; try++ {
		all, revision, err := s.all(ctx)
		if err != nil {
			return err
		}
		x, err := find(all, id)
		switch {
		case err != nil:
			return err
		case x.State != lectern.ExperimentDraft:
			return refused(x, "was started: only drafts are deleted")
		}
		if err := checkMatch(c.IfMatch, etag(x.Version)); err != nil {
			return err
		}
		_, err = s.o.Store.DeleteExperiment(ctx, lectern.ExperimentChange{
			Experiment: id, Version: x.Version, Action: actionDeleted, Author: c.Author, Comment: c.Comment,
			At: lectern.Timestamp(s.o.Clock()), Body: x.Body,
		}, revision)
		if lectern.ErrorCode(err) != lectern.CodePrecondition || try == tries {
			return err
		}
	}
}

// Now is the time by the service's clock.
func (s *Service) Now() time.Time { return s.o.Clock() }
