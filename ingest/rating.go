package ingest

import (
	"math"
	"time"

	"github.com/lectern-dev/lectern"
)

type rating = lectern.Rating

var ratingSchema = newSchema(Ratings, nil,
	binding[rating]{textField("source", MaxNameChars), func(r *rating, v value) { r.Source = v.text }},
	binding[rating]{idField("course_id", true), func(r *rating, v value) { r.CourseID = v.text }},
	binding[rating]{Field{Name: "day", Type: TypeDay, Required: true}, func(r *rating, v value) { r.Day = v.time }},
	binding[rating]{Field{Name: "stars", Type: TypeStars, Low: lectern.MinStars, High: lectern.MaxStars, Required: true}, func(r *rating, v value) { r.Stars = v.number }},
	binding[rating]{numberField("occurrence", TypeInteger, 1, MaxOccurrence), func(r *rating, v value) { r.Occurrence = int(v.number) }},
)

// DecodeRating decodes canonical JSON. Occurrence stays 0 where the row does not
// state it; see Occurrences.
func DecodeRating(data []byte) (lectern.Rating, error) { return Decoder{}.Rating(data) }

// Rating decodes canonical JSON.
func (d Decoder) Rating(data []byte) (lectern.Rating, error) {
	return decodeJSON(d, Ratings, data, d.RatingRecord)
}

// RatingRecord decodes a record.
func (d Decoder) RatingRecord(rec Record) (lectern.Rating, error) {
	r := lectern.Rating{Source: d.Source}
	_, problems := ratingSchema.read(rec, &r)
	if err := invalid(Ratings, problems); err != nil {
		return lectern.Rating{}, err
	}
	return r, nil
}

// Occurrences numbers ratings that do not state their occurrence: the n-th with
// the same source, course, day and stars gets n. Ratings that state it are left
// alone. It is not safe for concurrent use.
type Occurrences struct {
	words map[string]uint32
	cells map[ratingCell]int32
}

// ratingCell is small, because an import holds one for each distinct rating.
type ratingCell struct {
	source, course uint32
	day            int32 // since 1970
	tenths         uint8 // of a star
}

// NewOccurrences starts counting.
func NewOccurrences() *Occurrences {
	return &Occurrences{words: make(map[string]uint32), cells: make(map[ratingCell]int32)}
}

// Number fills in the occurrence of each rating that has none.
func (o *Occurrences) Number(ratings []lectern.Rating) {
	for i := range ratings {
		r := &ratings[i]
		if r.Occurrence != 0 {
			continue
		}
		cell := ratingCell{
			source: o.word(r.Source),
			course: o.word(r.CourseID),
			day:    int32(r.Day.Unix() / int64(24*time.Hour/time.Second)),
			tenths: uint8(math.Round(r.Stars * 10)),
		}
		o.cells[cell]++
		r.Occurrence = int(o.cells[cell])
	}
}

func (o *Occurrences) word(s string) uint32 {
	n, ok := o.words[s]
	if !ok {
		n = uint32(len(o.words))
		o.words[s] = n
	}
	return n
}
