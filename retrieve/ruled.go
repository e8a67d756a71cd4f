package retrieve

import (
	"time"

	"github.com/lectern-dev/lectern/rerank"
)

// ruled is a reranker whose rules can be asked about lists that were made before.
type ruled interface {
	// Hides returns what tells which courses rules hide from a list; nil hides none.
	Hides(req rerank.Request) func(*rerank.Facts) bool
	// Phase differs between two times when a rule begins or ends between them.
	Phase(at time.Time) int
}

var _ ruled = (*rerank.Linear)(nil)

// hideByNow lets the rules of today decide what a list that was recorded before may
// still show. What they hide is skipped like a course that is gone.
func (e *Engine) hideByNow(p *pass) {
	rules, ok := p.rankerOf(p.req.Row).(ruled)
	if !ok {
		return
	}
	req := e.rerankRequest(p, 0)
	if p.req.Row != "" {
		req.Surface, req.Row = rowSurface(p.req.Row), p.req.Row
	}
	p.hidden = rules.Hides(req)
}
