package bandit

import (
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
)

// FeatureSet names how rows are made, and what is believed of their weights before
// anything is learnt.
type FeatureSet struct {
	Name  string
	Names []string  // of the columns; read only
	Prior []float64 // mean of each column's weight before anything is learnt; read only
}

// Dim is the number of columns.
func (s FeatureSet) Dim() int { return len(s.Names) }

// The columns of F1. A column that is the same for every row of a list cannot change
// its order; the bias is kept all the same, because the rest would have to explain how
// often anything is clicked at all.
const (
	colBias        = 0                           // 1
	colTerms       = colBias + 1                 // value of each term − ½, so that what is missing or neutral says nothing
	colScore       = colTerms + termColumns      // the list's own score
	colYouth       = colScore + 1                // 1/(1 + age/30 days): 1 for what came out today; 0 where the age is unknown
	colAgeUnknown  = colYouth + 1                // 1 where the age is unknown
	colEvidence    = colAgeUnknown + 1           // log(1 + evidence)/log(1 + 1000), at most 1
	colUnproven    = colEvidence + 1             // youth × (1 − evidence): new and untried
	colPlace       = colUnproven + 1             // where it was seen: see Seen; 0 in the rows that policies choose by
	colVisitor     = colPlace + 1                // of visitors: collaborative, popularity, novelty, as above
	colNew         = colVisitor + crossedColumns // of new learners: the same three; what is above is then of active ones
	colSimilar     = colNew + crossedColumns     // similarity where lists are about a course
	colSearchScore = colSimilar + 1              // score − ½ in searches: there it says how well the words fit
	columns        = colSearchScore + 1

	termColumns    = 20
	crossedColumns = 3
)

const (
	// youngDays is the age at which youth is ½.
	youngDays = 30
	// enoughEvidence is the evidence from which on more says nothing new.
	enoughEvidence = 1000
	// priorScore is what a point of score is believed to be worth before anything is
	// learnt: it makes the list's own order the first one.
	priorScore = 0.2
	// placeBase is the place, from 0, whose rows have a place column of 0: the first
	// that explores by default.
	placeBase = 3
)

// neutral is the value of a term that has nothing to say.
const neutral = 0.5

// termNames are those of package rerank, in the order of the columns. They are fixed:
// a posterior is about these columns, whatever terms there will be.
var termNames = [termColumns]string{
	"relevance", "similarity", "interest_match", "quality", "popularity",
	"freshness", "level_fit", "time_fit", "language_fit", "readiness", "skill_match",
	"collaborative", "not_dismissed", "trend", "complement",
	"sentiment", "goal_progress", "novelty", "completion", "creator_exposure",
}

// Columns of the terms that others are made of.
const (
	colSimilarity    = colTerms + 1
	colPopularity    = colTerms + 4
	colCollaborative = colTerms + 11
	colNovelty       = colTerms + 17
)

// F1Name is the name of F1.
const F1Name = "f1"

// F1 is the set of features that this build makes.
func F1() FeatureSet {
	names := make([]string, columns)
	names[colBias] = "bias"
	copy(names[colTerms:], termNames[:])
	for col, name := range map[int]string{
		colScore: "score", colYouth: "youth", colAgeUnknown: "age_unknown", colEvidence: "evidence", colUnproven: "unproven",
		colPlace:   "place",
		colVisitor: "visitor:collaborative", colVisitor + 1: "visitor:popularity", colVisitor + 2: "visitor:novelty",
		colNew: "new:collaborative", colNew + 1: "new:popularity", colNew + 2: "new:novelty",
		colSimilar: "about:similarity", colSearchScore: "search:score",
	} {
		names[col] = name
	}
	prior := make([]float64, columns)
	prior[colScore] = priorScore
	return FeatureSet{Name: F1Name, Names: names, Prior: prior}
}

// Dim is the number of columns of F1.
const Dim = columns

// list is what all rows of one list have in common.
type list struct {
	column  [maxTerms]int8 // of each term's value, −1 for none
	terms   int
	segment lectern.Segment
	about   bool // the list is about a course
	search  bool
}

// maxTerms bounds how many terms of a list are looked at.
const maxTerms = 64

func listOf(terms []lectern.TermWeight, segment lectern.Segment, surface lectern.Surface, row lectern.Row) list {
	l := list{
		terms: min(len(terms), maxTerms), segment: segment,
		about:  surface == lectern.SurfaceSimilar || row == lectern.RowBecause,
		search: surface == lectern.SurfaceSearch,
	}
	guess := 0 // terms come in the order of the columns, with gaps
	for i := range terms[:l.terms] {
		l.column[i] = -1
		for n := range termColumns {
			at := guess + n
			if at >= termColumns {
				at -= termColumns
			}
			if termNames[at] == terms[i].Name {
				l.column[i], guess = int8(colTerms+at), at+1
				break
			}
		}
	}
	return l
}

// fill writes one row.
func (l *list) fill(x, values []float64, score, age, evidence float64) {
	clear(x)
	x[colBias] = 1
	for i, v := range values[:min(len(values), l.terms)] {
		if col := l.column[i]; col >= 0 {
			x[col] = centred(v)
		}
	}
	x[colScore] = unit(score)
	if age >= 0 {
		x[colYouth] = 1 / (1 + age/youngDays)
	} else { // NaN, too
		x[colAgeUnknown] = 1
	}
	if evidence > 0 {
		x[colEvidence] = min(math.Log1p(evidence)/math.Log1p(enoughEvidence), 1)
	}
	x[colUnproven] = x[colYouth] * (1 - x[colEvidence])
	switch l.segment {
	case lectern.SegmentVisitor:
		cross(x[colVisitor:], x)
	case lectern.SegmentNew:
		cross(x[colNew:], x)
	}
	if l.about {
		x[colSimilar] = x[colSimilarity]
	}
	if l.search {
		x[colSearchScore] = x[colScore] - neutral
	}
}

func cross(into, x []float64) {
	into[0], into[1], into[2] = x[colCollaborative], x[colPopularity], x[colNovelty]
}

// unit is a value held within [0, 1]; what is no number is neutral.
func unit(v float64) float64 {
	switch {
	case v >= 0 && v <= 1:
		return v
	case v < 0:
		return 0
	case v > 1:
		return 1
	}
	return neutral
}

func centred(v float64) float64 { return unit(v) - neutral }

// room returns n rows of Dim columns in dst's memory where it is large enough.
func room(dst []float64, n int) []float64 { return slices.Grow(dst[:0], n*Dim)[:n*Dim] }

// RequestRows writes the rows of items of a list that is being made, given by their
// indices into req.Items, into dst's memory, Dim columns each.
func RequestRows(dst []float64, req *lectern.ExploreRequest, items []int) []float64 {
	l := listOf(req.Terms, req.Segment, req.Surface, req.Row)
	dst = room(dst, len(items))
	for n, i := range items {
		item := &req.Items[i]
		l.fill(dst[n*Dim:(n+1)*Dim:(n+1)*Dim], item.Values, item.Score, item.Age, item.Evidence)
	}
	return dst
}

// Rows writes the rows of the whole slate of a recorded list, in the slate's order,
// into dst's memory, Dim columns each: those that RequestRows gave when the list was
// made, bit for bit. It needs a list with an Exploration and all items of its slate.
func Rows(dst []float64, r *lectern.Ranking) []float64 {
	l := listOf(r.Weights, r.Exploration.Segment, r.Surface, r.Row)
	dst = room(dst, len(r.Exploration.Slate))
	for place := range r.Exploration.Slate {
		l.slateRow(dst[place*Dim:(place+1)*Dim:(place+1)*Dim], r, place)
	}
	return dst
}

// PoolRows is Rows of some places of the slate.
func PoolRows(dst []float64, r *lectern.Ranking, places []int) []float64 {
	l := listOf(r.Weights, r.Exploration.Segment, r.Surface, r.Row)
	dst = room(dst, len(places))
	for n, place := range places {
		l.slateRow(dst[n*Dim:(n+1)*Dim:(n+1)*Dim], r, place)
	}
	return dst
}

func (l *list) slateRow(x []float64, r *lectern.Ranking, place int) {
	item := &r.Items[r.Exploration.Slate[place]]
	l.fill(x, item.Terms, item.Score, r.Exploration.Age[place], r.Exploration.Evidence[place])
}

// Seen writes the row that is learnt from when item i of a recorded list was seen, in
// dst's memory. It says at which place that was, so that what stood high up is not
// taken for better than it is: beside the row of Rows it has a place column of
// 1/log2(2+i), less what it is at the fourth place. False where the item is not of the
// slate.
func Seen(dst []float64, r *lectern.Ranking, i int) ([]float64, bool) {
	place := slices.Index(r.Exploration.Slate, i)
	if place < 0 || i >= len(r.Items) {
		return dst, false
	}
	l := listOf(r.Weights, r.Exploration.Segment, r.Surface, r.Row)
	dst = room(dst, 1)
	l.slateRow(dst, r, place)
	dst[colPlace] = 1/math.Log2(2+float64(i)) - 1/math.Log2(2+float64(placeBase))
	return dst, true
}
