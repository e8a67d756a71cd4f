package rerank

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/viterin/vek/vek32"

	"github.com/lectern-dev/lectern"
)

const (
	// comparedMost bounds how many leading courses are compared with each other.
	comparedMost = 600
	// glance is how many dimensions tell most vectors apart before they are compared whole.
	glance = 16
)

// duplicates leave courses out that teach the same as a better one of the list. Two
// courses are duplicates when one title and one provider have both, or, but for
// searches, when their vectors are at a cosine of lists.duplicates_from or more: who
// searches may look for exactly one of two courses that are much alike, and knows which
// from the title. Courses of different levels, in different languages, with different
// numbers in their titles (parts of a series), or of which one needs the other, never
// are.
type duplicates struct {
	from      float64 // cosine; over 1 is never
	byContent bool
	compared  int              // how many leading ranks were held against each other
	of        []int32          // by rank: the one that it was left out for, 1 more
	titles    map[uint64]int32 // hash of title and provider → first rank with it, 1 more
	same      []int32          // by rank: the next one with that hash, 1 more
	hashes    []uint64
	standIns  [levelCodes][]standIn // those that stand for others, by level
	some      bool
	out       []int32 // those left out
}

func (d *duplicates) begin(s *slate) {
	d.from = s.l.cfg.Lists.DuplicatesFrom
	d.byContent = s.req.Surface != lectern.SurfaceSearch
	d.of, d.some, d.compared = d.of[:0], false, 0
	if d.from > 1 || s.asIs() {
		return
	}
	n := min(s.leading(), comparedMost)
	d.compared = n
	d.of, d.same = cleared(d.of, len(s.all)), cleared(d.same, n)
	d.hashes = cleared(d.hashes, n)
	if d.titles == nil {
		d.titles = make(map[uint64]int32)
	}
	for i := range d.standIns {
		d.standIns[i] = d.standIns[i][:0]
	}
	for rank := range n { // whatever is pinned stays, and stands for its duplicates
		if s.marks[rank] == pinned {
			d.keep(s, rank)
		}
	}
	for rank := range n {
		if s.marks[rank] != open {
			continue
		}
		if of := d.find(s, rank); of >= 0 {
			d.leaveOut(s, rank, of)
			continue
		}
		d.keep(s, rank)
	}
}

// standIn is a course that duplicates are left out for.
type standIn struct {
	head [glance]float32 // of its vector
	rank int32
}

// headOf returns the first dimensions of a vector.
func headOf(v []float32) (head [glance]float32) {
	copy(head[:], v)
	return head
}

// apart reports whether two vectors are further from each other along their first
// dimensions than √most: those of unit length at a cosine of c or more are no further
// apart than √(2 − 2c) along all of them.
func apart(a, b *[glance]float32, most float32) bool {
	sum := float32(0)
	for j := 0; j < glance; j += 4 {
		w, x, y, z := a[j]-b[j], a[j+1]-b[j+1], a[j+2]-b[j+2], a[j+3]-b[j+3]
		if sum += w*w + x*x + y*y + z*z; sum > most {
			return true
		}
	}
	return false
}

// levelCodes is how many codes of levels there are.
const levelCodes = 5

// levelCode numbers levels for comparing; 0 is unknown.
func levelCode(l lectern.Level) uint8 {
	switch l {
	case "":
		return 0
	case lectern.LevelMixed:
		return 4
	}
	return uint8(levelStep(l))
}

// keep lets a course stand for those that come after it.
func (d *duplicates) keep(s *slate, rank int) {
	if c := &s.in[s.all[rank].index]; d.byContent && len(c.Vector) > 0 {
		same := &d.standIns[levelCode(c.Course.Level)]
		*same = append(*same, standIn{head: headOf(c.Vector), rank: int32(rank)})
	}
	hash := d.hash(s, rank)
	if hash == 0 {
		return
	}
	d.same[rank] = d.titles[hash]
	d.titles[hash] = int32(rank) + 1
}

// find returns the course that this one duplicates, or −1: the best of several.
func (d *duplicates) find(s *slate, rank int) int {
	found := -1
	if hash := d.hash(s, rank); hash != 0 {
		for at := d.titles[hash]; at > 0; at = d.same[at-1] {
			if other := int(at) - 1; d.copies(s, rank, other) && (found < 0 || other < found) {
				found = other
			}
		}
	}
	c := &s.in[s.all[rank].index]
	if !d.byContent || len(c.Vector) == 0 {
		return found
	}
	level, first, most := levelCode(c.Course.Level), headOf(c.Vector), float32(2-2*d.from)+1e-4
	for code := range d.standIns {
		if other := uint8(code); other != level && other != 0 && level != 0 {
			continue
		}
		for i := range d.standIns[code] {
			other := &d.standIns[code][i]
			if (found < 0 || int(other.rank) < found) && !apart(&first, &other.head, most) && d.alike(s, rank, int(other.rank)) {
				found = int(other.rank)
			}
		}
	}
	return found
}

// late looks for what a course from further below duplicates in the list, leaves it out
// for that, and reports whether it did.
func (d *duplicates) late(s *slate, rank int) bool {
	if rank < d.compared || d.from > 1 || s.asIs() {
		return false
	}
	for _, other := range s.out {
		if d.copies(s, rank, int(other)) || d.byContent && d.alike(s, rank, int(other)) {
			d.leaveOut(s, rank, int(other))
			s.leave(rank)
			return true
		}
	}
	return false
}

func (d *duplicates) leaveOut(s *slate, rank, of int) {
	d.of[rank], d.some = int32(of)+1, true
	s.marks[rank] = folded
}

// copies reports whether two courses have the same title and provider. Two unknown
// providers may be any two.
func (d *duplicates) copies(s *slate, a, b int) bool {
	x, y := &s.in[s.all[a].index], &s.in[s.all[b].index]
	return x.Course.Title != "" && x.Course.Provider != "" && x.Course.Provider == y.Course.Provider &&
		sameFolded(x.Course.Title, y.Course.Title) && mayBeSame(x, y)
}

// alike reports whether two courses have nearly the same content.
func (d *duplicates) alike(s *slate, a, b int) bool {
	x, y := &s.in[s.all[a].index], &s.in[s.all[b].index]
	return len(x.Vector) > 0 && len(x.Vector) == len(y.Vector) &&
		float64(vek32.Dot(x.Vector, y.Vector)) >= d.from-1e-6 && mayBeSame(x, y) && samePart(x.Course.Title, y.Course.Title)
}

// mayBeSame reports whether nothing but content could tell two courses apart.
func mayBeSame(a, b *Candidate) bool {
	x, y := a.Course, b.Course
	if x.Level != y.Level && x.Level != "" && y.Level != "" {
		return false
	}
	if len(x.Languages) > 0 && len(y.Languages) > 0 && !lectern.LanguageAnswers(x.Languages, y.Languages) {
		return false
	}
	needs := func(c *Candidate, id string) bool {
		return slices.Contains(c.Course.Needs, id) || slices.Contains(c.Missing, id)
	}
	return !needs(a, y.ID) && !needs(b, x.ID)
}

// hash returns the hash of a leading course's folded title and provider; 0 is of none.
func (d *duplicates) hash(s *slate, rank int) uint64 {
	f := s.in[s.all[rank].index].Course
	if f.TitleKey != 0 {
		return f.TitleKey
	}
	if d.hashes[rank] == 0 {
		d.hashes[rank] = TitleKey(f.Title, f.Provider)
	}
	return d.hashes[rank]
}

// TitleKey is the same for two courses whose titles and providers fold to the same; 0 is
// for those of which one is not known. Facts that are used often hold it.
func TitleKey(title, provider string) uint64 {
	if title == "" || provider == "" {
		return 0
	}
	return hashFolded(hashFolded(fnvOffset, title), provider) | 1
}

// kept returns the course that stands for a rank: itself, unless it was left out.
func (d *duplicates) kept(rank int) int {
	if len(d.of) > 0 && d.of[rank] > 0 {
		return int(d.of[rank]) - 1
	}
	return rank
}

// name lists with every item what was left out for it, best first.
func (d *duplicates) name(s *slate, items []Scored) {
	if !d.some {
		return
	}
	d.out = d.out[:0]
	for rank, of := range d.of {
		if of > 0 {
			d.out = append(d.out, int32(rank))
		}
	}
	backing := make([]int, 0, len(d.out))
	for i, place := range s.out {
		from := len(backing)
		for _, rank := range d.out {
			if d.of[rank] == place+1 {
				backing = append(backing, s.all[rank].index)
			}
		}
		if len(backing) > from {
			items[i].Duplicates = backing[from:len(backing):len(backing)]
		}
	}
}

func (d *duplicates) end() { clear(d.titles) }

// FNV-1a, 64 bits.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// hashFolded hashes a text as lectern.FoldKey would fold it, with an end.
func hashFolded(h uint64, s string) uint64 {
	space, some := false, false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = some
			continue
		}
		if space {
			h = (h ^ ' ') * fnvPrime
			space = false
		}
		some = true
		h = (h ^ uint64(unicode.ToLower(r))) * fnvPrime
	}
	return (h ^ 0xff) * fnvPrime
}

// sameFolded reports whether two texts fold to the same.
func sameFolded(a, b string) bool {
	return a == b || hashFolded(fnvOffset, a) == hashFolded(fnvOffset, b) && lectern.FoldKey(a) == lectern.FoldKey(b)
}

// samePart reports whether two titles have the same numbers and single letters in them:
// "Algorithms I" and "Algorithms II" are parts of a series, however alike. The years of
// editions do not count.
func samePart(a, b string) bool {
	if a == b {
		return true
	}
	for {
		var x, y string
		x, a = nextPart(a)
		y, b = nextPart(b)
		if !strings.EqualFold(x, y) {
			return false
		}
		if x == "" {
			return true
		}
	}
}

// nextPart returns the first word of a title that numbers it, and what comes after; ""
// where there is none.
func nextPart(title string) (word, rest string) {
	apart := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for title != "" {
		title = strings.TrimLeftFunc(title, apart)
		end := strings.IndexFunc(title, apart)
		if end < 0 {
			end = len(title)
		}
		word, title = title[:end], title[end:]
		if numbers(word) {
			return word, title
		}
	}
	return "", ""
}

// numbers reports whether a word numbers a title: it has a digit, is a Roman number or a
// single letter, and neither an article nor a year.
func numbers(word string) bool {
	if strings.ContainsFunc(word, unicode.IsDigit) {
		return len(word) != 4 || word[:2] != "19" && word[:2] != "20"
	}
	if word == "" || strings.EqualFold(word, "a") {
		return false
	}
	return strings.Trim(word, "ivxIVX") == "" || utf8.RuneCountInString(word) == 1
}
