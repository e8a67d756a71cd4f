package suggest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
	"weak"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// DegradedSemantic is the name under which an answer says that suggestions by
// meaning are missing.
const DegradedSemantic = "semantic"

// Generations says which index and embedder are in use. They belong together; the
// embedder is nil while there are only words.
type Generations interface {
	Generation() (lectern.VectorIndex, lectern.Embedder)
}

// Concepts are the skills of a skill graph, and the courses that teach them. It is
// safe for concurrent use, and answers from memory.
type Concepts interface {
	// Version changes when Concepts or Courses may answer differently.
	Version() uint64
	// Concepts lists those that courses teach.
	Concepts() []Concept
	// Courses returns the ids of a concept's n best courses, best first.
	Courses(id string, n int) []string
	// Tags returns the ids of the concepts that a course teaches.
	Tags(courseID string) []string
	// Expand returns what a query asks for, weightiest first.
	Expand(query string) []Asked
}

// Concept is a skill that courses teach.
type Concept struct {
	ID      string
	Name    string
	Aliases []string // other names
	Phrases []string // everyday wordings of who wants it
	Courses int      // that teach it
}

// Asked is a concept that a query asks for.
type Asked struct {
	ID       string
	Weight   float64 // in (0, 1]
	Misspelt bool    // the query asks for it only with typing errors forgiven
}

// topic is a concept or a completion with its best courses.
type topic struct {
	id       string // of a concept, "" for a completion
	name     string
	key      string
	weight   float32
	ids      []string // of courses, best first
	searched bool     // ids are what an index found
	courses  []*cited // the same
}

// cited is a course that a topic names. It follows the course's changes, so that
// topics need not be made anew with each of them.
type cited struct{ atomic.Pointer[entry] }

// meanings are topics computed ahead. Read only.
type meanings struct {
	topics   []topic
	concepts map[string]int32 // topics by id
	words    map[string]bool  // of all phrases: a word typed so far that is one of these is whole
	names    *index           // of the concepts' topics, which come first
	version  uint64           // of the concepts
	// The rows of the matrix are the vectors of phrases, of one fingerprint; each
	// belongs to a topic.
	fingerprint string
	dim         int
	similarity  float64 // from which a phrase counts
	matrix      []float32
	sketches    []float32 // of the rows, nil for short ones
	rows        []int32
	at          map[string]int32       // rows by phrase
	complete    bool                   // nothing is missing that the index or the embedder did not give
	base        weak.Pointer[snapshot] // whose completions these are
}

// meant is a course that means what was typed.
type meant struct {
	entry *entry
	score float32
	via   string
}

// What a query needs before meaning is asked for: less would fire at beginnings of
// words.
const (
	shortQuery      = 3   // letters; of fewer only a name without doubt counts
	sureWeight      = 0.8 // of such a name
	maxNear         = 8   // phrases that speak for courses
	nearWeight      = 0.7 // of a phrase that is the query, against a concept that is named, of what concepts do not cover
	meantPerConcept = 10  // courses of each
)

// typedQuery is what was typed, with its words where they stand.
type typedQuery struct {
	raw     string
	words   []word // without the parts of dotted names
	letters int
}

func newTypedQuery(raw string, words []word) typedQuery {
	t := typedQuery{raw: raw, words: make([]word, 0, len(words))}
	for _, w := range words {
		if !w.part {
			t.words = append(t.words, w)
			t.letters += utf8.RuneCountInString(w.folded)
		}
	}
	return t
}

// asks returns the concepts that a query asks for.
func (s *Suggester) asks(q typedQuery) []Asked {
	if s.o.Concepts == nil || s.o.Config.Phrases == 0 || q.letters < 2 {
		return nil
	}
	out := s.o.Concepts.Expand(q.raw)
	if q.letters < shortQuery {
		out = slices.DeleteFunc(slices.Clone(out), func(a Asked) bool { return a.Weight < sureWeight })
	}
	return out
}

// meaningOf returns the part of a query whose vector is looked for, "" for none:
// its words without the last one while that is no word of any phrase, if one of
// them says what the query is about. It stays the same while the next word is
// typed. An embedder that knows only the catalogue's words must know all that say
// what the query is about: it would answer to the rest as if that were all.
func (m *meanings) meaningOf(q typedQuery, catalogueOnly bool) string {
	spaced := strings.TrimRightFunc(q.raw, unicode.IsSpace) != q.raw
	end, known, unknown := 0, 0, 0
	for i, w := range q.words {
		whole := m.words[w.folded]
		if i == len(q.words)-1 && !spaced && !whole {
			break
		}
		end = w.end
		switch {
		case w.stop || isIntent(w.folded):
		case whole:
			known++
		default:
			unknown++
		}
	}
	if known == 0 || catalogueOnly && unknown > 0 || q.letters < shortQuery {
		return ""
	}
	return strings.ToLower(strings.Join(strings.Fields(q.raw[:end]), " "))
}

// isIntent reports words that only say that something is to be learnt.
func isIntent(w string) bool {
	switch w {
	case "learn", "learning", "study", "studying", "become", "becoming", "want", "need", "know", "understand", "start",
		"started", "get", "getting", "how", "course", "courses", "class", "classes", "training", "tutorial", "lessons",
		"beginner", "beginners", "introduction", "intro", "basics":
		return true
	}
	return false
}

// nearest returns the topics whose phrases are nearest to a vector, with how much
// that says, in (0, 1], best first.
func (m *meanings) nearest(v []float32) []nearTopic {
	similarity := m.similarity
	if len(v) != m.dim || m.dim == 0 {
		return nil
	}
	var best []nearTopic
	compare := m.comparer(v, similarity)
	for row, t := range m.rows {
		dot := compare(row)
		if float64(dot) < similarity || len(best) == maxNear && dot <= best[len(best)-1].score {
			continue
		}
		if i := slices.IndexFunc(best, func(b nearTopic) bool { return b.topic == t }); i >= 0 {
			if best[i].score >= dot {
				continue
			}
			best = slices.Delete(best, i, i+1)
		}
		at, _ := slices.BinarySearchFunc(best, dot, func(b nearTopic, d float32) int { return cmp.Compare(d, b.score) })
		if len(best) == maxNear {
			best = best[:maxNear-1]
		}
		best = slices.Insert(best, at, nearTopic{t, dot})
	}
	for i := range best {
		best[i].score = float32((float64(best[i].score)-similarity)/math.Max(1-similarity, 1e-6)*(1-floorOfNear) + floorOfNear)
	}
	return best
}

// floorOfNear is what a phrase says that is just near enough.
const floorOfNear = 0.3

// nearTopic is a topic near a vector.
type nearTopic struct {
	topic int32
	score float32
}

// vector returns the vector of a text by the embedder in use: at once where it is
// kept, or where the embedder works in this process; of another server as soon as
// it answers, until the deadline.
func (s *Suggester) vector(ctx context.Context, embedder lectern.Embedder, t string) ([]float32, error) {
	ask := func(ctx context.Context) ([]float32, error) {
		vectors, err := embedder.Embed(ctx, lectern.EmbedQuery, []string{t})
		if err != nil {
			return nil, err
		}
		if len(vectors) != 1 {
			return nil, lectern.Errorf(lectern.CodeInternal, "the embedder returned %d vectors for one text", len(vectors))
		}
		return vectors[0], nil
	}
	key := vectorKey{embedder.Fingerprint(), t}
	if s.o.Local != nil && s.o.Local(embedder) {
		return s.vectors.inline(ctx, key, ask)
	}
	return s.vectors.get(ctx, key, s.o.Config.EmbedTimeout, func(ctx context.Context, _ []float32, _ bool) ([]float32, error) { return ask(ctx) })
}

// vectorKey is what vectors of what was typed are kept by.
type vectorKey struct{ fingerprint, text string }

// near returns the topics near to what was typed. ok is false when they could not
// be found out.
func (s *Suggester) near(ctx context.Context, m *meanings, q typedQuery) (out []nearTopic, ok bool) {
	if s.o.Generations == nil || s.o.Config.Phrases == 0 || q.letters < shortQuery {
		return nil, true
	}
	if m.words == nil {
		return nil, false // nobody knows yet what a whole word is
	}
	_, embedder := s.o.Generations.Generation()
	t := m.meaningOf(q, embedder != nil && lectern.KnowsCatalogueOnly(embedder))
	if t == "" {
		return nil, true
	}
	if embedder == nil || embedder.Fingerprint() != m.fingerprint {
		return nil, false
	}
	v, err := s.vector(ctx, embedder, t)
	if err != nil {
		return nil, false
	}
	return m.nearest(v), m.complete
}

// recognised is how much of a query its concepts cover, in [0, 1].
func recognised(asked []Asked) float64 {
	sum := 0.0
	for _, a := range asked {
		sum += a.Weight
	}
	return min(sum, 1)
}

// recognisedAsTyped is the same without what was only guessed behind misspelt words.
func recognisedAsTyped(asked []Asked) float64 {
	return recognised(slices.DeleteFunc(slices.Clone(asked), func(a Asked) bool { return a.Misspelt }))
}

// sureOf is from where a query that concepts cover is no misspelling.
const sureOf = 0.6

// courses adds up what the topics say of their courses: the weight of the topic
// over one more than the place in its list, so that several topics take turns.
// The topic that says most of a course is what it is shown by.
func (m *meanings) courses(asked []Asked, nearby []nearTopic) []meant {
	byTopic := make(map[int32]float32, len(asked)+len(nearby))
	share := nearWeight * max(1-float32(recognised(asked)), 0.1)
	for _, n := range nearby {
		byTopic[n.topic] = share * n.score
	}
	for _, a := range asked {
		if t, ok := m.concepts[a.ID]; ok {
			byTopic[t] = max(byTopic[t], float32(a.Weight))
		}
	}
	order := make([]int32, 0, len(byTopic))
	for t := range byTopic {
		order = append(order, t)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(byTopic[b], byTopic[a]), cmp.Compare(a, b)) })
	var out []meant
	at := make(map[*entry]int, meantPerConcept*len(order))
	for _, t := range order {
		topic := &m.topics[t]
		for place, c := range topic.courses {
			e := c.Load()
			if e == nil || e.gone.Load() {
				continue
			}
			score := byTopic[t] / float32(place+1)
			if i, ok := at[e]; ok {
				out[i].score += score
				continue
			}
			at[e] = len(out)
			out = append(out, meant{e, score, topic.name})
		}
	}
	slices.SortStableFunc(out, func(a, b meant) int { return cmp.Compare(b.score, a.score) })
	return out
}

// phraseWords adds the words of a phrase to those that count as whole.
func (m *meanings) phraseWords(a *text.Analyzer, phrase string) {
	for _, w := range split(a, phrase, true) {
		if !w.stop {
			m.words[w.folded] = true
		}
	}
}
