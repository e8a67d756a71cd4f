package skills_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

// shippedGraph fails with everything that is wrong with the files under graph/.
func shippedGraph(t testing.TB) *skills.Graph {
	t.Helper()
	g, err := skills.Default()
	for _, f := range fieldsOf(err) {
		t.Errorf("%s: %q %s (want %s)", f.Field, f.Value, f.Reason, f.Allowed)
	}
	if err != nil {
		t.Fatal("the shipped graph is not valid")
	}
	return g
}

func fieldsOf(err error) []lectern.FieldError {
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		return e.Fields
	}
	return nil
}

func TestShippedGraph(t *testing.T) {
	g := shippedGraph(t)
	t.Logf("version %s, fingerprint %s: %d skills, %d occupations", g.Version(), g.Fingerprint(), len(g.Skills()), len(g.Occupations()))
	if len(g.Skills()) < 1200 || len(g.Occupations()) < 150 {
		t.Errorf("%d skills and %d occupations, want at least 1200 and 150", len(g.Skills()), len(g.Occupations()))
	}
	subjects := 0
	for _, s := range g.Skills() {
		if len(s.Broader) == 0 {
			subjects++
		}
		if len([]rune(s.Name)) == 1 && !slices.Contains(s.Weak, s.Name) && !slices.Contains(s.Weak, strings.ToLower(s.Name)) {
			t.Errorf("%s: a name of one letter must be weak", s.ID)
		}
	}
	if subjects != 25 {
		t.Errorf("%d skills have nothing broader, want the 25 subjects", subjects)
	}
}

func TestLookups(t *testing.T) {
	g := smallGraph(t)
	if s, ok := g.Skill("python"); !ok || s.Name != "Python" {
		t.Errorf("Skill(python) = %+v, %v", s, ok)
	}
	if _, ok := g.Skill("cobol"); ok {
		t.Error("there is no cobol")
	}
	if o, ok := g.Occupation("painter"); !ok || o.Skills["painting"] != 1 {
		t.Errorf("Occupation(painter) = %+v, %v", o, ok)
	}
	find := map[string][]string{
		"python": {"python"}, "PYTHON  Programming!": {"python"}, "public speakings": {"public-speaking"},
		"Data Visualization": {"data-visualisation"}, "c++": {"cpp"}, "C": nil, "": nil, "...": nil,
		"pm": {"product-management", "project-management"}, "Learn to code": {"programming"}, "market": nil,
		"painter": nil,
	}
	for name, want := range find {
		if diff := cmp.Diff(want, g.Find(name)); diff != "" {
			t.Errorf("Find(%q) (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff([]string{"data-analyst"}, g.FindOccupations("data analysts")); diff != "" {
		t.Errorf("FindOccupations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"programming", "computing"}, g.Ancestors("python")); diff != "" {
		t.Errorf("Ancestors (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"it-support", "machine-learning", "programming"}, g.Narrower("computing")); diff != "" {
		t.Errorf("Narrower (-want +got):\n%s", diff)
	}
}

func files(skillsFile, occupations string) fstest.MapFS {
	return fstest.MapFS{
		"version":            {Data: []byte("1\n")},
		"skills-a.yaml":      {Data: []byte(skillsFile)},
		"occupations-a.yaml": {Data: []byte(occupations)},
	}
}

func TestLoadFaults(t *testing.T) {
	tests := []struct {
		name, skills, occupations string
		want                      []string // field and value
	}{
		{"unknown key", "- {id: a, name: A, nmae: B}", "", []string{"skills-a.yaml"}},
		{"two documents", "- {id: a, name: A}\n---\n- {id: b, name: B}", "", []string{"skills-a.yaml"}},
		{"bad id", "- {id: A b, name: A}", "", []string{"skills-a.yaml: A b.id A b"}},
		{"no id", "- {name: A}", "", []string{"skills-a.yaml: .id"}},
		{"same id", "- {id: a, name: A}\n- {id: a, name: B}", "", []string{"skills-a.yaml: a.id a"}},
		{"empty names", "- {id: a, name: '', aliases: ['...'], phrases: [' b']}", "",
			[]string{"skills-a.yaml: a.name", "skills-a.yaml: a.aliases ...", "skills-a.yaml: a.phrases  b"}},
		{"links", "- {id: a, name: A, broader: [b], related: [a], requires: [c, c]}\n- {id: c, name: C}", "",
			[]string{"skills-a.yaml: a.broader b", "skills-a.yaml: a.related a", "skills-a.yaml: a.requires c"}},
		{"cycles", "- {id: a, name: A, broader: [b]}\n- {id: b, name: B, broader: [c]}\n- {id: c, name: C, broader: [a], requires: [d]}\n- {id: d, name: D, requires: [c]}", "",
			[]string{"skills-a.yaml: c.broader a → b → c → a", "skills-a.yaml: d.requires c → d → c"}},
		{"ambiguous", "- {id: a, name: Cats}\n- {id: b, name: B, aliases: [cat]}\n- {id: c, name: C, phrases: [CAT]}", "",
			[]string{"skills-a.yaml: b cat", "skills-a.yaml: c CAT"}},
		{"weak in all but one", "- {id: a, name: Cats}\n- {id: b, name: B, aliases: [cat], weak: [Cats]}", "", nil},
		{"weak in all", "- {id: a, name: A, aliases: [cat], weak: [cat]}\n- {id: b, name: B, aliases: [cat], weak: [cat]}", "", nil},
		{"weak of nothing", "- {id: a, name: A, weak: [b]}", "", []string{"skills-a.yaml: a.weak b"}},
		{"a name repeated", "- {id: a, name: A, aliases: [a, A]}", "", nil},
		{"weights", "- {id: a, name: A}\n- {id: b, name: B}", "- {id: o, name: O, skills: {a: 0, b: 1.1, c: 1}}\n- {id: p, name: P, skills: {a: .nan}}\n- {id: q, name: Q}",
			[]string{"occupations-a.yaml: o.skills.a 0", "occupations-a.yaml: o.skills.b 1.1", "occupations-a.yaml: o.skills c", "occupations-a.yaml: p.skills.a NaN", "occupations-a.yaml: q.skills"}},
		{"a skill and an occupation may share a name", "- {id: a, name: A}", "- {id: a, name: A, skills: {a: 1}}", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := skills.Load(files(tt.skills, tt.occupations))
			var got []string
			for _, f := range fieldsOf(err) {
				if f.Field == "skills-a.yaml" {
					f.Value = ""
				}
				got = append(got, strings.TrimRight(f.Field+" "+f.Value, " "))
			}
			if len(tt.want) > 0 && lectern.ErrorCode(err) != lectern.CodeInvalid || len(tt.want) == 0 && err != nil {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := skills.Load(fstest.MapFS{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a version: %v", err)
	}
	if _, err := skills.Load(fstest.MapFS{"version": {Data: []byte("\n")}}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("with an empty version: %v", err)
	}
}

func TestFingerprint(t *testing.T) {
	one, err := skills.Load(files("- {id: a, name: A}\n- {id: b, name: B}", ""))
	if err != nil {
		t.Fatal(err)
	}
	split := fstest.MapFS{"version": {Data: []byte("1")}, "skills-x.yaml": {Data: []byte("- {name: B, id: b}")}, "skills-y.yaml": {Data: []byte("- {id: a, name: A}")}}
	two, err := skills.Load(split)
	if err != nil {
		t.Fatal(err)
	}
	if one.Fingerprint() != two.Fingerprint() {
		t.Error("the same entries in other files have another fingerprint")
	}
	other, err := one.Extend(skills.Override{Extend: []skills.Skill{{ID: "a", Aliases: []string{"c"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if one.Fingerprint() == other.Fingerprint() {
		t.Error("another alias leaves the fingerprint")
	}
}

const overrideYAML = `
version: acme-1
remove: [marketing, sql]
remove_occupations: [painter]
skills:
  - {id: acme-way, name: The Acme way, broader: [business]}
  - {id: guitar, name: Guitar playing, aliases: [six strings], broader: [arts]}
occupations:
  - {id: acme-guide, name: Acme guide, skills: {acme-way: 1, public-speaking: .5}}
extend:
  - {id: python, name: Python 3, aliases: [py3], related: [statistics], source: "https://example.org/python"}
extend_occupations:
  - {id: data-analyst, aliases: [number cruncher], skills: {python: 1}}
`

func TestOverride(t *testing.T) {
	base := smallGraph(t)
	before := base.Fingerprint()
	o, err := skills.ReadOverride(strings.NewReader(overrideYAML))
	if err != nil {
		t.Fatal(err)
	}
	g, err := base.Extend(o)
	if err != nil {
		t.Fatal(err)
	}
	if g.Version() != "test.1+acme-1" {
		t.Errorf("version %q", g.Version())
	}
	if _, ok := g.Skill("marketing"); ok {
		t.Error("marketing is still there")
	}
	guitar, _ := g.Skill("guitar")
	if diff := cmp.Diff(skills.Skill{ID: "guitar", Name: "Guitar playing", Aliases: []string{"six strings"}, Broader: []string{"arts"}}, guitar); diff != "" {
		t.Errorf("replaced (-want +got):\n%s", diff)
	}
	python, _ := g.Skill("python")
	want := skills.Skill{
		ID: "python", Name: "Python 3", Aliases: []string{"python programming", "py", "py3", "Python"}, Broader: []string{"programming"},
		Related: []string{"statistics"}, Requires: []string{"programming"}, Weak: []string{"py"}, Source: "https://example.org/python",
	}
	if diff := cmp.Diff(want, python); diff != "" {
		t.Errorf("extended (-want +got):\n%s", diff)
	}
	analyst, _ := g.Occupation("data-analyst")
	if diff := cmp.Diff(map[string]float64{"statistics": 0.8, "data-visualisation": 0.8, "python": 1}, analyst.Skills); diff != "" {
		t.Errorf("the occupation's skills (-want +got):\n%s", diff)
	}
	if _, ok := g.Occupation("painter"); ok {
		t.Error("the painter is still there")
	}
	again, err := skills.Load(os.DirFS("testdata/small"))
	if err != nil || again.Fingerprint() != before || base.Fingerprint() != before {
		t.Error("the base has changed")
	}
	if ids := base.Find("marketing"); len(ids) != 1 {
		t.Error("the base has lost marketing")
	}
}

func TestOverrideRoundTrip(t *testing.T) {
	o, err := skills.ReadOverride(strings.NewReader(overrideYAML))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := o.Write(&b); err != nil {
		t.Fatal(err)
	}
	again, err := skills.ReadOverride(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, again); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOverrideFaults(t *testing.T) {
	g := smallGraph(t)
	tests := []struct {
		name     string
		override skills.Override
		want     []string
	}{
		{"unknown ids", skills.Override{
			Remove: []string{"x"}, RemoveOccupations: []string{"x"}, Extend: []skills.Skill{{ID: "x"}}, ExtendOccupations: []skills.Occupation{{ID: "x"}},
		}, []string{"override: remove", "override: remove_occupations", "override: extend", "override: extend_occupations"}},
		{"a taken name", skills.Override{Skills: []skills.Skill{{ID: "x", Name: "python"}}}, []string{"override: x"}},
		{"twice", skills.Override{Skills: []skills.Skill{{ID: "x", Name: "X"}, {ID: "x", Name: "X"}}}, []string{"override: skills"}},
		{"a cycle with the graph", skills.Override{Extend: []skills.Skill{{ID: "computing", Broader: []string{"python"}}}}, []string{"graph: programming.broader"}},
		{"an occupation loses all skills", skills.Override{Remove: []string{"painting"}}, []string{"graph: painter.skills"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := g.Extend(tt.override)
			var got []string
			for _, f := range fieldsOf(err) {
				got = append(got, f.Field)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults of %v (-want +got):\n%s", err, diff)
			}
		})
	}
	if _, err := skills.ReadOverride(strings.NewReader("skils: []")); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("an unknown key: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("- {id: a, name: A, broader: [a]}", "- {id: o, name: O, skills: {a: 1}}", overrideYAML)
	f.Add("- {id: a, name: A}\n- {id: b, name: B, aliases: [a], weak: [a], broader: [a]}", "[]", "remove: [a]")
	f.Add("&x [*x]", "{}", "extend: [{id: a, phrases: [learn]}]")
	f.Fuzz(func(t *testing.T, skillsFile, occupations, override string) {
		g, err := skills.Load(files(skillsFile, occupations))
		if err != nil {
			if lectern.ErrorCode(err) != lectern.CodeInvalid {
				t.Fatalf("not a fault of the file: %v", err)
			}
			return
		}
		m := skills.NewMatcher(g)
		for _, s := range g.Skills() {
			if !slices.Contains(g.Find(s.Name), s.ID) && len(g.Find(s.Name)) != 1 {
				t.Fatalf("%q is not found", s.Name)
			}
			checkTerms(t, g, m.Expand(s.Name))
			m.Tag(lectern.Course{Title: s.Name})
			g.Ancestors(s.ID)
		}
		o, err := skills.ReadOverride(strings.NewReader(override))
		if err != nil {
			return
		}
		if bigger, err := g.Extend(o); err == nil {
			skills.NewMatcher(bigger)
		}
	})
}
