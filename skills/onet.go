package skills

import (
	"cmp"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// ONETFiles are files of the O*NET database in its tab-separated text format
// (release 5.1 and later; https://www.onetcenter.org/database.html).
type ONETFiles struct {
	// Occupations is "Occupation Data.txt", with the columns O*NET-SOC Code and
	// Title.
	Occupations io.Reader
	// Skills are "Skills.txt" and, of the same form, "Knowledge.txt", with the
	// columns O*NET-SOC Code, Element Name, Scale ID, Data Value and Recommend
	// Suppress.
	Skills []io.Reader
}

const (
	onetSource     = "https://www.onetonline.org/link/summary/"
	onetImportant  = 3.0 // of 5: below that a skill is not what an occupation takes
	onetMostSkills = 10  // of one occupation
)

// ImportONET turns O*NET's occupations, with the skills that matter to them, into
// an override of g. The weight of a skill is its importance (1 to 5) brought to
// [0, 1]; those below 3 and those that O*NET advises against using are left out,
// and the ten weightiest are kept. Elements that g does not know by name become
// skills whose ids start with onet. Occupations that g knows by name keep their
// own skills and get the code as their source; those without a skill that
// matters are skipped. The report counts occupations.
func ImportONET(g *Graph, files ONETFiles) (Override, Imported, error) {
	if files.Occupations == nil || len(files.Skills) == 0 {
		return Override{}, Imported{}, lectern.Errorf(lectern.CodeInvalid, "an import from O*NET needs the files of occupations and skills")
	}
	o := onetImport{elements: newImporter(g, "onet", false), jobs: newImporter(g, "onet", true), idOf: make(map[string]string), takes: make(map[string]map[string]float64)}
	titles, err := o.titles(files.Occupations)
	if err != nil {
		return Override{}, Imported{}, err
	}
	for _, r := range files.Skills {
		if err := o.ratings(r); err != nil {
			return Override{}, Imported{}, err
		}
	}
	o.jobs.report.Rows = len(titles)
	used := make(map[string]bool)
	for _, t := range titles {
		o.occupation(t, used)
	}
	for _, s := range o.skills {
		if used[s.ID] {
			o.override.Skills = append(o.override.Skills, s)
		}
	}
	o.override.Skills = byID(o.override.Skills)
	return o.override, o.jobs.report, nil
}

type onetTitle struct{ code, title string }

type onetImport struct {
	elements, jobs *importer
	override       Override
	idOf           map[string]string // element name → skill, "" for one that cannot be used
	skills         []Skill           // new ones
	takes          map[string]map[string]float64
}

// titles reads the occupations by code.
func (o *onetImport) titles(r io.Reader) ([]onetTitle, error) {
	var out []onetTitle
	err := readTable("occupations", '\t', r, []string{"O*NET-SOC Code", "Title"}, nil, func(cells []string) {
		if cells[0] != "" {
			out = append(out, onetTitle{cells[0], cells[1]})
		}
	})
	slices.SortStableFunc(out, func(a, b onetTitle) int { return cmp.Compare(a.code, b.code) })
	return slices.CompactFunc(out, func(a, b onetTitle) bool { return a.code == b.code }), err
}

// ratings reads how important each element is to each occupation.
func (o *onetImport) ratings(r io.Reader) error {
	columns := []string{"O*NET-SOC Code", "Element Name", "Scale ID", "Data Value"}
	return readTable("skills", '\t', r, columns, []string{"Recommend Suppress"}, func(cells []string) {
		value, err := strconv.ParseFloat(cells[3], 64)
		if err != nil || cells[2] != "IM" || strings.EqualFold(cells[4], "Y") || !(value >= onetImportant && value <= 5) {
			return
		}
		id := o.element(cells[1])
		if id == "" {
			return
		}
		if o.takes[cells[0]] == nil {
			o.takes[cells[0]] = make(map[string]float64)
		}
		weight := math.Round((value-1)/4*100) / 100
		o.takes[cells[0]][id] = max(weight, o.takes[cells[0]][id])
	})
}

// element returns the skill that an element of O*NET's content model is.
func (o *onetImport) element(name string) string {
	if id, ok := o.idOf[name]; ok {
		return id
	}
	o.idOf[name] = ""
	if !o.elements.usable(name) {
		return ""
	}
	if id, ok := o.elements.knownSkill(name); ok {
		o.idOf[name] = id
		return id
	}
	if _, taken := o.elements.taken[keyOf(o.elements.text, name)]; taken {
		return ""
	}
	id := o.elements.newID(name)
	o.elements.claim(id, []string{name})
	o.skills = append(o.skills, Skill{ID: id, Name: name})
	o.idOf[name] = id
	return id
}

// occupation makes an occupation of a title and its ratings.
func (o *onetImport) occupation(t onetTitle, used map[string]bool) {
	source := onetSource + t.code
	id, known := o.jobs.bySource[source]
	if !known {
		if ids := o.jobs.graph.find(t.title, true, formAlias); len(ids) == 1 {
			id, known = ids[0], true
		}
	}
	if known {
		o.jobs.report.Matched++
		names := o.jobs.claim(id, []string{t.title})
		o.override.ExtendOccupations = append(o.override.ExtendOccupations, Occupation{ID: id, Aliases: names, Source: source})
		return
	}
	takes := weightiest(o.takes[t.code], onetMostSkills)
	if _, taken := o.jobs.taken[keyOf(o.jobs.text, t.title)]; taken || len(takes) == 0 || !o.jobs.usable(t.title) {
		o.jobs.report.Skipped++
		return
	}
	id = o.jobs.newID(t.title)
	o.jobs.claim(id, []string{t.title})
	for skill := range takes {
		used[skill] = true
	}
	o.override.Occupations = append(o.override.Occupations, Occupation{ID: id, Name: t.title, Skills: takes, Source: source})
	o.jobs.report.Added++
}

// weightiest returns the n entries with the highest weights, ties by id.
func weightiest(weights map[string]float64, n int) map[string]float64 {
	ids := sortedKeys(weights)
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(weights[b], weights[a]) })
	out := make(map[string]float64, min(n, len(ids)))
	for _, id := range ids[:min(n, len(ids))] {
		out[id] = weights[id]
	}
	return out
}
