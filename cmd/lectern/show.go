package main

import (
	"context"
	"fmt"
	"time"

	"github.com/lectern-dev/lectern/indexing"
)

// showDemo fills an empty store, waits until everything is embedded and prints
// where to look. It never fails the server: what went wrong is logged.
func (s *server) showDemo(ctx context.Context, e *engine) error {
	err := fillWithDemo(ctx, e)
	if err == nil {
		err = e.pipeline.CatchUp(ctx)
	}
	if err == nil {
		err = e.pipeline.Wait(ctx, indexing.Readiness.VectorsReady)
	}
	if err == nil {
		err = e.catalog.RefreshStats(ctx)
	}
	var text string
	if err == nil {
		text, err = s.welcome(ctx, e)
	}
	if err != nil {
		if ctx.Err() == nil {
			e.log.Error("the demo is not ready", "error", err)
		}
		return nil
	}
	s.out.Println(text)
	return nil
}

func (s *server) welcome(ctx context.Context, e *engine) (string, error) {
	keys, err := loadDemoKeys(ctx, e)
	if err != nil {
		return "", err
	}
	learner, err := demoLearner(ctx, e)
	if err != nil {
		return "", err
	}
	index, err := indexOf(e.pipeline).Stats(ctx)
	if err != nil {
		return "", err
	}
	base := "http://" + s.address
	return fmt.Sprintf(`
Lectern is ready after %.1f s: %d courses, searchable by words and meaning.

  API reference, to read and try   %s/docs
  Readiness, metrics               %s/readyz   %s/metrics
  Admin key                        %s
  Public key, for pages            %s

Try:

  curl -s -H 'Authorization: Bearer %s' '%s/v1/autocomplete?q=become+a+data+an&limit=5'

  curl -s -H 'Authorization: Bearer %s' '%s/v1/search?q=machne+lerning&limit=5'

  curl -s -H 'Authorization: Bearer %s' '%s/v1/learners/%s/home?limit=5'

  curl -s -H 'Authorization: Bearer %s' '%s/v1/learners/%s/profile'

  curl -s -H 'Authorization: Bearer %s' '%s/v1/admin/stats'

Stop with Ctrl-C; the data stays in %s.
`, time.Since(s.started).Seconds(), index.Points, base, base, base, keys.admin, keys.public,
		keys.public, base, keys.public, base, keys.admin, base, learner, keys.admin, base, learner, keys.admin, base, e.config.Data), nil
}
