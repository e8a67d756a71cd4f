package rerank

import (
	"reflect"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern/internal/nearest"

	"github.com/lectern-dev/lectern"
)

// Merge applies a JSON merge patch (RFC 7396) to settings: what the patch holds
// replaces, null takes away, so that the default holds again, or, of a weight,
// nothing. Lists, and so the rules, are replaced as a whole. Errors are Parse's.
func Merge(cfg Config, patch []byte) (Config, error) {
	body, err := Document(cfg)
	if err != nil {
		return Config{}, err
	}
	return MergeDocument(body, patch)
}

// MergeDocument is Merge for a document as it is stored, which this build may not be
// able to read: the patch may be what mends it.
func MergeDocument(body, patch []byte) (Config, error) {
	base, err := parseTree("the document", body)
	if err != nil {
		return Config{}, err
	}
	change, err := parseTree("the patch", patch)
	if err != nil {
		return Config{}, err
	}
	var r reader
	r.checkPatch(base, change, reflect.TypeFor[Config](), "")
	return configOf(merged(base, change), r.bad)
}

// merged is MergePatch of RFC 7396, section 2.
func merged(target, patch *node) *node {
	if patch.kind != kindObject {
		return patch
	}
	out := &node{kind: kindObject}
	if target != nil && target.kind == kindObject {
		out.members = slices.Clone(target.members)
	}
	for _, m := range patch.members {
		if m.value.kind == kindNull {
			out.remove(m.name)
			continue
		}
		out.set(m.name, merged(out.get(m.name), m.value))
	}
	return out
}

// checkPatch finds what merging would lose: members given twice, and unknown ones
// that are to be taken away and were never there.
func (r *reader) checkPatch(target, n *node, t reflect.Type, path string) {
	if n.kind != kindObject || t == nil {
		return
	}
	seen := make(map[string]bool, len(n.members))
	for _, m := range n.members {
		at := join(path, m.name)
		if seen[m.name] {
			r.fault(at, m.value, reasonTwice, "one value")
		}
		seen[m.name] = true
		inner, known := memberType(t, m.name)
		var there *node
		if target != nil {
			there = target.get(m.name)
		}
		if inner == nil && there == nil && m.value.kind == kindNull {
			r.fault(at, nil, reasonUnknown+nearest.Hint(m.name, known), strings.Join(known, ", "))
		}
		r.checkPatch(there, m.value, inner, at)
	}
}

// memberType returns the type behind a member's name, nil for none, and the names
// that there are.
func memberType(t reflect.Type, name string) (inner reflect.Type, known []string) {
	switch t.Kind() {
	case reflect.Map:
		if slices.Contains(lectern.Rows(), lectern.Row(name)) {
			return t.Elem(), nil
		}
		for _, row := range lectern.Rows() {
			known = append(known, string(row))
		}
		return nil, known
	case reflect.Struct:
		for _, f := range jsonFields(t) {
			known = append(known, f.name)
			if f.name == name {
				inner = t.Field(f.index).Type
			}
		}
	}
	return inner, known
}
