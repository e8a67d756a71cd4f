package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/index/qdrant"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/jobs"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/ml/noise"
	"github.com/lectern-dev/lectern/neighbours"
)

// followers keep what is derived of learners in step with what they do.
type followers struct {
	rebuilder  *learner.Rebuilder
	neighbours *neighbours.Learners
}

// newFollowers wires them around a pipeline that does not run yet.
func newFollowers(e *engine) (followers, error) {
	var out followers
	var err error
	if out.rebuilder, err = newRebuilder(e.environment, e.creators, e.leaderOrNil()); err != nil {
		return out, err
	}
	o := neighbours.Options{
		Config: e.config.Neighbours, Store: e.store, Space: e.learnerSpace, Factor: e.learnerFactor, Asker: e.asker,
		MaxWeight: e.config.Learner.MaxCourseWeight, New: newIndex, Clock: lectern.SystemClock, Logger: e.log,
	}
	if e.indexes != nil {
		o.Shared = sharedLearners{e.indexes}
	}
	if e.leader != nil {
		o.Leader = e.leader
	}
	out.neighbours, err = neighbours.New(o)
	return out, err
}

func (e *engine) leaderOrNil() learner.Leader {
	if e.leader == nil {
		return nil
	}
	return e.leader
}

// newRebuilder wires what makes profiles from events again.
func newRebuilder(env environment, creators *creators, leader learner.Leader) (*learner.Rebuilder, error) {
	return learner.NewRebuilder(learner.RebuildOptions{
		Learner: env.config.Learner, Follow: env.config.Profiles, Store: env.store,
		Multiplier: believe(env.config.Noise, creators.of), Leader: leader,
		Clock: lectern.SystemClock, Logger: env.log,
	})
}

// believe says by the rules against noise how far each event counts.
func believe(rules noise.Config, course func(string) (lectern.Course, bool)) learner.Multiplier {
	return func(events []lectern.Event) []float64 {
		weights := make(map[string]float64, len(events))
		cleaned := rules.Clean(events, course)
		for i := range cleaned {
			weights[cleaned[i].Event.ID] = cleaned[i].Weight
		}
		out := make([]float64, len(events))
		for i := range events {
			out[i] = weights[events[i].ID]
		}
		return out
	}
}

// creators know who made which course, as far as the rules against noise ask.
type creators struct {
	mu   sync.RWMutex
	made map[string]lectern.Course
}

var _ indexing.Sink = (*creators)(nil)

func (c *creators) of(id string) (lectern.Course, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	course, ok := c.made[id]
	return course, ok
}

// Apply implements indexing.Sink.
func (c *creators) Apply(_ context.Context, b indexing.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.Reset || c.made == nil {
		c.made = map[string]lectern.Course{}
	}
	for _, id := range b.Deletes {
		delete(c.made, id)
	}
	for i := range b.Upserts {
		c.put(&b.Upserts[i].Course)
	}
	return nil
}

func (c *creators) put(course *lectern.Course) {
	delete(c.made, course.ID)
	if part, some := noise.CreatorsOf(course); some {
		c.made[course.ID] = part
	}
}

// readCreators reads them from a store that no pipeline follows.
func readCreators(ctx context.Context, store lectern.CourseStore) (*creators, error) {
	c := &creators{made: map[string]lectern.Course{}}
	for after := int64(0); ; {
		courses, next, err := store.ScanCourses(ctx, after, 500)
		if err != nil {
			return nil, fmt.Errorf("read who made which course: %w", err)
		}
		for i := range courses {
			c.put(&courses[i])
		}
		if after = next; next == 0 {
			return c, nil
		}
	}
}

// learnerSpace is the generation that learners' points are made in.
func (e *engine) learnerSpace() neighbours.Space {
	index, embedder := e.pipeline.Generation()
	ready := e.pipeline.Ready()
	s := neighbours.Space{Version: ready.Version, Courses: index, Ready: ready.VectorsReady()}
	if embedder != nil {
		s.Fingerprint = embedder.Fingerprint()
	}
	return s
}

// learnerFactor makes learners' collaborative vectors, where a model is in use and
// the index has room for its factors.
func (e *engine) learnerFactor() (int64, neighbours.Factor) {
	if e.factor == nil {
		return 0, nil
	}
	return e.factor()
}

// asker is what is known of a learner who asks for similar ones; it is in memory when
// a list is being made.
func (e *engine) asker(ctx context.Context, ref lectern.LearnerRef) (neighbours.Asker, error) {
	index, embedder := e.pipeline.Generation()
	_, taste, err := e.profiles.Load(ctx, ref, index, embedder)
	if err != nil {
		return neighbours.Asker{}, err
	}
	return neighbours.Asker{
		Personal: taste.Personal, Content: neighbours.Mean(taste.Vectors, taste.Shares), Touched: taste.Touched,
	}, nil
}

// sharedLearners keeps learners' points in Qdrant.
type sharedLearners struct{ indexes *qdrant.Indexes }

var _ neighbours.Shared = sharedLearners{}

func (s sharedLearners) Learners(ctx context.Context, version int64) (lectern.VectorIndex, error) {
	index, err := s.indexes.Learners(ctx, version)
	if err != nil {
		return nil, err
	}
	return index, nil
}

func (s sharedLearners) Erase(ctx context.Context, ids []string) error {
	versions, err := s.indexes.Versions(ctx)
	if err != nil {
		return err
	}
	for _, version := range versions {
		index, err := s.indexes.Learners(ctx, version)
		if lectern.ErrorCode(err) == lectern.CodeNotFound {
			continue // dropped since
		}
		if err == nil {
			err = index.Delete(ctx, ids)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// run starts the followers. Corrections wait until the catalogue is read, which says
// who made which course.
func (f followers) run(ctx context.Context, tasks *errgroup.Group, e *engine) {
	tasks.Go(func() error { return f.neighbours.Run(ctx) })
	tasks.Go(func() error {
		if e.pipeline.Wait(ctx, func(r indexing.Readiness) bool { return r.Scanned }) != nil {
			return nil //nolint:nilerr // ctx has ended
		}
		return f.rebuilder.Run(ctx)
	})
}

// rebuildProfiles is the job that rebuilds every profile when that is due.
func (f followers) rebuildProfiles() jobs.Periodic {
	return jobs.Periodic{Name: "rebuild_profiles", Every: time.Hour, RunOnStart: true, Run: f.rebuilder.RebuildDue}
}

// notify tells them that profiles may have changed.
func (f followers) notify() {
	f.rebuilder.Notify()
	f.neighbours.Notify()
}

// erase removes a learner from the index at once. That may fail while the index is
// away; then the feed does it.
func (s liveStore) erase(ctx context.Context, ref lectern.LearnerRef, key int64) {
	if err := s.followers.neighbours.Erase(ctx, ref, key); err != nil {
		s.log.WarnContext(ctx, "a learner who was erased leaves the index later", "error", err)
	}
	s.followers.notify()
}

// AppendEvents tells the followers of profiles.
func (s liveStore) AppendEvents(ctx context.Context, events []lectern.EventWrite) ([]lectern.WriteResult, error) {
	defer s.followers.notify()
	return s.relational.AppendEvents(ctx, events)
}

// PutLearners tells the followers of profiles.
func (s liveStore) PutLearners(ctx context.Context, learners []lectern.Learner) ([]lectern.WriteResult, error) {
	defer s.followers.notify()
	return s.relational.PutLearners(ctx, learners)
}

// MergeVisitor tells the followers of profiles.
func (s liveStore) MergeVisitor(ctx context.Context, anonymousID, learnerID string) error {
	defer s.followers.notify()
	return s.relational.MergeVisitor(ctx, anonymousID, learnerID)
}

// PutCorrections tells the followers of profiles.
func (s liveStore) PutCorrections(ctx context.Context, ref lectern.LearnerRef, c lectern.Corrections) error {
	defer s.followers.notify()
	return s.relational.PutCorrections(ctx, ref, c)
}

// What the followers of profiles report, read at each scrape.
var ( // descriptions never change
	descProfileLag = prometheus.NewDesc("lectern_profile_lag_learners",
		"Learners whose profile has changed since it was last looked at, 10,000 at most, by what looks at it.", []string{"follower"}, nil)
	descProfilesReplaced = prometheus.NewDesc("lectern_profiles_replaced_total",
		"Profiles that were put right because some of their events are not to be believed.", nil, nil)
	descLearnersIndexed = prometheus.NewDesc("lectern_index_learners",
		"Learners in the index that similar ones are found in.", nil, nil)
)

// profilesCollector reports on the followers of profiles.
type profilesCollector struct{ engine *engine }

var _ prometheus.Collector = (*profilesCollector)(nil)

// Describe implements prometheus.Collector.
func (*profilesCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descProfileLag, descProfilesReplaced, descLearnersIndexed} {
		out <- d
	}
}

// mostLag bounds what is counted for a scrape.
const mostLag = 10_000

// Collect implements prometheus.Collector. Lag is told by those who follow: the
// leader, and each process for an index of its own.
func (c *profilesCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout) // a scrape has none of its own
	defer cancel()
	f := c.engine.followers
	position, replaced := f.rebuilder.Position()
	out <- prometheus.MustNewConstMetric(descProfilesReplaced, prometheus.CounterValue, float64(replaced))
	stats, err := f.neighbours.Stats(ctx)
	if err == nil {
		out <- prometheus.MustNewConstMetric(descLearnersIndexed, prometheus.GaugeValue, float64(stats.Learners))
	}
	if c.engine.leads() {
		c.lag(ctx, out, "corrections", position)
	}
	if c.engine.indexes == nil || c.engine.leads() {
		c.lag(ctx, out, "neighbours", stats.Position)
	}
}

func (c *profilesCollector) lag(ctx context.Context, out chan<- prometheus.Metric, follower string, position int64) {
	waiting, err := c.engine.store.ProfileChanges(ctx, position, mostLag)
	if err != nil {
		c.engine.log.Warn("the lag of profiles is missing from a scrape", "error", err)
		return
	}
	out <- prometheus.MustNewConstMetric(descProfileLag, prometheus.GaugeValue, float64(len(waiting)), follower)
}
