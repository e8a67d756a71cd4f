package rerank

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// Schema returns a JSON Schema (2020-12) of the settings document, with a sentence,
// bounds and a default for every field: those that Parse goes by.
func Schema() []byte {
	w := schemaWriter{rules: fieldRules()}
	root := w.of(reflect.ValueOf(DefaultConfig()), "", "")
	out := object(
		"$schema", text("https://json-schema.org/draft/2020-12/schema"),
		"$id", text("urn:lectern:schema:rerank"),
		"title", text("Rerank settings"),
		"description", text("What lists are made by. A section or field that is absent takes its default; of a surface or row whose weights are given, an absent weight is 0."),
	)
	out.members = append(out.members, root.members...)
	defs := object("weights", w.of(reflect.ValueOf(TermWeights{}), "weights.*", ""), "rule", w.rule())
	out.members = append(out.members, member{"$defs", defs})
	return out.append(nil)
}

// schemaWriter describes values by their types and rules.
type schemaWriter struct{ rules map[string]fieldRule }

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
	rule := w.rules[generic(path)]
	t := v.Type()
	out := &node{kind: kindObject}
	if rule.about != "" {
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
		for _, row := range lectern.Rows() {
			properties.set(string(row), w.of(reflect.ValueOf(TermWeights{}), join(path, string(row)), "#/$defs/weights"))
		}
		return
	}
	var required []string
	for _, f := range jsonFields(v.Type()) {
		at := join(path, f.name)
		inner := w.of(v.Field(f.index), at, "")
		if f.required {
			required = append(required, f.name)
		} else {
			inner.set("default", defaultOf(v.Field(f.index)))
		}
		properties.set(f.name, inner)
	}
	if required != nil {
		out.set("required", listOf(required))
	}
}

func (w schemaWriter) items(out *node, v reflect.Value, path string, rule fieldRule) {
	if rule.maxItems > 0 {
		out.set("maxItems", whole(rule.maxItems))
	}
	ref := ""
	if v.Type().Elem() == reflect.TypeFor[Rule]() {
		ref = "#/$defs/rule"
	}
	out.set("items", w.of(reflect.Zero(v.Type().Elem()), path+"[]", ref))
}

// rule describes one rule; it needs something that it is about.
func (w schemaWriter) rule() *node {
	out := w.of(reflect.ValueOf(Rule{}), "rules[]", "")
	about := &node{kind: kindArray}
	for _, name := range []string{"courses", "skills", "categories", "providers"} {
		about.items = append(about.items, object("required", listOf([]string{name}), "properties",
			object(name, object("minItems", whole(1)))))
	}
	out.set("anyOf", about)
	return out
}

func bounds(out *node, rule fieldRule) {
	if rule.oneOf != nil {
		values := &node{kind: kindArray}
		for _, x := range rule.oneOf {
			values.items = append(values.items, numeric(x))
		}
		out.set("enum", values)
	}
	low, high := "minimum", "maximum"
	if rule.over {
		low = "exclusiveMinimum"
	}
	if rule.under {
		high = "exclusiveMaximum"
	}
	out.set(low, numeric(rule.min))
	out.set(high, numeric(rule.max))
}

func texts(out *node, rule fieldRule) {
	if rule.words != nil {
		out.set("enum", listOf(rule.words))
	}
	if rule.pattern != "" {
		out.set("pattern", text(rule.pattern))
	}
	if rule.maxLength > 0 {
		out.set("maxLength", whole(rule.maxLength))
	}
}

// defaultOf writes a default, of lists and tables an empty one.
func defaultOf(v reflect.Value) *node {
	switch v.Kind() {
	case reflect.Slice:
		return &node{kind: kindArray} // rules and disabled are empty by default
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
		for _, f := range jsonFields(v.Type()) {
			if inner := v.Field(f.index); inner.Kind() != reflect.Pointer {
				out.set(f.name, defaultOf(inner))
			}
		}
		return out
	}
	return text(v.String())
}

// sentence is a rule's description, with what a special value means.
func sentence(rule fieldRule) string {
	if rule.note == "" {
		return rule.about
	}
	return strings.TrimSuffix(rule.about, ".") + "; " + rule.note + "."
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

// generic is the path that fieldRules knows a field by.
func generic(path string) string {
	rest, ok := strings.CutPrefix(path, "weights.")
	if !ok {
		return path
	}
	parts := strings.Split(rest, ".")
	switch {
	case parts[0] == "rows" && len(parts) == 2:
		return "weights.rows.*"
	case parts[0] == "rows" && len(parts) == 3:
		return "weights.*." + parts[2]
	case len(parts) == 2 && (parts[0] == "*" || slices.Contains(lectern.Surfaces(), lectern.Surface(parts[0]))):
		return "weights.*." + parts[1]
	}
	return path
}

// fieldProblems names every number that its rule does not allow, rules left out.
func fieldProblems(cfg Config) []lectern.FieldError {
	v := checker{prefix: keyPrefix}
	v.numbers(fieldRules(), reflect.ValueOf(cfg), "")
	return v.bad
}

func (v *checker) numbers(rules map[string]fieldRule, value reflect.Value, path string) {
	switch value.Kind() {
	case reflect.Struct:
		for _, f := range jsonFields(value.Type()) {
			v.numbers(rules, value.Field(f.index), join(path, f.name))
		}
	case reflect.Map:
		keys := value.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			v.numbers(rules, value.MapIndex(key), join(path, key.String()))
		}
	case reflect.Float64, reflect.Int:
		rule := rules[generic(path)]
		var f float64
		if value.CanFloat() {
			f = value.Float()
		} else {
			f = float64(value.Int())
		}
		v.check(rule.allows(f), path, f, rule.allowed())
	}
}
