package skills_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

func open(t *testing.T, parts ...string) io.Reader {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, parts...)...))
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReader(string(b))
}

func escoFiles(t *testing.T) skills.ESCOFiles {
	return skills.ESCOFiles{
		Skills: open(t, "esco", "skills_en.csv"), Groups: open(t, "esco", "skillGroups_en.csv"),
		Broader: open(t, "esco", "broaderRelationsSkillPillar_en.csv"),
	}
}

func TestImportESCO(t *testing.T) {
	base := smallGraph(t)
	got, report, err := skills.ImportESCO(base, escoFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	want := skills.Override{
		Skills: []skills.Skill{
			{ID: "esco-looking-after-instruments", Name: "Looking after instruments", Broader: []string{"arts"}, Source: "http://example.org/group/1"},
			// Our two weak owners of pm stay; ESCO's is the one without doubt.
			{ID: "esco-pm", Name: "Pm", Source: "http://example.org/skill/3"},
			{
				ID: "esco-tune-a-piano", Name: "Tune a piano", Aliases: []string{"piano tuning", "adjust the strings of pianos"},
				Broader: []string{"esco-looking-after-instruments"}, Source: "http://example.org/skill/2",
			},
		},
		Extend: []skills.Skill{
			{ID: "arts", Source: "http://example.org/group/2"},
			{ID: "sql", Aliases: []string{"query language for tables"}, Source: "http://example.org/skill/1"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("override (-want +got):\n%s", diff)
	}
	// Read: seven released; skipped: another name of SQL, and a label twice;
	// dropped: marketing, which is another skill's name.
	if diff := cmp.Diff(skills.Imported{Rows: 7, Matched: 2, Added: 3, Skipped: 2, Dropped: 1}, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	extended, err := base.Extend(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"esco-looking-after-instruments", "arts"}, extended.Ancestors("esco-tune-a-piano")); diff != "" {
		t.Errorf("ancestors (-want +got):\n%s", diff)
	}
	again, report, err := skills.ImportESCO(extended, escoFiles(t))
	if err != nil || len(again.Skills) != 0 || report.Matched != 5 {
		t.Errorf("a second import: %+v, %+v, %v", again, report, err)
	}
}

func onetFiles(t *testing.T) skills.ONETFiles {
	return skills.ONETFiles{Occupations: open(t, "onet", "Occupation Data.txt"), Skills: []io.Reader{open(t, "onet", "Skills.txt")}}
}

func TestImportONET(t *testing.T) {
	base := smallGraph(t)
	got, report, err := skills.ImportONET(base, onetFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	want := skills.Override{
		Skills: []skills.Skill{{ID: "onet-hearing-pitch", Name: "Hearing Pitch"}},
		Occupations: []skills.Occupation{{
			ID: "onet-piano-tuners", Name: "Piano Tuners", Source: "https://www.onetonline.org/link/summary/99-0002.00",
			Skills: map[string]float64{"onet-hearing-pitch": 1, "programming": 0.5},
		}},
		ExtendOccupations: []skills.Occupation{{ID: "data-analyst", Source: "https://www.onetonline.org/link/summary/99-0001.00"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("override (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(skills.Imported{Rows: 3, Matched: 1, Added: 1, Skipped: 1}, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	extended, err := base.Extend(got)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := skills.ImportONET(extended, onetFiles(t))
	if err != nil || len(again.Skills)+len(again.Occupations) != 0 {
		t.Errorf("a second import: %+v, %v", again, err)
	}
}

func TestImportFaults(t *testing.T) {
	g := smallGraph(t)
	for name, f := range map[string]skills.ESCOFiles{
		"no file":       {},
		"empty":         {Skills: strings.NewReader("")},
		"no column":     {Skills: strings.NewReader("conceptUri,label\n")},
		"broader lacks": {Skills: open(t, "esco", "skills_en.csv"), Broader: strings.NewReader("conceptUri\n")},
	} {
		if _, _, err := skills.ImportESCO(g, f); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("ESCO, %s: %v", name, err)
		}
	}
	if _, _, err := skills.ImportONET(g, skills.ONETFiles{}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("O*NET without files: %v", err)
	}
}

// FuzzImports checks that whatever is imported makes a valid override, but for
// cycles that a file has in itself.
func FuzzImports(f *testing.F) {
	f.Add("conceptUri,preferredLabel,altLabels\nu1,Sing,\"a\nb\"\nu2,sql,x", "conceptUri,broaderUri\nu1,u2", "1\tSingers", "1\tSQL\tIM\t4")
	f.Add("conceptUri,preferredLabel\n\xff,\xff\n,\n'u','''", "\ufeffbroaderUri,conceptUri", "1\tPainter\n1\tX", "1\tPython\tIM\tNaN")
	g := smallGraph(f)
	f.Fuzz(func(t *testing.T, concepts, broader, titles, ratings string) {
		o, _, err := skills.ImportESCO(g, skills.ESCOFiles{Skills: strings.NewReader(concepts), Broader: strings.NewReader(broader)})
		if err == nil {
			if _, err = g.Extend(o); err != nil && !strings.Contains(err.Error(), "cycle") {
				t.Fatal(err)
			}
		}
		o, _, err = skills.ImportONET(g, skills.ONETFiles{
			Occupations: strings.NewReader("O*NET-SOC Code\tTitle\n" + titles),
			Skills:      []io.Reader{strings.NewReader("O*NET-SOC Code\tElement Name\tScale ID\tData Value\n" + ratings)},
		})
		if err == nil {
			if _, err = g.Extend(o); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestOverlap(t *testing.T) {
	m := skills.NewMatcher(smallGraph(t))
	courses := []lectern.Course{
		{Title: "Python and SQL", Skills: []string{"Python Programming", "Statistics", "STATISTICS", "Falconry"}}, // agrees in python
		{Title: "Coding", Skills: []string{"Python"}},                                                             // near
		{Title: "Painting", Skills: nil},                                                                          // has no tags
		{Title: "Knitting", Skills: []string{"Hobby"}},                                                            // not in the graph
	}
	got := m.Overlap(courses, skills.MinConfidence)
	want := skills.Overlap{Courses: 3, Tags: 5, Known: 3, Distinct: 5, DistinctIn: 3, Found: 3, Agreed: 1, Near: 2, Wanted: 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
