package opinion

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment/openai"
)

// maxChatCache bounds the answers that are remembered, at some 60 bytes each.
const maxChatCache = 200_000

// ChatStats is what is told of reviews that a chat model was asked about.
type ChatStats struct {
	Asked    int64 // reviews
	Answered int64 // with a usable answer
	Failed   int64 // requests without any
	Today    int   // reviews asked about today (UTC)
}

// chat asks about each text once while the process lives, and about no more texts a
// day than the configuration allows. What has no usable answer the built-in model reads.
type chat struct {
	model Chat
	cfg   openai.ChatConfig
	clock lectern.Clock
	log   *slog.Logger

	mu     sync.Mutex
	known  map[[sha256.Size]byte]float64
	day    time.Time
	pause  time.Time // nothing is asked before this
	stats  ChatStats
	warned bool
}

func newChat(model Chat, cfg openai.ChatConfig, clock lectern.Clock, log *slog.Logger) *chat {
	return &chat{model: model, cfg: cfg, clock: clock, log: log, known: map[[sha256.Size]byte]float64{}}
}

// Stats counts.
func (c *chat) Stats() ChatStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// ask returns what the chat model says of these reviews, by text, of as many as it
// may be asked about and has answered.
func (c *chat) ask(ctx context.Context, reviews []lectern.Review) map[string]float64 {
	out := make(map[string]float64, len(reviews))
	var open []string
	c.mu.Lock()
	seen := make(map[string]bool, len(reviews))
	for _, r := range reviews {
		if seen[r.Text] || r.Text == "" || !r.Held.Counts() {
			continue
		}
		seen[r.Text] = true
		if p, ok := c.known[sha256.Sum256([]byte(r.Text))]; ok {
			out[r.Text] = p
		} else {
			open = append(open, r.Text)
		}
	}
	c.mu.Unlock()
	for len(open) > 0 && ctx.Err() == nil {
		n := c.allowed(min(c.cfg.Batch, len(open)))
		if n == 0 {
			break
		}
		answers, err := c.model.Score(ctx, open[:n])
		c.remember(ctx, open[:n], answers, err, out)
		if err != nil {
			break
		}
		open = open[n:]
	}
	return out
}

// allowed takes up to n from what may be asked today.
func (c *chat) allowed(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock().UTC()
	if day := now.Truncate(24 * time.Hour); !day.Equal(c.day) {
		c.day, c.stats.Today = day, 0
	}
	if now.Before(c.pause) {
		return 0
	}
	n = max(0, min(n, c.cfg.MaxPerDay-c.stats.Today))
	c.stats.Today += n
	c.stats.Asked += int64(n)
	return n
}

// remember keeps answers, and after a failure asks nothing for a while.
func (c *chat) remember(ctx context.Context, texts []string, answers map[int]float64, err error, out map[string]float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.stats.Failed++
		c.pause = c.clock().Add(c.cfg.Pause)
		if !c.warned {
			c.log.WarnContext(ctx, "the chat model does not read reviews; the built-in one does", slog.Any("err", err), slog.Duration("retry_in", c.cfg.Pause))
		}
		c.warned = true
		return
	}
	c.warned = false
	for i, text := range texts {
		p, ok := answers[i]
		if !ok {
			continue
		}
		c.stats.Answered++
		out[text] = p
		if len(c.known) < maxChatCache {
			c.known[sha256.Sum256([]byte(text))] = p
		}
	}
}
