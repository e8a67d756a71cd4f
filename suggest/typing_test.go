package suggest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

// typist is the fixture with a few courses whose titles share words.
func typist() []lectern.Course {
	return append(fixture(),
		course("py-data", "Data Analysis with Python", "Data Analysis", "Data Science", "Oslo", 7000),
		course("py-web", "Web Apps in python", "", "Programming", "Oslo", 60),
		course("js", "JavaScript Basics", "JavaScript", "Programming", "Oslo", 40),
		course("bwl", "Betriebswirtschaft verstehen", "", "Wirtschaft heute", "Köln", 30),
		course("case", "Case Study Method", "", "Business", "Köln", 20))
}

// What comes back while "machine learning" is typed: courses, completions, skills.
func TestTyping(t *testing.T) {
	s := suggesterOf(t, typist())
	var got []string
	const typed = "machine learning"
	for n := 1; n <= len(typed); n++ {
		out, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: typed[:n], Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, typed[:n]+": "+ids(out.Courses)+" | "+texts(out.Completions)+" | "+texts(out.Skills))
	}
	want := []string{
		"m: ml macro ml-prod | Machine Learning, Machine Learning in Production, Machine Learning for All | Machine Learning",
		"ma: ml macro ml-prod | Machine Learning, Machine Learning in Production, Machine Learning for All | Machine Learning",
		"mac: ml macro ml-prod | Machine Learning, Machine Learning in Production, Machine Learning for All | Machine Learning",
	}
	for n := 4; n <= len(typed); n++ {
		line := typed[:n] + ": ml ml-prod ml-all | Machine Learning, Machine Learning in Production, Machine Learning for All | Machine Learning"
		if n == len(typed) { // what is complete is no completion
			line = strings.Replace(line, "Machine Learning, ", "", 1)
		}
		want = append(want, line)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What comes back for queries of every sort, in all groups.
func TestTyped(t *testing.T) {
	s := suggesterOf(t, typist())
	for _, tt := range []struct{ query, courses, completions, skills, others string }{
		{"machne lerning", "ml ml-prod ml-all", "Machine Learning, Machine Learning in Production, Machine Learning for All", "Machine Learning", ""},
		{"pyth", "py py-data py-web ml", "Python, Python for Everybody, Data Analysis with Python, Web Apps in python", "Python", ""},
		{"pyhton", "py py-data py-web ml", "Python, Python for Everybody, Data Analysis with Python, Web Apps in python", "Python", ""},
		{"pyht", "py py-data py-web ml", "Python, Python for Everybody, Data Analysis with Python, Web Apps in python", "Python", ""},
		{"机器学习", "zh", "机器学习基础", "机器学习", ""},
		{"学习", "zh", "机器学习, 机器学习基础", "机器学习", ""},
		{"тест", "ru", "Тестирование, Тестирование программ", "Тестирование", ""},
		{"c++", "cpp", "Introduction to C++", "C++", ""},
		{"C#", "cs", "C# for Beginners", "C#", ""},
		{"studies", "case", "Case Study Method", "", ""},
		{"wirtschaft", "bwl", "Wirtschaft heute, Betriebswirtschaft verstehen", "", "Wirtschaft heute"},
		{"script", "js", "JavaScript, JavaScript Basics", "JavaScript", ""},
		{"🎉", "", "", "", ""},
		{strings.Repeat("machine ", 62) + "mach", "ml ml-prod ml-all", "Machine Learning, Machine Learning in Production, Machine Learning for All", "Machine Learning", ""},
		{strings.Repeat("q", 500), "", "", "", ""},
		{"'; DROP TABLE courses; --", "", "", "", ""},
		{"' OR 1=1 --", "", "", "", ""},
		{"<img src=x onerror=alert(1)>", "", "", "", ""},
		{"<i>machine</i>", "ml-prod", "Machine Learning in Production", "", ""},
	} {
		out := ask(t, s, tt.query)
		got := []string{ids(out.Courses), texts(out.Completions), texts(out.Skills), texts(slices.Concat(out.Categories, out.Providers))}
		if d := cmp.Diff([]string{tt.courses, tt.completions, tt.skills, tt.others}, got); d != "" {
			t.Errorf("%.40q: %s", tt.query, d)
		}
	}
	blank := ask(t, s, " \t\n\u3000 ")
	if len(blank.Courses) == 0 || blank.Courses[0].Reason != lectern.SuggestPopular || len(blank.Completions) > 0 {
		t.Errorf("only spaces: %+v", blank)
	}
}

// Words that several titles share complete a query, spelled as most titles spell
// them; those that lead to one longer phrase do not, nor do stop words and numbers.
func TestSingleWords(t *testing.T) {
	s := suggesterOf(t, []lectern.Course{
		course("1", "the PYTHON language and 2024", "", "", "", 90),
		course("2", "Modern Python at the office during 2024 and beyond this very year", "", "", "", 80),
		course("3", "Python tools, the last of a long list that no one will ever type 2024", "", "", "", 70),
		course("4", "Machine Learning of the animals who live in the great northern woods", "", "", "", 60),
		course("5", "Machine Learning with pictures of the animals who live far away from here", "", "", "", 50),
		course("6", "Machine Learning without any pictures of animals who live in the houses of men", "", "", "", 40),
	})
	for query, want := range map[string]string{
		"pyt": "Python", "mach": "Machine Learning", "th": "", "202": "",
	} {
		var got []string
		for _, c := range ask(t, s, query).Completions {
			if strings.Count(c.Text, " ") < 2 {
				got = append(got, c.Text)
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}

// However a completion is spelled in titles, it comes once.
func TestCompletionsOnce(t *testing.T) {
	s := suggesterOf(t, []lectern.Course{
		course("1", "CAFÉ culture", "", "", "", 3), course("2", "Café Culture", "", "", "", 2), course("3", "Cafe culture", "", "", "", 1),
		course("4", "Café Culture", "café culture", "", "", 0),
	})
	if got := texts(ask(t, s, "caf").Completions); got != "Café Culture" {
		t.Errorf("completions %q", got)
	}
}

// One slip anywhere in an unfinished word of four to seven letters still finds it:
// a letter added, dropped or replaced, or two neighbours swapped, the last two too.
func TestOneSlip(t *testing.T) {
	s := suggesterOf(t, typist())
	rapid.Check(t, func(rt *rapid.T) {
		word := []rune("macroeconomics")[:rapid.IntRange(5, 7).Draw(rt, "letters")]
		at := rapid.IntRange(1, len(word)-1).Draw(rt, "at")
		switch rapid.IntRange(0, 3).Draw(rt, "slip") {
		case 0:
			word[at-1], word[at] = word[at], word[at-1]
		case 1:
			word = slices.Delete(word, at, at+1) // the first letter is rarely missed
		case 2:
			word = slices.Insert(word, at, 'x')
		default:
			word[at] = 'x'
		}
		if got := ids(ask(t, s, string(word)).Courses); !strings.Contains(" "+got+" ", " macro ") {
			rt.Errorf("%q finds %s", string(word), got)
		}
	})
}

// What stands inside of compound words is what looking into every word finds.
func TestInside(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfNDistinct(rapid.StringOfN(rapid.SampledFrom([]rune("abé学")), 1, 12, -1), 0, 30, rapid.ID[string]).Draw(rt, "words")
		slices.Sort(words)
		query := rapid.StringOfN(rapid.SampledFrom([]rune("abé学")), 1, 6, -1).Draw(rt, "query")
		var want []string
		for _, w := range words {
			letters := []rune(w)
			if len(letters) >= compoundLetters && len([]rune(query)) >= tailLetters && strings.Contains(string(letters[tailLetters:]), query) {
				want = append(want, w)
			}
		}
		d := newDictionary(words)
		var got []string
		for _, n := range d.inside(query) {
			got = append(got, words[n])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatal(diff)
		}
		ranges := withInside(d.fuzzy(query, edits(len([]rune(query)))), d.inside(query))
		for i := 1; i < len(ranges); i++ {
			if ranges[i].lo < ranges[i-1].hi {
				rt.Fatalf("ranges %v", ranges)
			}
		}
	})
}
