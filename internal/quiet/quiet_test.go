package quiet

import (
	"log/slog"
	"strings"
	"testing"
)

func TestLogger(t *testing.T) {
	for _, tt := range []struct {
		level slog.Level
		want  string
	}{
		{slog.LevelInfo, "level=WARN msg=w a=1\n"},
		{slog.LevelDebug, "level=DEBUG msg=i a=1\nlevel=WARN msg=w a=1\n"},
	} {
		var out strings.Builder
		l := Logger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
			Level: tt.level,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		}))).With("a", 1)
		l.Info("i")
		l.Warn("w")
		if out.String() != tt.want {
			t.Errorf("at %v: %q, want %q", tt.level, out.String(), tt.want)
		}
	}
}
