package indexing

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// follow reads the catalogue and then its changes, until ctx ends. It alone
// writes to the line in use and to the sinks.
func (p *Pipeline) follow(ctx context.Context) {
	p.retry(ctx, "read the catalogue", p.scan)
	timer := time.NewTimer(p.o.Config.Poll)
	defer timer.Stop()
	for ctx.Err() == nil {
		p.retry(ctx, "follow the change feed", p.advance)
		p.retry(ctx, "write the factors of a model", p.refactor)
		timer.Reset(p.o.Config.Poll)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-p.wake:
		case a := <-p.adoption:
			a.done <- p.takeOver(ctx, a)
		}
	}
}

// retry calls f until it works or ctx ends, waiting longer each time.
func (p *Pipeline) retry(ctx context.Context, what string, f func(context.Context) error) {
	for wait := 100 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 5*time.Second) {
		err := f(ctx)
		if err == nil {
			p.recovered(what)
			return
		}
		if ended(ctx, err) {
			return
		}
		p.o.Logger.Error("indexing: cannot "+what, slog.Any("err", err), slog.Duration("retry_in", wait))
		p.update(func(s *state) { s.failures[what] = err.Error() })
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// recovered forgets that something did not work.
func (p *Pipeline) recovered(what string) {
	p.mu.Lock()
	_, failed := p.state.failures[what]
	p.mu.Unlock()
	if failed {
		p.update(func(s *state) { delete(s.failures, what) })
	}
}

// position returns where in the feed the line in use is.
func (p *Pipeline) position() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.position
}

// advance applies what is new in the feed.
func (p *Pipeline) advance(ctx context.Context) error {
	for {
		l := p.line.Load()
		after := p.position()
		page, err := p.changes(ctx, l, after)
		if err != nil {
			return err
		}
		if page.last == after {
			return nil
		}
		textChanged := l.textChanged(page)
		if err := l.apply(ctx, page.items, page.deletes, wordsCounted); err != nil {
			return err
		}
		if err := p.feedSinks(ctx, l, page.items, page.deletes, false); err != nil {
			return err
		}
		p.update(func(s *state) {
			s.position = page.last
			if textChanged {
				s.changed = p.o.Clock().UnixMicro()
			}
		})
	}
}

// textChanged reports whether a page changes what an embedder is trained on.
func (l *line) textChanged(page changePage) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range page.deletes {
		if _, ok := l.courses[id]; ok {
			return true
		}
	}
	for i := range page.items {
		it := &page.items[i]
		old, ok := l.courses[it.Course.ID]
		if ok != listed(&it.Course) || (ok && old.hash != it.hash) {
			return true
		}
	}
	return false
}

// feedSinks hands a batch to the sinks beside the index.
func (p *Pipeline) feedSinks(ctx context.Context, l *line, items []item, deletes []string, reset bool) error {
	if len(items) == 0 && len(deletes) == 0 && !reset {
		return nil
	}
	b := Batch{Deletes: deletes, Reset: reset, Active: l.generation().Fingerprint()}
	b.Upserts = make([]Entry, len(items))
	for i := range items {
		b.Upserts[i] = items[i].Entry
	}
	for _, s := range p.o.Sinks {
		if err := s.Apply(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// scan reads the whole catalogue into a fresh line. With very many vectors to
// load it leaves the words, which cost more, to a second pass, so that vectors
// answer within seconds.
func (p *Pipeline) scan(ctx context.Context) error {
	start := p.o.Clock()
	g := *p.gen.Load()
	if p.o.Shared == nil {
		g.Index = p.o.NewIndex()
	}
	l := p.newLine(&g)
	if !l.follows {
		l.carry(p.factorsFor(l))
	}
	after, err := p.lastChange(ctx)
	if err != nil {
		return err
	}
	mode := wordsCounted
	read := g.Embedder // whose vectors are read
	if l.follows {
		read = nil
	}
	if read != nil {
		n, err := p.o.Store.CountVectors(ctx, g.Fingerprint())
		if err != nil {
			return err
		}
		if n >= p.o.Config.WordsLater {
			mode = wordsLater
		}
	}
	p.use(l)
	stats, stop := p.readTotals(ctx)
	defer stop()
	reset := true
	err = p.eachPage(ctx, read, func(items []item) error {
		known, err := stats()
		if err != nil {
			return err
		}
		for i := range items {
			if s, ok := known[items[i].Course.ID]; ok {
				items[i].Stats = s
			}
		}
		// The index and the other sinks know nothing of each other.
		indexed := make(chan error, 1)
		go func() { indexed <- l.apply(ctx, items, nil, mode) }()
		err = p.feedSinks(ctx, l, items, nil, reset)
		reset = false
		err = errors.Join(<-indexed, err)
		p.update(func(*state) {})
		return err
	})
	if err == nil && reset {
		err = p.feedSinks(ctx, l, nil, nil, true)
	}
	if err != nil {
		return err
	}
	// What was there at the start counts as quiet: a first training need not wait.
	p.update(func(s *state) { s.position, s.changed = after, 0 })
	if mode == wordsLater {
		p.o.Logger.Info("indexing: vectors are ready", slog.Duration("took", p.o.Clock().Sub(start)))
		if err := p.addWords(ctx, l); err != nil {
			return err
		}
	}
	p.update(func(s *state) { s.scanned, s.expected = true, 0 })
	r := p.Ready()
	p.o.Logger.Info("indexing: the catalogue is read", slog.Int("courses", r.Courses),
		slog.Int("vectors", r.Vectors), slog.Duration("took", p.o.Clock().Sub(start)))
	return nil
}

// readTotals counts the courses that are expected and reads the statistics of
// all courses, while the first pages are being read; stats waits for them.
func (p *Pipeline) readTotals(ctx context.Context) (stats func() (map[string]lectern.CourseStats, error), stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var known map[string]lectern.CourseStats
	var err error
	done := make(chan struct{})
	go func() { // ends with its two reads
		defer close(done)
		var n int
		if n, err = p.o.Store.CountCourses(ctx); err != nil {
			return
		}
		p.update(func(s *state) { s.expected = n })
		known, err = p.stats(ctx, nil)
	}()
	stats = func() (map[string]lectern.CourseStats, error) { <-done; return known, err }
	return stats, func() { cancel(); <-done }
}

// addWords is the second pass: it writes every point again with its words,
// following the feed in between. Pages are read ahead of the feed, so what the
// feed has brought meanwhile is newer than the page, and stays.
func (p *Pipeline) addWords(ctx context.Context, l *line) error {
	return p.eachPage(ctx, nil, func(items []item) error {
		items, err := l.wordless(ctx, items)
		if err != nil {
			return err
		}
		if err := l.apply(ctx, items, nil, wordsCounted); err != nil {
			return err
		}
		return p.advance(ctx)
	})
}

// wordless keeps the items that the index has without their words, and gives
// them the vectors that it has. Of a text that is no longer the index's, the
// feed has brought the words or will bring them.
func (l *line) wordless(ctx context.Context, items []item) ([]item, error) {
	l.mu.Lock()
	items = slices.DeleteFunc(items, func(it item) bool {
		t, ok := l.courses[it.Course.ID]
		return !ok || t.words || t.hash != it.hash
	})
	l.mu.Unlock()
	ids := make([]string, len(items))
	for i := range items {
		ids[i] = items[i].Course.ID
	}
	index := l.index()
	vectors, err := index.Vectors(ctx, lectern.VectorContent, ids)
	if err != nil {
		return nil, err
	}
	reviews, err := index.Vectors(ctx, lectern.VectorReviews, ids)
	if err != nil {
		return nil, err
	}
	for i := range items {
		items[i].Vector, items[i].reviews = vectors[i], reviews[i]
	}
	return items, nil
}

// eachPage reads the catalogue page by page; while a page is worked on, the next
// is being read.
func (p *Pipeline) eachPage(ctx context.Context, e lectern.Embedder, work func([]item) error) error {
	ctx, cancel := context.WithCancel(ctx)
	pages := make(chan []item, 1)
	failure := make(chan error, 1)
	go func() { // ends when the pages do, or with ctx
		defer close(pages)
		for after := int64(0); ; {
			courses, next, err := p.o.Store.ScanCourses(ctx, after, p.o.Config.Page)
			var items []item
			if err == nil {
				items, err = p.items(ctx, e, courses, nil)
			}
			if err != nil {
				failure <- err
				return
			}
			select {
			case pages <- items:
			case <-ctx.Done():
				return
			}
			if next == 0 {
				return
			}
			after = next
		}
	}()
	defer func() {
		cancel()
		for range pages { // wait for the reader to end
		}
	}()
	for items := range pages {
		if err := work(items); err != nil {
			return err
		}
	}
	select {
	case err := <-failure:
		return err
	default:
		return ctx.Err()
	}
}
