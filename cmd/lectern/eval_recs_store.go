package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval/recs"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/neighbours"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/training"
)

// recsSample is how many lists the pipeline is asked for.
const recsSample = 2000

// fromStore evaluates models and the pipeline that serves on what the store knew at
// a cut and what happened after it.
func (o *recsEval) fromStore(cmd *cobra.Command, env environment) error {
	start := time.Now()
	ctx := cmd.Context()
	split, err := o.splitOf(true)
	if err != nil {
		return err
	}
	if split.Kind != recs.SplitTime {
		return usageError{errors.New("--split: the store is split by time, as what it served was: time:0.8 or a date")}
	}
	options, err := o.options(cmd)
	if err != nil {
		return err
	}
	past, set, err := storeAt(ctx, env, split)
	if err != nil {
		return err
	}
	if options.Courses == nil {
		courses, err := allCourses(ctx, env)
		if err != nil {
			return err
		}
		options.Courses = recs.NewCourses(courses)
	}
	if options.Learners == nil {
		if options.Learners, err = regions(ctx, env, past, set); err != nil {
			return err
		}
	}
	fitted, selected, cut, err := o.fit(ctx, set.Train, options.Report)
	if err != nil {
		return err
	}
	report, err := o.judge(ctx, set, fitted, selected, cut, options)
	if err != nil {
		return err
	}
	sample := *set
	sample.Sample(recsSample, o.seed)
	report.StageLists = len(sample.Cases)
	if i := slices.IndexFunc(fitted, func(f recs.Fitted) bool { return f.Name == selected }); i >= 0 {
		var notes []string
		report.Stages, report.Faults, notes, err = measureStages(ctx, env, past, fitted[i].Model, &sample, options)
		if err != nil {
			return err
		}
		report.Protocol.Notes = append(report.Protocol.Notes, notes...)
	}
	report.Files = map[string]string{"store": env.config.place()}
	report.Took = time.Since(start)
	return o.write(cmd, report)
}

// storeSet takes a snapshot before the cut and what learners took after it.
func storeSet(ctx context.Context, env environment, past *acts, split recs.Split) (*recs.Set, error) {
	snapshot, err := training.TakeSnapshot(ctx, env.store, training.SnapshotOptions{
		Noise: env.config.Noise, Strength: strengthOf(env.config), MaxWeight: env.config.Learner.MaxCourseWeight,
		MinWeight: env.config.Training.MinWeight, MaxEvents: env.config.Training.MaxEvents, Until: past.cut.Add(-time.Microsecond),
	})
	if err != nil {
		return nil, err
	}
	past.believed = believe(env.config.Noise, nil)
	var held []recs.Held
	refused := 0
	for n, ref := range past.learners {
		h := recs.Held{Learner: cmp.Or(ref.ID, ref.AnonymousID)}
		before := past.before(int32(n))
		for _, r := range before {
			if past.seen(r) {
				h.Taken = append(h.Taken, past.courses[r.course])
			}
		}
		for _, r := range past.of(int32(n))[len(before):] {
			if past.takes(r) {
				h.Wanted = append(h.Wanted, past.courses[r.course])
			}
		}
		if len(h.Wanted) == 0 {
			continue
		}
		l, err := env.store.Learner(ctx, ref)
		if lectern.ErrorCode(err) == lectern.CodeNotFound || err == nil && l.Consent != nil && !l.Consent.Personalisation {
			refused++
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read what learners allow: %w", err)
		}
		held = append(held, h)
	}
	protocol := recs.Protocol{Name: string(split.Kind), Split: split.String(), Order: "by time"}
	if refused > 0 {
		protocol.Notes = append(protocol.Notes, fmt.Sprintf("%d learners allow no personal lists, or are gone: not judged", refused))
	}
	set, err := recs.FromData(snapshot.Data, held, protocol)
	if err == nil {
		set.Data.From, set.Data.Until = snapshot.From, snapshot.To
	}
	return set, err
}

// regions reads where the learners of the cases are.
func regions(ctx context.Context, env environment, past *acts, set *recs.Set) (map[string]recs.Person, error) {
	out := make(map[string]recs.Person)
	refs := past.refs()
	for i := range set.Cases {
		id := set.Cases[i].Learner
		l, err := env.store.Learner(ctx, refs[id])
		if err != nil && lectern.ErrorCode(err) != lectern.CodeNotFound {
			return nil, fmt.Errorf("read where learners are: %w", err)
		}
		out[id] = recs.Person{Region: l.Region}
	}
	return out, nil
}

// refs finds learners by the ids that cases go by.
func (p *acts) refs() map[string]lectern.LearnerRef {
	out := make(map[string]lectern.LearnerRef, len(p.learners))
	for _, ref := range p.learners {
		out[cmp.Or(ref.ID, ref.AnonymousID)] = ref
	}
	return out
}

// recsBench is the pipeline that serves, over the store as it was at the cut.
type recsBench struct {
	*engine
	index    lectern.VectorIndex
	embedder lectern.Embedder
	model    *training.Scorer
	refs     map[string]lectern.LearnerRef
	degraded atomic.Int64
}

var (
	_ retrieve.Generations   = (*recsBench)(nil)
	_ retrieve.Collaborative = (*recsBench)(nil)
)

// Generation implements retrieve.Generations.
func (b *recsBench) Generation() (lectern.VectorIndex, lectern.Embedder) { return b.index, b.embedder }

// Collaborative implements retrieve.Collaborative.
func (b *recsBench) Collaborative() retrieve.CollaborativeModel { return b.model }

// newRecsBench wires the pipeline as newEngine does, but for the clock, which stands
// at the cut, and the time that stages get: what is measured is what they find.
func newRecsBench(ctx context.Context, env environment, past *acts, model cf.Model, items []string) (b *recsBench, err error) {
	env.store = past
	env.log = slog.New(slog.DiscardHandler)
	budgets := &env.config.Retrieve.Budgets
	for _, d := range []*time.Duration{&budgets.Profile, &budgets.Embed, &budgets.Candidates, &budgets.Courses, &budgets.Neighbours} {
		*d = time.Minute
	}
	env.config.Learner.CacheSize = 100 // every learner asks once, but of several sources
	clock := func() time.Time { return past.cut }
	b = &recsBench{index: newIndex(), refs: past.refs()}
	if b.engine, err = newEngine(ctx, env); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close(ctx))
		}
	}()
	unit := env.config.Learner.Strengths.Enrol
	b.model, err = training.NewScorer(training.Version{Version: 1}, items, []cf.Model{model}, training.ScorerOptions{
		Unit: unit, Dim: env.config.Index.Qdrant.CFDimensions, Held: func() int64 { return 1 },
	})
	if err != nil {
		return b, err
	}
	b.catalog = retrieve.NewCatalog(env.config.Retrieve, past, clock)
	if err := b.fill(ctx); err != nil {
		return b, err
	}
	profiles, err := learner.NewProfilesFrom(past, learner.Sources{
		Courses: b.courseFacts, Skills: newLearnerSkills(b.skills), Events: past,
	}, env.config.Learner, clock)
	if err != nil {
		return b, err
	}
	if err := b.findNeighbours(ctx, past, profiles, clock); err != nil {
		return b, err
	}
	linear, err := rerank.NewLinear(env.config.Rerank)
	if err != nil {
		return b, err
	}
	b.ranker, err = retrieve.New(retrieve.Deps{
		Catalog: b.catalog, Generations: b, Words: b.words, Concepts: newConcepts(b.skills), Collaborative: b, Velocities: b.catalog, Neighbours: b.followers.neighbours,
		Profiles: profiles, Courses: past, Rankings: b.recorder, Rerankers: rerank.Always{R: linear}, Clock: clock,
		NewID: func() string { return "" }, CursorKey: randomBytes(32), Logger: env.log,
	}, env.config.Retrieve)
	return b, err
}

// fill indexes the catalogue as it was.
func (b *recsBench) fill(ctx context.Context) error {
	courses, err := allCourses(ctx, b.environment)
	if err != nil {
		return err
	}
	texts := make([]string, len(courses))
	for i, c := range courses {
		texts[i] = c.EmbeddingText()
	}
	if b.embedder, _, err = localTrainer(b.config.Embed)(ctx, texts); err != nil {
		return fmt.Errorf("train on the catalogue: %w", err)
	}
	vectors, err := b.embedder.Embed(ctx, lectern.EmbedDocument, texts)
	if err != nil {
		return fmt.Errorf("embed the catalogue: %w", err)
	}
	words := courseWords{lexicon: b.words}
	points := make([]lectern.Point, len(courses))
	entries := make([]retrieve.CatalogEntry, len(courses))
	for i, c := range courses {
		points[i] = lectern.Point{ID: c.ID, Payload: lectern.PayloadOf(c), Sparse: map[string]lectern.SparseVector{lectern.VectorLexical: words.Put(c)}}
		points[i].Dense = map[string][]float32{}
		if vectors[i] != nil {
			points[i].Dense[lectern.VectorContent] = vectors[i]
		}
		if f := b.model.ItemFactor(c.ID); f != nil {
			points[i].Dense[lectern.VectorCF] = f
		}
		entries[i] = retrieve.CatalogEntry{Course: c}
	}
	if err := b.index.Upsert(ctx, points); err != nil {
		return err
	}
	if err := b.catalog.Apply(ctx, entries, nil, true); err != nil {
		return err
	}
	if err := b.courseFacts.Apply(ctx, courses, nil, true); err != nil {
		return err
	}
	if err := fillSkills(ctx, b.skills, courses, nil); err != nil {
		return err
	}
	return b.catalog.RefreshStats(ctx)
}

// findNeighbours indexes the learners as they were.
func (b *recsBench) findNeighbours(ctx context.Context, past *acts, profiles *learner.Profiles, clock lectern.Clock) (err error) {
	b.followers.neighbours, err = neighbours.New(neighbours.Options{
		Config: b.config.Neighbours, Store: past, MaxWeight: b.config.Learner.MaxCourseWeight, New: newIndex, Clock: clock, Logger: b.log,
		Space: func() neighbours.Space {
			return neighbours.Space{Version: 1, Fingerprint: b.embedder.Fingerprint(), Courses: b.index, Ready: true}
		},
		Factor: func() (int64, neighbours.Factor) {
			if b.model.Dim() == 0 {
				return 0, nil
			}
			return b.model.Version(), b.model.LearnerFactor
		},
		Asker: func(ctx context.Context, ref lectern.LearnerRef) (neighbours.Asker, error) {
			_, taste, err := profiles.Load(ctx, ref, b.index, b.embedder)
			return neighbours.Asker{
				Personal: taste.Personal, Content: neighbours.Mean(taste.Vectors, taste.Shares), Touched: taste.Touched,
			}, err
		},
	})
	if err != nil {
		return err
	}
	return b.fillNeighbours(ctx)
}

// stages asks the pipeline for the list of every case.
func (b *recsBench) stages(ctx context.Context, set *recs.Set, o recs.Options) ([]recs.StageScore, []recs.Fault, error) {
	if o.Report != nil {
		o.Report("the pipeline: %d lists", len(set.Cases))
	}
	return recs.Stages(ctx, set, func(ctx context.Context, c *recs.Case) ([]recs.Offer, error) {
		req := lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: b.refs[c.Learner], Limit: o.K}
		got, err := b.ranker.Offers(ctx, req, o.K)
		if err != nil {
			return nil, err
		}
		if len(got.Degraded) > 0 {
			b.degraded.Add(1)
		}
		var out []recs.Offer
		for _, s := range got.Sources {
			out = append(out, recs.Offer{Name: s.Source, Kind: recs.StageSource, Items: s.IDs})
		}
		return append(out,
			recs.Offer{Name: "all candidates", Kind: recs.StageUnion, Items: got.Candidates},
			recs.Offer{Name: "after rerank", Kind: recs.StageList, Items: got.List}), nil
	}, o)
}

// notes tell what of the past could not be brought back.
func (b *recsBench) notes() []string {
	out := []string{"the pipeline knows what learners state about themselves as of today, which has no date; all else is as of the cut"}
	if n := b.degraded.Load(); n > 0 {
		out = append(out, fmt.Sprintf("%d lists of the pipeline were made without a part of it", n))
	}
	return out
}
