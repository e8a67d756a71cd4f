package indexing

import (
	"context"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
)

// EmbedCourses is the worker for lectern.EmbedCoursesJob: it embeds the texts of
// these courses that have no vector yet under the active embedder and, while a
// new one is being prepared, under that too. Without an embedder there is nothing
// to do: once there is one, it embeds every course.
func (p *Pipeline) EmbedCourses(ctx context.Context, job lectern.EmbedCoursesJob) error {
	if err := p.Load(ctx); err != nil {
		return err
	}
	for ids := range slices.Chunk(job.CourseIDs, lectern.MaxEmbedBatch) {
		courses, err := p.o.Store.Courses(ctx, ids)
		if err != nil {
			return fmt.Errorf("read courses to embed: %w", err)
		}
		for _, e := range p.embedders() {
			if _, err := p.embed(ctx, e, courses); err != nil {
				return err
			}
		}
	}
	p.Notify()
	return nil
}

// embedders returns the active embedder and the one being prepared, if any.
func (p *Pipeline) embedders() []lectern.Embedder {
	var out []lectern.Embedder
	if e, ok := p.ActiveEmbedder(); ok {
		out = append(out, e)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending != nil {
		out = append(out, p.pending)
	}
	return out
}

// embed makes sure that the store has a vector for the text of every listed
// course, and returns how many it made.
func (p *Pipeline) embed(ctx context.Context, e lectern.Embedder, courses []lectern.Course) (int, error) {
	texts := make(map[lectern.ContentHash]string, len(courses))
	var hashes []lectern.ContentHash // in the order of the courses
	for i := range courses {
		if !listed(&courses[i]) {
			continue
		}
		text := courses[i].EmbeddingText()
		h := lectern.HashContent(text)
		if _, dup := texts[h]; !dup {
			texts[h] = text
			hashes = append(hashes, h)
		}
	}
	if len(hashes) == 0 {
		return 0, nil
	}
	return p.embedTexts(ctx, e, hashes, texts)
}

// embedTexts makes sure that the store has a vector for every text, and returns
// how many it made.
func (p *Pipeline) embedTexts(
	ctx context.Context, e lectern.Embedder, hashes []lectern.ContentHash, texts map[lectern.ContentHash]string,
) (int, error) {
	p.embedMu.Lock()
	defer p.embedMu.Unlock()
	have, err := p.o.Store.VectorsByHash(ctx, e.Fingerprint(), hashes)
	if err != nil {
		return 0, fmt.Errorf("read vectors: %w", err)
	}
	hashes = slices.DeleteFunc(slices.Clone(hashes), func(h lectern.ContentHash) bool { return len(have[h]) == e.Dim() })
	made, failures := 0, []error(nil)
	for batch := range slices.Chunk(hashes, p.o.Config.EmbedBatch) {
		n, failed := p.embedHalving(ctx, e, batch, texts, maxEmbedFailures-len(failures))
		made += n
		if failures = append(failures, failed...); len(failures) >= maxEmbedFailures || ctx.Err() != nil {
			break
		}
	}
	if len(failures) > 0 {
		return made, failures[len(failures)-1] // the narrowest
	}
	return made, nil
}

// maxEmbedFailures is how many calls may fail before an embedder counts as away:
// enough to find one bad text among a batch by halving it.
const maxEmbedFailures = 12

// embedHalving embeds a batch, and its halves when it fails: one text that the
// embedder cannot take must not keep the others from their vectors. It gives up
// after most failures and returns all of them.
func (p *Pipeline) embedHalving(
	ctx context.Context, e lectern.Embedder, hashes []lectern.ContentHash, texts map[lectern.ContentHash]string, most int,
) (made int, failures []error) {
	made, err := p.embedBatch(ctx, e, hashes, texts)
	if err == nil {
		return made, nil
	}
	failures = append(failures, err)
	if len(hashes) == 1 {
		failures[0] = fmt.Errorf("%w (the text begins %q)", err, firstRunes(texts[hashes[0]], 60))
		return made, failures
	}
	for _, half := range [][]lectern.ContentHash{hashes[:len(hashes)/2], hashes[len(hashes)/2:]} {
		if ctx.Err() != nil || len(failures) >= most {
			break
		}
		n, failed := p.embedHalving(ctx, e, half, texts, most-len(failures))
		made += n
		failures = append(failures, failed...)
	}
	return made, failures
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// embedBatch embeds and stores the texts of some hashes.
func (p *Pipeline) embedBatch(
	ctx context.Context, e lectern.Embedder, hashes []lectern.ContentHash, texts map[lectern.ContentHash]string,
) (int, error) {
	batch := make([]string, len(hashes))
	for i, h := range hashes {
		batch[i] = texts[h]
	}
	vectors, err := e.Embed(ctx, lectern.EmbedDocument, batch)
	if err != nil {
		return 0, fmt.Errorf("embed courses: %w", err)
	}
	if len(vectors) != len(batch) {
		return 0, lectern.Errorf(lectern.CodeInternal, "the embedder returned %d vectors for %d texts", len(vectors), len(batch))
	}
	fresh := make(map[lectern.ContentHash][]float32, len(hashes))
	var empty []lectern.ContentHash
	for i, h := range hashes {
		switch len(vectors[i]) {
		case 0:
			empty = append(empty, h)
		case e.Dim():
			fresh[h] = vectors[i]
		default:
			return 0, lectern.Errorf(lectern.CodeInternal, "the embedder returned %d numbers instead of %d", len(vectors[i]), e.Dim())
		}
	}
	if len(empty) > 0 {
		p.line.Load().markEmpty(e.Fingerprint(), empty)
		p.update(func(*state) {})
	}
	if len(fresh) == 0 {
		return 0, nil
	}
	if err := p.o.Store.PutVectors(ctx, e.Fingerprint(), fresh); err != nil {
		return 0, fmt.Errorf("store vectors: %w", err)
	}
	return len(fresh), nil
}

// embedPage is how many courses are embedded between two words on progress: a
// remote embedder may manage ten a second.
const embedPage = 128

// embedAll embeds the whole catalogue and its reviews, and returns how many
// courses' vectors it made. progress may be nil.
func (p *Pipeline) embedAll(ctx context.Context, e lectern.Embedder, total int, progress func(done, total int)) (made int, err error) {
	done := 0
	if progress != nil {
		progress(0, total)
	}
	for after := int64(0); ; {
		courses, next, err := p.o.Store.ScanCourses(ctx, after, min(embedPage, p.o.Config.EmbedBatch))
		if err != nil {
			return made, fmt.Errorf("read courses to embed: %w", err)
		}
		n, err := p.embed(ctx, e, courses)
		made += n
		if err != nil {
			return made, err
		}
		for i := range courses {
			done += one(listed(&courses[i]))
		}
		if progress != nil {
			progress(done, max(done, total))
		}
		if next == 0 {
			return made, p.embedAllReviews(ctx, e)
		}
		after = next
	}
}
