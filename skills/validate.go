package skills

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern/text"
)

// The limits of an entry. They are far above what a person writes, and keep an
// import from making a graph that is slow to use.
const (
	maxID    = 80  // bytes
	maxName  = 160 // bytes of a name, alias or phrase
	maxList  = 200 // entries of one list
	maxWords = 16  // words of a name, alias or phrase
)

// validate adds every fault of the entries. The analyzer that reads the names
// remembers their words.
func (e *entries) validate(f *faults, a *text.Analyzer) {
	v := validator{faults: f, text: a, skills: make(map[string]bool), keys: make(map[string][]claim)}
	v.skillIDs(e.skills)
	for _, s := range e.skills {
		v.skill(s.file+": "+s.entry.ID, s.entry)
	}
	v.acyclic(e.skills, "broader", func(s Skill) []string { return s.Broader })
	v.acyclic(e.skills, "requires", func(s Skill) []string { return s.Requires })
	v.ambiguous()

	v.keys = make(map[string][]claim)
	seen := make(map[string]string)
	for _, o := range e.occupations {
		where := o.file + ": " + o.entry.ID
		v.id(where, o.file, o.entry.ID, seen)
		v.occupation(where, o.entry)
	}
	v.ambiguous()
}

// validator holds what the checks of single entries gather.
type validator struct {
	faults *faults
	text   *text.Analyzer
	skills map[string]bool // known ids
	keys   map[string][]claim
}

// claim is somebody's right to a name.
type claim struct {
	where, id, name string
	weak            bool
}

func (v *validator) skillIDs(skills []filed[Skill]) {
	seen := make(map[string]string)
	for _, s := range skills {
		v.id(s.file+": "+s.entry.ID, s.file, s.entry.ID, seen)
		v.skills[s.entry.ID] = true
	}
}

// id checks an id, and that nobody else has it.
func (v *validator) id(where, file, id string, seen map[string]string) {
	if !validID(id) {
		v.faults.add(where+".id", id, "is not an id", "lower-case letters and digits in words joined by hyphens, 80 bytes at most")
		return
	}
	if other, ok := seen[id]; ok {
		v.faults.add(where+".id", id, "is in "+other+", too", "an id that is used once")
		return
	}
	seen[id] = file
}

// validID reports whether an id is made of lower-case words joined by hyphens.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for word := range strings.SplitSeq(id, "-") {
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
			return false
		}
	}
	return true
}

func (v *validator) skill(where string, s Skill) {
	v.names(where, s.ID, s.Name, s.Aliases, s.Phrases, s.Weak)
	for _, l := range []struct {
		field string
		ids   []string
	}{{"broader", s.Broader}, {"related", s.Related}, {"requires", s.Requires}} {
		v.links(where+"."+l.field, s.ID, l.ids)
	}
}

// links checks that ids exist, are not the skill itself, and come once.
func (v *validator) links(where, self string, ids []string) {
	v.length(where, len(ids))
	for i, id := range ids {
		switch {
		case id == self:
			v.faults.add(where, id, "is the skill itself", "another skill")
		case !v.skills[id]:
			v.faults.add(where, id, "is no skill", "the id of a skill")
		case slices.Contains(ids[:i], id):
			v.faults.add(where, id, "is listed twice", "each id once")
		}
	}
}

func (v *validator) length(where string, n int) {
	if n > maxList {
		v.faults.add(where, n, "is too long a list", fmt.Sprintf("%d entries at most", maxList))
	}
}

func (v *validator) occupation(where string, o Occupation) {
	v.names(where, o.ID, o.Name, o.Aliases, o.Phrases, o.Weak)
	v.length(where+".skills", len(o.Skills))
	if len(o.Skills) == 0 {
		v.faults.add(where+".skills", "", "is empty", "at least one skill")
	}
	for _, id := range sortedKeys(o.Skills) {
		weight := o.Skills[id]
		if !v.skills[id] {
			v.faults.add(where+".skills", id, "is no skill", "the id of a skill")
		}
		if !(weight > 0 && weight <= 1) { // so that NaN fails
			v.faults.add(where+".skills."+id, weight, "is out of range", "above 0, 1 at most")
		}
	}
}

func sortedKeys(m map[string]float64) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// names checks all names of an entry and claims them.
func (v *validator) names(where, id, name string, aliases, phrases, weak []string) {
	v.length(where+".aliases", len(aliases))
	v.length(where+".phrases", len(phrases))
	own := make(map[string]bool)
	weakKeys := keysOf(v.text, weak)
	for _, n := range namesOf(name, aliases, phrases) {
		field := where + [...]string{".name", ".aliases", ".phrases"}[n.form]
		key := keyOf(v.text, n.text)
		words := 1 + strings.Count(key, " ")
		switch {
		case key == "" || strings.TrimSpace(n.text) != n.text:
			v.faults.add(field, n.text, "is empty or has no word in it, or spaces around it", "words")
		case len(n.text) > maxName || words > maxWords || !utf8.ValidString(n.text):
			v.faults.add(field, n.text, "is too long", fmt.Sprintf("%d bytes and %d words at most", maxName, maxWords))
		case !own[key]:
			own[key] = true
			v.keys[key] = append(v.keys[key], claim{where, id, n.text, weakKeys[key]})
		}
	}
	for _, w := range weak {
		if !own[keyOf(v.text, w)] {
			v.faults.add(where+".weak", w, "is none of its names", "its name or one of its aliases or phrases")
		}
	}
}

// ambiguous finds names that more than one entry claims without marking them
// weak.
func (v *validator) ambiguous() {
	keys := make([]string, 0, len(v.keys))
	for k := range v.keys {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		var strong []claim
		for _, c := range v.keys[k] {
			if !c.weak && !slices.ContainsFunc(strong, func(o claim) bool { return o.id == c.id }) {
				strong = append(strong, c)
			}
		}
		if len(strong) < 2 {
			continue
		}
		for _, c := range strong[1:] {
			v.faults.add(c.where, c.name, "is a name of "+strong[0].where+", too", "a name that is weak in all but one")
		}
	}
}

// acyclic follows one sort of link through all skills and names each cycle once.
func (v *validator) acyclic(skills []filed[Skill], field string, next func(Skill) []string) {
	byID := make(map[string]filed[Skill], len(skills))
	for _, s := range skills {
		byID[s.entry.ID] = s
	}
	const (
		open = 1
		done = 2
	)
	state := make(map[string]int, len(skills))
	var trail []string
	var visit func(id string)
	visit = func(id string) {
		state[id] = open
		trail = append(trail, id)
		for _, n := range next(byID[id].entry) {
			switch {
			case n == id: // named by links already
			case state[n] == open:
				cycle := append(slices.Clone(trail[slices.Index(trail, n):]), n)
				v.faults.add(byID[id].file+": "+id+"."+field, strings.Join(cycle, " → "), "is a cycle", "links that lead nowhere back")
			case state[n] == 0 && v.skills[n]:
				visit(n)
			}
		}
		trail = trail[:len(trail)-1]
		state[id] = done
	}
	for _, s := range skills {
		if state[s.entry.ID] == 0 {
			visit(s.entry.ID)
		}
	}
}
