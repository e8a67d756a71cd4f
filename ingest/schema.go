package ingest

import (
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// Type is the form of a field's value.
type Type string

// The types of fields.
const (
	TypeID        Type = "id"                // 1 to 128 bytes, or to Max where that is set, without control characters
	TypeText      Type = "text"              // at most Max characters
	TypeTexts     Type = "list of texts"     // each at most ItemMax characters
	TypeIDs       Type = "list of ids"       //
	TypeLanguage  Type = "language"          // BCP 47
	TypeLanguages Type = "list of languages" //
	TypeEnum      Type = "word"              // one of Allowed
	TypeNumber    Type = "number"            // in [Low, High]
	TypeStars     Type = "stars"             // in [Low, High], rounded to a tenth
	TypeInteger   Type = "whole number"      // in [Low, High]
	TypeTime      Type = "time"              // RFC 3339; a date is its midnight UTC
	TypeDay       Type = "date"              // a time counts as its day in UTC
	TypeBool      Type = "true or false"     //
	TypeURL       Type = "web address"       // absolute, http or https
	TypeObject    Type = "object"            // any JSON object of at most Max bytes
)

// List reports whether values of the type are lists.
func (t Type) List() bool { return t == TypeTexts || t == TypeIDs || t == TypeLanguages }

// Numeric reports whether values of the type are numbers.
func (t Type) Numeric() bool { return t == TypeNumber || t == TypeStars || t == TypeInteger }

// Field describes one field of a kind. Fields of nested objects have dotted
// names, for example "availability.status".
type Field struct {
	Name      string
	Type      Type
	Max       int      // characters of a text, items of a list, bytes of an object or of an id that may be longer than others
	ItemMax   int      // characters of one item
	Low, High float64  // of numbers, both allowed
	Allowed   []string // of words
	Required  bool     // always; further rules depend on other fields
}

// Fields lists the fields of a kind, in the order in which they are documented.
func Fields(kind Kind) []Field {
	switch kind {
	case Courses:
		return courseSchema.fields()
	case Reviews:
		return reviewSchema.fields()
	case Ratings:
		return ratingSchema.fields()
	case Learners:
		return learnerSchema.fields()
	case Events:
		return eventSchema.fields()
	}
	return nil
}

// FieldNames lists the names of a kind's fields.
func FieldNames(kind Kind) []string {
	fields := Fields(kind)
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return out
}

// binding is a field together with the place in T that it fills.
type binding[T any] struct {
	Field
	set func(*T, value)
}

// schema is what a row of one kind may hold.
type schema[T any] struct {
	kind     Kind
	list     []binding[T]
	index    map[string]int
	readOnly map[string]string // field → why it cannot be written
}

func newSchema[T any](kind Kind, readOnly map[string]string, list ...binding[T]) *schema[T] {
	s := &schema[T]{kind: kind, list: list, index: make(map[string]int, len(list)), readOnly: readOnly}
	for i, b := range list {
		s.index[b.Name] = i
	}
	return s
}

func (s *schema[T]) fields() []Field {
	out := make([]Field, len(s.list))
	for i, b := range s.list {
		out[i] = b.Field
		out[i].Allowed = slices.Clone(b.Allowed)
	}
	return out
}

func (s *schema[T]) names() []string {
	out := make([]string, len(s.list))
	for i, b := range s.list {
		out[i] = b.Name
	}
	return out
}

// read fills dst from rec and returns the names of the fields that were there,
// null ones included, with every problem found.
func (s *schema[T]) read(rec Record, dst *T) (present []string, problems []lectern.FieldError) {
	present = make([]string, 0, len(rec))
	for _, fv := range rec {
		i, ok := s.index[fv.Field]
		if !ok {
			problems = append(problems, s.unknown(fv.Field))
			continue
		}
		b := &s.list[i]
		present = append(present, fv.Field)
		if fv.Value == nil {
			if b.Required {
				problems = append(problems, lectern.NewFieldError(b.Name, "null", "is required", b.describe()))
			} else {
				b.set(dst, value{null: true})
			}
			continue
		}
		v, bad := b.parse(fv.Value)
		if bad != nil {
			problems = append(problems, bad...)
			continue
		}
		b.set(dst, v)
	}
	for i := range s.list {
		if b := &s.list[i]; b.Required && !slices.Contains(present, b.Name) {
			problems = append(problems, lectern.FieldError{Field: b.Name, Reason: "is required", Allowed: b.describe()})
		}
	}
	return present, problems
}

// reasonUnknown is the reason given for a field that the schema does not know.
const reasonUnknown = "is not a known field"

func (s *schema[T]) unknown(name string) lectern.FieldError {
	if why, ok := s.readOnly[name]; ok {
		return lectern.FieldError{Field: name, Reason: why}
	}
	return lectern.FieldError{Field: name, Reason: reasonUnknown + nearest.Hint(name, s.names())}
}
