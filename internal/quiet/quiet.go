// Package quiet turns a talkative library's log down.
package quiet

import (
	"context"
	"log/slog"
)

// Logger returns a logger that writes info as debug: for libraries that report
// at info, every few seconds, that all is well.
func Logger(l *slog.Logger) *slog.Logger { return slog.New(handler{l.Handler()}) }

type handler struct{ slog.Handler }

func level(l slog.Level) slog.Level {
	if l == slog.LevelInfo {
		return slog.LevelDebug
	}
	return l
}

func (h handler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.Handler.Enabled(ctx, level(l))
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	r.Level = level(r.Level)
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(a []slog.Attr) slog.Handler { return handler{h.Handler.WithAttrs(a)} }

func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
