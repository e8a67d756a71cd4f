// Package watch keeps what a process has up to date with what is stored: it looks at
// once, when a hint of a change comes, and every so often in case none does.
package watch

import (
	"context"
	"log/slog"
	"time"
)

// Loop looks for changes of one thing.
type Loop struct {
	Every time.Duration                   // how often is looked without a hint
	Look  func(ctx context.Context) error // brings up to date; one that fails is tried again at the next turn
	// Hints calls changed when there may be a change, until ctx ends; nil where the store
	// gives none. An error is that it gives no more: then is only polled.
	Hints func(ctx context.Context, changed func()) error

	What   string // is looked up, in messages: "the experiments"
	Stay   string // what a process goes on with while it cannot look: "those that were running here stay"
	Logger *slog.Logger
}

// Run looks until ctx ends, and has no part running when it returns. Of failures in a
// row the first is told. It returns nil, so that it can be run beside what has errors.
func (l Loop) Run(ctx context.Context) error {
	hints := make(chan struct{}, 1)
	hinting := make(chan struct{})
	go func() {
		defer close(hinting)
		l.hint(ctx, hints)
	}()
	defer func() { <-hinting }()
	tick := time.NewTicker(l.Every)
	defer tick.Stop()
	failing := false
	for {
		err := l.Look(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			l.Logger.WarnContext(ctx, l.What+" cannot be looked up; "+l.Stay, "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-hints:
		case <-tick.C:
		}
	}
}

// hint passes hints on, any number of them as one.
func (l Loop) hint(ctx context.Context, hints chan<- struct{}) {
	if l.Hints == nil {
		return
	}
	err := l.Hints(ctx, func() {
		select {
		case hints <- struct{}{}:
		default: // one is waiting already
		}
	})
	if err != nil && ctx.Err() == nil {
		l.Logger.WarnContext(ctx, l.What+" are only polled", "error", err)
	}
}
