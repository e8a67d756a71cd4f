package demo

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	lectern "github.com/lectern-dev/lectern"
)

func testNow() time.Time { return time.Date(2026, 11, 22, 4, 8, 20, 123456789, time.UTC) }

// defaultPlatform is generated once; tests only read it.
var defaultPlatform = sync.OnceValue(func() *Platform { return Generate(DefaultOptions(testNow())) })

func TestSizes(t *testing.T) {
	p := defaultPlatform()
	got := []int{len(p.Courses), len(p.Learners), len(p.Reviews), len(p.Events), len(p.Truth.Courses), len(p.Truth.Learners)}
	want := []int{DefaultCourses, 3000, 8000, 80000, DefaultCourses, 3000}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if DefaultCourses < 1200 {
		t.Errorf("%d courses by default, want 1200 or more", DefaultCourses)
	}
	subjects, topics, providers, instructors := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, c := range p.Courses {
		subjects[c.Categories[0]]++
		topics[c.Categories[1]]++
		providers[c.Provider]++
		for _, i := range c.Instructors {
			instructors[i]++
		}
	}
	for name, n := range map[string][2]int{
		"subjects": {len(subjects), 20}, "topics": {len(topics), 180},
		"providers": {len(providers), 60}, "instructors": {len(instructors), 1000},
	} {
		if n[0] < n[1] {
			t.Errorf("%d %s, want at least %d", n[0], name, n[1])
		}
	}
}

func TestSameOptionsSamePlatform(t *testing.T) {
	// The diff of equal platforms would take seconds.
	if again := Generate(DefaultOptions(testNow())); !reflect.DeepEqual(defaultPlatform(), again) {
		diff := cmp.Diff(defaultPlatform(), again)
		t.Error(diff[:min(len(diff), 2000)])
	}
	o := DefaultOptions(testNow())
	o.Seed++
	if cmp.Equal(defaultPlatform().Courses[:50], Generate(o).Courses[:50]) {
		t.Error("another seed gives the same courses")
	}
}

// More of one thing leaves the others alone.
func TestPartsAreIndependent(t *testing.T) {
	o := DefaultOptions(testNow())
	o.Learners, o.Reviews, o.Events = 10, 5, 50
	p := Generate(o)
	if diff := cmp.Diff(defaultPlatform().Courses, p.Courses); diff != "" {
		t.Error("fewer learners change the courses", diff[:min(len(diff), 1000)])
	}
	if diff := cmp.Diff(p.Courses, Catalog(o.Courses, o.Seed, o.Now)); diff != "" {
		t.Error("Catalog differs from Generate", diff[:min(len(diff), 1000)])
	}
}

// Whatever is asked for, the counts are exact and everything is valid.
func TestAnySizeIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Options{
			Seed:     rapid.Uint64().Draw(t, "seed"),
			Courses:  rapid.IntRange(-1, 300).Draw(t, "courses"),
			Learners: rapid.IntRange(-1, 60).Draw(t, "learners"),
			Reviews:  rapid.IntRange(-1, 200).Draw(t, "reviews"),
			Events:   rapid.IntRange(-1, 500).Draw(t, "events"),
			Now:      time.Unix(rapid.Int64Range(1.5e9, 2.2e9).Draw(t, "now"), 0),
		}
		p := Generate(o)
		reviews, events := max(o.Reviews, 0), max(o.Events, 0)
		if o.Courses <= 0 {
			reviews, events = 0, 0
		}
		if o.Learners <= 0 {
			events = 0
		}
		got := []int{len(p.Courses), len(p.Learners), len(p.Reviews), len(p.Events)}
		if diff := cmp.Diff([]int{max(o.Courses, 0), max(o.Learners, 0), reviews, events}, got); diff != "" {
			t.Fatal(diff)
		}
		for _, problem := range problems(p, o.Now) {
			t.Error(problem)
		}
	})
}

func TestDefaultPlatformIsValid(t *testing.T) {
	for _, problem := range problems(defaultPlatform(), testNow()) {
		t.Error(problem)
	}
}

// No run of eight words may stand in more than 2 % of the descriptions.
func TestDescriptionsDoNotRepeatThemselves(t *testing.T) {
	for seed := range uint64(3) {
		o := DefaultOptions(testNow())
		courses := Catalog(o.Courses, seed, o.Now)
		seen := map[string]int{}
		for _, c := range courses {
			words := strings.FieldsFunc(strings.ToLower(c.Description), func(r rune) bool {
				return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\''
			})
			own := map[string]bool{}
			for i := 0; i+8 <= len(words); i++ {
				own[strings.Join(words[i:i+8], " ")] = true
			}
			for g := range own {
				seen[g]++
			}
		}
		limit := len(courses) * 2 / 100
		worst := ""
		for g, n := range seen {
			if n > seen[worst] {
				worst = g
			}
			if n > limit {
				t.Errorf("seed %d: %q in %d of %d descriptions", seed, g, n, len(courses))
			}
		}
		t.Logf("seed %d: most frequent run of eight words: %q, %d times (limit %d)", seed, worst, seen[worst], limit)
	}
}

func TestDescriptionsAreSubstantial(t *testing.T) {
	short := 0
	texts := map[string]bool{}
	for _, c := range defaultPlatform().Courses {
		if texts[c.Description] {
			t.Errorf("%s: description comes twice", c.ID)
		}
		texts[c.Description] = true
		if c.Language == "en" && len(strings.Fields(c.Description)) < 25 {
			short++
		}
		if strings.ContainsAny(c.Title+c.Description+strings.Join(c.Syllabus, ""), "{}|") {
			t.Errorf("%s: unfilled slot in %q %q", c.ID, c.Title, c.Description)
		}
		if strings.Contains(c.Description, "  ") || strings.Contains(c.Description, " .") {
			t.Errorf("%s: odd spaces in %q", c.ID, c.Description)
		}
	}
	if short > DefaultCourses/20 {
		t.Errorf("%d descriptions have fewer than 25 words", short)
	}
}

func TestOtherLanguagesAreThere(t *testing.T) {
	scripts := map[string]*unicode.RangeTable{"ar": unicode.Arabic, "zh": unicode.Han}
	count := map[string]int{}
	for _, c := range defaultPlatform().Courses {
		count[c.Language]++
		if script := scripts[c.Language]; script != nil {
			for _, text := range []string{c.Title, c.Description} {
				if !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(script, r) }) {
					t.Errorf("%s: %q has no letters of its script", c.ID, text)
				}
			}
		}
	}
	for _, lang := range []string{"es", "fr", "de", "pt", "ar", "zh"} {
		if count[lang] < 10 {
			t.Errorf("%d courses in %s, want 10 or more", count[lang], lang)
		}
	}
	if count["en"] < DefaultCourses*8/10 {
		t.Errorf("%d courses in English", count["en"])
	}
	t.Log(count)
}

func TestPrerequisitesLeadUpwards(t *testing.T) {
	p := defaultPlatform()
	byID := map[string]int{}
	for i, c := range p.Courses {
		byID[c.ID] = i
	}
	across := 0
	depth := make([]int, len(p.Courses))
	var visit func(i int, path []int) int
	visit = func(i int, path []int) int {
		if slices.Contains(path, i) {
			t.Fatalf("cycle through %s", p.Courses[i].ID)
		}
		if depth[i] > 0 {
			return depth[i]
		}
		d := 1
		for _, id := range p.Courses[i].Prerequisites {
			k, ok := byID[id]
			if !ok {
				t.Fatalf("%s needs unknown %s", p.Courses[i].ID, id)
			}
			if p.Truth.Courses[k].Level > p.Truth.Courses[i].Level {
				t.Errorf("%s (%s) needs %s (%s)", p.Courses[i].ID, p.Courses[i].Level, id, p.Courses[k].Level)
			}
			if p.Truth.Courses[k].Topic != p.Truth.Courses[i].Topic {
				across++
			}
			d = max(d, visit(k, append(path, i))+1)
		}
		depth[i] = d
		return d
	}
	chains := 0
	for i := range p.Courses {
		if visit(i, nil) >= 3 {
			chains++
		}
	}
	if chains < 100 {
		t.Errorf("%d courses end a chain of three, want 100 or more", chains)
	}
	if across < 100 {
		t.Errorf("%d prerequisites lead to another topic, want 100 or more", across)
	}
}

func TestPopularityIsSkewed(t *testing.T) {
	p := defaultPlatform()
	count := map[string]int{}
	total := 0
	for _, e := range p.Events {
		if e.Type == lectern.EventEnrol {
			count[e.CourseID]++
			total++
		}
	}
	n := slices.Sorted(maps.Values(count))
	top := 0
	for _, k := range n[len(n)-len(p.Courses)/10:] {
		top += k
	}
	if share := float64(top) / float64(total); share < 0.3 || share > 0.8 {
		t.Errorf("the top tenth of the courses has %.0f %% of the enrolments", 100*share)
	}
	if len(n) < len(p.Courses)*3/4 {
		t.Errorf("only %d of %d courses have an enrolment", len(n), len(p.Courses))
	}
}

// A large catalogue keeps distinct titles and ids.
func TestLargeCatalogue(t *testing.T) {
	n := 50_000
	if testing.Short() {
		n = 10_000
	}
	titles, ids := map[string]bool{}, map[string]bool{}
	numbered := 0
	for _, c := range Catalog(n, 7, testNow()) {
		titles[strings.ToLower(c.Title)] = true
		ids[c.ID] = true
		if strings.Contains(c.Title, ", Part ") {
			numbered++
		}
		if utf8.RuneCountInString(c.Title) > 120 {
			t.Errorf("long title %q", c.Title)
		}
	}
	if len(titles) != n || len(ids) != n {
		t.Errorf("%d titles and %d ids for %d courses", len(titles), len(ids), n)
	}
	if numbered > n/50 {
		t.Errorf("%d titles had to be numbered", numbered)
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		Generate(DefaultOptions(testNow()))
	}
}

func BenchmarkCatalog100k(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Catalog(100_000, 1, testNow())
	}
}
