package skills

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/lectern-dev/lectern"
)

// Override is what a platform changes in a graph. It is applied in the order of
// its fields: entries are removed first, so that one may be removed and its name
// given to another.
type Override struct {
	Version           string       `yaml:"version,omitempty"` // is added to the graph's
	Remove            []string     `yaml:"remove,omitempty"`  // ids of skills, whose links go with them
	RemoveOccupations []string     `yaml:"remove_occupations,omitempty"`
	Skills            []Skill      `yaml:"skills,omitempty"`      // new ones, and those that take the place of the same id
	Occupations       []Occupation `yaml:"occupations,omitempty"` // as Skills
	// Extend adds to the lists of skills that are there. A name given in it becomes
	// the skill's name, and the old one an alias.
	Extend            []Skill      `yaml:"extend,omitempty"`
	ExtendOccupations []Occupation `yaml:"extend_occupations,omitempty"` // as Extend; weights take the place of old ones
}

// maxOverride bounds, in bytes, an override file.
const maxOverride = 64 << 20

// ReadOverride reads an override from YAML. Its error is CodeInvalid where the
// file is at fault.
func ReadOverride(r io.Reader) (Override, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxOverride+1))
	if err != nil {
		return Override{}, fmt.Errorf("read the override of the skill graph: %w", err)
	}
	if len(content) > maxOverride {
		return Override{}, lectern.Errorf(lectern.CodeTooLarge, "the override of the skill graph is larger than %d bytes", maxOverride)
	}
	var o Override
	if err := decodeStrict(content, &o); err != nil {
		return Override{}, lectern.Errorf(lectern.CodeInvalid, "the override of the skill graph: %w", err)
	}
	return o, nil
}

// Write writes the override as YAML that ReadOverride reads.
func (o Override) Write(w io.Writer) error {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(o); err != nil {
		return fmt.Errorf("write the override of the skill graph: %w", err)
	}
	return enc.Close()
}

// Extend returns a graph of g's entries and the override's. The error is
// CodeInvalid and lists every fault; g is as it was either way.
func (g *Graph) Extend(o Override) (*Graph, error) {
	var f faults
	b := builder{faults: &f, skills: make(map[string]filed[Skill]), occupations: make(map[string]filed[Occupation])}
	for _, s := range g.skills {
		b.skills[s.ID] = filed[Skill]{s, "graph"}
	}
	for _, oc := range g.occupations {
		b.occupations[oc.ID] = filed[Occupation]{oc, "graph"}
	}
	b.remove(o.Remove, o.RemoveOccupations)
	b.put(o.Skills, o.Occupations)
	for _, s := range o.Extend {
		b.extend(s)
	}
	for _, oc := range o.ExtendOccupations {
		b.extendOccupation(oc)
	}
	e := b.entries()
	e.version = g.version
	if o.Version != "" {
		e.version += "+" + o.Version
	}
	e.validate(&f, g.text)
	if err := f.err(); err != nil {
		return nil, err
	}
	return newGraph(e, g.text), nil
}

// builder is a graph's material while an override is applied. Entries are copied
// before they change.
type builder struct {
	faults      *faults
	skills      map[string]filed[Skill]
	occupations map[string]filed[Occupation]
}

const overrideFile = "override"

// remove takes entries out, and the links to them.
func (b *builder) remove(skills, occupations []string) {
	gone := make(map[string]bool, len(skills))
	for _, id := range skills {
		if _, ok := b.skills[id]; !ok {
			b.faults.add(overrideFile+": remove", id, "is no skill", "the id of a skill")
		}
		gone[id] = true
		delete(b.skills, id)
	}
	for _, id := range occupations {
		if _, ok := b.occupations[id]; !ok {
			b.faults.add(overrideFile+": remove_occupations", id, "is no occupation", "the id of an occupation")
		}
		delete(b.occupations, id)
	}
	if len(gone) == 0 {
		return
	}
	kept := func(ids []string) []string {
		return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return gone[id] })
	}
	for id, s := range b.skills {
		s.entry.Broader, s.entry.Related, s.entry.Requires = kept(s.entry.Broader), kept(s.entry.Related), kept(s.entry.Requires)
		b.skills[id] = s
	}
	for id, o := range b.occupations {
		o.entry.Skills = maps.Clone(o.entry.Skills)
		maps.DeleteFunc(o.entry.Skills, func(id string, _ float64) bool { return gone[id] })
		b.occupations[id] = o
	}
}

// put adds entries, or replaces those of the same ids.
func (b *builder) put(skills []Skill, occupations []Occupation) {
	mine := make(map[string]bool)
	for _, s := range skills {
		if mine[s.ID] {
			b.faults.add(overrideFile+": skills", s.ID, "is listed twice", "each id once")
		}
		mine[s.ID] = true
		b.skills[s.ID] = filed[Skill]{s, overrideFile}
	}
	clear(mine)
	for _, o := range occupations {
		if mine[o.ID] {
			b.faults.add(overrideFile+": occupations", o.ID, "is listed twice", "each id once")
		}
		mine[o.ID] = true
		b.occupations[o.ID] = filed[Occupation]{o, overrideFile}
	}
}

// extend adds to the lists of a skill.
func (b *builder) extend(with Skill) {
	old, ok := b.skills[with.ID]
	if !ok {
		b.faults.add(overrideFile+": extend", with.ID, "is no skill", "the id of a skill")
		return
	}
	s := old.entry
	s.Aliases = joined(s.Aliases, with.Aliases)
	s.Phrases = joined(s.Phrases, with.Phrases)
	s.Broader = joined(s.Broader, with.Broader)
	s.Related = joined(s.Related, with.Related)
	s.Requires = joined(s.Requires, with.Requires)
	s.Weak = joined(s.Weak, with.Weak)
	if with.Name != "" && with.Name != s.Name {
		s.Aliases = joined(s.Aliases, []string{s.Name})
		s.Name = with.Name
	}
	if with.Source != "" {
		s.Source = with.Source
	}
	b.skills[s.ID] = filed[Skill]{s, overrideFile}
}

// extendOccupation adds to the lists of an occupation.
func (b *builder) extendOccupation(with Occupation) {
	old, ok := b.occupations[with.ID]
	if !ok {
		b.faults.add(overrideFile+": extend_occupations", with.ID, "is no occupation", "the id of an occupation")
		return
	}
	o := old.entry
	o.Aliases = joined(o.Aliases, with.Aliases)
	o.Phrases = joined(o.Phrases, with.Phrases)
	o.Weak = joined(o.Weak, with.Weak)
	o.Skills = maps.Clone(o.Skills)
	if o.Skills == nil {
		o.Skills = make(map[string]float64, len(with.Skills))
	}
	maps.Copy(o.Skills, with.Skills)
	if with.Name != "" && with.Name != o.Name {
		o.Aliases = joined(o.Aliases, []string{o.Name})
		o.Name = with.Name
	}
	if with.Source != "" {
		o.Source = with.Source
	}
	b.occupations[o.ID] = filed[Occupation]{o, overrideFile}
}

// joined returns a new list of old and what of more it lacks.
func joined(old, more []string) []string {
	out := slices.Clone(old)
	for _, m := range more {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}

// entries returns the material by id, so that faults come in one order.
func (b *builder) entries() entries {
	var e entries
	for _, id := range slices.Sorted(maps.Keys(b.skills)) {
		e.skills = append(e.skills, b.skills[id])
	}
	for _, id := range slices.Sorted(maps.Keys(b.occupations)) {
		e.occupations = append(e.occupations, b.occupations[id])
	}
	return e
}
