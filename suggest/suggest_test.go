package suggest

import (
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func TestCourses(t *testing.T) {
	s := suggesterOf(t, fixture())
	tests := []struct {
		query  string
		want   string // ids in order
		reason lectern.SuggestReason
	}{
		{"machine learning", "ml ml-prod ml-all", "exact"},
		{"MACHINE  Learning", "ml ml-prod ml-all", "exact"},
		{"machine learning for", "ml-all", "prefix"},
		{"machne lerning", "ml ml-prod ml-all", "typo"},
		{"mahcine", "ml ml-prod ml-all", "typo"},
		{"amchine", "ml ml-prod ml-all", "typo"},
		{"learning machine", "ml ml-prod ml-all", "words"},
		{"production m", "ml-prod", "words"},
		{"macroecnomcis", "macro", "typo"}, // one letter missing, two swapped
		{"statstics", "stats", "typo"},
		{"stats intro", "stats", "typo"},
		{"python for evrybody", "py", "typo"},
		{"introduction to quantum", "stats cpp", "partial"},
		{"c++", "cpp", "words"},
		{"C#", "cs", "prefix"},
		{"node.j", "node", "words"},
		{"js", "node", "words"},
		{"r", "r react party", "exact"},
		{"cafe", "cafe", "words"},
		{"cafe\u0301 fr", "cafe", "words"},
		{"机", "zh", "prefix"},
		{"机器学习", "zh", "prefix"},
		{"学习", "zh", "words"},
		{"тест", "ru", "prefix"},
		{"тестировние", "ru", "typo"},
		{"مقد", "ar", "prefix"},
		{"البرمجة", "ar", "words"},
		{"البرمجه", "ar", "words"},
		{"stanf", "ml stats", "words"},
		{"🎉", "", ""},
		{"'; DROP TABLE courses; --", "", ""},
		{"<b>python</b>", "py ml", "partial"},
		{"<script>alert(1)</script>", "", ""},
		{strings.Repeat("x", 500), "", ""},
		{strings.Repeat("python ", 71), "py ml", "words"},
		{"\xff\xfe", "", ""},
		{"   ", "py ml react stats ml-prod ml-all node cpp cs zh ru ar macro cafe r party", "popular"},
	}
	for _, tt := range tests {
		t.Run(tt.query[:min(len(tt.query), 40)], func(t *testing.T) {
			got := ask(t, s, tt.query).Courses
			if d := cmp.Diff(tt.want, ids(got)); d != "" {
				t.Error(d)
			}
			if len(got) > 0 && got[0].Reason != tt.reason {
				t.Errorf("reason %s, want %s", got[0].Reason, tt.reason)
			}
		})
	}
}

// After two letters the words of the query lead to the title that has them.
func TestLetterByLetter(t *testing.T) {
	s := suggesterOf(t, fixture())
	const typed = "machine learning"
	for n := 1; n <= len(typed); n++ {
		out := ask(t, s, typed[:n])
		if len(out.Courses) == 0 || out.Courses[0].ID != "ml" {
			t.Errorf("%q: courses %s", typed[:n], ids(out.Courses))
		}
		if n < len(typed) && (len(out.Completions) == 0 || out.Completions[0].Text != "Machine Learning") {
			t.Errorf("%q: completions %s", typed[:n], texts(out.Completions))
		}
		if len(out.Skills) == 0 || out.Skills[0].Text != "Machine Learning" {
			t.Errorf("%q: skills %s", typed[:n], texts(out.Skills))
		}
	}
	if out := ask(t, s, typed); strings.HasPrefix(texts(out.Completions)+",", "Machine Learning,") {
		t.Error("a query that is complete is completed")
	}
}

func TestFacets(t *testing.T) {
	s := suggesterOf(t, fixture())
	for _, tt := range []struct{ query, skills, categories, providers string }{
		{"data", "", "Data Science", ""},
		{"dat scinece", "", "Data Science", ""},
		{"stanford", "", "", "Stanford"},
		{"standford", "", "", "Stanford"},
		{"c", "C#, C++", "", ""},
		{"北", "", "", "北京大学"},
	} {
		got := ask(t, s, tt.query)
		if d := cmp.Diff([]string{tt.skills, tt.categories, tt.providers},
			[]string{texts(got.Skills), texts(got.Categories), texts(got.Providers)}); d != "" {
			t.Errorf("%q: %s", tt.query, d)
		}
	}
}

// A title that begins with the words, misspelt, goes before one that has them later.
func TestTypoAtTheStart(t *testing.T) {
	s := suggesterOf(t, []lectern.Course{
		course("late", "Using Machine Learning", "", "", "", 2), course("early", "Machine Learning Systems", "", "", "", 0),
	})
	if got := ids(ask(t, s, "machne lerning").Courses); got != "early late" {
		t.Error(got)
	}
}

// Words that several titles share complete a query though they are no skill.
func TestSharedSequences(t *testing.T) {
	s := suggesterOf(t, []lectern.Course{
		course("1", "A First Garden Design Studio at Home", "", "", "", 0),
		course("2", "Advanced Garden Design Studio Practice and its History in Europe Today", "", "", "", 0),
		course("3", "The Garden Design Studio for Professionals who Work in Large Cities", "", "", "", 0),
		course("4", "A Garden Design That Lasts for Everybody who Lives in a City", "", "", "", 0),
	})
	if got, want := texts(ask(t, s, "gard").Completions), "Garden Design, Garden Design Studio, "; !strings.HasPrefix(got, want) {
		t.Errorf("completions %q", got)
	}
}

func TestHighlightUnits(t *testing.T) {
	s := suggesterOf(t, fixture())
	marked := func(sg lectern.Suggestion) string {
		units := utf16.Encode([]rune(sg.Text))
		var parts []string
		for _, h := range sg.Highlight {
			parts = append(parts, string(utf16.Decode(units[h.Start:h.End])))
		}
		return strings.Join(parts, "|")
	}
	for query, want := range map[string]string{
		"plann": "Plann", "party pl": "Party|Pl", "machne l": "Machine|L", "机器": "机器", "node.j": "Node.j", "cafe fr": "Café|fr",
	} {
		if got := marked(ask(t, s, query).Courses[0]); got != want {
			t.Errorf("%q marks %q, want %q", query, got, want)
		}
	}
}

func TestFiltersAndEligibility(t *testing.T) {
	hours := 5.0
	later, before := testNow().Add(time.Hour), testNow()
	some := []lectern.Course{
		course("open", "Statistics one", "Counting", "Maths", "Oslo", 1),
		course("closed", "Statistics two", "Closed skill", "Closed category", "", 9),
		course("later", "Statistics three", "Later skill", "", "", 9),
		course("over", "Statistics four", "", "", "", 9),
		course("oslo", "Statistics five", "", "", "Lima", 9),
		course("inside", "Statistics six", "", "", "", 9),
		course("short", "Statistics seven", "Brevity", "", "", 0),
	}
	some[1].Availability.Status = lectern.StatusRetired
	some[2].Availability.EnrolFrom = &later
	some[3].Availability.EnrolUntil = &before
	some[4].Availability.Regions = []string{"NO"}
	some[5].Availability.Organisations = []string{"acme"}
	some[6].WorkloadHours, some[6].Language, some[6].Level = &hours, "pt-BR", lectern.LevelBeginner
	s := suggesterOf(t, some)
	eligible := func(region string, orgs ...string) *lectern.Eligibility {
		return &lectern.Eligibility{At: testNow(), Region: region, Organisations: orgs}
	}
	ten := 10.0
	for _, tt := range []struct {
		name   string
		filter lectern.Filter
		want   string
	}{
		{"anybody", lectern.Filter{}, "open short"},
		{"region", lectern.Filter{Eligible: eligible("no")}, "oslo open short"},
		{"organisation", lectern.Filter{Eligible: eligible("", "Acme")}, "inside open short"},
		{"hours", lectern.Filter{MaxHours: &ten}, "short"},
		{"language", lectern.Filter{Languages: []string{"pt"}}, "short"},
		{"level", lectern.Filter{Levels: []lectern.Level{lectern.LevelBeginner}}, "short"},
		{"category", lectern.Filter{Categories: []string{"MATHS"}}, "open"},
		{"provider", lectern.Filter{Providers: []string{"oslo"}}, "open"},
		{"left out", lectern.Filter{ExcludeIDs: []string{"open"}}, "short"},
		{"only", lectern.Filter{OnlyIDs: []string{"closed", "open"}}, "open"},
	} {
		for _, query := range []string{"stat", ""} {
			out, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: query, Filter: tt.filter})
			if err != nil {
				t.Fatal(err)
			}
			if got := ids(out.Courses); got != tt.want {
				t.Errorf("%s, %q: %s, want %s", tt.name, query, got, tt.want)
			}
		}
	}
	for _, query := range []string{"closed", "later", ""} {
		out := ask(t, s, query)
		if len(out.Skills)+len(out.Completions) > 0 || strings.Contains(texts(out.Categories), "Closed") {
			t.Errorf("%q offers what no course can be found by: %+v", query, out)
		}
	}
}

func TestLimit(t *testing.T) {
	s := suggesterOf(t, synthetic(2000))
	for limit, want := range map[int]int{0: DefaultLimit, 1: 1, 20: 20, 1000: MaxLimit} {
		out, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: "ma", Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Courses) != want || len(out.Completions) != want {
			t.Errorf("limit %d: %d courses, %d completions", limit, len(out.Courses), len(out.Completions))
		}
	}
}

// The same title twice: both come before everything else, the more popular first.
func TestSameTitle(t *testing.T) {
	s := suggesterOf(t, append(fixture(), course("ml2", "machine learning", "", "", "", 95_000)))
	if got := ids(ask(t, s, "machine learning").Courses); !strings.HasPrefix(got, "ml2 ml ") {
		t.Error(got)
	}
}

// What rules hide is neither suggested nor counted, and comes back with the rule's end.
func TestHiddenCoursesAreNotSuggested(t *testing.T) {
	hide := map[string]bool{}
	s, err := NewWith(Options{Clock: testNow, Hidden: func(ref lectern.LearnerRef) func(string) bool {
		if ref.ID == "" || len(hide) == 0 {
			return nil
		}
		return func(id string) bool { return hide[id] }
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), upserts(fixture()), nil, true); err != nil {
		t.Fatal(err)
	}
	s.Rebuild()
	expect := func(learner string, want bool) {
		t.Helper()
		got, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: "macroeco", Learner: lectern.LearnerRef{ID: learner}})
		if err != nil || strings.Contains(ids(got.Courses), "macro") != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
	expect("ada", true)
	hide["macro"] = true
	expect("ada", false)
	expect("", true)
	clear(hide)
	expect("ada", true)
}
