package main

import (
	"context"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/learn"
	"github.com/lectern-dev/lectern/settings/versioned"
)

// breaker lets a guardrail switch exploration off by a version of its settings.
type breaker struct {
	store    lectern.SettingsStore
	settings *exploration
}

var _ learn.Switch = breaker{}

// Stop implements learn.Switch.
func (b breaker) Stop(ctx context.Context, surface lectern.Surface, reason string) error {
	c := versioned.Change{Author: learn.GuardAuthor, Comment: reason}
	var err error
	if surface == "" {
		_, err = b.settings.Switch(ctx, false, c)
	} else {
		_, err = b.settings.Clear(ctx, surface, c)
	}
	return err
}

// Stops implements learn.Switch: among the latest versions, which are many years'.
func (b breaker) Stops(ctx context.Context) ([]learn.Stop, error) {
	const latest = 200
	list, _, err := b.store.SettingsVersions(ctx, lectern.SettingsExplore, 0, latest)
	if err != nil {
		return nil, err
	}
	var out []learn.Stop
	for _, v := range list {
		if v.Author == learn.GuardAuthor {
			out = append(out, learn.Stop{At: v.CreatedAt, Surface: learn.StoppedSurface(v.Comment), Reason: v.Comment})
		}
	}
	return out, nil
}
