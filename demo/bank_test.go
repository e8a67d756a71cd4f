package demo

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestBanksAreComplete(t *testing.T) {
	b := loadBanks()
	if len(b.subjects) < 20 || len(b.topics) < 180 || len(b.languages) != 6 || len(b.cultures) < 12 || len(b.providers) < 60 {
		t.Errorf("%d subjects, %d topics, %d languages, %d cultures, %d providers",
			len(b.subjects), len(b.topics), len(b.languages), len(b.cultures), len(b.providers))
	}
	for _, s := range b.subjects {
		if len(s.goals) < 3 || len(s.audience) < 4 || len(s.methods) < 4 || len(s.topics) < 6 {
			t.Errorf("%s is thin", s.name)
		}
		taught := 0
		for _, p := range b.providers {
			if p.language == "" && (p.subjects == nil || p.subjects[s.name]) {
				taught++
			}
		}
		if taught < 4 {
			t.Errorf("%d providers teach %s", taught, s.name)
		}
	}
	for _, tp := range b.topics {
		if len(tp.about) < 1 || len(tp.skills) < 8 || len(tp.units) < 9 || len(tp.tools) < 1 || len(tp.projects) < 3 {
			t.Errorf("%s is thin", tp.name)
		}
		if tp.trend < -1 || tp.trend > 1 || tp.season > 12 {
			t.Errorf("%s: trend %v, season %v", tp.name, tp.trend, tp.season)
		}
	}
	for _, l := range b.languages {
		if len(l.topics) < 6 || l.label == "" || len(l.regions) < 3 {
			t.Errorf("%s is thin", l.tag)
		}
		for _, key := range []string{"covers", "method", "close", "review.good", "review.mixed", "review.bad"} {
			if len(l.phrases[key]) < 3 {
				t.Errorf("%s: %d sentences for %s", l.tag, len(l.phrases[key]), key)
			}
		}
		for _, level := range levels {
			if len(l.phrases["title."+string(level)]) < 3 || len(l.phrases["open."+string(level)]) < 2 {
				t.Errorf("%s: thin for %s", l.tag, level)
			}
		}
		for _, lt := range l.topics {
			if lt.name == "" || len(lt.units) < 6 || len(lt.about) == 0 {
				t.Errorf("%s: %s is thin", l.tag, lt.topic.name)
			}
		}
	}
}

// The topics that a topic needs never need it in turn.
func TestTopicsDoNotNeedEachOther(t *testing.T) {
	var visit func(tp *topic, path []string)
	visit = func(tp *topic, path []string) {
		for _, p := range path {
			if p == tp.name {
				t.Fatalf("cycle: %s → %s", strings.Join(path, " → "), tp.name)
			}
		}
		for _, need := range tp.needs {
			visit(need, append(path, tp.name))
		}
	}
	for _, tp := range loadBanks().topics {
		visit(tp, nil)
	}
}

// Shared sentences keep their fixed words in runs of fewer than eight, and use
// only slots that can be filled.
func TestSharedSentencesAreBroken(t *testing.T) {
	full := draft{
		units: []string{"u", "u", "u"}, skills: []string{"s", "s"}, tools: []string{"t"}, audience: []string{"a", "b"},
		project: "p", goal: "g", topic: "t", hours: "h", weeks: "w", instructor: "i", provider: "p", prereq: "q",
	}
	b := loadBanks()
	for _, bank := range []map[string][]template{b.phrases, b.reviews} {
		for key, ts := range bank {
			for _, tmpl := range ts {
				if !tmpl.fillable(full.fill) {
					t.Errorf("%s: unknown slot in %v", key, tmpl)
				}
			}
		}
	}
	for key, ts := range b.phrases {
		for _, tmpl := range ts {
			for _, s := range tmpl {
				if n := len(strings.Fields(s.text)); !s.slot && n >= 8 {
					t.Errorf("%s: %d fixed words in %q", key, n, s.text)
				}
			}
		}
	}
}

func TestBrokenBanksAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no key":         "subject\n",
		"orphan":         "  continued\n",
		"unknown key":    "subject: A\ntopic: b\ncolour: red\n",
		"before a topic": "subject: A\nskills: x\n",
		"bad number":     "subject: A\nweight: much\n",
		"topic twice":    "subject: A\ntopic: b\ntopic: b\n",
		"open slot":      "subject: A\ntopic: b\nabout: see {u1\n",
		"unknown need":   "subject: A\ntopic: b\nneeds: c\n",
	} {
		fsys := fstest.MapFS{"banks/subjects/a.txt": {Data: []byte(text)}}
		if _, err := readBanks(fsys); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTemplates(t *testing.T) {
	tmpl, err := parseTemplate("{U1} and {u2}: {topic}.")
	if err != nil {
		t.Fatal(err)
	}
	d := draft{units: []string{"loops", "pandas"}, topic: "iOS development"}
	var b strings.Builder
	tmpl.render(&b, d.fill)
	if got, want := b.String(), "Loops and pandas: iOS development."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if tmpl.fillable((&draft{topic: "x"}).fill) {
		t.Error("a draft without units fills {u1}")
	}
}

func TestTitleCase(t *testing.T) {
	for in, want := range map[string]string{
		"the simplex method in practice":  "The Simplex Method in Practice",
		"music theory: the blues":         "Music Theory: The Blues",
		"iOS apps and pandas for parents": "iOS Apps and pandas for Parents",
		"éclairs":                         "Éclairs",
	} {
		if got := titleCase(in); got != want {
			t.Errorf("titleCase(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{
		"Master's Level: C++ & SQL":      "masters-level-c-sql",
		"Análisis de datos — español":    "analisis-de-datos-espanol",
		"Maschinelles Lernen für Größen": "maschinelles-lernen-fuer-groessen",
		"摄影入门":                           "",
		strings.Repeat("word ", 40):      strings.TrimSuffix(strings.Repeat("word-", 12), "-"),
	} {
		if diff := cmp.Diff(want, slug(in)); diff != "" {
			t.Errorf("slug(%q): %s", in, diff)
		}
	}
}

func TestApportion(t *testing.T) {
	// Shares of 10: 5, 3.33, 1.67; the missing one goes to the largest rest.
	if diff := cmp.Diff([]int{5, 3, 2}, apportion(10, []float64{3, 2, 1})); diff != "" {
		t.Error(diff)
	}
}
