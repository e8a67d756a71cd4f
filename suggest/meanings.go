package suggest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"
	"weak"

	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// How meanings are made in the background.
const (
	lookEvery     = time.Second // for another embedder, other concepts, another catalogue
	embedTogether = 64          // phrases embedded in one call
	askTogether   = 16          // searches in one call
	restShare     = 3           // rest for one of work with the index
	restBetween   = 20          // the same between searches of all completions
	restLeast     = 2 * time.Second
	completionCut = 2 // of the phrases, one in so many may be a completion while there are other wordings
)

// tendMeanings keeps the meanings in step with embedder, concepts and catalogue
// until ctx ends: concepts at once, the courses of completions now and then.
func (s *Suggester) tendMeanings(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var next, retry time.Time // when completions may be searched anew; after a failure
	for {
		old := s.meanings.Load()
		now := time.Now()
		due := s.meaningsDue(old)
		if old.base != weak.Make(s.view.Load().base) && !now.Before(next) {
			due = makeAll
		}
		if due != makeNone && !now.Before(retry) {
			m, err := s.makeMeanings(ctx, old, due == makeAll)
			if ctx.Err() != nil {
				return
			}
			s.publish(m)
			took := time.Since(now)
			if due == makeAll {
				next = time.Now().Add(min(max(restBetween*took, restLeast), s.o.Config.MeaningsEvery))
			}
			if err != nil {
				retry = time.Now().Add(s.o.Config.MeaningsRetry)
				s.o.Logger.WarnContext(ctx, "suggestions by meaning are incomplete", "error", err, "retry", s.o.Config.MeaningsRetry)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// due says what of the meanings has to be made anew.
type due int

const (
	makeNone     due = iota
	makeConcepts     // the rest is taken over
	makeAll
)

func (s *Suggester) meaningsDue(m *meanings) due {
	if m.words == nil {
		return makeAll
	}
	if s.o.Generations != nil {
		if _, embedder := s.o.Generations.Generation(); embedder != nil && (embedder.Fingerprint() != m.fingerprint || !m.complete) {
			return makeAll
		}
	}
	if s.o.Concepts != nil && s.o.Concepts.Version() != m.version {
		return makeConcepts
	}
	return makeNone
}

// Mean makes the suggestions by meaning now; Run does it in the background.
// Errors are those of embedder and index; what does not need them is in use all
// the same.
func (s *Suggester) Mean(ctx context.Context) error {
	m, err := s.makeMeanings(ctx, s.meanings.Load(), true)
	s.publish(m)
	return err
}

// makeMeanings makes the topics: concepts first, then the commonest completions of
// the catalogue; with all, the courses of completions are searched anew. Vectors
// of phrases that the old meanings have are taken over when they are of the same
// embedder. With an error, the meanings lack what needed the embedder or the index.
func (s *Suggester) makeMeanings(ctx context.Context, old *meanings, all bool) (*meanings, error) {
	m := &meanings{
		concepts: make(map[string]int32), words: make(map[string]bool), at: make(map[string]int32),
		complete: true,
	}
	b := &meaner{s: s, m: m, old: old, analyzer: text.NewAnalyzer(), keys: make(map[string]bool)}
	b.addConcepts()
	base := s.view.Load().base
	m.base = weak.Make(base)
	b.addCompletions(base)
	if !all {
		m.base, m.complete = old.base, old.complete
	}
	b.choose()
	var index lectern.VectorIndex
	var embedder lectern.Embedder
	if s.o.Generations != nil {
		index, embedder = s.o.Generations.Generation()
	}
	if embedder == nil {
		return m, nil
	}
	if err := b.embed(ctx, embedder); err != nil {
		m.fingerprint, m.complete = "", false
		return m, fmt.Errorf("embed what may be meant: %w", err)
	}
	m.makeSketches()
	m.similarity = cmp.Or(s.o.Config.Similarity, m.rare())
	if err := b.search(ctx, index, all); err != nil {
		m.complete = false
		return m, fmt.Errorf("search the courses of completions: %w", err)
	}
	return m, nil
}

// wording is a phrase with the topic that it belongs to.
type wording struct {
	text  string
	topic int32
}

// meaner makes meanings.
type meaner struct {
	s        *Suggester
	m, old   *meanings
	analyzer *text.Analyzer
	keys     map[string]bool // of all wordings

	names, others, completions []wording // by falling weight
	chosen                     []wording
}

// addConcepts makes topics of the concepts, and an index of their names.
func (b *meaner) addConcepts() {
	if b.s.o.Concepts == nil {
		return
	}
	b.m.version = b.s.o.Concepts.Version()
	concepts := b.s.o.Concepts.Concepts()
	slices.SortStableFunc(concepts, func(x, y Concept) int { return cmp.Or(cmp.Compare(y.Courses, x.Courses), cmp.Compare(x.ID, y.ID)) })
	concepts = concepts[:min(len(concepts), b.s.o.Config.Phrases)]
	sources := make([]source, 0, len(concepts))
	generic := b.genericWords(concepts)
	for _, c := range concepts {
		words := split(b.analyzer, c.Name, false)
		t := topic{id: c.ID, name: c.Name, key: keyOf(words), weight: float32(math.Log1p(float64(c.Courses))/4) + 0.3}
		t.ids = b.s.o.Concepts.Courses(c.ID, b.s.o.Config.PhraseCourses)
		if len(t.ids) == 0 || t.key == "" {
			continue
		}
		at := int32(len(b.m.topics))
		b.m.topics = append(b.m.topics, t)
		b.m.concepts[c.ID] = at
		b.add(&b.names, c.Name, at)
		held := placed(words, inTitle)
		for _, other := range c.Aliases {
			b.add(&b.others, other, at)
			for _, w := range split(b.analyzer, other, false) {
				in := inSkill
				if generic[w.folded] {
					in = inGeneric
				}
				held = append(held, sourceWord{w.folded, noPlace, in})
			}
		}
		for _, other := range c.Phrases {
			b.add(&b.others, other, at)
		}
		sources = append(sources, source{key: t.key, prior: t.weight, words: held})
	}
	b.m.names = newIndex(sources)
}

// Words of other names are generic that so many concepts' other names hold: such a
// share of them, but no fewer than leastGeneric.
const (
	genericShare = 0.01
	leastGeneric = 8
)

// genericWords are those of concepts' other names by which nobody tells which
// concept is meant: "introduction" of "introduction to ethics".
func (b *meaner) genericWords(concepts []Concept) map[string]bool {
	out, count := make(map[string]bool), make(map[string]int)
	for _, c := range concepts {
		own := make(map[string]bool)
		for _, other := range c.Aliases {
			for _, w := range split(b.analyzer, other, true) {
				own[w.folded] = true
				if w.stop || isIntent(w.folded) || isWide(w.folded) {
					out[w.folded] = true
				}
			}
		}
		for w := range own {
			count[w]++
		}
	}
	for w, n := range count {
		if n >= leastGeneric && float64(n) >= genericShare*float64(len(concepts)) {
			out[w] = true
		}
	}
	return out
}

// isWide reports words that say how much of a subject is taught, not which.
func isWide(w string) bool {
	switch w {
	case "introductory", "basic", "fundamental", "fundamentals", "foundation", "foundations", "essentials", "principles",
		"general", "advanced", "intermediate", "skills", "101":
		return true
	}
	return false
}

// add notes a wording, unless another topic has it.
func (b *meaner) add(to *[]wording, t string, topic int32) bool {
	key := keyOf(split(b.analyzer, t, false))
	if key == "" || b.keys[key] {
		return false
	}
	b.keys[key] = true
	*to = append(*to, wording{t, topic})
	return true
}

// addCompletions makes topics of the commonest completions that name no concept.
// Their courses are at first those that hold the words.
func (b *meaner) addCompletions(base *snapshot) {
	if b.s.o.Generations == nil {
		return // without vectors they say no more than their words
	}
	for i := range base.shelves[completions].phrases {
		if len(b.completions) >= b.s.o.Config.Phrases {
			return
		}
		p := &base.shelves[completions].phrases[i]
		if p.kinds&(isSkill|isCategory|isSequence) == 0 {
			continue // the whole title of a course
		}
		at := int32(len(b.m.topics))
		if !b.add(&b.completions, p.text, at) {
			continue
		}
		t := topic{name: p.text, key: p.key, weight: p.weight}
		for _, e := range p.entries[:min(len(p.entries), b.s.o.Config.PhraseCourses)] {
			t.ids = append(t.ids, base.entries[e].id)
		}
		b.m.topics = append(b.m.topics, t)
	}
}

// choose takes as many wordings as there may be: all names, and of the rest the
// commonest completions and the other wordings of concepts in turn.
func (b *meaner) choose() {
	room := b.s.o.Config.Phrases
	take := func(from []wording, n int) []wording {
		n = min(n, len(from), room)
		b.chosen = append(b.chosen, from[:n]...)
		room -= n
		return from[n:]
	}
	take(b.names, room)
	others := b.others
	completions := take(b.completions, room/completionCut)
	take(others, room)
	take(completions, room)
	for _, w := range b.chosen {
		b.m.phraseWords(b.analyzer, w.text)
	}
}

// embed makes the rows.
func (b *meaner) embed(ctx context.Context, embedder lectern.Embedder) error {
	m, old := b.m, b.old
	m.fingerprint, m.dim = embedder.Fingerprint(), embedder.Dim()
	kept := old.fingerprint == m.fingerprint && old.dim == m.dim
	var missing []wording
	add := func(w wording, v []float32) {
		m.at[w.text] = int32(len(m.rows))
		m.rows = append(m.rows, w.topic)
		m.matrix = append(m.matrix, v...)
	}
	m.matrix = make([]float32, 0, len(b.chosen)*m.dim)
	for _, w := range b.chosen {
		if row, ok := old.at[w.text]; kept && ok {
			add(w, old.matrix[int(row)*m.dim:int(row+1)*m.dim])
		} else {
			missing = append(missing, w)
		}
	}
	for part := range slices.Chunk(missing, embedTogether) {
		texts := make([]string, len(part))
		for i, w := range part {
			texts[i] = w.text
		}
		began := time.Now()
		vectors, err := b.embedSome(ctx, embedder, texts)
		if err != nil {
			return err
		}
		for i, v := range vectors {
			if len(v) == m.dim {
				add(part[i], v)
			}
		}
		if err := rest(ctx, time.Since(began)); err != nil {
			return err
		}
	}
	return nil
}

// What cosine is rare.
const (
	rarePairs  = 0.998 // the share of pairs of phrases that are less alike
	rareSample = 64    // phrases that are compared with all
	leastRare  = 0.3
	mostRare   = 0.9
)

// rare is a cosine that few pairs of phrases of different topics reach. Embedders
// differ: of one, anything is .7 from anything, of another only the same.
func (m *meanings) rare() float64 {
	step := max(1, len(m.rows)/rareSample)
	var all []float32
	for i := 0; i < len(m.rows); i += step {
		for j := range m.rows {
			if m.rows[i] != m.rows[j] {
				all = append(all, vek32.Dot(m.row(i), m.row(j)))
			}
		}
	}
	if len(all) == 0 {
		return mostRare
	}
	slices.Sort(all)
	return min(max(float64(all[int(rarePairs*float64(len(all)-1))]), leastRare), mostRare)
}

func (m *meanings) row(i int) []float32 { return m.matrix[i*m.dim : (i+1)*m.dim] }

func (b *meaner) embedSome(ctx context.Context, embedder lectern.Embedder, texts []string) ([][]float32, error) {
	ctx, cancel := context.WithTimeout(ctx, b.s.o.Config.MeaningsTimeout)
	defer cancel()
	vectors, err := embedder.Embed(ctx, lectern.EmbedQuery, texts)
	if err == nil && len(vectors) != len(texts) {
		err = lectern.Errorf(lectern.CodeInternal, "the embedder returned %d vectors for %d texts", len(vectors), len(texts))
	}
	return vectors, err
}

// search finds the courses of completions by their vectors. Of those that cannot
// be asked, those found before stay, or those that hold the words.
func (b *meaner) search(ctx context.Context, index lectern.VectorIndex, all bool) error {
	known := make(map[string]*topic, len(b.old.topics))
	for i := range b.old.topics {
		if t := &b.old.topics[i]; t.searched {
			known[t.key] = t
		}
	}
	var rows []int
	for row, t := range b.m.rows {
		topic := &b.m.topics[t]
		if topic.id != "" {
			continue
		}
		before := known[topic.key]
		if before != nil {
			topic.ids, topic.searched = before.ids, true
		}
		if before == nil || all {
			rows = append(rows, row)
		}
	}
	for part := range slices.Chunk(rows, askTogether) {
		began := time.Now()
		if err := b.searchSome(ctx, index, part); err != nil {
			return err
		}
		if err := rest(ctx, restShare*time.Since(began)); err != nil {
			return err
		}
	}
	return nil
}

func (b *meaner) searchSome(ctx context.Context, index lectern.VectorIndex, rows []int) error {
	ctx, cancel := context.WithTimeout(ctx, b.s.o.Config.MeaningsTimeout)
	defer cancel()
	m, n := b.m, b.s.o.Config.PhraseCourses
	queries := make([]lectern.VectorQuery, len(rows))
	for i, row := range rows {
		queries[i] = lectern.VectorQuery{Vector: lectern.VectorContent, Dense: m.matrix[row*m.dim : (row+1)*m.dim], K: n}
	}
	lists, err := index.Search(ctx, queries)
	if err != nil {
		return err
	}
	if len(lists) != len(queries) {
		return lectern.Errorf(lectern.CodeInternal, "the index answered %d of %d queries", len(lists), len(queries))
	}
	for i, row := range rows {
		if len(lists[i]) == 0 {
			continue
		}
		ids := make([]string, len(lists[i]))
		for j, h := range lists[i] {
			ids[j] = h.ID
		}
		t := &m.topics[m.rows[row]]
		t.ids, t.searched = ids, true
	}
	return nil
}

// publish puts meanings into use.
func (s *Suggester) publish(m *meanings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := make(map[string]*cited)
	for i := range m.topics {
		t := &m.topics[i]
		t.courses = make([]*cited, len(t.ids))
		for j, id := range t.ids {
			c := now[id]
			if c == nil {
				if c = s.cited[id]; c == nil {
					c = new(cited)
				}
				if e := s.byID[id]; e != nil {
					c.Store(e)
				}
				now[id] = c
			}
			t.courses[j] = c
		}
	}
	s.cited = now
	s.meanings.Store(m)
}
