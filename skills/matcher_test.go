package skills_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

func smallGraph(t testing.TB) *skills.Graph {
	t.Helper()
	g, err := skills.Load(os.DirFS("testdata/small"))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func tagIDs(tags []skills.Tagged) []string {
	var out []string
	for _, x := range tags {
		out = append(out, x.SkillID)
	}
	slices.Sort(out)
	return out
}

func TestTag(t *testing.T) {
	m := skills.NewMatcher(smallGraph(t))
	tests := []struct {
		name, title, text string
		want              []string
	}{
		{"names and aliases", "Coding for all", "Learn statistical methods.", []string{"programming", "statistics"}},
		{"plural", "Public speakings", "", []string{"public-speaking"}},
		{"inflection of one of several words", "Managing a project", "Manages projects", []string{"project-management"}},
		{"no stem of a single word", "Programs of the market", "", nil},
		{"both spellings", "Data Visualization", "", []string{"data-visualisation"}},
		{"both spellings of ll", "Modeling", "", []string{"modelling"}},
		{"the longest name wins", "Python programming", "", []string{"python"}},
		{"fillers do not matter", "The History of the Arts", "", []string{"history-of-art"}},
		{"names with signs", "C++ basics", "", []string{"cpp"}},
		{"dotted names", "Node.js and node js", "", []string{"nodejs"}},
		{"no name across sentences", "Machine. Learning", "We use big machines, learning slowly", nil},
		{"phrases that tell something", "", "You will teach computers from the data they get.", []string{"machine-learning"}},
		{"a weak name alone is nothing", "The ML plan", "", nil},
		{"a weak name with support", "Statistics and ML", "", []string{"machine-learning", "statistics"}},
		{"in small letters it may be millilitres", "Statistics of ml", "", []string{"statistics"}},
		{"Go needs its capital", "Go programming", "", []string{"go", "programming"}},
		{"go does not", "How programming can go wrong", "", []string{"programming"}},
		{"R does not stand in C++ or in words", "C++ programming, r, Rx", "", []string{"cpp", "programming"}},
		{"IT is not it", "Programming: it is for you", "", []string{"programming"}},
		{"it supports is not IT support", "This is Python, and it supports you", "", []string{"python"}},
		{"IT support", "IT Support", "", []string{"it-support"}},
		{"an ambiguous weak name needs support", "The PM handbook", "", nil},
		{"support makes it count", "PM: project management", "", []string{"product-management", "project-management"}},
		{"support of a weak word must be linked", "Camping outdoors", "", []string{"camping"}},
		{"not only share something broader", "Outdoor life outdoors", "", []string{"outdoor-life", "survival"}},
		{"names with capitals may", "Python, Go and C++", "", []string{"cpp", "go", "python"}},
		{"denied", "Painting", "No prior programming experience needed, without knowledge of statistics.", []string{"painting"}},
		{"not only", "Painting", "Not only programming", []string{"painting", "programming"}},
		{"what is done instead of what it is called", "Train your dogs", "", []string{"dog-training"}},
		{"fillers at the edge of a name stay", "Programming in design and In Design", "", []string{"indesign", "programming"}},
		{"nothing", "", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := m.Tag(lectern.Course{Title: tt.title, Description: tt.text, Skills: []string{"Guitar"}, Categories: []string{"Guitar"}})
			if diff := gocmp.Diff(tt.want, tagIDs(got)); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
		})
	}
}

// TestConfidence checks the formula at Tag.
func TestConfidence(t *testing.T) {
	m := skills.NewMatcher(smallGraph(t))
	got := m.Tag(lectern.Course{
		Title:       "Machine learning",
		Description: "SQL. SQL. SQL. SQL. REST APIs. Make beautiful charts. Stats.",
		Syllabus:    []string{"Machine learning", "ML"},
	})
	want := []skills.Tagged{
		// Title .8, syllabus .45 and weak .45·.6; one supporter (statistics):
		// 1 − .9·.2·.55·.73 = .92773
		{SkillID: "machine-learning", Confidence: 0.92773, Evidence: []skills.Evidence{
			{Field: lectern.FieldTitle, Name: "Machine learning", Count: 1},
			{Field: lectern.FieldSyllabus, Name: "Machine learning", Count: 1},
			{Field: lectern.FieldSyllabus, Name: "ml", Count: 1},
		}},
		// .4 thrice, since a fourth mention says nothing new; data is broader for both
		// but a subject, so charts and stats do not support: 1 − .6³ = .784
		{SkillID: "sql", Confidence: 0.784, Evidence: []skills.Evidence{{Field: lectern.FieldDescription, Name: "SQL", Count: 4}}},
		// .4, supported by machine learning: 1 − .9·.6 = .46
		{SkillID: "statistics", Confidence: 0.46, Evidence: []skills.Evidence{{Field: lectern.FieldDescription, Name: "stats", Count: 1}}},
		// .4 once, though two of its names are alike.
		{SkillID: "rest-apis", Confidence: 0.4, Evidence: []skills.Evidence{{Field: lectern.FieldDescription, Name: "REST APIs", Count: 1}}},
		// .4·.7 for a phrase = .28
		{SkillID: "data-visualisation", Confidence: 0.28, Evidence: []skills.Evidence{{Field: lectern.FieldDescription, Name: "make beautiful charts", Count: 1}}},
	}
	if diff := gocmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

func TestExpand(t *testing.T) {
	m := skills.NewMatcher(smallGraph(t))
	tests := []struct{ query, want string }{
		{"machine learning", "machine-learning 1.00 name"},
		{"Machine Learnings", "machine-learning 1.00 name"},
		{"coding", "programming 1.00 alias"},
		{"learn to code", "programming 0.90 phrase"},
		{"how do I learn to code?", "programming 0.90 phrase"},
		{"i want to code", "programming 0.80 phrase"},
		{"dress code", ""},
		{"code", "programming 0.80 phrase"},
		{"speaking without fear", "public-speaking 0.77 phrase"},
		{"how to play guitar", "guitar 0.80 phrase"},
		{"dataviz course for beginners", "data-visualisation 1.00 alias"},
		{"data visualization with python", "data-visualisation 0.67 name, python 0.33 name"},
		{"paint", "painting 0.60 name"},
		{"market", "marketing 0.60 name"},
		{"market stalls", ""},
		{"paint a wall", "painting 0.30 name"},
		{"train my dog", "dog-training 0.85 name"},
		{"design", ""},
		{"become a painter abroad", "painting 0.40 name painter"},
		{"painter abroad", ""},
		// all of the query's words are three of a phrase's five, of which
		// outdoors says less, since another name holds it: a little over .7 · 3/5
		{"staying alive in the winter", "survival 0.43 phrase"},
		{"alive and kicking", ""},
		{"ml", "machine-learning 0.50 alias"},
		{"pm", "product-management 0.25 alias, project-management 0.25 alias"},
		{"ml statistics", "machine-learning 0.50 alias, statistics 0.50 name"},
		// .8 · .9 · {1, .8, .8, .4} / 3
		{"become a data analyst", "sql 0.24 phrase data-analyst, data-visualisation 0.19 phrase data-analyst, statistics 0.19 phrase data-analyst, python 0.10 phrase data-analyst"},
		{"data analyst sql", "sql 0.33 name, data-visualisation 0.14 name data-analyst, statistics 0.14 name data-analyst, python 0.07 name data-analyst"},
		{"c++", "cpp 1.00 name"},
		{"what is it", ""},
		{"learn", ""},
		{"it", "it-support 0.50 alias"},
		{"knitting for cats", ""},
		{"机器学习", ""},
		{"", ""},
		{" \t🙂", ""},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			var got []string
			for _, x := range m.Expand(tt.query) {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %.2f %s %s", x.SkillID, x.Weight, x.Why.Kind, x.Why.Occupation)))
			}
			if diff := gocmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("terms (-want +got):\n%s", diff)
			}
		})
	}
}

// anyText draws texts in which names of the small graph stand among other words.
func anyText(g *skills.Graph) *rapid.Generator[string] {
	words := []string{"the", "and", "no", "Go", "ML", "PM", "with", "pottery", ".", "learn", "C#", "数据", "become"}
	for _, s := range g.Skills() {
		words = append(words, s.Name)
		words = append(words, s.Aliases...)
		words = append(words, s.Phrases...)
	}
	for _, o := range g.Occupations() {
		words = append(words, o.Name)
	}
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 12).Draw(t, "words"), " ")
	})
}

func TestTagProperties(t *testing.T) {
	g := smallGraph(t)
	m := skills.NewMatcher(g)
	text := anyText(g)
	rapid.Check(t, func(t *rapid.T) {
		sentences := rapid.SliceOfN(text, 0, 5).Draw(t, "sentences")
		course := lectern.Course{Title: text.Draw(t, "title"), Description: strings.Join(sentences, ".\n"), Syllabus: sentences}
		first := m.Tag(course)
		if diff := gocmp.Diff(first, m.Tag(course)); diff != "" {
			t.Fatalf("not idempotent:\n%s", diff)
		}
		if diff := gocmp.Diff(first, skills.NewMatcher(g).Tag(course)); diff != "" {
			t.Fatalf("another matcher says otherwise:\n%s", diff)
		}
		slices.Reverse(sentences)
		turned := lectern.Course{Title: course.Title, Description: strings.Join(sentences, ".\n"), Syllabus: sentences}
		if diff := gocmp.Diff(first, m.Tag(turned), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Fatalf("the order of sentences matters:\n%s", diff)
		}
		if !slices.IsSortedFunc(first, func(a, b skills.Tagged) int {
			return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.SkillID, b.SkillID))
		}) {
			t.Fatal("not sorted")
		}
		for _, x := range first {
			if x.Confidence < skills.MinConfidence || x.Confidence >= 1 || len(x.Evidence) == 0 {
				t.Fatalf("bad tag %+v", x)
			}
		}
	})
}

func TestExpandProperties(t *testing.T) {
	g := smallGraph(t)
	m := skills.NewMatcher(g)
	text := anyText(g)
	rapid.Check(t, func(t *rapid.T) {
		query := text.Draw(t, "query")
		terms := m.Expand(query)
		checkTerms(t, g, terms)
		if diff := gocmp.Diff(terms, m.Expand(query)); diff != "" {
			t.Fatalf("not deterministic:\n%s", diff)
		}
		if diff := gocmp.Diff(terms, m.Expand(strings.ToLower(query))); diff != "" && !strings.Contains(query, "IT") {
			t.Fatalf("case matters:\n%s", diff)
		}
	})
}

func checkTerms(t interface{ Fatalf(string, ...any) }, g *skills.Graph, terms []skills.Term) {
	sum := 0.0
	for _, x := range terms {
		if _, ok := g.Skill(x.SkillID); !ok || x.Weight <= 0 || math.IsNaN(x.Weight) || x.Why.Name == "" {
			t.Fatalf("bad term %+v", x)
		}
		sum += x.Weight
	}
	if sum > 1+1e-9 || len(terms) > skills.MaxTerms {
		t.Fatalf("unbounded: %+v", terms)
	}
}

func FuzzMatcher(f *testing.F) {
	g := smallGraph(f)
	m := skills.NewMatcher(g)
	for _, s := range []string{"", "Go go GO", "no ML without stats", "C++ # . —", "\xff\xe2\x80", "IT it İT", "node.js.", "the of and", "数据 python", "analyses centres theatre"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, title, text string) {
		for _, x := range m.Tag(lectern.Course{Title: title, Description: text, Syllabus: []string{text, title}}) {
			if x.Confidence < skills.MinConfidence || x.Confidence > 1 {
				t.Fatalf("bad tag %+v", x)
			}
		}
		checkTerms(t, g, m.Expand(title))
	})
}
