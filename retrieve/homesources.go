package retrieve

import (
	"cmp"
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// Candidates of sources beside per_source: what a row of a page can use.
const (
	fewHits   = 50 // of one of several interests at least, of the last session, of a course's own sources
	seedsMost = 3  // latest completed courses whose complements are candidates
	seedHits  = 20 // complements of each of them
)

// most is how many candidates a source of a home list is asked for, beside interests
// and the collaborative model: fewer where those bring enough.
func (e *Engine) most(p *pass) int {
	if p.knowsTaste() {
		return min(e.cfg.Home.PerSource, e.cfg.PerSource)
	}
	return e.cfg.PerSource
}

// rowMost is the same for a source that brings one row's courses in the first place.
func (e *Engine) rowMost(p *pass) int { return min(e.most(p), e.cfg.Home.RowDepth) }

// wants reports whether a home list or page has a use for what a row is made of.
func (p *pass) wants(row lectern.Row) bool { return p.rows[row] }

// homeQueries asks for what is near the learner's interests, their last session and
// their wishes, and the courses that rows are about: all of it in one call.
func (e *Engine) homeQueries(ctx context.Context, p *pass) ([]asked, error) {
	var out []asked
	if p.wants(lectern.RowForYou) {
		out = e.tasteQueries(p)
	}
	about, err := e.rowQueries(ctx, p)
	return append(out, about...), err
}

// tasteQueries asks for what is near the learner's taste and stated interests.
func (e *Engine) tasteQueries(p *pass) []asked {
	var out []asked
	for i, v := range p.taste.Vectors {
		out = append(out, asked{
			name: SourceProfile, unit: "cosine", weight: 1, query: denseQuery(v), apart: true, k: e.hitsOfShare(p, i),
		})
	}
	if len(p.taste.Vectors) == 0 {
		if v := e.likedWords(p); len(v.Indices) > 0 {
			out = append(out, asked{name: SourceWords, unit: "BM25", weight: 1, query: sparseQuery(v)})
		}
	}
	if p.taste.Recent != nil {
		out = append(out, asked{name: SourceRecent, unit: "cosine", weight: 1, query: denseQuery(p.taste.Recent), k: fewHits})
	}
	language, k := p.language(), e.cfg.PerSource
	if len(p.taste.Liked) > 0 { // wishes are not all that is known
		k = e.most(p)
	}
	for i, in := range p.taste.Interests {
		// The goal comes last and always counts.
		if i >= e.cfg.MaxInterests && !in.Goal {
			continue
		}
		if v := e.Words.QueryVector(closed(in.Text), text.QueryOptions{Language: language}); len(v.Indices) > 0 {
			out = append(out, asked{name: SourceInterests, unit: "fused score", weight: 1, query: sparseQuery(v), k: k})
		}
		if in.Vector != nil && p.embedder != nil {
			out = append(out, asked{name: SourceInterests, unit: "fused score", weight: 1, query: denseQuery(in.Vector), k: k})
		}
	}
	if f := e.factor(p); f != nil {
		query := lectern.VectorQuery{Vector: lectern.VectorCF, Dense: f}
		out = append(out, asked{name: SourceCollaborative, unit: "cosine of factors", weight: 1, query: query})
		p.byFactor = true
	}
	return out
}

// hitsOfShare is how many candidates one interest brings: a share of per_source, but
// enough to be seen.
func (e *Engine) hitsOfShare(p *pass, i int) int {
	if len(p.taste.Vectors) < 2 || i >= len(p.taste.Shares) {
		return e.cfg.PerSource
	}
	return max(fewHits, int(float64(e.cfg.PerSource)*p.taste.Shares[i]))
}

// factor is the learner as a query for the collaborative factors in the index, nil
// where the model itself offers candidates.
func (e *Engine) factor(p *pass) []float32 {
	if p.model == nil || p.away || len(p.taste.Touched) == 0 || p.view.size <= e.cfg.ExactCourses {
		return nil
	}
	return p.model.Factor(p.taste.Touched)
}

// rowQueries chooses the courses that rows are about and asks for what is near them.
func (e *Engine) rowQueries(ctx context.Context, p *pass) ([]asked, error) {
	if err := e.chooseSeeds(ctx, p); err != nil {
		return nil, err
	}
	var out []asked
	for _, about := range []struct {
		seed *entry
		name string
		k    int
	}{{p.because, SourceContent, e.rowMost(p)}, {p.after, SourceLevelUp, e.cfg.PerSource}} {
		if about.seed == nil || about.name == SourceContent && p.because == p.after { // asked once for both
			continue
		}
		q := asked{name: about.name, weight: 1, k: about.k}
		if v := p.seedVectors[about.seed.facts.ID]; v != nil {
			q.unit, q.query = "cosine", denseQuery(v)
		} else if words := e.wordsOf(about.seed); len(words.Indices) > 0 {
			q.unit, q.query = "BM25", sparseQuery(words)
		} else {
			continue
		}
		out = append(out, q)
	}
	return out, nil
}

// wordsOf is the word query of a course's title and skills.
func (e *Engine) wordsOf(en *entry) lectern.SparseVector {
	return e.Words.QueryVector(closed(en.words()), text.QueryOptions{Language: en.facts.Language})
}

// chooseSeeds finds the courses that the rows "because" and "next" are about, with
// their vectors: the one asked for, or else the latest that speaks for the learner.
func (e *Engine) chooseSeeds(ctx context.Context, p *pass) error {
	if !p.taste.Personal {
		return nil
	}
	liked := func(weight float64) bool { return weight > 0 }
	p.completed = e.latest(p, lectern.StateCompleted, liked)
	begun := e.latest(p, lectern.StateCompleted|lectern.StateProgressed|lectern.StateEnrolled, liked)
	if p.wants(lectern.RowBecause) {
		p.because = p.asked
		if p.because == nil && len(p.completed) > 0 {
			p.because = p.completed[0]
		}
	}
	if p.wants(lectern.RowNext) {
		p.after = p.asked
		switch {
		case p.after != nil:
		case len(p.completed) > 0:
			p.after = p.completed[0]
		case len(begun) > 0:
			p.after = begun[0]
		}
	}
	return e.readSeedVectors(ctx, p)
}

// readSeedVectors finds the seeds' vectors, in the taste where it has them.
func (e *Engine) readSeedVectors(ctx context.Context, p *pass) error {
	p.seedVectors = make(map[string][]float32, 2)
	var missing []string
	for _, en := range []*entry{p.because, p.after} {
		if en == nil || p.embedder == nil {
			continue
		}
		id := en.facts.ID
		for _, l := range p.taste.Liked {
			if l.CourseID == id && l.Vector != nil {
				p.seedVectors[id] = l.Vector
			}
		}
		if p.seedVectors[id] == nil && !slices.Contains(missing, id) {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 || p.away {
		return nil
	}
	vectors, err := p.index.Vectors(ctx, lectern.VectorContent, missing)
	switch {
	case err == nil && len(vectors) == len(missing):
		for i, id := range missing {
			p.seedVectors[id] = vectors[i]
		}
	case ctx.Err() != nil:
		return overdue(ctx)
	case err != nil:
		e.lose(ctx, p, err)
	}
	return nil
}

// latest returns the learner's courses in one of these states, not given up and of a
// weight that is wanted, the latest first. Weights are not decayed: that leaves the sign.
func (e *Engine) latest(p *pass, states lectern.CourseState, wanted func(weight float64) bool) []*entry {
	entries := make([]lectern.ProfileEntry, 0, 8)
	for _, en := range p.profile.Entries {
		if en.State&states != 0 && !gaveUp(en.State) && wanted(en.Weight) {
			entries = append(entries, en)
		}
	}
	slices.SortFunc(entries, func(a, b lectern.ProfileEntry) int {
		return cmp.Or(b.LastAt.Compare(a.LastAt), cmp.Compare(a.CourseID, b.CourseID))
	})
	ids := make([]string, len(entries))
	for i, en := range entries {
		ids[i] = en.CourseID
	}
	found := e.Catalog.lookup(ids)
	return slices.DeleteFunc(found, func(en *entry) bool { return en == nil })
}

// gaveUp reports whether somebody left a course, or said no to it, and did not
// complete it.
func gaveUp(s lectern.CourseState) bool {
	return s&(lectern.StateDropped|lectern.StateDismissed) != 0 && s&lectern.StateCompleted == 0
}

// homeSources adds what comes from memory: behaviour, popularity and age.
func (e *Engine) homeSources(ctx context.Context, p *pass) {
	if p.wants(lectern.RowForYou) {
		e.offerCollaborative(p)
		for _, en := range p.completed[:min(seedsMost, len(p.completed))] {
			e.offerSuccessors(p, en)
			e.offerNext(p, en, seedHits)
		}
	}
	if p.because != nil && p.because == p.after {
		e.shareAnswer(p)
	}
	if p.after != nil {
		e.stepUp(p, p.after)
		e.offerSuccessors(p, p.after)
		e.offerNext(p, p.after, fewHits)
	}
	if p.because != nil {
		e.offerTogether(p, p.because)
	}
	e.offerNeighbours(ctx, p)
	if p.wants(lectern.RowTrending) || p.wants(lectern.RowForYou) {
		e.offerTrending(p)
	}
	if p.wants(lectern.RowForYou) || p.wants(lectern.RowExplore) {
		p.sources = append(p.sources, source{SourcePopular, "popularity", e.walk(p, p.view.popular, popularityOf, e.most(p)), e.most(p)})
	}
	if p.wants(lectern.RowForYou) || p.wants(lectern.RowNew) {
		p.sources = append(p.sources, source{SourceNew, "days old", e.walk(p, e.recent(p), p.daysOld, e.most(p)), e.most(p)})
	}
}

// shareAnswer makes what is near one course a source of both rows that are about it.
func (e *Engine) shareAnswer(p *pass) {
	for _, s := range p.sources {
		if s.name == SourceLevelUp {
			most := e.rowMost(p)
			p.sources = append(p.sources, source{SourceContent, s.unit, s.hits[:min(most, len(s.hits))], most})
			return
		}
	}
}

// similarQueries asks for what is near a course: by its vector, or by the words
// of its title and skills while it has none or the index does not say.
func (e *Engine) similarQueries(ctx context.Context, p *pass) ([]asked, error) {
	name, personal := SourceContent, false
	if p.req.Surface == lectern.SurfaceNext {
		name, personal = SourceLevelUp, len(p.taste.Vectors) > 0
	}
	if p.embedder != nil {
		vectors, err := p.index.Vectors(ctx, lectern.VectorContent, []string{p.seed.facts.ID})
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil, overdue(ctx)
		default:
			e.lose(ctx, p, err)
			return e.seedWords(p), nil
		}
		if len(vectors) == 1 && vectors[0] != nil {
			if !personal {
				p.taste.Vectors = vectors // similarity on this surface is to the course
			}
			return []asked{{name: name, unit: "cosine", weight: 1, query: denseQuery(vectors[0])}}, nil
		}
	}
	if !personal {
		p.taste.Vectors = nil
	}
	p.degrade(DegradedSemantic)
	return e.seedWords(p), nil
}

// seedWords asks for the words of a course's title and skills.
func (e *Engine) seedWords(p *pass) []asked {
	v := e.wordsOf(p.seed)
	if len(v.Indices) == 0 {
		return nil
	}
	name := SourceWords
	if p.req.Surface == lectern.SurfaceNext {
		name = SourceLevelUp
	}
	return []asked{{name: name, unit: "BM25", weight: 1, query: sparseQuery(v)}}
}
