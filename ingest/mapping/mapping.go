// Package mapping says how the columns of somebody else's file become our
// fields. A mapping is a YAML file; docs/import.md describes every key.
package mapping

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/source"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// Mapping is a mapping that was read and checked, but not yet held against a
// file's headings. It does not change and may be shared.
type Mapping struct {
	Name   string // where it was read from
	Kind   ingest.Kind
	Source source.Options
	rules  []*rule // in the order of the kind's fields
}

// Load reads a mapping from a file. Errors: CodeInvalid with every problem and
// its line.
func Load(path string, kind ingest.Kind) (*Mapping, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, lectern.Errorf(lectern.CodeInvalid, "read the mapping: %w", err)
	}
	return Parse(path, data, kind)
}

// Parse reads a mapping for rows of one kind. name stands in error messages.
// Errors: CodeInvalid with every problem and its line.
func Parse(name string, data []byte, kind ingest.Kind) (*Mapping, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, lectern.Invalid(fmt.Sprintf("%s is not YAML: %s", name, strings.TrimPrefix(err.Error(), "yaml: ")))
	}
	p := &parser{}
	m := &Mapping{Name: name, Kind: kind}
	if len(doc.Content) == 0 {
		p.fail(&doc, "fields", "is required: the mapping is empty")
	} else {
		p.mapping(m, doc.Content[0])
	}
	if p.problems != nil {
		return nil, p.error(name)
	}
	return m, nil
}

// mapping reads the top level.
func (p *parser) mapping(m *Mapping, n *yaml.Node) {
	var fields *yaml.Node
	var sourceNode *yaml.Node
	common := &rule{}
	p.object(n, "", map[string]func(*yaml.Node, string){
		"kind": func(n *yaml.Node, path string) {
			if k := p.text(n, path); k != "" && k != string(m.Kind) {
				p.fail(n, path, fmt.Sprintf("is %q, but %s are being imported", k, m.Kind))
			}
		},
		"format": func(n *yaml.Node, path string) {
			m.Source.Format = source.Format(p.word(n, path, []string{string(source.CSV), string(source.JSONL)}))
		},
		"delimiter": func(n *yaml.Node, path string) {
			d := p.text(n, path)
			if len(d) != 1 || d[0] >= 0x80 || strings.ContainsAny(d, "\"\r\n") {
				p.fail(n, path, "must be one ASCII character, not a quote or a line end; write a tab as \"\\t\"")
				return
			}
			m.Source.Delimiter = d[0]
		},
		"encoding": func(n *yaml.Node, path string) { m.Source.Encoding = p.word(n, path, source.Encodings()) },
		"source":   func(n *yaml.Node, _ string) { sourceNode = n },
		"empty":    func(n *yaml.Node, path string) { common.empty = folded(p.texts(n, path)) },
		"decimal":  func(n *yaml.Node, path string) { common.decimal = p.decimal(n, path) },
		"repair":   func(n *yaml.Node, path string) { common.repair = p.word(n, path, repairs()) },
		"fields":   func(n *yaml.Node, _ string) { fields = n },
	})
	if fields == nil {
		p.fail(n, "fields", "is required")
		return
	}
	p.fields(m, fields, common)
	if sourceNode != nil {
		p.source(m, sourceNode)
	}
	p.required(m, fields)
	m.sortRules()
}

// fields reads one rule per field.
func (p *parser) fields(m *Mapping, n *yaml.Node, common *rule) {
	known := ingest.Fields(m.Kind)
	names := ingest.FieldNames(m.Kind)
	p.pairs(n, "fields", func(key *yaml.Node, v *yaml.Node, path string) {
		r := &rule{line: key.Line, empty: common.empty, decimal: common.decimal, repair: common.repair}
		i := slices.Index(names, key.Value)
		group, member, nested := strings.Cut(key.Value, ".")
		switch {
		case i >= 0:
			r.field = known[i]
		case nested && member != "" && slices.ContainsFunc(known, func(f ingest.Field) bool {
			return f.Name == group && f.Type == ingest.TypeObject
		}):
			r.field, r.member = known[slices.Index(names, group)], member
		default:
			p.fail(key, path, fmt.Sprintf("is not a field of %s%s; known are %s", m.Kind, nearest.Hint(key.Value, names), strings.Join(names, ", ")))
			return
		}
		p.rule(r, v, path)
		m.rules = append(m.rules, r)
	})
}

// source gives every row the same source.
func (p *parser) source(m *Mapping, n *yaml.Node) {
	i := slices.Index(ingest.FieldNames(m.Kind), "source")
	switch {
	case i < 0:
		p.fail(n, "source", fmt.Sprintf("has no meaning for %s", m.Kind))
	case m.rule("source") != nil:
		p.fail(n, "source", "stands both at the top and under fields")
	default:
		m.rules = append(m.rules, &rule{line: n.Line, field: ingest.Fields(m.Kind)[i], constant: []string{p.text(n, "source")}})
	}
}

func (p *parser) required(m *Mapping, n *yaml.Node) {
	for _, f := range ingest.Fields(m.Kind) {
		if f.Required && m.rule(f.Name) == nil {
			p.fail(n, "fields."+f.Name, fmt.Sprintf("is required: every row of %s needs it", m.Kind))
		}
		if f.Type == ingest.TypeObject && m.rule(f.Name) != nil && slices.ContainsFunc(m.rules, func(r *rule) bool {
			return r.member != "" && r.field.Name == f.Name
		}) {
			p.fail(n, "fields."+f.Name, "is mapped both whole and member by member")
		}
	}
}

func (m *Mapping) rule(field string) *rule {
	for _, r := range m.rules {
		if r.field.Name == field && r.member == "" {
			return r
		}
	}
	return nil
}

// sortRules puts the rules in the order of the kind's fields, members of one
// object side by side.
func (m *Mapping) sortRules() {
	names := ingest.FieldNames(m.Kind)
	slices.SortStableFunc(m.rules, func(a, b *rule) int {
		return slices.Index(names, a.field.Name) - slices.Index(names, b.field.Name)
	})
}

// ForHeader makes the mapping of a CSV file whose headings are our own field
// names. Lists are JSON lists, or have a | between their items. Errors:
// CodeInvalid naming the headings that are not fields.
func ForHeader(name string, kind ingest.Kind, header []string) (*Mapping, error) {
	m := &Mapping{Name: name, Kind: kind}
	known, names := ingest.Fields(kind), ingest.FieldNames(kind)
	var problems []lectern.FieldError
	for _, h := range header {
		i := slices.Index(names, h)
		if i < 0 {
			problems = append(problems, lectern.FieldError{Field: h, Reason: "is a heading but not a field" + nearest.Hint(h, names)})
			continue
		}
		r := &rule{field: known[i], columns: []string{h}}
		if r.field.Type.List() {
			r.split = splitEither
		}
		m.rules = append(m.rules, r)
	}
	for _, f := range known {
		if f.Required && !slices.Contains(header, f.Name) {
			problems = append(problems, lectern.FieldError{Field: f.Name, Reason: "is required and is not among the headings"})
		}
	}
	if problems != nil {
		return nil, lectern.Invalid(fmt.Sprintf("%s needs a mapping (--map): its headings are not the fields of %s, which are %s%s",
			name, kind, strings.Join(names, ", "), delimiterHint(header)), problems...)
	}
	m.sortRules()
	return m, nil
}
