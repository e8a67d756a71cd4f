package skills

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Tagged is a skill that a course's text speaks of.
type Tagged struct {
	SkillID    string
	Confidence float64 // in [MinConfidence, 1)
	Evidence   []Evidence
}

// Evidence is a name of a skill that stands in a field of a course.
type Evidence struct {
	Field lectern.CourseField
	Name  string // as the graph has it
	Count int
}

// MinConfidence is what a skill needs to be a tag at all.
const MinConfidence = 0.2

// MaxTags bounds the tags of one course.
const MaxTags = 50

// The parts of the confidence; see Tag.
const (
	weakQuality   = 0.6  // of a weak name, once it is supported
	phraseQuality = 0.7  // of a phrase
	inflected     = 0.85 // for each word that only shares its stem
	countedTimes  = 3    // mentions in one field past which more say nothing new
	supportBonus  = 0.1  // for each skill nearby that is mentioned, too
	maxSupporters = 3
	maxFieldBytes = 64 << 10 // read of one field
	negationReach = 4        // words between a negation and what it denies
)

// fieldWeights are the fields that are read, and how much one mention in them
// says. The platform's own skill tags and categories are not read.
var fieldWeights = [...]struct {
	field  lectern.CourseField
	weight float64
}{
	{lectern.FieldTitle, 0.8},
	{lectern.FieldSyllabus, 0.45},
	{lectern.FieldDescription, 0.4},
}

// Tag returns the skills that a course's title, syllabus and description speak
// of, most confident first, at most MaxTags.
//
// A mention says a = field × specificity × quality: the field's weight (title .8,
// syllabus .45, description .4); the specificity of the name, 1 for names of two
// words or more and 1 − .08·log₂ n (at least .4) for a word that the names of n
// skills hold; and the quality, 1 for names and aliases, .7 for phrases (and for
// names turned into what is done, as "train dogs" for dog training), .6 for weak
// names; .85 of that for each word which only shares its stem. The three
// strongest mentions of each field count. With s ≤ 3 other skills nearby in the
// graph that are mentioned by names that are not weak,
//
//	confidence = 1 − (1 − .1)^s · Π (1 − a)
//
// Longer names win over shorter ones inside them. A weak name counts only with
// s ≥ 1, of which one must be linked to it (not only share something broader)
// unless the name needs capitals and has them, and no name counts shortly after
// "no", "not", "never" or "without".
func (m *Matcher) Tag(c lectern.Course) []Tagged {
	t := tagger{m: m, hits: make(map[int32]*hit)}
	for f, fw := range fieldWeights {
		switch fw.field {
		case lectern.FieldTitle:
			t.read(f, c.Title)
		case lectern.FieldDescription:
			t.read(f, c.Description)
		case lectern.FieldSyllabus:
			for _, part := range c.Syllabus {
				t.read(f, part)
			}
		}
	}
	return t.tags()
}

// hit is what speaks for one skill.
type hit struct {
	strong   bool // some name of it was not weak
	capital  bool // some weak name of it had the capitals it needs
	mentions []mention
	evidence []Evidence
}

type mention struct {
	field    int
	strength float64
}

type tagger struct {
	m     *Matcher
	hits  map[int32]*hit
	words []word // of the part that is being read
	some  []word // those of them that are looked up
	found []found
}

// read gathers the mentions in a text.
func (t *tagger) read(field int, s string) {
	if len(s) > maxFieldBytes {
		s = strings.ToValidUTF8(s[:maxFieldBytes], "")
	}
	for part := range parts(s) {
		t.words = t.m.reader.read(t.words[:0], part)
		if len(t.words) > 0 {
			t.readPart(field, part)
		}
	}
}

// readPart gathers the mentions in a part of a text that no name reaches across;
// its words have been read.
func (t *tagger) readPart(field int, part string) {
	for i := range t.words {
		if w := &t.words[i]; w.stop && w.surface == "it" {
			w.id = unknown // in capitals it is no stop word
		}
	}
	named := func(x *target, n int) bool { return !x.occupation && (n == 0 || n == 1 && len(x.words) > 1) }
	t.some = withoutFillers(t.some[:0], t.words)
	t.found = t.m.names.find(t.found[:0], t.some, named)
	t.found = t.m.edged.find(t.found, t.words, named)
	t.some = withoutStops(t.some[:0], t.words)
	t.found = t.m.telling.find(t.found, t.some, func(_ *target, n int) bool { return n <= 1 })
	if len(t.found) == 0 {
		return
	}
	for _, f := range longestFirst(t.found) {
		if !t.denied(f.from) {
			t.count(field, part, f)
		}
	}
}

// denied reports whether a negation stands shortly before a word.
func (t *tagger) denied(at int) bool {
	for i := max(0, at-negationReach); i < at; i++ {
		switch t.words[i].surface {
		case "no", "not", "without", "never":
			next := t.words[i+1].surface
			if next != "only" && next != "just" {
				return true
			}
		}
	}
	return false
}

// count enters one mention for every skill whose name it is: by the strongest, if
// it has several names that look alike.
func (t *tagger) count(field int, part string, f found) {
	for i := range f.targets {
		x := &f.targets[i]
		if !speltRight(x, part) || t.stronger(f, i, part) {
			continue
		}
		h := t.hits[x.owner]
		if h == nil {
			h = &hit{}
			t.hits[x.owner] = h
		}
		h.strong = h.strong || !x.weak
		h.capital = h.capital || x.weak && x.spelt != speltAnyhow
		h.mentions = append(h.mentions, mention{field, fieldWeights[field].weight * x.quality(f.inflect[i])})
		h.note(fieldWeights[field].field, x.text)
	}
}

// stronger reports whether another name of the same skill at the same place says
// more, or as much and comes first.
func (t *tagger) stronger(f found, i int, part string) bool {
	own := f.targets[i].quality(f.inflect[i])
	for j := range f.targets {
		x := &f.targets[j]
		if j == i || x.owner != f.targets[i].owner {
			continue
		}
		q := x.quality(f.inflect[j])
		if (q > own || q == own && j < i) && speltRight(x, part) {
			return true
		}
	}
	return false
}

// quality is specificity × quality of the formula at Tag.
func (x *target) quality(inflections int) float64 {
	q := x.specific * math.Pow(inflected, float64(inflections))
	switch {
	case x.weak:
		q *= weakQuality
	case x.form == formPhrase || x.turned:
		q *= phraseQuality
	}
	return q
}

func (h *hit) note(field lectern.CourseField, name string) {
	for i := range h.evidence {
		if e := &h.evidence[i]; e.Field == field && e.Name == name {
			e.Count++
			return
		}
	}
	h.evidence = append(h.evidence, Evidence{field, name, 1})
}

// tags weighs what was gathered.
func (t *tagger) tags() []Tagged {
	var strong []int32
	for s, h := range t.hits {
		if h.strong {
			strong = append(strong, s)
		}
	}
	var out []Tagged
	for s, h := range t.hits {
		supporters, linked := 0, h.strong || h.capital
		for _, by := range strong {
			if t.m.supports(by, s) {
				supporters++
				linked = linked || t.m.links(by, s)
			}
		}
		if !h.strong && supporters == 0 || !linked {
			continue
		}
		sure := h.confidence(min(supporters, maxSupporters))
		if sure < MinConfidence {
			continue
		}
		slices.SortFunc(h.evidence, compareEvidence)
		out = append(out, Tagged{t.m.graph.skills[s].ID, sure, h.evidence})
	}
	slices.SortFunc(out, func(a, b Tagged) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.SkillID, b.SkillID))
	})
	return out[:min(len(out), MaxTags)]
}

// confidence is the formula at Tag.
func (h *hit) confidence(supporters int) float64 {
	slices.SortFunc(h.mentions, func(a, b mention) int {
		return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(b.strength, a.strength))
	})
	doubt := math.Pow(1-supportBonus, float64(supporters))
	field, times := -1, 0
	for _, x := range h.mentions {
		if x.field != field {
			field, times = x.field, 0
		}
		if times++; times <= countedTimes {
			doubt *= 1 - x.strength
		}
	}
	return 1 - doubt
}

func compareEvidence(a, b Evidence) int {
	place := func(f lectern.CourseField) int {
		for i, fw := range fieldWeights {
			if fw.field == f {
				return i
			}
		}
		return len(fieldWeights)
	}
	return cmp.Or(cmp.Compare(place(a.Field), place(b.Field)), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
}

// speltRight reports whether a name that needs capitals has them somewhere in the
// text.
func speltRight(x *target, s string) bool {
	if x.spelt == speltAnyhow {
		return true
	}
	for i := 0; i+len(x.text) <= len(s); i++ {
		piece := s[i : i+len(x.text)]
		if !strings.EqualFold(piece, x.text) || i > 0 && wordByte(s[i-1]) || i+len(piece) < len(s) && wordByte(s[i+len(piece)]) {
			continue
		}
		if x.spelt == speltCapital && upper(piece[0]) || strings.ToUpper(piece) == piece {
			return true
		}
	}
	return false
}

func upper(b byte) bool { return 'A' <= b && b <= 'Z' }

// wordByte reports whether a byte is of a letter, a digit, or a sign that makes
// another name of a letter, as in C++ and C#.
func wordByte(b byte) bool {
	return b >= 0x80 || 'a' <= b && b <= 'z' || upper(b) || '0' <= b && b <= '9' || b == '+' || b == '#'
}
