package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/eval/homes"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/neighbours"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/store/sqlite"
	"github.com/lectern-dev/lectern/training"
)

// homeSite is everything that serves home lists, over a store of its own in a
// temporary folder, with a clock that is moved by hand. What a server does in the
// background is done when time passes.
type homeSite struct {
	*engine
	now      time.Time
	index    lectern.VectorIndex
	embedder lectern.Embedder
	stored   map[string]lectern.Course
	similar  *neighbours.Learners
	follow   func(context.Context) error // brings similar up to date
	lists    int                         // made so far
}

var (
	_ homes.Site           = (*homeSite)(nil)
	_ retrieve.Generations = (*homeSite)(nil)
	_ retrieve.Neighbours  = (*homeSite)(nil)
	_ retrieve.Rankings    = unturned{}
)

// unturned keeps no record of lists: nobody turns their pages.
type unturned struct{}

// Record implements retrieve.Rankings.
func (unturned) Record(lectern.Ranking) bool { return true }

// Ranking implements retrieve.Rankings.
func (unturned) Ranking(context.Context, string) (lectern.Ranking, error) {
	return lectern.Ranking{}, lectern.Errorf(lectern.CodeNotFound, "no record is kept of lists")
}

// openHomeSite opens an empty site in a folder, at a time. Stages get all the time
// that they need: what is measured is what they find.
func openHomeSite(ctx context.Context, dir string, config Config, now time.Time) (s *homeSite, err error) {
	config.Data = dir
	config.Store.Driver = driverSQLite
	config.Index.Driver = driverMemory
	budgets := &config.Retrieve.Budgets
	for _, d := range []*time.Duration{&budgets.Profile, &budgets.Embed, &budgets.Candidates, &budgets.Courses, &budgets.Neighbours} {
		*d = time.Minute
	}
	s = &homeSite{now: now, index: newIndex(), stored: map[string]lectern.Course{}}
	env := environment{config: config, log: slog.New(slog.DiscardHandler), clock: s.Now}
	store, err := sqlite.Open(ctx, sqlite.Options{Path: env.config.DatabasePath(), Clock: s.Now, Logger: env.log})
	if err != nil {
		return nil, fmt.Errorf("open a store for the evaluation: %w", err)
	}
	env.store = store
	if err := store.Migrate(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if s.engine, err = newEngine(ctx, env); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if err := s.rewire(); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

// rewire puts the site's clock and index in the place of the server's.
func (s *homeSite) rewire() (err error) {
	s.ingest.Clock = s.Now
	s.catalog = retrieve.NewCatalog(s.config.Retrieve, s.store, s.Now)
	s.catalog.ReadHistories(s.store)
	s.profiles, err = learner.NewProfilesFrom(s.store, learner.Sources{
		Courses: s.courseFacts, Skills: newLearnerSkills(s.skills), Events: s.store, Corrections: s.store,
	}, s.config.Learner, s.Now)
	if err != nil {
		return err
	}
	linear, err := rerank.NewLinear(s.config.Rerank)
	if err != nil {
		return err
	}
	s.ranker, err = retrieve.New(retrieve.Deps{
		Catalog: s.catalog, Generations: s, Words: s.words, Concepts: newConcepts(s.skills), Profiles: s.profiles,
		Courses: s.store, Rankings: unturned{}, Rerankers: rerank.Always{R: linear}, Collaborative: collaborative{s.models}, Neighbours: s,
		Clock: s.Now, NewID: s.nextID, CursorKey: randomBytes(32), Logger: s.log,
	}, s.config.Retrieve)
	return err
}

func (s *homeSite) nextID() string {
	s.lists++
	return strconv.Itoa(s.lists)
}

// Close hangs up.
func (s *homeSite) Close(ctx context.Context) error {
	return errors.Join(s.close(ctx), s.store.Close())
}

// Generation implements retrieve.Generations.
func (s *homeSite) Generation() (lectern.VectorIndex, lectern.Embedder) { return s.index, s.embedder }

// Now implements homes.Site.
func (s *homeSite) Now() time.Time { return s.now }

// Pass implements homes.Site.
func (s *homeSite) Pass(ctx context.Context, d time.Duration) error {
	s.now = s.now.Add(d)
	return s.catchUp(ctx)
}

// catchUp brings statistics, trends and similar learners up to date.
func (s *homeSite) catchUp(ctx context.Context) error {
	if err := s.catalog.RefreshStats(ctx); err != nil {
		return err
	}
	if s.similar == nil {
		return nil
	}
	return s.follow(ctx)
}

// Train implements homes.Site. That there is too little to learn from is no error.
func (s *homeSite) Train(ctx context.Context) error {
	_, err := s.trainer.Train(ctx, training.Run{Reason: "evaluation"})
	if err != nil && !errors.Is(err, training.ErrTooLittle) {
		return fmt.Errorf("train: %w", err)
	}
	if err := s.models.Look(ctx); err != nil || s.similar == nil {
		return err
	}
	return s.followSimilar(ctx)
}

// followSimilar indexes learners anew, in the vectors of the model in use. They are
// followed step by step when time passes, and not beside it: so that every run is the same.
func (s *homeSite) followSimilar(ctx context.Context) (err error) {
	s.similar, err = neighbours.New(neighbours.Options{
		Config: s.config.Neighbours, Store: s.store, Space: s.space, Factor: s.learnerFactor, Asker: s.whoAsks,
		MaxWeight: s.config.Learner.MaxCourseWeight, New: newIndex, Clock: s.Now, Logger: s.log,
	})
	if err != nil {
		return err
	}
	s.follow = s.similar.Steps()
	return s.follow(ctx)
}

// Liked implements retrieve.Neighbours by the index of learners that is in use.
func (s *homeSite) Liked(ctx context.Context, ref lectern.LearnerRef, version int64, k int) ([]lectern.Hit, error) {
	if s.similar == nil {
		return nil, nil
	}
	return s.similar.Liked(ctx, ref, version, k)
}

// Outcomes implements retrieve.Outcomes by the same.
func (s *homeSite) Outcomes(ctx context.Context, ref lectern.LearnerRef, version int64) (func(courseID string) (started, finished float64), error) {
	if s.similar == nil {
		return nil, nil
	}
	return s.similar.Outcomes(ctx, ref, version)
}

func (s *homeSite) space() neighbours.Space {
	return neighbours.Space{Version: 1, Fingerprint: s.embedder.Fingerprint(), Courses: s.index, Ready: true}
}

func (s *homeSite) whoAsks(ctx context.Context, ref lectern.LearnerRef) (neighbours.Asker, error) {
	_, taste, err := s.profiles.Load(ctx, ref, s.index, s.embedder)
	return neighbours.Asker{Personal: taste.Personal, Content: neighbours.Mean(taste.Vectors, taste.Shares), Touched: taste.Touched}, err
}

// Open implements homes.Site.
func (s *homeSite) Open(context.Context) ([]lectern.Course, error) {
	var out []lectern.Course
	for _, c := range s.stored {
		a := c.Availability
		begun, over := a.EnrolFrom == nil || !a.EnrolFrom.After(s.now), a.EnrolUntil != nil && !a.EnrolUntil.After(s.now)
		if (a.Status == "" || a.Status == lectern.StatusOpen) && begun && !over && len(a.Regions)+len(a.Organisations) == 0 {
			out = append(out, c)
		}
	}
	return out, nil
}

// Answer implements homes.Site.
func (s *homeSite) Answer(ctx context.Context, req lectern.ListRequest, k int) (homes.Answer, error) {
	got, err := s.ranker.Offers(ctx, req, k)
	if err == nil && len(got.Degraded) > 0 {
		err = fmt.Errorf("a list was made without %v", got.Degraded)
	}
	out := homes.Answer{List: got.List}
	for _, o := range got.Sources {
		out.Sources = append(out.Sources, homes.Source{Name: o.Source, IDs: o.IDs})
	}
	return out, err
}

// Top implements homes.Site.
func (s *homeSite) Top(ctx context.Context, req lectern.ListRequest, k int) ([]string, error) {
	return s.ranker.TopIDs(ctx, req, k)
}

// Home implements homes.Site.
func (s *homeSite) Home(ctx context.Context, req lectern.HomeRequest) (lectern.Home, error) {
	page, err := s.ranker.Home(ctx, req)
	if err == nil && len(page.Degraded) > 0 {
		err = fmt.Errorf("a page was made without %v", page.Degraded)
	}
	return page, err
}

// Profile implements homes.Site.
func (s *homeSite) Profile(ctx context.Context, ref lectern.LearnerRef) (lectern.Profile, error) {
	return s.store.Profile(ctx, ref)
}

// siteBatch is how many rows are written together.
const siteBatch = 2000

// PutLearners implements homes.Site.
func (s *homeSite) PutLearners(ctx context.Context, learners []lectern.Learner) error {
	patches := make([]ingest.LearnerPatch, len(learners))
	for i, l := range learners {
		patches[i] = ingest.LearnerPatch{Learner: l, Replace: true}
	}
	return writeAll(ctx, patches, siteBatch, s.ingest.PutLearners)
}

// Append implements homes.Site.
func (s *homeSite) Append(ctx context.Context, events []lectern.Event) error {
	return writeAll(ctx, events, siteBatch, s.ingest.AppendEvents)
}

// PutCourses implements homes.Site: they are written, embedded and indexed. The first
// ones train the embedder.
func (s *homeSite) PutCourses(ctx context.Context, courses []lectern.Course) error {
	patches := make([]lectern.CoursePatch, len(courses))
	for i, c := range courses {
		patches[i] = lectern.CoursePatch{Course: c, Replace: true}
	}
	if err := writeAll(ctx, patches, siteBatch, s.ingest.PutCourses); err != nil {
		return err
	}
	return s.hold(ctx, courses)
}

// hold embeds and indexes courses that the store has, as the pipeline does.
func (s *homeSite) hold(ctx context.Context, courses []lectern.Course) error {
	texts := make([]string, len(courses))
	for i, c := range courses {
		texts[i] = c.EmbeddingText()
	}
	if s.embedder == nil {
		var err error
		if s.embedder, _, err = localTrainer(s.config.Embed)(ctx, texts); err != nil {
			return fmt.Errorf("train on the catalogue: %w", err)
		}
	}
	vectors, err := s.embedder.Embed(ctx, lectern.EmbedDocument, texts)
	if err != nil {
		return fmt.Errorf("embed the catalogue: %w", err)
	}
	first := len(s.stored) == 0
	words := courseWords{lexicon: s.words}
	points := make([]lectern.Point, len(courses))
	entries := make([]retrieve.CatalogEntry, len(courses))
	for i, c := range courses {
		points[i] = lectern.Point{
			ID: c.ID, Payload: lectern.PayloadOf(c), Dense: map[string][]float32{},
			Sparse: map[string]lectern.SparseVector{lectern.VectorLexical: words.Put(c)},
		}
		if vectors[i] != nil {
			points[i].Dense[lectern.VectorContent] = vectors[i]
		}
		entries[i] = retrieve.CatalogEntry{Course: c}
		s.stored[c.ID] = c
	}
	if err := s.index.Upsert(ctx, points); err != nil {
		return err
	}
	if err := s.catalog.Apply(ctx, entries, nil, first); err != nil {
		return err
	}
	if err := s.courseFacts.Apply(ctx, courses, nil, first); err != nil {
		return err
	}
	if s.skills != nil {
		if err := s.skills.Apply(ctx, courses, nil, first); err != nil {
			return err
		}
		if err := s.skills.Refresh(ctx); err != nil {
			return err
		}
	}
	return s.catalog.RefreshStats(ctx)
}
