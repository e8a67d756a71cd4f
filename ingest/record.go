package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// FieldValue is one field of a record. Value is nil (null), a string, bool,
// float64, json.Number, time.Time, []string, []any, or json.RawMessage for an
// object.
type FieldValue struct {
	Field string // dotted
	Value any
}

// Record is one row in canonical form, before it is checked. A field appears at
// most once.
type Record []FieldValue

// Get returns a field's value and whether it is there.
func (r Record) Get(field string) (any, bool) {
	for _, fv := range r {
		if fv.Field == field {
			return fv.Value, true
		}
	}
	return nil, false
}

// groups are the nested objects of the canonical form; their members are fields
// of their own.
func isGroup(kind Kind, name string) bool {
	switch kind {
	case Courses:
		return name == "availability" || name == "stated"
	case Learners:
		return name == "consent"
	}
	return false
}

// ParseRecord reads one JSON object as a record of the kind. It checks form, not
// meaning: unknown fields are found by a Decoder. Errors: CodeInvalid.
func ParseRecord(kind Kind, data []byte) (Record, error) { return parseRecord(kind, data, theRow) }

// theRow is what messages call the input when nobody says.
const theRow = "the row"

func parseRecord(kind Kind, data []byte, noun string) (Record, error) {
	if !utf8.Valid(data) {
		at := invalidUTF8At(data)
		return nil, lectern.Invalid(fmt.Sprintf("%s is not valid UTF-8 at byte %d", noun, at+1),
			lectern.NewFieldError(fieldAt(data, at), string(data[at:min(len(data), at+8)]), "is not valid UTF-8", ""))
	}
	if err := CheckJSON(noun, data); err != nil {
		return nil, err
	}
	data = bytes.TrimSpace(data)
	if data[0] != '{' {
		return nil, lectern.Invalid(noun + " must be a JSON object")
	}
	p := recordParser{kind: kind, noun: noun, rec: make(Record, 0, 16)}
	if err := p.object(data, ""); err != nil {
		return nil, err
	}
	if p.problems != nil {
		return nil, invalid(kind, p.problems)
	}
	return p.rec, nil
}

// maxMembers bounds the fields of a row, known or not.
const maxMembers = 200

type recordParser struct {
	kind     Kind
	noun     string
	rec      Record
	groups   []string // seen so far
	problems []lectern.FieldError
}

// object reads the members of an object, which is known to be JSON, below the
// dotted prefix.
func (p *recordParser) object(data []byte, prefix string) error {
	s := scanner{data: data, at: 1}
	for {
		key, raw, ok := s.member()
		if !ok {
			return nil
		}
		name, err := textOf(key)
		if err != nil {
			return notJSON(p.noun, err)
		}
		if len(p.rec)+len(p.problems) >= maxMembers { // no kind has as many; looking for twins takes the square
			return lectern.Errorf(lectern.CodeTooLarge, "%s has more than %d fields", p.noun, maxMembers)
		}
		dotted := strings.Contains(name, ".")
		if prefix != "" {
			name = prefix + name
		}
		switch {
		case dotted:
			p.problems = append(p.problems, lectern.FieldError{Field: name, Reason: reasonUnknown + "; nested fields are nested objects"})
		case p.seen(name):
			p.problems = append(p.problems, lectern.FieldError{Field: name, Reason: "is given twice"})
		default:
			if err := p.member(name, raw, prefix == ""); err != nil {
				return err
			}
		}
	}
}

// seen reports whether the field, or the group of that name, was there before.
func (p *recordParser) seen(name string) bool {
	_, ok := p.rec.Get(name)
	return ok || slices.Contains(p.groups, name)
}

func (p *recordParser) member(name string, raw json.RawMessage, top bool) error {
	if top && isGroup(p.kind, name) {
		p.groups = append(p.groups, name)
		switch raw[0] {
		case '{':
			return p.object(raw, name+".")
		case 'n': // null clears every field of the group
			for _, f := range FieldNames(p.kind) {
				if strings.HasPrefix(f, name+".") {
					p.rec = append(p.rec, FieldValue{Field: f})
				}
			}
		default:
			p.problems = append(p.problems, lectern.NewFieldError(name, string(raw), "must be an object", ""))
		}
		return nil
	}
	v, err := plainValue(raw)
	if err != nil {
		return notJSON(p.noun, err)
	}
	p.rec = append(p.rec, FieldValue{Field: name, Value: v})
	return nil
}

// plainValue turns raw JSON into the forms that a Record holds.
func plainValue(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case 'n':
		return nil, nil
	case 't':
		return true, nil
	case 'f':
		return false, nil
	case '"':
		return textOf(raw)
	case '{':
		return raw, nil
	case '[':
		var list []any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		err := dec.Decode(&list)
		return list, err
	}
	return json.Number(raw), nil
}

// CheckJSON says where data stops being one JSON value; noun is what the message
// calls it. Errors: CodeInvalid.
func CheckJSON(noun string, data []byte) error {
	if json.Valid(data) {
		return nil
	}
	var raw json.RawMessage
	return notJSON(noun, json.Unmarshal(data, &raw))
}

// notJSON says in our own words, and to the byte, what encoding/json found.
func notJSON(noun string, err error) error {
	text := fmt.Sprint(err)
	bad, known := errors.AsType[*json.SyntaxError](err)
	switch {
	case strings.Contains(text, "unexpected end of JSON"):
		return lectern.Invalid(noun + " is not complete JSON")
	case strings.Contains(text, "after top-level value"):
		return lectern.Invalid(fmt.Sprintf("%s holds more than one JSON value, the next from byte %d on", noun, bad.Offset))
	case known:
		return lectern.Invalid(fmt.Sprintf("%s is not valid JSON at byte %d", noun, bad.Offset))
	}
	return lectern.Invalid(noun + " is not valid JSON")
}

func invalidUTF8At(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// fieldAt guesses which top-level field the byte at offset belongs to, by the
// last key before it, so that the message can name it.
func fieldAt(data []byte, offset int) string {
	dec := json.NewDecoder(bytes.NewReader(data))
	name := ""
	if _, err := dec.Token(); err != nil {
		return name
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return name
		}
		s, ok := key.(string)
		if !ok || dec.InputOffset() > int64(offset) {
			return name
		}
		name = s
		var raw json.RawMessage
		if dec.Decode(&raw) != nil || dec.InputOffset() > int64(offset) {
			return name
		}
	}
	return name
}

// MarshalJSON writes the record as canonical JSON, nested and in order. Members
// of one nested object must stand together.
func (r Record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	open, comma := "", false
	for _, fv := range r {
		group, name, nested := strings.Cut(fv.Field, ".")
		if !nested {
			group, name = "", fv.Field
		}
		if open != "" && group != open {
			b.WriteByte('}')
		}
		if comma {
			b.WriteByte(',')
		}
		if group != "" && group != open {
			fmt.Fprintf(&b, "%q:{", group)
		}
		open, comma = group, true
		fmt.Fprintf(&b, "%q:", name)
		if err := enc.Encode(fv.Value); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1) // Encode ends with a newline
	}
	if open != "" {
		b.WriteByte('}')
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
