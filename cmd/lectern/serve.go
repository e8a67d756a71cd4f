package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/experiment"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/internal/lease"
	"github.com/lectern-dev/lectern/jobs"
	"github.com/lectern-dev/lectern/store/postgres"
)

func newServeCommand() *cobra.Command {
	var withDemo bool
	cmd := &cobra.Command{
		Use: "serve", Args: noArgs,
		Short: "Answer HTTP requests, and keep index and embeddings in step with the store",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(env environment) error {
				s := server{started: time.Now(), demo: withDemo, out: cmd}
				return s.run(cmd.Context(), env)
			})
		},
	}
	cmd.Flags().BoolVar(&withDemo, "demo", false, "fill an empty store with the demo platform and print what to try")
	return withConfigFlags(cmd)
}

// server is one run of `lectern serve`.
type server struct {
	started time.Time
	demo    bool
	out     interface{ Println(...any) }
	address string // that it listens on
}

// lockFolder makes sure that one server at a time works on a data folder: a
// second one would take over jobs that the first is working on.
func lockFolder(folder string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(folder, "server.lock"))
	free, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if !free {
		return nil, lectern.Errorf(lectern.CodeConflict, "another server is running on %s: stop it, or name another folder with --data", folder)
	}
	return lock, nil
}

// run serves until ctx ends, then finishes what is under way, in the order in
// which the parts need each other: requests, jobs, the pipeline, the recorder.
func (s *server) run(ctx context.Context, env environment) (err error) {
	if env.config.embedded() {
		lock, err := lockFolder(env.config.Data)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lock.Close()) }()
	}
	e, err := newEngine(ctx, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close(ctx)) }()

	if err := e.beginExploring(ctx); err != nil {
		return err
	}
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	tasks, background := errgroup.WithContext(background)
	defer func() { stopBackground(); err = errors.Join(err, tasks.Wait()) }()

	handler, err := s.handler(background, e)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", env.config.Server.Address)
	if err != nil {
		return lectern.Errorf(lectern.CodeUnavailable, "cannot listen on %s: %w (another process may have the port; set server.address)", env.config.Server.Address, err)
	}
	s.address = listener.Addr().String()

	tasks.Go(func() error { return e.pipeline.Run(background) })
	tasks.Go(func() error { return e.suggest.Run(background) })
	tasks.Go(func() error { return e.searches.phrases.Run(background) })
	tasks.Go(func() error { return e.synonyms.Run(background) })
	tasks.Go(func() error { return e.opinions.Run(background) })
	tasks.Go(func() error { return e.analytics.Run(background) })
	tasks.Go(func() error { return e.settings.Run(background) })
	tasks.Go(func() error { return e.exploring.Run(background) })
	e.lists.run(background, tasks, e.pipeline)
	tasks.Go(func() error { return e.experiments.Run(background) })
	tasks.Go(func() error {
		return e.experiments.RunLooks(background, lease.New(e.store, experiment.LeaseName, e.holder, e.log))
	})
	tasks.Go(func() error { return e.runSkills(background) })
	tasks.Go(func() error { return e.models.Run(background) })
	e.learning.run(background, tasks, e.config.Learning.Poll)
	e.followers.run(background, tasks, e)
	s.joinReplicas(background, tasks, e)
	tasks.Go(func() error { return refreshStats(background, e) })
	s.sayAlive(background, tasks, e)
	workers, err := startJobs(background, ctx.Done(), e)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), env.config.Server.ShutdownTimeout)
		defer cancel()
		err = errors.Join(err, workers.Stop(stop))
	}()
	if s.demo {
		tasks.Go(func() error { return s.showDemo(background, e) })
	}
	return s.listen(ctx, env, listener, handler)
}

// joinReplicas takes part in what several processes on one store share: the
// election of a leader, and hints that the store has changed.
func (s *server) joinReplicas(ctx context.Context, tasks *errgroup.Group, e *engine) {
	if e.leader != nil {
		tasks.Go(func() error { return e.leader.Run(ctx) })
	}
	if store, ok := e.store.(*postgres.Store); ok {
		tasks.Go(func() error { return store.Listen(ctx, e.pipeline.Notify) })
	}
}

// leaseReplica and the name of a process make the name of the lease by which
// others know that it is alive, and that its jobs are its own to finish.
const leaseReplica = "replica/"

// sayAlive holds the lease of this process, from before it takes its first job.
func (s *server) sayAlive(ctx context.Context, tasks *errgroup.Group, e *engine) {
	if e.config.embedded() {
		return
	}
	alive := lease.New(e.store, leaseReplica+e.holder, e.holder, e.log)
	alive.Try(ctx)
	tasks.Go(func() error { return alive.Run(ctx) })
}

// listen answers requests until ctx ends.
func (s *server) listen(ctx context.Context, env environment, listener net.Listener, handler http.Handler) error {
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(listener) }() // ends with Shutdown or Close below
	env.log.Info("listening", "address", "http://"+s.address, "store", env.config.place())
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	env.log.Info("shutting down", "timeout", env.config.Server.ShutdownTimeout)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), env.config.Server.ShutdownTimeout)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		env.log.Warn("requests were cut off", "error", err)
		return srv.Close()
	}
	return nil
}

func (s *server) handler(background context.Context, e *engine) (http.Handler, error) {
	registry, err := newRegistry(e)
	if err != nil {
		return nil, err
	}
	previews, err := newPreviews(e)
	if err != nil {
		return nil, err
	}
	tuner, err := newTuner(e.environment)
	if err != nil {
		return nil, err
	}
	estimates, err := newEstimates(e.environment, e.exploring, e.catalog)
	if err != nil {
		return nil, err
	}
	metrics, goals, err := newGoals(e.environment)
	if err != nil {
		return nil, err
	}
	server, err := api.New(background, api.Deps{
		PlatformMetrics: metrics, Goals: goals,
		Ranker: e.ranker, Home: e.ranker, Profiles: describedProfiles{e}, Models: e.trainer, Replays: e.lists, RerankConfig: e.settings, ExploreConfig: e.exploring, Experiments: e.experiments, Feedback: e.feedback(), Reports: e.feedback(), Previews: previews, Tuner: tuner, Learning: e.learning, Estimates: estimates, Ingest: e.ingest, Courses: e.live, Reviews: e.live,
		Learners: e.live, Rankings: e.live, Keys: e.store, Stats: e.store,
		Sealer: e.searches.sealer, Insights: readInsights(e.store),
		Skills:    directoryOf(e.skills),
		Suggester: e.suggest, Synonyms: e.synonyms, Opinions: e.opinions, Reindexer: newReindexer(background, e),
		IndexStats: func(ctx context.Context) (lectern.IndexStats, error) { return indexOf(e.pipeline).Stats(ctx) },
		Checks:     []api.Check{{Name: "words", Ready: wordsReady(e.pipeline)}, {Name: "vectors", Ready: vectorsReady(e.pipeline)}},
		Log:        e.log, Clock: lectern.SystemClock, Random: rand.Reader, Version: version(), Registry: registry,
	}, e.config.API)
	if err != nil {
		return nil, err
	}
	return server.Handler(), nil
}

func indexOf(p *indexing.Pipeline) lectern.VectorIndex {
	index, _ := p.Generation()
	return index
}

// startJobs runs the workers of the queue in the store's database. What nobody should
// wait for at a shutdown stops at ending.
func startJobs(ctx context.Context, ending <-chan struct{}, e *engine) (worker, error) {
	periodic := []jobs.Periodic{{
		Name: "delete_old_rankings", Every: 6 * time.Hour, RunOnStart: true,
		Run: func(ctx context.Context) error { return deleteOldRankings(ctx, e) },
	}, {
		Name: "thin_out_searches", Every: 6 * time.Hour, RunOnStart: true,
		Run: func(ctx context.Context) error { return keepSearchesShort(ctx, e) },
	}, e.followers.rebuildProfiles(), e.trainModels(ending)}
	if store, ok := e.store.(*postgres.Store); ok {
		periodic = append(periodic, jobs.Periodic{
			Name: "maintain_partitions", Every: time.Hour, RunOnStart: true,
			Run: func(ctx context.Context) error { return store.MaintainPartitions(ctx, lectern.SystemClock()) },
		}, jobs.Periodic{
			Name: "rescue_jobs", Every: lease.TTL, RunOnStart: true,
			Run: func(ctx context.Context) error { return rescueJobs(ctx, e, store) },
		})
	}
	w, err := newWorker(e.store, jobs.Handlers{
		EmbedCourses:  e.pipeline.EmbedCourses,
		EmbedReviews:  e.pipeline.EmbedReviews,
		TrainEmbedder: e.pipeline.TrainEmbedder,
	}, jobs.Options{Logger: e.log, Leader: e.leads, ID: e.holder, Periodic: periodic})
	if err != nil {
		return nil, err
	}
	return w, w.Start(ctx)
}

// rescueJobs gives the jobs of replicas that have died to those that live.
func rescueJobs(ctx context.Context, e *engine, store *postgres.Store) error {
	n, err := store.RescueJobs(ctx, leaseReplica, lease.TTL)
	if n > 0 {
		e.log.Info("jobs of a dead replica are queued again", "jobs", n)
	}
	return err
}

// refreshStats lets ratings and popularity move between changes of courses.
func refreshStats(ctx context.Context, e *engine) error {
	refresh := func() {
		if err := e.catalog.RefreshStats(ctx); err != nil && ctx.Err() == nil {
			e.log.Warn("ratings and popularity are not up to date", "error", err)
		}
	}
	if e.pipeline.Wait(ctx, func(r indexing.Readiness) bool { return r.Scanned }) == nil {
		refresh() // what trends is not in the catalogue that was read
	}
	tick := time.NewTicker(e.config.Store.StatsRefresh)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			refresh()
		}
	}
}

// deleteOldRankings keeps the store's rankings within their retention.
func deleteOldRankings(ctx context.Context, e *engine) error {
	n, err := e.store.DeleteRankingsBefore(ctx, lectern.SystemClock().Add(-e.config.Store.RankingRetention))
	if err != nil {
		return fmt.Errorf("delete old rankings: %w", err)
	}
	if n > 0 {
		e.log.Info("old rankings deleted", "rankings", n)
	}
	if _, err := e.store.PruneLearning(ctx, lectern.SystemClock().Add(-e.config.Store.RankingRetention)); err != nil {
		return fmt.Errorf("delete old posteriors: %w", err)
	}
	return nil
}
