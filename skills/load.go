package skills

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

//go:embed graph
var shipped embed.FS

// Default loads the graph that Lectern ships.
func Default() (*Graph, error) {
	dir, err := fs.Sub(shipped, "graph")
	if err != nil {
		return nil, fmt.Errorf("open the shipped skill graph: %w", err)
	}
	return Load(dir)
}

// Load reads a graph from the files skills-*.yaml and occupations-*.yaml at the
// top of fsys, each a list of entries, and version, which holds one line. Its
// error is CodeInvalid and lists every fault, each with the file and entry.
func Load(fsys fs.FS) (*Graph, error) {
	var e entries
	var faults faults
	version, err := fs.ReadFile(fsys, "version")
	if err != nil {
		return nil, fmt.Errorf("read the version of the skill graph: %w", err)
	}
	e.version = strings.TrimSpace(string(version))
	if e.version == "" || len(e.version) > maxName || strings.ContainsAny(e.version, "\n\r") {
		faults.add("version", e.version, "is not one short line", "such as 2026.1")
	}
	if err := readLists(fsys, "skills-*.yaml", &e.skills, &faults); err != nil {
		return nil, err
	}
	if err := readLists(fsys, "occupations-*.yaml", &e.occupations, &faults); err != nil {
		return nil, err
	}
	a := text.NewAnalyzer()
	e.validate(&faults, a)
	if err := faults.err(); err != nil {
		return nil, err
	}
	return newGraph(e, a), nil
}

// filed is an entry with the file that it stands in, for messages.
type filed[T any] struct {
	entry T
	file  string
}

// entries are the material of a graph before it is known to be valid.
type entries struct {
	version     string
	skills      []filed[Skill]
	occupations []filed[Occupation]
}

func (e *entries) sortedSkills() []Skill {
	out := make([]Skill, len(e.skills))
	for i, s := range e.skills {
		out[i] = s.entry
	}
	slices.SortFunc(out, func(a, b Skill) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (e *entries) sortedOccupations() []Occupation {
	out := make([]Occupation, len(e.occupations))
	for i, o := range e.occupations {
		out[i] = o.entry
	}
	slices.SortFunc(out, func(a, b Occupation) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// readLists appends the entries of all files that match a pattern. A file that
// cannot be parsed is a fault.
func readLists[T any](fsys fs.FS, pattern string, into *[]filed[T], faults *faults) error {
	files, err := fs.Glob(fsys, pattern)
	if err != nil {
		return fmt.Errorf("list the files of the skill graph: %w", err)
	}
	slices.Sort(files)
	for _, file := range files {
		content, err := fs.ReadFile(fsys, file)
		if err != nil {
			return fmt.Errorf("read the skill graph: %w", err)
		}
		var list []T
		if err := decodeStrict(content, &list); err != nil {
			faults.add(path.Base(file), "", err.Error(), "a YAML list of entries")
			continue
		}
		for _, entry := range list {
			*into = append(*into, filed[T]{entry, path.Base(file)})
		}
	}
	return nil
}

// decodeStrict decodes one YAML document without unknown or repeated keys. An
// empty one leaves v as it is.
func decodeStrict(content []byte, v any) error {
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	if err := d.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return errors.New("holds more than one document")
	}
	return nil
}

// fingerprintOf hashes what a graph says, in its sorted form.
func fingerprintOf(g *Graph) string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	err := enc.Encode(struct {
		Version     string
		Skills      []Skill
		Occupations []Occupation
	}{g.version, g.skills, g.occupations})
	if err != nil {
		panic("skills: plain values cannot fail to encode: " + err.Error()) // weights are finite once valid
	}
	return "skills/" + hex.EncodeToString(h.Sum(nil)[:8])
}

// faults gathers everything that is wrong with a graph's files.
type faults []lectern.FieldError

// maxFaults bounds what one error lists.
const maxFaults = 500

func (f *faults) add(field string, value any, reason, allowed string) {
	*f = append(*f, lectern.NewFieldError(field, value, reason, allowed))
}

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	message := fmt.Sprintf("the skill graph has %d faults", len(f))
	if len(f) == 1 {
		message = "the skill graph has a fault"
	}
	return lectern.Invalid(message, f[:min(len(f), maxFaults)]...)
}
