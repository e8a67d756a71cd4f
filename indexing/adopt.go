package indexing

import (
	"context"

	"github.com/lectern-dev/lectern"
)

// adoption is a finished line on its way to the follower.
type adoption struct {
	line  *line
	after int64 // the feed was here before the line's catalogue was read
	done  chan error
}

// adopt puts an embedder into service, with an index of its own vectors. The
// caller holds p.training. The live index goes on answering, and following the
// feed, while the new one is filled beside it.
func (p *Pipeline) adopt(ctx context.Context, e lectern.Embedder, version int64) error {
	if p.o.Shared != nil {
		return p.enter(ctx, e, version)
	}
	if err := p.Wait(ctx, func(r Readiness) bool { return r.Scanned || !p.running.Load() }); err != nil {
		return err
	}
	if !p.running.Load() {
		// Nobody fills an index here; whoever runs takes the embedder over from the store.
		p.setEmbedder(p.line.Load(), e, version)
		return nil
	}
	a := &adoption{done: make(chan error, 1)}
	if current := p.line.Load(); current.generation().Fingerprint() == e.Fingerprint() {
		// The same texts make the same embedder: the index already is right.
		a.line = current
		p.setEmbedder(current, e, version)
		return nil
	}
	var err error
	if a.after, err = p.lastChange(ctx); err != nil {
		return err
	}
	a.line = newLine(&Generation{Index: p.o.NewIndex(), Embedder: e, Version: version}, p.o.Words)
	a.line.cf.room = p.o.Dense[lectern.VectorCF]
	a.line.carry(p.factorsFor(a.line))
	err = p.eachPage(ctx, e, func(items []item) error { return a.line.apply(ctx, items, nil, wordsOnly) })
	if err != nil {
		return err
	}
	for handed := false; !handed; {
		p.mu.Lock()
		moved := p.moved
		p.mu.Unlock()
		if !p.running.Load() {
			p.setEmbedder(p.line.Load(), e, version)
			return nil
		}
		select {
		case p.adoption <- a:
			handed = true
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case err := <-a.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeOver brings a new line level with the feed and puts it into service. It is
// the follower's, so the feed does not move the old line meanwhile.
func (p *Pipeline) takeOver(ctx context.Context, a *adoption) error {
	for after := a.after; ; {
		page, err := p.changes(ctx, a.line, after)
		if err != nil {
			return err
		}
		if page.last == after {
			break
		}
		if err := a.line.apply(ctx, page.items, page.deletes, wordsOnly); err != nil {
			return err
		}
		after = page.last
	}
	// The position stays the old line's: what lies between is applied again, so
	// that the words and the other sinks see it too.
	p.use(a.line)
	p.update(func(*state) {})
	return nil
}
