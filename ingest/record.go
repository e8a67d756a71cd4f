package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
func ParseRecord(kind Kind, data []byte) (Record, error) {
	if !utf8.Valid(data) {
		at := invalidUTF8At(data)
		return nil, lectern.Invalid(fmt.Sprintf("the row is not valid UTF-8 at byte %d", at+1),
			lectern.NewFieldError(fieldAt(data, at), string(data[at:min(len(data), at+8)]), "is not valid UTF-8", ""))
	}
	p := recordParser{kind: kind, seen: make(map[string]bool, 16)}
	if err := p.object(data, ""); err != nil {
		return nil, err
	}
	if p.problems != nil {
		return nil, invalid(kind, p.problems)
	}
	return p.rec, nil
}

type recordParser struct {
	kind     Kind
	rec      Record
	seen     map[string]bool
	problems []lectern.FieldError
}

// object reads the members of data below the dotted prefix.
func (p *recordParser) object(data []byte, prefix string) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	first, err := dec.Token()
	if err != nil {
		return notJSON(err)
	}
	if first != json.Delim('{') {
		return lectern.Invalid("the row must be a JSON object")
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return notJSON(err)
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return notJSON(err)
		}
		name := prefix + fmt.Sprint(key)
		if strings.Contains(fmt.Sprint(key), ".") {
			p.problems = append(p.problems, lectern.FieldError{Field: name, Reason: reasonUnknown + "; nested fields are nested objects"})
			continue
		}
		if p.seen[name] {
			p.problems = append(p.problems, lectern.FieldError{Field: name, Reason: "is given twice"})
			continue
		}
		p.seen[name] = true
		if err := p.member(name, raw, prefix == ""); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return notJSON(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return lectern.Invalid("the row holds more than one JSON object")
	}
	return nil
}

func (p *recordParser) member(name string, raw json.RawMessage, top bool) error {
	if top && isGroup(p.kind, name) {
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
		return notJSON(err)
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
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
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

func notJSON(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return lectern.Invalid("the row is not complete JSON")
	}
	return lectern.Invalid("the row is not JSON: " + err.Error())
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
