package retrieve

import "github.com/lectern-dev/lectern/rerank"

// block is memory for the candidates of a list, or of a page and its rows: half a
// kilobyte each, too much to make and clear away for every list.
type block struct {
	candidates []rerank.Candidate
	used       int // what was asked for, whether it was there or not
	union      union
}

// room returns an empty list for n candidates.
func (p *pass) room(n int) []rerank.Candidate {
	b := p.block
	if b == nil {
		return make([]rerank.Candidate, 0, n)
	}
	from := b.used
	if b.used += n; b.used > len(b.candidates) {
		return make([]rerank.Candidate, 0, n)
	}
	return b.candidates[from:from:b.used]
}

// union returns an empty one.
func (p *pass) union() *union {
	if p.block == nil {
		return &union{at: make(map[string]int)}
	}
	p.block.union.clear()
	return &p.block.union
}

// borrow gives a pass a block. Nothing that outlives it may point into candidates.
func (e *Engine) borrow(p *pass) {
	p.block, _ = e.blocks.Get().(*block)
	if p.block == nil {
		p.block = &block{union: union{at: make(map[string]int)}}
	}
}

// giveBack ends what borrow began.
func (e *Engine) giveBack(p *pass) {
	b := p.block
	p.block, p.candidates = nil, nil
	if b.used > len(b.candidates) {
		b.candidates = make([]rerank.Candidate, b.used+b.used/8)
	} else {
		clear(b.candidates[:b.used]) // keeps nothing alive
	}
	b.used = 0
	b.union.clear()
	e.blocks.Put(b)
}
