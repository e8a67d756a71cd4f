package document

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
)

// Change is one difference between two documents.
type Change struct {
	Path string          `json:"path"`           // as in errors, but what has an id by that: rules["summer"].strength
	From json.RawMessage `json:"from,omitempty"` // none where it was not there
	To   json.RawMessage `json:"to,omitempty"`   // none where it is there no longer
}

// Diff returns what differs from document a to b, in their order; this build need not
// be able to read them. Objects of lists that have ids are the same when their ids
// are; their order is one value. None is an empty list. Errors: CodeInvalid for what
// is not JSON.
func (s *Spec) Diff(a, b []byte) ([]Change, error) {
	from, err := parseTree("the document before", a)
	if err != nil {
		return nil, err
	}
	to, err := parseTree("the document after", b)
	if err != nil {
		return nil, err
	}
	d := differ{byID: s.ByID}
	return d.differences([]Change{}, "", from, to), nil
}

// differ compares documents.
type differ struct{ byID func(path string) bool }

// differences appends what differs. A nil node is one that is not there.
func (d differ) differences(out []Change, path string, a, b *node) []Change {
	switch {
	case a != nil && b != nil && a.kind == kindObject && b.kind == kindObject:
		for _, name := range union(a.names(), b.names()) {
			out = d.differences(out, join(path, name), a.get(name), b.get(name))
		}
		return out
	case d.byID != nil && d.byID(path) && a.hasIDs() && b.hasIDs():
		return d.listed(out, path, a, b)
	case same(a, b):
		return out
	}
	return append(out, Change{Path: path, From: a.raw(), To: b.raw()})
}

// listed appends what differs between two lists of objects with ids.
func (d differ) listed(out []Change, path string, a, b *node) []Change {
	from, to := a.byID(), b.byID()
	for _, id := range union(b.ids(), a.ids()) {
		out = d.differences(out, path+"["+strconv.Quote(id)+"]", from[id], to[id])
	}
	both := func(ids []string) []string {
		return slices.DeleteFunc(ids, func(id string) bool { return from[id] == nil || to[id] == nil })
	}
	if !slices.Equal(both(a.ids()), both(b.ids())) {
		out = append(out, Change{Path: path + ".order", From: listOf(a.ids()).raw(), To: listOf(b.ids()).raw()})
	}
	return out
}

// hasIDs reports whether n is a list of objects with an id each, all different.
func (n *node) hasIDs() bool {
	if n == nil || n.kind != kindArray {
		return false
	}
	seen := make(map[string]bool, len(n.items))
	for _, item := range n.items {
		id := item.get("id")
		if id == nil || id.kind != kindString || seen[id.text] {
			return false
		}
		seen[id.text] = true
	}
	return true
}

func (n *node) ids() []string {
	out := make([]string, len(n.items))
	for i, item := range n.items {
		out[i] = item.get("id").text
	}
	return out
}

func (n *node) byID() map[string]*node {
	out := make(map[string]*node, len(n.items))
	for _, item := range n.items {
		out[item.get("id").text] = item
	}
	return out
}

func listOf(texts []string) *node {
	n := &node{kind: kindArray}
	for _, s := range texts {
		n.items = append(n.items, &node{kind: kindString, text: s})
	}
	return n
}

// raw writes a node, nothing for one that is not there.
func (n *node) raw() json.RawMessage {
	if n == nil {
		return nil
	}
	return n.append(nil)
}

// same reports whether two values are equal: numbers by what they are, objects
// whatever the order of their members.
func same(a, b *node) bool {
	if a == nil || b == nil || a.kind != b.kind {
		return a == b
	}
	switch a.kind {
	case kindNumber:
		x, ok := new(big.Float).SetString(a.text)
		y, also := new(big.Float).SetString(b.text)
		return a.text == b.text || ok && also && x.Cmp(y) == 0
	case kindArray:
		return slices.EqualFunc(a.items, b.items, same)
	case kindObject:
		return len(differ{}.differences(nil, "", a, b)) == 0
	}
	return a.text == b.text
}

// union lists the names of a, then those that only b has.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, name := range b {
		if !slices.Contains(a, name) {
			out = append(out, name)
		}
	}
	return out
}
