package training

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/lease"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/selection"
)

// LeaseTraining is the lease under which one process at a time trains, or
// chooses the model in use.
const LeaseTraining = "train models"

// Store is what a Trainer works with; see the interfaces of the root.
type Store interface {
	SnapshotStore
	lectern.ArtefactStore
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (held bool, err error)
	ReleaseLease(ctx context.Context, name, holder string) error
}

// Options are what a Trainer works with.
type Options struct {
	Config   Config
	Snapshot SnapshotOptions // Until apart; MinWeight and MaxEvents are the Config's
	Store    Store
	// Fit fits, tunes and compares models: selection.Fit.
	Fit func(ctx context.Context, d *cf.Data, o selection.Options) (*selection.Result, error)
	// Object says what speaks against lists made with a model of this name and these
	// settings, "" for nothing; nil asks nobody. Errors: CodeInvalid while too little
	// is known to tell.
	Object func(ctx context.Context, name string, params cf.Params, seed uint64) (string, error)
	Specs  []cf.Spec // of all models that there are
	Floor  string    // name of the model that every other must beat: popularity
	Dim    int       // length of the factors that the index has room for, 0 for none
	Holder string    // of leases: differs between processes
	Clock  lectern.Clock
	Logger *slog.Logger
}

// Trainer trains models and chooses which one is in use.
type Trainer struct {
	o     Options
	busy  sync.Mutex // held beside the lease, which is the whole process's
	stats counters
}

// New returns a Trainer. Errors: CodeInvalid for settings that are out of range,
// or name a model that there is none of.
func New(o Options) (*Trainer, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Store == nil || o.Fit == nil || o.Snapshot.Strength == nil || o.Clock == nil || o.Logger == nil {
		return nil, lectern.Errorf(lectern.CodeInternal, "the training lacks a part")
	}
	o.Snapshot.MinWeight, o.Snapshot.MaxEvents = o.Config.MinWeight, o.Config.MaxEvents
	t := &Trainer{o: o}
	_, err := t.enabled()
	return t, err
}

// enabled returns the specs of the models to fit.
func (t *Trainer) enabled() ([]cf.Spec, error) {
	names := t.o.Config.Models
	var out []cf.Spec
	var known []string
	for _, s := range t.o.Specs {
		known = append(known, s.Name)
		if s.Floor || len(names) == 0 || slices.Contains(names, s.Name) {
			out = append(out, s)
		}
	}
	var bad []lectern.FieldError
	for _, name := range names {
		if !slices.Contains(known, name) {
			bad = append(bad, lectern.NewFieldError("training.models", name, "is not a model", strings.Join(known, ", ")))
		}
	}
	if len(bad) > 0 {
		return nil, lectern.Invalid("the training settings are not usable", bad...)
	}
	return out, nil
}

// Run says how one training is to be done.
type Run struct {
	Reason string        // for people
	Tune   time.Duration // in place of the configured time where above 0
	Until  time.Time     // learn from events up to then; zero for all
	DryRun bool          // store nothing
	// Report hears of each step, for people; nil is nobody.
	Report func(format string, args ...any)
}

// Outcome is what came of a training.
type Outcome struct {
	Version   Version   // number 0 with DryRun
	Activated bool      // it is in use now
	Snapshot  *Snapshot // what was learnt from
}

// Snapshot takes a snapshot with the configured settings.
func (t *Trainer) Snapshot(ctx context.Context, until time.Time) (*Snapshot, error) {
	o := t.o.Snapshot
	o.Until = until
	return TakeSnapshot(ctx, t.o.Store, o)
}

// ErrTooLittle is within the error of Train when there is too little to learn from.
var ErrTooLittle = errors.New("there is too little to learn from")

// Train takes a snapshot, fits every enabled model, keeps the best one as a new
// version and puts it to use if it deserves that. Errors: CodeConflict while
// another process trains; CodePrecondition with ErrTooLittle.
func (t *Trainer) Train(ctx context.Context, run Run) (*Outcome, error) {
	if run.Report == nil {
		run.Report = func(string, ...any) {}
	}
	if run.DryRun {
		out, _, err := t.fit(ctx, run)
		return out, err
	}
	var out *Outcome
	err := t.exclusively(ctx, func(ctx context.Context) (err error) {
		t.stats.begin()
		out, err = t.train(ctx, run)
		t.stats.end(out, err)
		return err
	})
	return out, err
}

// exclusively runs f while no other process trains.
func (t *Trainer) exclusively(ctx context.Context, f func(context.Context) error) error {
	if !t.busy.TryLock() {
		return lectern.Errorf(lectern.CodeConflict, "models are being trained at the moment; try again when that is done")
	}
	defer t.busy.Unlock()
	err := lease.Hold(ctx, t.o.Store, LeaseTraining, t.o.Holder, t.o.Logger, f)
	if errors.Is(err, lease.ErrHeld) {
		return lectern.Errorf(lectern.CodeConflict, "another process is training models at the moment")
	}
	return err
}

// train does all of it. A process that is killed leaves a version behind at most
// that was never in use.
func (t *Trainer) train(ctx context.Context, run Run) (*Outcome, error) {
	out, body, err := t.fit(ctx, run)
	if err != nil {
		return nil, err
	}
	v := &out.Version
	if v.Refused, err = t.objection(ctx, v); err != nil {
		return nil, err
	}
	meta, err := v.meta()
	if err != nil {
		return nil, err
	}
	v.CreatedAt = lectern.Timestamp(t.o.Clock())
	v.Version, err = t.o.Store.PutArtefact(ctx, lectern.Artefact{Kind: Kind, Fingerprint: body.fingerprint, CreatedAt: v.CreatedAt, Meta: meta}, body.bytes)
	if err != nil {
		return nil, fmt.Errorf("store the model: %w", err)
	}
	if v.Refused == "" {
		if err := t.o.Store.ActivateArtefact(ctx, Kind, v.Version); err != nil {
			return nil, fmt.Errorf("put model %d to use: %w", v.Version, err)
		}
		v.Active, out.Activated = true, true
	}
	if _, err := t.o.Store.PruneArtefacts(ctx, Kind, t.o.Config.Keep-1); err != nil {
		t.o.Logger.WarnContext(ctx, "old models are not deleted", slog.Any("err", err))
	}
	t.o.Logger.InfoContext(ctx, "models trained", slog.Int64("version", v.Version), slog.String("selected", v.Selected),
		slog.Bool("activated", out.Activated), slog.String("refused", v.Refused), slog.Int("learners", v.Learners),
		slog.Int("items", v.Items), slog.Float64("seconds", v.Seconds))
	return out, nil
}

// body is the stored form of what was selected.
type body struct {
	bytes       []byte
	fingerprint string
}

// fit takes a snapshot and fits models on it.
func (t *Trainer) fit(ctx context.Context, run Run) (*Outcome, *body, error) {
	c := t.o.Config
	specs, err := t.enabled()
	if err != nil {
		return nil, nil, err
	}
	begin := t.o.Clock()
	s, err := t.Snapshot(ctx, run.Until)
	if err != nil {
		return nil, nil, err
	}
	n := s.Data.Events()
	run.Report("snapshot: %d events, %d learners without consent left out; %d learners took %d courses, %d times",
		s.Events, s.WithoutConsent, len(s.Data.Histories), len(s.Data.Items), n)
	if learners := s.Learners(); n < c.MinEvents || learners < c.MinLearners {
		return nil, nil, lectern.Errorf(lectern.CodePrecondition,
			"%w: learners took courses %d times, and %d of them took more than one; training.min_events is %d and training.min_learners is %d",
			ErrTooLittle, n, learners, c.MinEvents, c.MinLearners)
	}
	tune := c.Tune
	if run.Tune > 0 {
		tune = run.Tune
	}
	// Models get no names of learners: what they keep stays in the store.
	unnamed := *s.Data
	unnamed.Learners = nil
	result, err := t.o.Fit(ctx, &unnamed, selection.Options{Specs: specs, Metric: c.Metric, Tune: tune, Seed: c.Seed, Report: run.Report})
	if err != nil {
		return nil, nil, fmt.Errorf("fit models: %w", err)
	}
	chosen := chosenOf(result)
	if len(chosen) == 0 {
		return nil, nil, lectern.Errorf(lectern.CodeInternal, "the selected model %q is not among those fitted", result.Selected)
	}
	if chosen[0].model, err = t.factored(ctx, chosen[0].model, &unnamed); err != nil {
		return nil, nil, err
	}
	b := &body{}
	if b.bytes, b.fingerprint, err = encodeBody(s.Data.Items, chosen); err != nil {
		return nil, nil, err
	}
	out := &Outcome{Snapshot: s, Version: Version{
		Bytes: len(b.bytes), From: s.From, To: s.To, Events: s.Events, Interactions: n, Learners: len(s.Data.Histories), Items: len(s.Data.Items),
		Metric: c.Metric, Cut: result.Cut, Selected: result.Selected, Seed: c.Seed, Reason: run.Reason,
		Noise: s.Noise.Rules, Seconds: t.o.Clock().Sub(begin).Seconds(),
	}}
	for _, m := range result.Models {
		out.Version.Models = append(out.Version.Models, Row{m.Name, m.Params, finite(m.Validation), m.FitTime.Seconds()})
	}
	return out, b, nil
}

// factored gives a model factors for the index where it has none that fit.
func (t *Trainer) factored(ctx context.Context, m cf.Model, d *cf.Data) (cf.Model, error) {
	room := t.o.Dim - 1 // see unit
	if own, ok := m.(cf.Factored); room < 1 || ok && own.Dim() <= room {
		return m, nil
	}
	f, err := cf.NewFactors(m, min(room, max(1, len(d.Items)-1)))
	if err != nil {
		return nil, err
	}
	if err := f.Factorise(ctx, d); err != nil {
		return nil, fmt.Errorf("find factors of %s: %w", m.Name(), err)
	}
	return f, nil
}

// finite leaves out what is no number: it was not measured.
func finite(metrics map[string]float64) map[string]float64 {
	out := maps.Clone(metrics)
	maps.DeleteFunc(out, func(_ string, v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	return out
}

// chosenOf returns what is kept of a result: the selected model, and beside it one
// that knows what follows a course where the selected one does not.
func chosenOf(r *selection.Result) []saved {
	i := slices.IndexFunc(r.Models, func(m selection.Fitted) bool { return m.Name == r.Selected })
	if i < 0 {
		return nil
	}
	out := []saved{{r.Models[i].Name, r.Models[i].Params, r.Models[i].Model}}
	if successor(r.Models[i].Model) != nil {
		return out
	}
	for _, m := range r.Models {
		if successor(m.Model) != nil {
			return append(out, saved{m.Name, m.Params, m.Model})
		}
	}
	return out
}

// successor returns a model that knows what follows a course, nil for one that does
// not, as a blend of such models.
func successor(m cf.Model) cf.Successor {
	if f, ok := m.(*cf.Factors); ok {
		m = f.Model
	}
	if b, ok := m.(*cf.Blend); ok && !slices.ContainsFunc(b.Parts(), func(p cf.Part) bool { return successor(p.Model) != nil }) {
		return nil
	}
	s, _ := m.(cf.Successor)
	return s
}

// listsObject holds what would be served with a version against the best of its
// stages.
func (t *Trainer) listsObject(ctx context.Context, v *Version) (string, error) {
	if t.o.Object == nil || !t.o.Config.CheckLists {
		return "", nil
	}
	var params cf.Params
	for _, row := range v.Models {
		if row.Name == v.Selected {
			params = row.Params
		}
	}
	why, err := t.o.Object(ctx, v.Selected, params, v.Seed)
	if lectern.ErrorCode(err) == lectern.CodeInvalid {
		t.o.Logger.Info("lists with the new model cannot be measured yet", "error", err)
		return "", nil
	}
	return why, err
}

// objection says what speaks against putting a version to use, "" for nothing.
func (t *Trainer) objection(ctx context.Context, v *Version) (string, error) {
	if why := v.worseThan(t.o.Floor); why != "" {
		return why, nil
	}
	if why, err := t.listsObject(ctx, v); why != "" || err != nil {
		return why, err
	}
	a, err := t.o.Store.ActiveArtefact(ctx, Kind)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find the model in use: %w", err)
	}
	before := VersionOf(a)
	return v.fallsBehind(&before, t.o.Floor, t.o.Config.Margin), nil
}

// worseThan says that a version does not beat a floor, "" if it does.
func (v *Version) worseThan(floor string) string {
	least, known := v.Measured(floor)
	got, measured := v.Measured(v.Selected)
	switch {
	case !measured:
		return fmt.Sprintf("%s of %s was not measured", v.Metric, v.Selected)
	case !known:
		return fmt.Sprintf("%s of %s was not measured, so nothing shows that %s is better", v.Metric, floor, v.Selected)
	case v.Selected == floor, !(got > least): // not a number is no better
		return fmt.Sprintf("%s does not beat %s: %s %.4f against %.4f", v.Selected, floor, v.Metric, got, least)
	}
	return ""
}

// fallsBehind says that a version is worse than the one before by more than
// margin, "" if it is not. The two were measured on different cuts, of which one
// may be harder: so the gain over the floor must have fallen as well.
func (v *Version) fallsBehind(before *Version, floor string, margin float64) string {
	old, ok := before.Measured(before.Selected)
	oldFloor, okFloor := before.Measured(floor)
	if before.Metric != v.Metric || !ok || !okFloor || margin >= 1 {
		return ""
	}
	now, _ := v.Measured(v.Selected)
	nowFloor, _ := v.Measured(floor)
	fell := now < (1-margin)*old
	gainFell := now*oldFloor < (1-margin)*old*nowFloor // now/nowFloor against old/oldFloor
	if nowFloor == 0 || oldFloor == 0 {
		gainFell = fell
	}
	if !fell || !gainFell {
		return ""
	}
	return fmt.Sprintf("%s %s %.4f (%s %.4f) is over %.0f %% below that of version %d: %.4f (%s %.4f); if it is right all the same, run `lectern models activate`",
		v.Selected, v.Metric, now, floor, nowFloor, 100*margin, before.Version, old, floor, oldFloor)
}

// Versions lists the models in the store, newest first.
func (t *Trainer) Versions(ctx context.Context) ([]Version, error) { return Versions(ctx, t.o.Store) }

// Versions lists the models in a store, newest first.
func Versions(ctx context.Context, store interface {
	Artefacts(ctx context.Context, kind string) ([]lectern.Artefact, error)
}) ([]Version, error) {
	all, err := store.Artefacts(ctx, Kind)
	if err != nil {
		return nil, fmt.Errorf("list models: %w", err)
	}
	out := make([]Version, len(all))
	for i, a := range all {
		out[i] = VersionOf(a)
	}
	return out, nil
}

// Activate puts a version to use by hand, whatever its margin to the one before.
// Errors: CodeNotFound naming the versions that there are; CodeRefused for one that
// does not beat popularity; CodeConflict while another process trains.
func (t *Trainer) Activate(ctx context.Context, version int64) (Version, error) {
	var v Version
	err := t.exclusively(ctx, func(ctx context.Context) error {
		all, err := t.Versions(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(v Version) bool { return v.Version == version })
		if i < 0 {
			return unknownVersion(version, all)
		}
		v = all[i]
		if why := v.worseThan(t.o.Floor); why != "" {
			return lectern.Errorf(lectern.CodeRefused, "model %d stays out of use: %s", version, why)
		}
		if err := t.o.Store.ActivateArtefact(ctx, Kind, version); err != nil {
			return fmt.Errorf("put model %d to use: %w", version, err)
		}
		v.Active = true
		return nil
	})
	return v, err
}

func unknownVersion(version int64, all []Version) error {
	if len(all) == 0 {
		return lectern.Errorf(lectern.CodeNotFound, "there is no model %d, and no other one: `lectern train` makes one", version)
	}
	var known []string
	for _, v := range all {
		known = append(known, fmt.Sprint(v.Version))
	}
	return lectern.Errorf(lectern.CodeNotFound, "there is no model %d; there are %s", version, strings.Join(known, ", "))
}
