package mapping

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// parser walks YAML nodes and gathers every problem with its line.
type parser struct{ problems []lectern.FieldError }

func (p *parser) fail(n *yaml.Node, path, reason string) {
	value := ""
	if n.Kind == yaml.ScalarNode {
		value = n.Value
	}
	if n.Line > 0 {
		reason = fmt.Sprintf("line %d: %s", n.Line, reason)
	}
	p.problems = append(p.problems, lectern.NewFieldError(path, value, reason, ""))
}

func (p *parser) error(name string) error {
	return lectern.Invalid(fmt.Sprintf("the mapping %s is not usable", name), p.problems...)
}

// pairs visits the members of a mapping node, each key once.
func (p *parser) pairs(n *yaml.Node, path string, visit func(key, v *yaml.Node, path string)) {
	if n.Kind != yaml.MappingNode {
		p.fail(n, orTop(path), "must be a mapping of keys to values")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		full := strings.TrimPrefix(path+"."+key.Value, ".")
		if first, twice := seen[key.Value]; twice {
			p.fail(key, full, fmt.Sprintf("is given twice, first on line %d", first))
			continue
		}
		seen[key.Value] = key.Line
		visit(key, v, full)
	}
}

// object visits the members of a mapping node whose keys are known.
func (p *parser) object(n *yaml.Node, path string, keys map[string]func(*yaml.Node, string)) {
	p.pairs(n, path, func(key, v *yaml.Node, full string) {
		read, ok := keys[key.Value]
		if !ok {
			known := slices.Sorted(maps.Keys(keys))
			p.fail(key, full, fmt.Sprintf("is not a known key%s; known are %s", nearest.Hint(key.Value, known), strings.Join(known, ", ")))
			return
		}
		read(v, full)
	})
}

func orTop(path string) string {
	if path == "" {
		return "the mapping"
	}
	return path
}

func (p *parser) text(n *yaml.Node, path string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		p.fail(n, path, "must be a text")
		return ""
	}
	return n.Value
}

// texts reads a text or a list of texts.
func (p *parser) texts(n *yaml.Node, path string) []string {
	if n.Kind != yaml.SequenceNode {
		return []string{p.text(n, path)}
	}
	out := make([]string, len(n.Content))
	for i, item := range n.Content {
		out[i] = p.text(item, fmt.Sprintf("%s[%d]", path, i))
	}
	return out
}

func (p *parser) word(n *yaml.Node, path string, allowed []string) string {
	w := p.text(n, path)
	if !slices.Contains(allowed, w) {
		p.fail(n, path, fmt.Sprintf("must be one of %s%s", strings.Join(allowed, ", "), nearest.Hint(w, allowed)))
		return ""
	}
	return w
}

func (p *parser) number(n *yaml.Node, path string) float64 {
	f, err := strconv.ParseFloat(p.text(n, path), 64)
	if err != nil || f != f {
		p.fail(n, path, "must be a number")
	}
	return f
}

func (p *parser) decimal(n *yaml.Node, path string) byte {
	d := p.word(n, path, []string{".", ","})
	if d == "" {
		return 0
	}
	return d[0]
}

// rule reads what feeds one field: a column's name, or an object.
func (p *parser) rule(r *rule, n *yaml.Node, path string) {
	if n.Kind == yaml.ScalarNode {
		if r.columns = []string{p.text(n, path)}; r.columns[0] == "" {
			p.fail(n, path, "must name a column")
		}
		return
	}
	var origins []string
	origin := func(name string, read func(*yaml.Node, string)) func(*yaml.Node, string) {
		return func(n *yaml.Node, path string) {
			origins = append(origins, name)
			read(n, path)
		}
	}
	p.object(n, path, map[string]func(*yaml.Node, string){
		"column":   origin("column", func(n *yaml.Node, path string) { r.columns = []string{p.text(n, path)} }),
		"first_of": origin("first_of", func(n *yaml.Node, path string) { r.columns = p.texts(n, path) }),
		"all_of":   origin("all_of", func(n *yaml.Node, path string) { r.columns, r.all = p.texts(n, path), true }),
		"template": origin("template", func(n *yaml.Node, path string) { r.template = p.template(n, path) }),
		"constant": origin("constant", func(n *yaml.Node, path string) { r.constant = p.texts(n, path) }),
		"row_time": origin("row_time", func(n *yaml.Node, path string) { r.rowTime = p.rowTime(n, path) }),

		"join":        func(n *yaml.Node, path string) { r.join = p.text(n, path) },
		"empty":       func(n *yaml.Node, path string) { r.empty = append(folded(p.texts(n, path)), r.empty...) },
		"repair":      func(n *yaml.Node, path string) { r.repair = p.word(n, path, append(repairs(), "none")) },
		"html":        func(n *yaml.Node, path string) { r.html = p.word(n, path, []string{"strip", "keep"}) == "strip" },
		"split":       func(n *yaml.Node, path string) { r.split = p.text(n, path) },
		"trim_prefix": func(n *yaml.Node, path string) { r.trimPrefix = p.texts(n, path) },
		"trim_suffix": func(n *yaml.Node, path string) { r.trimSuffix = p.texts(n, path) },
		"extract":     func(n *yaml.Node, path string) { r.extract = p.extract(n, path) },
		"values":      func(n *yaml.Node, path string) { r.values = p.values(n, path) },
		"otherwise":   func(n *yaml.Node, path string) { s := p.text(n, path); r.otherwise = &s },
		"default":     func(n *yaml.Node, path string) { r.fallback = p.texts(n, path) },
		"decimal":     func(n *yaml.Node, path string) { r.decimal = p.decimal(n, path) },
		"scale":       func(n *yaml.Node, path string) { f := p.number(n, path); r.scale = &f },
		"round":       func(n *yaml.Node, path string) { d := int(p.number(n, path)); r.round = &d },
		"time":        func(n *yaml.Node, path string) { r.layouts = p.layouts(n, path) },
		"zone":        func(n *yaml.Node, path string) { r.zone = p.zone(n, path) },
	})
	if len(origins) != 1 && n.Kind == yaml.MappingNode {
		p.fail(n, path, "needs exactly one of column, first_of, all_of, template, constant, row_time")
	}
	p.sense(r, n, path)
}

// sense checks that the keys of a rule go together and with the field.
func (p *parser) sense(r *rule, n *yaml.Node, path string) {
	t := r.field.Type
	list := t.List() || r.member != ""
	switch {
	case r.split != "" && !list:
		p.fail(n, path+".split", fmt.Sprintf("makes a list, but %s is a %s", r.field.Name, t))
	case r.split == "" && len(r.constant) > 1 && !list, len(r.fallback) > 1 && !list:
		p.fail(n, path, fmt.Sprintf("is a %s and takes one value", t))
	case (r.scale != nil || r.round != nil) && !t.Numeric() && r.member == "":
		p.fail(n, path, fmt.Sprintf("scale and round are for numbers, but %s is a %s", r.field.Name, t))
	case !t.Numeric() && slices.ContainsFunc(r.extract, func(e extractor) bool { return e.multiply }):
		p.fail(n, path+".extract", fmt.Sprintf("multiply is for numbers, but %s is a %s", r.field.Name, t))
	case (r.layouts != nil || r.zone != nil || r.rowTime != nil) && t != ingest.TypeTime && t != ingest.TypeDay:
		p.fail(n, path, fmt.Sprintf("time, zone and row_time are for times, but %s is a %s", r.field.Name, t))
	case r.otherwise != nil && r.values == nil:
		p.fail(n, path+".otherwise", "needs values")
	case r.join != "" && !r.all:
		p.fail(n, path+".join", "needs all_of")
	case r.round != nil && (*r.round < 0 || *r.round > 9):
		p.fail(n, path+".round", "must be from 0 to 9 decimal places")
	}
	for i, c := range r.columns {
		if c == "" {
			p.fail(n, fmt.Sprintf("%s[%d]", path, i), "must name a column")
		}
	}
}

// extract reads one expression, or a list of them, each of which may have a scale.
func (p *parser) extract(n *yaml.Node, path string) []extractor {
	if n.Kind != yaml.SequenceNode {
		return []extractor{p.extractor(n, path)}
	}
	out := make([]extractor, len(n.Content))
	for i, item := range n.Content {
		out[i] = p.extractor(item, fmt.Sprintf("%s[%d]", path, i))
	}
	return out
}

func (p *parser) extractor(n *yaml.Node, path string) extractor {
	e := extractor{scale: 1}
	compile := func(n *yaml.Node, path string) {
		text := p.text(n, path)
		re, err := regexp.Compile(text)
		if err != nil {
			p.fail(n, path, "is not a regular expression (RE2): "+strings.TrimPrefix(err.Error(), "error parsing regexp: "))
			return
		}
		e.re = re
	}
	if n.Kind == yaml.ScalarNode {
		compile(n, path)
	} else {
		p.object(n, path, map[string]func(*yaml.Node, string){
			"match":    compile,
			"scale":    func(n *yaml.Node, path string) { e.scale = p.number(n, path) },
			"multiply": func(n *yaml.Node, path string) { e.multiply = p.word(n, path, []string{"true", "false"}) == "true" },
		})
	}
	p.groups(e, n, path)
	return e
}

// groups checks that an expression captures as much as is taken from it.
func (p *parser) groups(e extractor, n *yaml.Node, path string) {
	switch {
	case e.re == nil && len(p.problems) == 0:
		p.fail(n, path, "needs match")
	case e.re == nil:
	case e.multiply && e.re.NumSubexp() < 2:
		p.fail(n, path, fmt.Sprintf("multiplies capture groups and needs at least two, has %d", e.re.NumSubexp()))
	case !e.multiply && e.re.NumSubexp() != 1:
		p.fail(n, path, fmt.Sprintf("must have one capture group, has %d; write (?:…) for groups that do not capture, "+
			"or {match: …, multiply: true} for their product", e.re.NumSubexp()))
	}
}

func (p *parser) values(n *yaml.Node, path string) map[string]string {
	out := map[string]string{}
	p.pairs(n, path, func(key, v *yaml.Node, path string) {
		if v.Tag == "!!null" {
			out[lectern.FoldKey(key.Value)] = "" // no value
			return
		}
		out[lectern.FoldKey(key.Value)] = p.text(v, path)
	})
	return out
}

func (p *parser) rowTime(n *yaml.Node, path string) *rowTime {
	rt := &rowTime{step: time.Second}
	started := false
	p.object(n, path, map[string]func(*yaml.Node, string){
		"start": func(n *yaml.Node, path string) {
			t, err := time.Parse(time.RFC3339, p.text(n, path))
			if err != nil {
				p.fail(n, path, "must be an RFC 3339 time such as 2026-01-31T00:00:00Z")
			}
			rt.start, started = t, true
		},
		"step": func(n *yaml.Node, path string) {
			d, err := time.ParseDuration(p.text(n, path))
			if err != nil || d <= 0 {
				p.fail(n, path, "must be a duration such as 1s or 5m")
			}
			rt.step = d
		},
	})
	if !started && n.Kind == yaml.MappingNode {
		p.fail(n, path, "needs start")
	}
	return rt
}

func (p *parser) zone(n *yaml.Node, path string) *time.Location {
	loc, err := time.LoadLocation(p.text(n, path))
	if err != nil {
		p.fail(n, path, "must be a time zone such as Europe/Berlin")
	}
	return loc
}

func (p *parser) layouts(n *yaml.Node, path string) []string {
	texts := p.texts(n, path)
	for i, text := range texts {
		layout, err := layoutOf(text)
		if err != nil {
			p.fail(n, path, err.Error())
		}
		texts[i] = layout
	}
	return texts
}

// template reads a text with {column} placeholders; {{ and }} are braces.
func (p *parser) template(n *yaml.Node, path string) []part {
	text := p.text(n, path)
	var parts []part
	literal := ""
	for text != "" {
		i := strings.IndexAny(text, "{}")
		if i < 0 {
			literal += text
			break
		}
		literal += text[:i]
		if strings.HasPrefix(text[i:], "{{") || strings.HasPrefix(text[i:], "}}") {
			literal += text[i : i+1]
			text = text[i+2:]
			continue
		}
		end := strings.IndexByte(text[i:], '}')
		if text[i] == '}' || end < 2 {
			p.fail(n, path, "has a brace without its partner; write {column}, and {{ or }} for a brace")
			return nil
		}
		parts = append(parts, part{literal: literal}, part{column: text[i+1 : i+end]})
		literal, text = "", text[i+end+1:]
	}
	return append(parts, part{literal: literal})
}

func folded(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = lectern.FoldKey(w)
	}
	return out
}
