package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// nodeKind is what a JSON value is.
type nodeKind int

const (
	kindNull nodeKind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

// maxDepth is how deep a document may be nested; ours are four deep.
const maxDepth = 32

// node is a JSON value with its members in order, and repeated ones too: what
// encoding/json drops without a word is wrong here.
type node struct {
	kind    nodeKind
	text    string // of a string; a number as it is written; true or false
	items   []*node
	members []member
}

type member struct {
	name  string
	value *node
}

// parseTree reads one JSON value. Errors: CodeInvalid, saying where it ends to be
// one.
func parseTree(noun string, body []byte) (*node, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(body) {
		return nil, lectern.Invalid(noun + " is not valid UTF-8")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, lectern.Invalid(noun + " is empty; a JSON object is needed")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	n, err := parseValue(dec, 0)
	if err != nil {
		return nil, notOneValue(noun, err, dec.InputOffset())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, lectern.Invalid(fmt.Sprintf("%s goes on after its JSON value, at byte %d", noun, dec.InputOffset()))
	}
	return n, nil
}

// errDepth ends the reading of a document that is nested too deep.
var errDepth = errors.New("nested too deep")

func notOneValue(noun string, err error, at int64) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = syntax.Offset
	}
	switch {
	case errors.Is(err, errDepth):
		return lectern.Invalid(fmt.Sprintf("%s is nested more than %d deep, at byte %d", noun, maxDepth, at))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return lectern.Invalid(noun + " is not complete JSON")
	}
	return lectern.Invalid(fmt.Sprintf("%s is not valid JSON at byte %d", noun, at))
}

func parseValue(dec *json.Decoder, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return parseArray(dec, depth)
		}
		return parseObject(dec, depth)
	case string:
		return &node{kind: kindString, text: t}, nil
	case json.Number:
		return &node{kind: kindNumber, text: t.String()}, nil
	case bool:
		return &node{kind: kindBool, text: strconv.FormatBool(t)}, nil
	}
	return &node{kind: kindNull}, nil
}

func parseArray(dec *json.Decoder, depth int) (*node, error) {
	n := &node{kind: kindArray}
	for dec.More() {
		item, err := parseValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	_, err := dec.Token()
	return n, err
}

func parseObject(dec *json.Decoder, depth int) (*node, error) {
	n := &node{kind: kindObject}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		value, err := parseValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		name, _ := key.(string) // the decoder takes nothing else
		n.members = append(n.members, member{name, value})
	}
	_, err := dec.Token()
	return n, err
}

// get returns a member, nil when there is none; the last one of that name.
func (n *node) get(name string) *node {
	for _, m := range slices.Backward(n.members) {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// set replaces a member, or adds it.
func (n *node) set(name string, value *node) {
	for i := range n.members {
		if n.members[i].name == name {
			n.members[i].value = value
			return
		}
	}
	n.members = append(n.members, member{name, value})
}

// remove drops a member.
func (n *node) remove(name string) {
	n.members = slices.DeleteFunc(n.members, func(m member) bool { return m.name == name })
}

// names lists the members.
func (n *node) names() []string {
	out := make([]string, len(n.members))
	for i, m := range n.members {
		out[i] = m.name
	}
	return out
}

// append writes the value as JSON, without spaces.
func (n *node) append(b []byte) []byte {
	switch n.kind {
	case kindBool, kindNumber:
		return append(b, n.text...)
	case kindString:
		return appendString(b, n.text)
	case kindArray:
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.append(b)
		}
		return append(b, ']')
	case kindObject:
		b = append(b, '{')
		for i, m := range n.members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, m.name), ':')
			b = m.value.append(b)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

func appendString(b []byte, s string) []byte {
	buf := bytes.NewBuffer(b)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// shown is the value as an error shows it.
func (n *node) shown() string {
	switch n.kind {
	case kindString:
		return n.text
	case kindArray:
		return fmt.Sprintf("a list of %d", len(n.items))
	case kindObject:
		return "an object"
	case kindNull:
		return "null"
	}
	return n.text
}
