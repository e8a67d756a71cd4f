package skills

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern/text"
)

// Imported says what an import made of its rows.
type Imported struct {
	Rows    int // read
	Matched int // are known to the graph by source, name or alias
	Added   int // are new skills or occupations
	Skipped int // have no usable name, or one that is another's already
	Dropped int // aliases that are another's already
}

// importer turns the entries of another taxonomy into an override. It is careful:
// an entry is taken for one that is there only if they share a name or an alias
// without doubt, and never takes a name away from one that is there.
type importer struct {
	graph    *Graph
	text     *text.Analyzer
	prefix   string // of new ids
	taken    map[string]string
	ids      map[string]bool
	bySource map[string]string // source → id of a skill
	report   Imported
}

// newImporter prepares an import of skills or of occupations.
func newImporter(g *Graph, prefix string, occupations bool) *importer {
	im := &importer{graph: g, text: g.text, prefix: prefix, taken: make(map[string]string), ids: make(map[string]bool), bySource: make(map[string]string)}
	for key, owners := range g.names {
		for _, o := range owners {
			if o.occupation == occupations && !o.weak {
				im.taken[key] = o.id
			}
		}
	}
	if occupations {
		for _, o := range g.occupations {
			im.ids[o.ID] = true
			im.remember(o.Source, o.ID)
		}
		return im
	}
	for _, s := range g.skills {
		im.ids[s.ID] = true
		im.remember(s.Source, s.ID)
	}
	return im
}

func (im *importer) remember(source, id string) {
	if source != "" {
		im.bySource[source] = id
	}
}

// usable reports whether a name is within the limits of a graph.
func (im *importer) usable(name string) bool {
	key := keyOf(im.text, name)
	return key != "" && len(name) <= maxName && strings.Count(key, " ") < maxWords
}

// claim returns the names that nobody has, and makes them id's.
func (im *importer) claim(id string, names []string) []string {
	var out []string
	for _, n := range names {
		n = strings.TrimSpace(n)
		if !im.usable(n) || len(out) == maxList {
			continue
		}
		key := keyOf(im.text, n)
		owner, taken := im.taken[key]
		switch {
		case !taken:
			im.taken[key] = id
			out = append(out, n)
		case owner != id:
			im.report.Dropped++
		}
	}
	return out
}

// newID makes an id that is not used yet.
func (im *importer) newID(name string) string {
	base := slug(im.prefix + " " + name)
	id := base
	for n := 2; im.ids[id]; n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	im.ids[id] = true
	return id
}

// maxSlug leaves room for a number behind.
const maxSlug = maxID - 8

// slug makes an id of a name.
func slug(name string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		if b.Len()+1+len(word) > maxSlug {
			break
		}
		if b.Len() > 0 {
			b.WriteByte('-')
		}
		b.WriteString(word)
	}
	return b.String()
}

// knownSkill returns the skill that goes by a name or an alias without doubt.
func (im *importer) knownSkill(name string) (string, bool) {
	ids := im.graph.find(name, false, formAlias)
	if len(ids) != 1 || im.taken[keyOf(im.text, name)] != ids[0] {
		return "", false
	}
	return ids[0], true
}

// byID sorts and clips what an import made, so that equal files give equal
// overrides.
func byID(skills []Skill) []Skill {
	slices.SortFunc(skills, func(a, b Skill) int { return strings.Compare(a.ID, b.ID) })
	return slices.Clip(skills)
}
