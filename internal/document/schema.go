package document

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Describe returns a JSON Schema (2020-12) of the document, with a sentence, bounds
// and a default for every field: those that Parse goes by. defaults is what holds
// where a document says nothing.
func (s *Spec) Describe(defaults any) []byte {
	w := schemaWriter{spec: s, rules: s.Fields()}
	root := w.of(reflect.ValueOf(defaults), "", "")
	out := object(
		"$schema", text("https://json-schema.org/draft/2020-12/schema"),
		"$id", text(s.Schema.ID),
		"title", text(s.Schema.Title),
		"description", text(s.Schema.Description),
	)
	out.members = append(out.members, root.members...)
	if len(s.Schema.Definitions) > 0 {
		defs := &node{kind: kindObject}
		for _, d := range s.Schema.Definitions {
			defs.set(d.Name, w.definition(d))
		}
		out.members = append(out.members, member{"$defs", defs})
	}
	return out.append(nil)
}

// schemaWriter describes values by their types and rules.
type schemaWriter struct {
	spec  *Spec
	rules map[string]Field
}

// definition describes a type that others refer to.
func (w schemaWriter) definition(d Definition) *node {
	out := w.of(reflect.Zero(d.Type), d.Path, "")
	if d.Some == nil {
		return out
	}
	about := &node{kind: kindArray}
	for _, name := range d.Some {
		about.items = append(about.items, object("required", listOf([]string{name}), "properties",
			object(name, object("minItems", whole(1)))))
	}
	out.set("anyOf", about)
	return out
}

// ref is where a type is described, "" for where it stands.
func (w schemaWriter) ref(t reflect.Type) string {
	for _, d := range w.spec.Schema.Definitions {
		if d.Type == t {
			return "#/$defs/" + d.Name
		}
	}
	return ""
}

func object(pairs ...any) *node {
	n := &node{kind: kindObject}
	for i := 0; i < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		value, _ := pairs[i+1].(*node)
		n.members = append(n.members, member{name, value})
	}
	return n
}

func text(s string) *node { return &node{kind: kindString, text: s} }

func numeric(v float64) *node { return &node{kind: kindNumber, text: number(v)} }

func whole(v int) *node { return &node{kind: kindNumber, text: strconv.Itoa(v)} }

func truth(v bool) *node { return &node{kind: kindBool, text: strconv.FormatBool(v)} }

// of describes the value at a path, v being its default. ref is a definition to point
// at in place of the members.
func (w schemaWriter) of(v reflect.Value, path, ref string) *node {
	rule := w.rules[w.spec.generic(path)]
	t := v.Type()
	out := &node{kind: kindObject}
	if rule.About != "" {
		out.set("title", text(title(path)))
		out.set("description", text(sentence(rule)))
	}
	if ref != "" {
		out.set("$ref", text(ref))
		return out
	}
	kind, null := typeName(t)
	names := text(kind)
	if null {
		names = listOf([]string{kind, "null"})
	}
	out.set("type", names)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch kind {
	case "object":
		w.members(out, v, path)
	case "array":
		w.items(out, v, path, rule)
	case "number", "integer":
		bounds(out, rule)
	case "string":
		texts(out, rule)
		if t == reflect.TypeFor[time.Time]() {
			out.set("format", text("date-time"))
		}
	}
	return out
}

// typeName is the JSON type of a Go type, and whether null is one too.
func typeName(t reflect.Type) (name string, null bool) {
	if t.Kind() == reflect.Pointer {
		name, _ = typeName(t.Elem())
		return name, true
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "string", false
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return "object", false
	case t.Kind() == reflect.Slice:
		return "array", false
	case t.Kind() == reflect.Float64:
		return "number", false
	case t.Kind() == reflect.Int:
		return "integer", false
	case t.Kind() == reflect.Bool:
		return "boolean", false
	}
	return "string", false
}

func (w schemaWriter) members(out *node, v reflect.Value, path string) {
	properties := &node{kind: kindObject}
	out.set("properties", properties)
	out.set("additionalProperties", truth(false))
	if v.Kind() == reflect.Map {
		for _, name := range w.spec.Members(v.Type()) {
			properties.set(name, w.of(reflect.Zero(v.Type().Elem()), join(path, name), w.ref(v.Type().Elem())))
		}
		return
	}
	var required []string
	for _, f := range w.spec.members(v.Type()) {
		at := join(path, f.name)
		inner := w.of(v.Field(f.index), at, "")
		if f.required {
			required = append(required, f.name)
		} else {
			inner.set("default", w.defaultOf(v.Field(f.index)))
		}
		properties.set(f.name, inner)
	}
	if required != nil {
		out.set("required", listOf(required))
	}
}

func (w schemaWriter) items(out *node, v reflect.Value, path string, rule Field) {
	if rule.MaxItems > 0 {
		out.set("maxItems", whole(rule.MaxItems))
	}
	if rule.Unique {
		out.set("uniqueItems", truth(true))
	}
	elem := v.Type().Elem()
	out.set("items", w.of(reflect.Zero(elem), path+"[]", w.ref(elem)))
}

func bounds(out *node, rule Field) {
	if rule.OneOf != nil {
		values := &node{kind: kindArray}
		for _, x := range rule.OneOf {
			values.items = append(values.items, numeric(x))
		}
		out.set("enum", values)
	}
	low, high := "minimum", "maximum"
	if rule.Over {
		low = "exclusiveMinimum"
	}
	if rule.Under {
		high = "exclusiveMaximum"
	}
	out.set(low, numeric(rule.Min))
	out.set(high, numeric(rule.Max))
}

func texts(out *node, rule Field) {
	if rule.Words != nil {
		out.set("enum", listOf(rule.Words))
	}
	if rule.Pattern != "" {
		out.set("pattern", text(rule.Pattern))
	}
	if rule.MaxLength > 0 {
		out.set("maxLength", whole(rule.MaxLength))
	}
}

// defaultOf writes a default, of tables an empty one.
func (w schemaWriter) defaultOf(v reflect.Value) *node {
	switch v.Kind() {
	case reflect.Slice:
		out := &node{kind: kindArray}
		for i := range v.Len() {
			out.items = append(out.items, w.defaultOf(v.Index(i)))
		}
		return out
	case reflect.Map:
		return &node{kind: kindObject}
	case reflect.Pointer:
		return &node{kind: kindNull}
	case reflect.Float64:
		return numeric(v.Float())
	case reflect.Int:
		return whole(int(v.Int()))
	case reflect.Bool:
		return truth(v.Bool())
	case reflect.Struct:
		out := &node{kind: kindObject}
		for _, f := range w.spec.members(v.Type()) {
			if inner := v.Field(f.index); inner.Kind() != reflect.Pointer {
				out.set(f.name, w.defaultOf(inner))
			}
		}
		return out
	}
	return text(v.String())
}

// sentence is a rule's description, with what a special value means.
func sentence(rule Field) string {
	if rule.Note == "" {
		return rule.About
	}
	return strings.TrimSuffix(rule.About, ".") + "; " + rule.Note + "."
}

// title is the last name of a path, for people.
func title(path string) string {
	name := path[strings.LastIndexByte(path, '.')+1:]
	name = strings.ReplaceAll(strings.TrimSuffix(name, "[]"), "_", " ")
	if name == "" || name == "*" {
		return "Weights"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
