package document

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Spec says how the documents of one kind are read and described.
type Spec struct {
	Noun   string // what errors call them, for example "rerank settings"
	Prefix string // what the keys of the configuration file begin with, for example "rerank."
	// Fields describes every field by its path, [] being any place of a list. It is made
	// anew on each call.
	Fields func() map[string]Field
	// The rest may be nil.
	Generic  func(path string) string               // the path that Fields knows a field by
	Members  func(t reflect.Type) []string          // the members that a map may have
	Cleared  func(t reflect.Type) bool              // absent members are zero, whatever the default
	Required func(t reflect.Type, name string) bool // a member without a default
	ByID     func(path string) bool                 // a list whose objects are told apart by their id
	Apart    func(path string) bool                 // checked elsewhere: Problems leaves it out
	Schema   Schema
}

// Schema is what the JSON Schema says beside the fields.
type Schema struct {
	ID, Title, Description string
	Definitions            []Definition
}

// Definition is a type that members of maps and items of lists refer to.
type Definition struct {
	Name string
	Type reflect.Type
	Path string   // that Fields knows it by
	Some []string // lists of which one at least has to hold something
}

// Field is what one field of a document means and may be: checks go by it, and the
// schema tells it, so that the two never differ.
type Field struct {
	About string // a sentence
	// Of numbers.
	Min, Max  float64
	Over      bool      // Min itself is not allowed
	Under     bool      // Max itself is not allowed
	OneOf     []float64 // nothing else; nil is all from Min to Max
	Note      string    // what a special value means
	Words     []string  // of texts: nothing else
	Pattern   string    // of texts
	MaxLength int       // of texts, in bytes
	MaxItems  int       // of lists
	Unique    bool      // of lists: no value twice
}

// allows reports whether a number is allowed.
func (f Field) allows(v float64) bool {
	switch {
	case math.IsNaN(v) || v < f.Min || v > f.Max || f.Over && v == f.Min || f.Under && v == f.Max:
		return false
	case f.OneOf == nil:
		return true
	}
	return slices.Contains(f.OneOf, v)
}

// allowed says in words which numbers are.
func (f Field) allowed() string {
	low, high := number(f.Min), number(f.Max)
	words := low + " to " + high
	switch {
	case f.OneOf != nil:
		parts := make([]string, len(f.OneOf))
		for i, x := range f.OneOf {
			parts[i] = number(x)
		}
		words = strings.Join(parts, ", ")
	case f.Over:
		words = "over " + low + ", at most " + high
	case f.Under:
		words = "at least " + low + ", under " + high
	}
	if f.Note != "" {
		words += "; " + f.Note
	}
	return words
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Problems names every number, text and list of a value that its field does not
// allow, by the keys of the configuration file. path is the value's own in the
// document, "" for the whole.
func (s *Spec) Problems(value reflect.Value, path string) []lectern.FieldError {
	c := problems{spec: s, fields: s.Fields()}
	c.find(value, path, path)
	return c.bad
}

type problems struct {
	spec   *Spec
	fields map[string]Field
	bad    []lectern.FieldError
}

func (c *problems) check(ok bool, path string, value any, allowed string) {
	if !ok {
		c.bad = append(c.bad, lectern.NewFieldError(c.spec.Prefix+path, value, "is not allowed", allowed))
	}
}

// find looks at the value at a path; anywhere is the path with [] for places of lists.
func (c *problems) find(value reflect.Value, path, anywhere string) {
	if c.spec.Apart != nil && c.spec.Apart(path) {
		return
	}
	field := c.fields[c.spec.generic(anywhere)]
	switch value.Kind() {
	case reflect.Struct:
		for _, f := range c.spec.members(value.Type()) {
			c.find(value.Field(f.index), join(path, f.name), join(anywhere, f.name))
		}
	case reflect.Map:
		keys := value.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			c.find(value.MapIndex(key), join(path, key.String()), join(anywhere, key.String()))
		}
	case reflect.Slice:
		c.list(field, value, path, anywhere)
	case reflect.Float64:
		c.check(field.allows(value.Float()), path, value.Float(), field.allowed())
	case reflect.Int:
		c.check(field.allows(float64(value.Int())), path, value.Int(), field.allowed())
	case reflect.String:
		c.text(field, value.String(), path)
	}
}

func (c *problems) list(field Field, value reflect.Value, path, anywhere string) {
	n := value.Len()
	c.check(field.MaxItems == 0 || n <= field.MaxItems, path, strconv.Itoa(n)+" values", "at most "+strconv.Itoa(field.MaxItems)+" values")
	for i := range n {
		at := path + "[" + strconv.Itoa(i) + "]"
		c.find(value.Index(i), at, anywhere+"[]")
		for j := range i {
			if field.Unique && value.Index(i).Equal(value.Index(j)) {
				c.check(false, at, value.Index(i), "a value that is not there yet: "+path+"["+strconv.Itoa(j)+"] has it")
				break
			}
		}
	}
}

func (c *problems) text(field Field, text, path string) {
	if field.Words != nil {
		c.check(slices.Contains(field.Words, text), path, text, strings.Join(field.Words, ", "))
	}
	if field.MaxLength > 0 {
		c.check(len(text) <= field.MaxLength, path, text, "at most "+strconv.Itoa(field.MaxLength)+" bytes")
	}
}

func (s *Spec) generic(path string) string {
	if s.Generic == nil {
		return path
	}
	return s.Generic(path)
}

// field is one field of a struct as its documents have it.
type field struct {
	name     string
	index    int
	required bool
}

// members lists the fields of a struct.
func (s *Spec) members(t reflect.Type) []field {
	out := make([]field, 0, t.NumField())
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		out = append(out, field{name, f.Index[0], s.Required != nil && s.Required(t, name)})
	}
	return out
}

// member returns the type behind a member's name, nil for none, and the names that
// there are.
func (s *Spec) member(t reflect.Type, name string) (inner reflect.Type, known []string) {
	switch t.Kind() {
	case reflect.Map:
		known = s.Members(t)
		if slices.Contains(known, name) {
			return t.Elem(), nil
		}
		return nil, known
	case reflect.Struct:
		for _, f := range s.members(t) {
			known = append(known, f.name)
			if f.name == name {
				inner = t.Field(f.index).Type
			}
		}
	}
	return inner, known
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
