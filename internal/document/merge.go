package document

import (
	"reflect"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern/internal/nearest"
)

// Merge applies a JSON merge patch (RFC 7396) to a document: what the patch holds
// replaces, null takes away, so that the default holds again. Lists are replaced as a
// whole. This build need not be able to read the document: the patch may be what mends
// it. Errors are Parse's.
func Merge[C Checked](s *Spec, defaults C, body, patch []byte) (C, error) {
	base, err := parseTree("the document", body)
	if err != nil {
		return *new(C), err
	}
	change, err := parseTree("the patch", patch)
	if err != nil {
		return *new(C), err
	}
	r := reader{spec: s}
	r.checkPatch(base, change, reflect.TypeFor[C](), "")
	return configOf(s, defaults, merged(base, change), r.bad)
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
		inner, known := r.spec.member(t, m.name)
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
