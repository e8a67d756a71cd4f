package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// Checked is a configuration that says by its Validate what is not acceptable of it,
// by the keys of the configuration file.
type Checked interface{ Validate() error }

// Parse reads a document. What is absent takes its default. Errors: CodeInvalid, or
// CodeUnknownField where fields that nobody knows are all that is wrong, naming
// every field at fault by its path, for example weights.home.quality or
// rules[2].until.
func Parse[C Checked](s *Spec, defaults C, body []byte) (C, error) {
	tree, err := parseTree("the document", body)
	if err != nil {
		return *new(C), err
	}
	return configOf(s, defaults, tree, nil)
}

// configOf reads a tree. faults are what is known to be wrong already.
func configOf[C Checked](s *Spec, cfg C, tree *node, faults []lectern.FieldError) (C, error) {
	r := reader{spec: s, bad: faults}
	r.read(tree, reflect.ValueOf(&cfg).Elem(), "")
	structural := len(r.bad)
	for _, f := range fieldsOf(cfg.Validate()) {
		f.Field = strings.TrimPrefix(f.Field, s.Prefix)
		if !slices.ContainsFunc(r.bad[:structural], func(e lectern.FieldError) bool { return related(e.Field, f.Field) }) {
			r.bad = append(r.bad, f)
		}
	}
	return cfg, r.err()
}

// fieldRoot is how the document as a whole is named.
const fieldRoot = "document"

// related reports whether one path is the other, or leads to it: a field that could
// not be read is not found fault with once more for the value it did not get.
func related(a, b string) bool {
	return a == b || a == fieldRoot || below(a, b) || below(b, a)
}

func below(path, parent string) bool {
	rest, ok := strings.CutPrefix(path, parent)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

func fieldsOf(err error) []lectern.FieldError {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		return e.Fields
	}
	return []lectern.FieldError{{Field: fieldRoot, Reason: err.Error()}}
}

// reader reads a tree into a value and gathers what is wrong.
type reader struct {
	spec *Spec
	bad  []lectern.FieldError
}

const (
	reasonUnknown = "is not a known field"
	reasonType    = "has the wrong type"
	reasonTwice   = "is given more than once"
)

func (r *reader) err() error {
	if len(r.bad) == 0 {
		return nil
	}
	unknown := 0
	for _, f := range r.bad {
		if strings.HasPrefix(f.Reason, reasonUnknown) {
			unknown++
		}
	}
	first := r.bad[0]
	e := lectern.Invalid("the "+r.spec.Noun+" are not usable: "+first.Field+" "+first.Reason, r.bad...)
	if n := len(r.bad); n > 1 {
		e.Message += fmt.Sprintf(", and %d more", n-1)
	}
	if unknown == len(r.bad) {
		e.Code = lectern.CodeUnknownField
	}
	return e
}

func (r *reader) fault(path string, n *node, reason, allowed string) {
	if path == "" {
		path = fieldRoot
	}
	shown := ""
	if n != nil {
		shown = n.shown()
	}
	r.bad = append(r.bad, lectern.NewFieldError(path, shown, reason, allowed))
}

// read puts a value into v, which holds the default.
func (r *reader) read(n *node, v reflect.Value, path string) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		r.time(n, v, path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if n.kind == kindNull {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		r.read(n, v.Elem(), path)
	case reflect.Struct:
		r.object(n, v, path)
	case reflect.Map:
		r.table(n, v, path)
	case reflect.Slice:
		r.list(n, v, path)
	case reflect.Float64:
		r.number(n, v, path)
	case reflect.Int:
		r.integer(n, v, path)
	case reflect.Bool:
		if r.is(n, kindBool, path, wantBool) {
			v.SetBool(n.text == "true")
		}
	default: // strings; the tests of documents hold them against this list
		if r.is(n, kindString, path, wantText) {
			v.SetString(n.text)
		}
	}
}

func (r *reader) is(n *node, want nodeKind, path, allowed string) bool {
	if n.kind != want {
		r.fault(path, n, reasonType, allowed)
	}
	return n.kind == want
}

func (r *reader) object(n *node, v reflect.Value, path string) {
	if !r.is(n, kindObject, path, wantObject) {
		return
	}
	if r.spec.Cleared != nil && r.spec.Cleared(v.Type()) {
		v.SetZero()
	}
	fields := r.spec.members(v.Type())
	seen := make(map[string]bool, len(n.members))
	for _, m := range n.members {
		at := join(path, m.name)
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == m.name })
		switch {
		case i < 0:
			known := make([]string, len(fields))
			for j, f := range fields {
				known[j] = f.name
			}
			r.fault(at, nil, reasonUnknown+nearest.Hint(m.name, known), strings.Join(known, ", "))
		case seen[m.name]:
			r.fault(at, m.value, reasonTwice, "one value")
		default:
			r.read(m.value, v.Field(fields[i].index), at)
		}
		seen[m.name] = true
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			r.fault(join(path, f.name), nil, "is required", "")
		}
	}
}

// table reads a map.
func (r *reader) table(n *node, v reflect.Value, path string) {
	if !r.is(n, kindObject, path, wantObject) {
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.members)))
	for _, m := range n.members {
		at := join(path, m.name)
		if inner, known := r.spec.member(v.Type(), m.name); inner == nil {
			r.fault(at, nil, reasonUnknown+nearest.Hint(m.name, known), strings.Join(known, ", "))
			continue
		}
		key := reflect.ValueOf(m.name).Convert(v.Type().Key())
		if v.MapIndex(key).IsValid() {
			r.fault(at, m.value, reasonTwice, "one value")
			continue
		}
		value := reflect.New(v.Type().Elem()).Elem()
		r.read(m.value, value, at)
		v.SetMapIndex(key, value)
	}
}

func (r *reader) list(n *node, v reflect.Value, path string) {
	if !r.is(n, kindArray, path, wantList) {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		r.read(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (r *reader) number(n *node, v reflect.Value, path string) {
	if !r.is(n, kindNumber, path, wantNumber) {
		return
	}
	f, err := json.Number(n.text).Float64()
	if err != nil || math.IsInf(f, 0) {
		r.fault(path, n, "is too large a number", wantNumber)
		return
	}
	v.SetFloat(f + 0) // no −0, which reads as another document
}

// MaxWhole is the largest whole number that every reader of JSON keeps.
const MaxWhole = 1 << 53

// integer takes what is whole however it is written: 3, 3.0 and 3e0.
func (r *reader) integer(n *node, v reflect.Value, path string) {
	const allowed = wantWhole
	if !r.is(n, kindNumber, path, allowed) {
		return
	}
	f, err := json.Number(n.text).Float64()
	if err != nil || math.Abs(f) > MaxWhole {
		r.fault(path, n, "is too large a number", allowed)
		return
	}
	exact, ok := new(big.Rat).SetString(n.text)
	if !ok || !exact.IsInt() {
		r.fault(path, n, reasonType, allowed)
		return
	}
	v.SetInt(int64(f))
}

func (r *reader) time(n *node, v reflect.Value, path string) {
	const allowed = AllowedTime
	if !r.is(n, kindString, path, allowed) {
		return
	}
	at, err := time.Parse(time.RFC3339, n.text)
	if err != nil {
		r.fault(path, n, "is not a time", allowed)
		return
	}
	v.Set(reflect.ValueOf(lectern.Timestamp(at)))
}
