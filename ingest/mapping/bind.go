package mapping

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/source"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// Binding is a mapping held against the headings of one file.
type Binding struct {
	bound []boundRule
	json  bool   // rows are JSON objects
	file  string // for {#file}
}

type boundRule struct {
	*rule
	at []int // index of each column, or of each part's column; -1 elsewhere
}

// Bind holds the mapping against a file's headings. For JSON lines, header is
// nil and columns are looked up row by row. Errors: CodeInvalid naming each
// column that the file does not have, with the headings that it has.
func (m *Mapping) Bind(path string, header []string) (*Binding, error) {
	name := strings.TrimSuffix(filepath.Base(path), ".gz")
	b := &Binding{json: header == nil, file: strings.TrimSuffix(name, filepath.Ext(name))}
	var problems []lectern.FieldError
	for _, r := range m.rules {
		br := boundRule{rule: r}
		for _, column := range r.uses() {
			i, reason := -1, ""
			if !b.json && column != "" && !strings.HasPrefix(column, "#") {
				i, reason = findColumn(column, header)
			}
			if reason == "" && strings.HasPrefix(column, "#") && column != columnRow && column != columnFile {
				reason = "is neither {" + columnRow + "} nor {" + columnFile + "}"
			}
			if reason != "" {
				problems = append(problems, lectern.NewFieldError("fields."+r.name(), column, fmt.Sprintf("line %d: column %q %s", r.line, column, reason), ""))
			}
			br.at = append(br.at, i)
		}
		b.bound = append(b.bound, br)
	}
	if problems != nil {
		return nil, lectern.Invalid(fmt.Sprintf("the mapping %s does not fit %s, whose headings are %s%s",
			m.Name, path, strings.Join(header, ", "), delimiterHint(header)), problems...)
	}
	return b, nil
}

// delimiterHint says so when headings look as if they had been cut in the wrong
// places.
func delimiterHint(header []string) string {
	for _, d := range []string{";", "\t", "|", ","} {
		for _, h := range header {
			if strings.Contains(h, d) && (len(header) == 1 || d == ";" || d == "\t") {
				return fmt.Sprintf("; %q holds a %q: are the columns separated by it? Then write delimiter: %q into the mapping", h, d, d)
			}
		}
	}
	return ""
}

// uses lists the columns of a rule; literal parts of a template use "".
func (r *rule) uses() []string {
	if r.template == nil {
		return r.columns
	}
	out := make([]string, len(r.template))
	for i, p := range r.template {
		out[i] = p.column
	}
	return out
}

// name is the rule's field as the mapping writes it.
func (r *rule) name() string {
	if r.member != "" {
		return r.field.Name + "." + r.member
	}
	return r.field.Name
}

func findColumn(name string, header []string) (index int, reason string) {
	i := slices.Index(header, name)
	switch {
	case i < 0:
		return -1, "is not among the headings" + nearest.Hint(name, header)
	case slices.Index(header[i+1:], name) >= 0:
		return -1, "stands more than once among the headings"
	}
	return i, ""
}

// Columns returns every column that the mapping uses, for a check against rows
// that have no headings.
func (m *Mapping) Columns() []string {
	var out []string
	for _, r := range m.rules {
		for _, c := range r.uses() {
			if c != "" && !strings.HasPrefix(c, "#") && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// cells are the columns of one row.
type cells struct {
	row  source.Row
	json map[string]string
	file string
}

func (c *cells) get(name string, index int) string {
	switch {
	case name == columnRow:
		return strconv.Itoa(c.row.Number)
	case name == columnFile:
		return c.file
	case index >= 0:
		return c.row.Values[index]
	}
	return c.json[name]
}

// Origin says what fed one field of a row.
type Origin struct{ Field, From string }

// Map turns a row into a record with the fields that have a value in it. The
// problems are those of texts that could not be read as the field asks; the
// record's own check comes later. Origins are filled only when explain is set.
func (b *Binding) Map(row source.Row, explain bool) (rec ingest.Record, problems []lectern.FieldError, origins []Origin) {
	c := cells{row: row, file: b.file}
	if b.json {
		var err error
		if c.json, err = source.Flatten(row.Raw); err != nil {
			return nil, []lectern.FieldError{{Reason: err.Error()}}, nil
		}
	}
	rec = make(ingest.Record, 0, len(b.bound))
	var object map[string]any // members of the object field being gathered
	for i := range b.bound {
		r := &b.bound[i]
		v, from, err := r.value(&c, b.json)
		if err != nil {
			problems = append(problems, lectern.NewFieldError(r.name(), r.shown(&c), err.Error()+" (from "+from+")", ""))
		}
		if v == nil || err != nil {
			if r.member == "" {
				continue
			}
		} else if explain {
			origins = append(origins, Origin{r.name(), from})
		}
		if r.member == "" {
			rec = append(rec, ingest.FieldValue{Field: r.field.Name, Value: v})
			continue
		}
		if v != nil && err == nil {
			if object == nil {
				object = map[string]any{}
			}
			object[r.member] = v
		}
		if last := i+1 == len(b.bound) || b.bound[i+1].field.Name != r.field.Name; last && object != nil {
			if raw, err := json.Marshal(object); err == nil {
				rec = append(rec, ingest.FieldValue{Field: r.field.Name, Value: json.RawMessage(raw)})
			}
			object = nil
		}
	}
	return rec, problems, origins
}

// value makes one field's value from a row; nil is no value.
func (r *boundRule) value(c *cells, isJSON bool) (v any, from string, err error) {
	if r.rowTime != nil {
		return r.rowTime.start.Add(time.Duration(c.row.Number) * r.rowTime.step), "the row's number", nil
	}
	texts, from := r.texts(c)
	if r.split != "" || r.field.Type.List() {
		if isJSON && r.split == "" && r.constant == nil { // a list in a JSON row is a list
			texts = jsonItems(texts)
		}
		v, err = r.list(texts)
		return v, from, err
	}
	s := ""
	if len(texts) > 0 {
		s = texts[0]
	}
	v, err = r.scalar(s)
	if v != nil && from == "" {
		from = "default"
	}
	return v, from, err
}

// texts returns what the rule reads from the row, and says from where.
func (r *boundRule) texts(c *cells) (texts []string, from string) {
	switch {
	case r.constant != nil:
		return r.constant, "a constant"
	case r.template != nil:
		return r.fill(c), "a template"
	case !r.all:
		for i, name := range r.columns {
			if s := c.get(name, r.at[i]); !r.isEmpty(strings.TrimSpace(s)) {
				return []string{s}, "column " + name
			}
		}
		return nil, ""
	}
	for i, name := range r.columns {
		if s := strings.TrimSpace(c.get(name, r.at[i])); !r.isEmpty(s) {
			texts = append(texts, s)
		}
	}
	if !r.field.Type.List() && r.split == "" && texts != nil {
		join := r.join
		if join == "" {
			join = " "
		}
		texts = []string{strings.Join(texts, join)}
	}
	return texts, "columns " + strings.Join(r.columns, ", ")
}

// fill fills the template. A column that is empty leaves it without a value, so
// that no id is ever half an id.
func (r *boundRule) fill(c *cells) []string {
	var b strings.Builder
	for i, p := range r.template {
		b.WriteString(p.literal)
		if p.column == "" {
			continue
		}
		s := strings.TrimSpace(c.get(p.column, r.at[i]))
		if r.isEmpty(s) {
			return nil
		}
		b.WriteString(s)
	}
	return []string{b.String()}
}

// shown is the text that a problem is about.
func (r *boundRule) shown(c *cells) string {
	texts, _ := r.texts(c)
	return strings.Join(texts, "; ")
}

// jsonItems opens texts that are JSON lists.
func jsonItems(texts []string) []string {
	var out []string
	for _, s := range texts {
		items := []string{s}
		if strings.HasPrefix(s, "[") {
			if list, err := parseJSONList(s); err == nil {
				items = list
			}
		}
		out = append(out, items...)
	}
	return out
}
