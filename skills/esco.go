package skills

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// ESCOFiles are the files of an ESCO download in the CSV format, in one language
// (ESCO v1.1 and v1.2; https://esco.ec.europa.eu/en/use-esco/download).
type ESCOFiles struct {
	// Skills is skills_*.csv, of whose columns conceptUri, preferredLabel, altLabels
	// (one a line within the cell) and status are read.
	Skills io.Reader
	// Groups is skillGroups_*.csv, with the same columns; nil leaves the groups out.
	Groups io.Reader
	// Broader is broaderRelationsSkillPillar_*.csv, of whose columns conceptUri and
	// broaderUri are read; nil leaves the new skills without anything broader.
	Broader io.Reader
}

// ImportESCO turns ESCO's skills into an override of g. Skills that g knows by
// name get the further names and the URI of ESCO's as their source, and keep
// their links; the others are added under ids that start with esco.
func ImportESCO(g *Graph, files ESCOFiles) (Override, Imported, error) {
	im := newImporter(g, "esco", false)
	rows, err := escoConcepts(files)
	if err != nil {
		return Override{}, Imported{}, err
	}
	im.report.Rows = len(rows)
	e := escoImport{importer: im, known: make(map[string]bool), idOf: make(map[string]string), added: make(map[string]*Skill)}
	for _, r := range rows {
		e.match(r)
	}
	for _, r := range rows {
		if e.idOf[r.uri] == "" {
			e.add(r)
		}
	}
	if err := e.aliases(rows); err != nil {
		return Override{}, Imported{}, err
	}
	if files.Broader != nil {
		if err := e.broader(files.Broader); err != nil {
			return Override{}, Imported{}, err
		}
	}
	for _, s := range e.added {
		e.override.Skills = append(e.override.Skills, *s)
	}
	e.override.Skills, e.override.Extend = byID(e.override.Skills), byID(e.override.Extend)
	return e.override, im.report, nil
}

// escoConcept is a row of a file of concepts.
type escoConcept struct {
	uri, label string
	others     []string
}

// escoConcepts reads the skills, then the groups, each by URI.
func escoConcepts(files ESCOFiles) ([]escoConcept, error) {
	if files.Skills == nil {
		return nil, lectern.Errorf(lectern.CodeInvalid, "an import from ESCO needs the file of skills")
	}
	var out []escoConcept
	for _, file := range []struct {
		name string
		r    io.Reader
	}{{"skills", files.Skills}, {"groups", files.Groups}} {
		if file.r == nil {
			continue
		}
		start := len(out)
		err := readTable(file.name, ',', file.r, []string{"conceptUri", "preferredLabel"}, []string{"altLabels", "status"}, func(cells []string) {
			if status := strings.ToLower(cells[3]); status != "" && status != "released" || cells[0] == "" {
				return
			}
			others := strings.FieldsFunc(cells[2], func(r rune) bool { return r == '\n' || r == '\r' || r == '|' })
			out = append(out, escoConcept{cells[0], cells[1], others})
		})
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(out[start:], func(a, b escoConcept) int { return cmp.Compare(a.uri, b.uri) })
	}
	seen := make(map[string]bool, len(out))
	return slices.DeleteFunc(out, func(c escoConcept) bool {
		again := seen[c.uri]
		seen[c.uri] = true
		return again
	}), nil
}

type escoImport struct {
	*importer
	override Override
	known    map[string]bool   // ids of the graph that a concept was taken for
	idOf     map[string]string // URI → id
	added    map[string]*Skill // by id
}

// match takes a concept for a skill of the graph, where there is no doubt. No two
// concepts are taken for the same skill.
func (e *escoImport) match(c escoConcept) {
	id, ok := e.bySource[c.uri]
	if !ok {
		id, ok = e.knownSkill(c.label)
	}
	if !ok || e.known[id] {
		return
	}
	e.known[id] = true
	e.idOf[c.uri] = id
	e.report.Matched++
}

// add makes a new skill of a concept.
func (e *escoImport) add(c escoConcept) {
	if !e.usable(c.label) {
		e.report.Skipped++
		return
	}
	if _, taken := e.taken[keyOf(e.text, c.label)]; taken {
		e.report.Skipped++
		return
	}
	id := e.newID(c.label)
	e.claim(id, []string{c.label})
	e.added[id] = &Skill{ID: id, Name: capitalised(strings.TrimSpace(c.label)), Source: c.uri}
	e.idOf[c.uri] = id
	e.report.Added++
}

// aliases hands out the other labels, once all names are taken.
func (e *escoImport) aliases(rows []escoConcept) error {
	for _, r := range rows {
		id := e.idOf[r.uri]
		if id == "" {
			continue
		}
		if s := e.added[id]; s != nil {
			s.Aliases = e.claim(id, r.others)
			continue
		}
		names := e.claim(id, append([]string{r.label}, r.others...))
		e.override.Extend = append(e.override.Extend, Skill{ID: id, Aliases: names, Source: r.uri})
	}
	return nil
}

// broader links new skills to what is broader in ESCO, as far as it was imported.
func (e *escoImport) broader(r io.Reader) error {
	err := readTable("broader relations", ',', r, []string{"conceptUri", "broaderUri"}, nil, func(cells []string) {
		s, up := e.added[e.idOf[cells[0]]], e.idOf[cells[1]]
		if s != nil && up != "" && up != s.ID && !slices.Contains(s.Broader, up) && len(s.Broader) < maxList {
			s.Broader = append(s.Broader, up)
		}
	})
	for _, s := range e.added {
		slices.Sort(s.Broader)
	}
	return err
}

// capitalised writes the first letter large, as the graph's own names are; ESCO
// writes labels small.
func capitalised(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// readTable calls row with the cells of the needed and then the optional columns
// of each line, "" for a column that the file lacks. The first line names the
// columns.
func readTable(name string, comma rune, r io.Reader, needed, optional []string, row func(cells []string)) error {
	c := csv.NewReader(r)
	c.Comma = comma
	c.FieldsPerRecord = -1
	c.LazyQuotes = true
	c.ReuseRecord = true
	head, err := c.Read()
	if err != nil {
		return lectern.Errorf(lectern.CodeInvalid, "the file of %s has no heading: %w", name, err)
	}
	head = slices.Clone(head)
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	columns := slices.Concat(needed, optional)
	at := make([]int, len(columns))
	for i, col := range columns {
		at[i] = slices.IndexFunc(head, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), col) })
		if at[i] < 0 && i < len(needed) {
			return lectern.Errorf(lectern.CodeInvalid, "the file of %s has no column %q", name, col)
		}
	}
	cells := make([]string, len(columns))
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			if _, ok := errors.AsType[*csv.ParseError](err); ok {
				return lectern.Errorf(lectern.CodeInvalid, "the file of %s cannot be read: %w", name, err)
			}
			return fmt.Errorf("read the file of %s: %w", name, err)
		}
		for i, a := range at {
			cells[i] = ""
			if a >= 0 && a < len(record) {
				cells[i] = strings.Clone(strings.ToValidUTF8(strings.TrimSpace(record[a]), ""))
			}
		}
		row(cells)
	}
}
