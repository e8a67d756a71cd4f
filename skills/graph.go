package skills

import (
	"slices"

	"github.com/lectern-dev/lectern/text"
)

// Skill is a skill or topic that a course may teach.
type Skill struct {
	ID       string   `yaml:"id" json:"id"`               // lower-case words joined by hyphens; it never changes
	Name     string   `yaml:"name,omitempty" json:"name"` // as people write it
	Aliases  []string `yaml:"aliases,omitempty,flow" json:"aliases,omitempty"`
	Phrases  []string `yaml:"phrases,omitempty,flow" json:"phrases,omitempty"`   // everyday wordings of someone who wants it
	Broader  []string `yaml:"broader,omitempty,flow" json:"broader,omitempty"`   // ids; none for a subject
	Related  []string `yaml:"related,omitempty,flow" json:"related,omitempty"`   // ids
	Requires []string `yaml:"requires,omitempty,flow" json:"requires,omitempty"` // ids of what should be known before
	Weak     []string `yaml:"weak,omitempty,flow" json:"weak,omitempty"`         // those of name, aliases and phrases that mean it only in context
	Source   string   `yaml:"source,omitempty" json:"source,omitempty"`          // where an imported one comes from, as a URI
}

// Occupation is a job and the skills that it takes.
type Occupation struct {
	ID      string             `yaml:"id" json:"id"`
	Name    string             `yaml:"name,omitempty" json:"name"`
	Aliases []string           `yaml:"aliases,omitempty,flow" json:"aliases,omitempty"`
	Phrases []string           `yaml:"phrases,omitempty,flow" json:"phrases,omitempty"`
	Skills  map[string]float64 `yaml:"skills,omitempty,flow" json:"skills"`       // skill id → how much it takes, in (0, 1]
	Weak    []string           `yaml:"weak,omitempty,flow" json:"weak,omitempty"` // as a skill's
	Source  string             `yaml:"source,omitempty" json:"source,omitempty"`
}

// Graph is a valid set of skills and occupations. It never changes and is safe
// for concurrent use. What its methods return is shared: callers must not change
// it.
type Graph struct {
	version     string
	fingerprint string

	skills      []Skill      // by id
	occupations []Occupation // by id
	skillAt     map[string]int32
	occAt       map[string]int32
	narrower    map[string][]string // by id, sorted
	names       map[string][]owner  // by key; see keyOf
	text        *text.Analyzer
}

// owner says that a skill or an occupation goes by a name.
type owner struct {
	id         string
	occupation bool
	form       form
	weak       bool
}

// form is what sort of name a name is.
type form uint8

const (
	formName form = iota
	formAlias
	formPhrase
)

// named is a name of a skill or an occupation, with its sort.
type named struct {
	text string
	form form
}

// namesOf lists all names of something, its own first.
func namesOf(name string, aliases, phrases []string) []named {
	out := make([]named, 0, 1+len(aliases)+len(phrases))
	out = append(out, named{name, formName})
	for _, a := range aliases {
		out = append(out, named{a, formAlias})
	}
	for _, p := range phrases {
		out = append(out, named{p, formPhrase})
	}
	return out
}

// newGraph sorts and links entries that validate has approved of.
func newGraph(e entries, a *text.Analyzer) *Graph {
	g := &Graph{
		version: e.version, skills: e.sortedSkills(), occupations: e.sortedOccupations(),
		skillAt: make(map[string]int32, len(e.skills)), occAt: make(map[string]int32, len(e.occupations)),
		narrower: make(map[string][]string), names: make(map[string][]owner), text: a,
	}
	for i, s := range g.skills {
		g.skillAt[s.ID] = int32(i)
		for _, b := range s.Broader {
			g.narrower[b] = append(g.narrower[b], s.ID)
		}
		g.addNames(owner{id: s.ID}, namesOf(s.Name, s.Aliases, s.Phrases), s.Weak)
	}
	for i, o := range g.occupations {
		g.occAt[o.ID] = int32(i)
		g.addNames(owner{id: o.ID, occupation: true}, namesOf(o.Name, o.Aliases, o.Phrases), o.Weak)
	}
	g.fingerprint = fingerprintOf(g)
	return g
}

// addNames enters names, each key once for each owner under its best form.
func (g *Graph) addNames(o owner, names []named, weak []string) {
	weakKeys := keysOf(g.text, weak)
	for _, n := range names {
		key := keyOf(g.text, n.text)
		same := func(x owner) bool { return x.id == o.id && x.occupation == o.occupation }
		if key == "" || slices.ContainsFunc(g.names[key], same) {
			continue
		}
		o.form, o.weak = n.form, weakKeys[key]
		g.names[key] = append(g.names[key], o)
	}
}

// Version is the version of the graph's files; that of a platform's own entries
// follows after a plus sign.
func (g *Graph) Version() string { return g.version }

// Fingerprint is a hash of all that the graph says. Equal graphs have equal ones,
// however their files are split and ordered.
func (g *Graph) Fingerprint() string { return g.fingerprint }

// Skills returns every skill by id.
func (g *Graph) Skills() []Skill { return g.skills }

// Occupations returns every occupation by id.
func (g *Graph) Occupations() []Occupation { return g.occupations }

// Skill returns the skill with this id.
func (g *Graph) Skill(id string) (Skill, bool) {
	i, ok := g.skillAt[id]
	if !ok {
		return Skill{}, false
	}
	return g.skills[i], true
}

// Occupation returns the occupation with this id.
func (g *Graph) Occupation(id string) (Occupation, bool) {
	i, ok := g.occAt[id]
	if !ok {
		return Occupation{}, false
	}
	return g.occupations[i], true
}

// Narrower returns the ids of the skills that are directly below one.
func (g *Graph) Narrower(id string) []string { return g.narrower[id] }

// Ancestors returns the ids of all that is broader than a skill, nearest first.
func (g *Graph) Ancestors(id string) []string {
	var out []string
	seen := map[string]bool{id: true}
	for level := []string{id}; len(level) > 0; {
		var next []string
		for _, at := range level {
			s, _ := g.Skill(at)
			for _, b := range s.Broader {
				if !seen[b] {
					seen[b] = true
					next = append(next, b)
				}
			}
		}
		out = append(out, next...)
		level = next
	}
	return out
}

// Find returns the ids of the skills that go by a name, alias or phrase, without
// regard to case, accents, punctuation and plural. A skill that is meant without
// doubt comes alone; otherwise all that may be meant are returned, by id.
func (g *Graph) Find(name string) []string { return g.find(name, false, formPhrase) }

// FindOccupations does for occupations what Find does for skills.
func (g *Graph) FindOccupations(name string) []string { return g.find(name, true, formPhrase) }

// find looks a name up among forms up to worst.
func (g *Graph) find(name string, occupation bool, worst form) []string {
	var out []string
	for _, o := range g.names[keyOf(g.text, name)] {
		if o.occupation != occupation || o.form > worst {
			continue
		}
		if !o.weak {
			return []string{o.id}
		}
		out = append(out, o.id)
	}
	slices.Sort(out)
	return out
}
