package ingest

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Decoder checks records and turns them into domain values. The zero Decoder is
// ready to use; its errors are *lectern.Error with one FieldError per problem,
// CodeUnknownField when unknown fields are all that is wrong.
type Decoder struct {
	// ID is the id that the row's address gives it, for single writes. A row may
	// then leave its id out, but must not contradict it.
	ID string
	// Replace makes courses and learners replace what is stored whole; without
	// it they are patches of exactly the fields that are there.
	Replace bool
	// Source is the source of reviews and ratings that do not name one.
	Source string
	// Noun is what messages call the input; "" is "the row".
	Noun string
	// Clock bounds how far in the future an event may lie; nil is SystemClock.
	Clock lectern.Clock
}

// decodeJSON parses data and hands the record to decode.
func decodeJSON[T any](d Decoder, kind Kind, data []byte, decode func(Record) (T, error)) (T, error) {
	rec, err := parseRecord(kind, data, cmp.Or(d.Noun, theRow))
	if err != nil {
		var zero T
		return zero, err
	}
	return decode(rec)
}

// withID lays the id of the row's address over the record's own.
func (d Decoder) withID(rec Record) (Record, []lectern.FieldError) {
	if d.ID == "" {
		return rec, nil
	}
	own, ok := rec.Get("id")
	if !ok {
		return append(Record{{Field: "id", Value: d.ID}}, rec...), nil
	}
	if own != d.ID {
		return rec, []lectern.FieldError{lectern.NewFieldError("id", own, "contradicts the address", d.ID)}
	}
	return rec, nil
}

func (d Decoder) clock() lectern.Clock {
	if d.Clock == nil {
		return lectern.SystemClock
	}
	return d.Clock
}

// invalid is the error for a row with these problems, nil when there are none.
func invalid(kind Kind, problems []lectern.FieldError) error {
	if len(problems) == 0 {
		return nil
	}
	unknown := 0
	fields := make([]string, 0, 3)
	for _, p := range problems {
		if strings.HasPrefix(p.Reason, reasonUnknown) {
			unknown++
		}
		if len(fields) < cap(fields) {
			fields = append(fields, p.Field)
		}
	}
	noun := strings.TrimSuffix(string(kind), "s")
	message := fmt.Sprintf("the %s is not acceptable: see %s", noun, strings.Join(fields, ", "))
	if more := len(problems) - len(fields); more > 0 {
		message += fmt.Sprintf(" and %d more", more)
	}
	e := lectern.Invalid(message, problems...)
	if unknown == len(problems) {
		e.Code = lectern.CodeUnknownField
	}
	return e
}

func missing(field, reason, allowed string) lectern.FieldError {
	return lectern.FieldError{Field: field, Reason: reason, Allowed: allowed}
}

// Shapes of fields that several kinds share.

func idField(name string, required bool) Field {
	return Field{Name: name, Type: TypeID, Required: required}
}

func textField(name string, limit int) Field { return Field{Name: name, Type: TypeText, Max: limit} }

func listField(name string, t Type, itemMax int) Field {
	return Field{Name: name, Type: t, Max: MaxListItems, ItemMax: itemMax}
}

func numberField(name string, t Type, low, high float64) Field {
	return Field{Name: name, Type: t, Low: low, High: high}
}

func wordField[S ~string](name string, allowed []S) Field {
	return Field{Name: name, Type: TypeEnum, Allowed: names(allowed)}
}

func plainField(name string, t Type) Field { return Field{Name: name, Type: t} }
