package rerank_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// schemaAt follows properties, items and references to a field's description.
func schemaAt(t testing.TB, root map[string]any, path string) map[string]any {
	t.Helper()
	at := root
	follow := func() {
		if ref, ok := at["$ref"].(string); ok {
			defs, _ := root["$defs"].(map[string]any)
			at, _ = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
	}
	for part := range strings.SplitSeq(path, ".") {
		name, list := strings.CutSuffix(part, "[]")
		follow()
		properties, _ := at["properties"].(map[string]any)
		at, _ = properties[name].(map[string]any)
		if list {
			at, _ = at["items"].(map[string]any)
		}
		if at == nil {
			t.Fatalf("%s is not described", path)
		}
	}
	return at
}

// eachField visits every field of the document by its path, with its default.
func eachField(v reflect.Value, path string, visit func(path string, v reflect.Value)) {
	for f := range v.Type().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := name
		if path != "" {
			at = path + "." + name
		}
		field := v.FieldByIndex(f.Index)
		visit(at, field)
		switch {
		case field.Type() == reflect.TypeFor[[]rerank.Rule]():
			eachField(reflect.ValueOf(rerank.Rule{}), at+"[]", visit)
		case field.Kind() == reflect.Struct:
			eachField(field, at, visit)
		case field.Kind() == reflect.Map:
			eachField(reflect.ValueOf(rerank.TermWeights{}), at+".new", visit)
		}
	}
}

// Every field has a sentence, numbers have bounds, and defaults are what holds.
func TestSchemaDescribesEveryField(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(rerank.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	fields := 0
	eachField(reflect.ValueOf(rerank.DefaultConfig()), "", func(path string, v reflect.Value) {
		fields++
		s := schemaAt(t, root, path)
		about, _ := s["description"].(string)
		if title, _ := s["title"].(string); len(about) < 5 || !strings.HasSuffix(about, ".") || title == "" {
			t.Errorf("%s: title %q, description %q", path, title, about)
		}
		if s["additionalProperties"] != nil && s["additionalProperties"] != false {
			t.Errorf("%s takes any field", path)
		}
		typ := v.Type()
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if k := typ.Kind(); k == reflect.Float64 || k == reflect.Int {
			low, high := s["minimum"], s["maximum"]
			if low == nil {
				low = s["exclusiveMinimum"]
			}
			if high == nil {
				high = s["exclusiveMaximum"]
			}
			if low == nil || high == nil {
				t.Errorf("%s has no bounds: %v", path, s)
			}
		}
		if path == "rules[].id" || path == "rules[].action" {
			return // required
		}
		want, err := json.Marshal(v.Interface())
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(s["default"])
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := s["default"]; !ok || !sameDefault(string(got), string(want), v) {
			t.Errorf("%s: default %s, want %s", path, got, want)
		}
	})
	if fields < 150 {
		t.Errorf("only %d fields were looked at", fields)
	}
}

// sameDefault compares a default with what Go writes for it, where nothing may be null.
func sameDefault(got, want string, v reflect.Value) bool {
	switch {
	case want == "null" && v.Kind() == reflect.Slice:
		return got == "[]"
	case want == "null" && v.Kind() == reflect.Map:
		return got == "{}"
	case v.Kind() == reflect.Struct:
		var a, b map[string]any
		if json.Unmarshal([]byte(got), &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
			return false
		}
		for name, x := range b { // what Go leaves out as empty is written out there
			if x == nil {
				continue
			}
			if !cmp.Equal(a[name], x) {
				return false
			}
		}
		return true
	}
	return got == want
}

func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(rerank.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("urn:lectern:schema:rerank", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:lectern:schema:rerank")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t testing.TB, s *jsonschema.Schema, body []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return s.Validate(v)
}

// full is a document with every field set.
func full(t testing.TB) map[string]any {
	t.Helper()
	cfg := rerank.DefaultConfig()
	cfg.Weights.Rows = map[lectern.Row]rerank.TermWeights{lectern.RowNew: {Freshness: 1}}
	cfg.Disabled = []string{"trend"}
	body, err := rerank.Document(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	const rules = `[
		{"id":"a","action":"pin","skills":["go"],"categories":["x"],"providers":["p"],"position":2,"count":3,
		 "surfaces":["home"],"rows":["new"],"from":"2026-01-01T00:00:00Z","until":"2026-02-01T00:00:00Z","off":false,"note":"n",
		 "audience":{"signed_in":true,"min_courses":1,"max_courses":5,"languages":["en"],"regions":["eu"],"organisations":["o"],"levels":["beginner"]}},
		{"id":"b","action":"boost","courses":["c1"],"strength":0.25}]`
	var list any
	if err := json.Unmarshal([]byte(rules), &list); err != nil {
		t.Fatal(err)
	}
	doc["rules"] = list
	return doc
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// leaf is one place of a document, and how to put something else there.
type leaf struct {
	path  string
	value any
	set   func(any)
	drop  func()
}

func leaves(v any, path string, set func(any), drop func()) []leaf {
	out := []leaf{{path, v, set, drop}}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(mapKeys(v)) {
			at := name
			if path != "" {
				at = path + "." + name
			}
			out = append(out, leaves(v[name], at, func(x any) { v[name] = x }, func() { delete(v, name) })...)
		}
	case []any:
		for i := range v {
			out = append(out, leaves(v[i], fmt.Sprintf("%s[%d]", path, i), func(x any) { v[i] = x }, nil)...)
		}
	}
	return out
}

func mapKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// A change of a good document is bad to the schema where it is bad to Parse: of types,
// unknown and missing fields, words and bounds.
func TestSchemaAndParseAgree(t *testing.T) {
	s := compiled(t)
	for _, body := range [][]byte{[]byte("{}"), encode(t, full(t))} {
		if err := valid(t, s, body); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if _, err := rerank.Parse(body); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		doc := full(t)
		places := leaves(doc, "", func(any) {}, nil)[1:]
		for range rapid.IntRange(1, 3).Draw(rt, "changes") {
			at := places[rapid.IntRange(0, len(places)-1).Draw(rt, "place")]
			mutate(rt, at)
		}
		body := encode(t, doc)
		_, err := rerank.Parse(body)
		if schema := valid(t, s, body); (schema == nil) != (err == nil) && !beyondSchema(err) {
			rt.Fatalf("%s\nParse: %v\nschema: %v", body, err, schema)
		}
	})
}

func mutate(rt *rapid.T, at leaf) {
	if object, ok := at.value.(map[string]any); ok && rapid.Bool().Draw(rt, "add") {
		object[rapid.SampledFrom([]string{"x", "home", "quality", "id", "strength"}).Draw(rt, "name")] = 1.0
		return
	}
	if at.drop != nil && rapid.IntRange(0, 4).Draw(rt, "drop") == 0 {
		at.drop()
		return
	}
	at.set(rapid.SampledFrom([]any{
		nil, true, "text", "trend", "home", "", 0.0, 1.0, 0.5, -1.0, 1.5, 2.0, 11.0, 1e7, 1e300, 730.0,
		[]any{}, []any{"trend"}, []any{1.0}, map[string]any{}, "2026-01-15T00:00:00Z", "2026-13-01T00:00:00Z",
	}).Draw(rt, "value"))
}

// beyondSchema reports whether all that is wrong is what a schema cannot say: what two
// fields have to do with each other.
func beyondSchema(err error) bool {
	if err == nil {
		return false
	}
	for _, f := range fieldsIn(err) {
		relation := strings.HasPrefix(f.Allowed, "at least one weight") || strings.HasPrefix(f.Allowed, "an id that no other") ||
			strings.HasPrefix(f.Allowed, "none") || f.Allowed == "later than from" || f.Allowed == "at least min_courses"
		if !relation {
			return false
		}
	}
	return true
}

func fieldsIn(err error) []lectern.FieldError {
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		return e.Fields
	}
	return nil
}

// Bounds are the same to the letter: at each of them, and one step beyond.
func TestBoundsAgree(t *testing.T) {
	s := compiled(t)
	var root map[string]any
	if err := json.Unmarshal(rerank.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for i := range leaves(full(t), "", func(any) {}, nil) {
		doc := full(t)
		at := leaves(doc, "", func(any) {}, nil)[i]
		if _, ok := at.value.(float64); !ok {
			continue
		}
		described := schemaAt(t, root, strings.NewReplacer("[0]", "[]", "[1]", "[]").Replace(at.path))
		integer := described["type"] == "integer" || cmp.Equal(described["type"], []any{"integer", "null"})
		for _, name := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
			bound, ok := described[name].(float64)
			if !ok {
				continue
			}
			below, above := math.Nextafter(bound, math.Inf(-1)), math.Nextafter(bound, math.Inf(1))
			if integer {
				below, above = bound-1, bound+1
			}
			for _, x := range []float64{below, bound, above} {
				tried++
				at.set(json.Number(strconv.FormatFloat(x, 'f', -1, 64)))
				body := encode(t, doc)
				_, err := rerank.Parse(body)
				if schema := valid(t, s, body); (schema == nil) != (err == nil) && !beyondSchema(err) {
					t.Errorf("%s = %v: Parse: %v; schema: %v", at.path, x, err, schema)
				}
			}
		}
	}
	if tried < 500 {
		t.Errorf("only %d bounds were tried", tried)
	}
}
