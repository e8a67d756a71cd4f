package suggest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

func testNow() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }

// course makes a course; skills are separated by commas.
func course(id, title, skills, category, provider string, enrolments int) lectern.Course {
	c := lectern.Course{ID: id, Title: title, Provider: provider, Stated: lectern.StatedStats{Enrolments: enrolments}}
	if skills != "" {
		c.Skills = strings.Split(skills, ",")
	}
	if category != "" {
		c.Categories = []string{category}
	}
	return c
}

// fixture is a catalogue written for these tests.
func fixture() []lectern.Course {
	return []lectern.Course{
		course("ml", "Machine Learning", "Machine Learning,Python", "Data Science", "Stanford", 90_000),
		course("ml-all", "Machine Learning for All", "Machine Learning", "Data Science", "London", 9_000),
		course("ml-prod", "Machine Learning in Production", "Machine Learning,DevOps", "Data Science", "DeepLearning", 20_000),
		course("macro", "Macroeconomics", "Economics", "Business", "Lisbon", 500),
		course("cpp", "Introduction to C++", "C++", "Programming", "Oslo", 3_000),
		course("cs", "C# for Beginners", "C#", "Programming", "Oslo", 2_000),
		course("node", "Servers with Node.js", "Node.js", "Programming", "Oslo", 4_000),
		course("py", "Python for Everybody", "Python", "Programming", "Michigan", 95_000),
		course("stats", "Introduction to Statistics", "Statistics", "Data Science", "Stanford", 30_000),
		course("cafe", "Le Café français", "French", "Languages", "Paris", 100),
		course("zh", "机器学习基础", "机器学习", "Data Science", "北京大学", 800),
		course("ru", "Тестирование программ", "Тестирование", "Programming", "Москва", 700),
		course("ar", "مقدمة في البرمجة", "البرمجة", "Programming", "القاهرة", 600),
		course("r", "R", "R", "Data Science", "Zürich", 10),
		course("react", "React Basics", "React", "Programming", "Meta", 50_000),
		course("party", "Party 🎉 Planning", "Events", "Leisure", "Rio", 5),
	}
}

func upserts(courses []lectern.Course) []Entry {
	out := make([]Entry, len(courses))
	for i, c := range courses {
		out[i] = Entry{Course: c}
	}
	return out
}

// suggesterOf holds courses in its base.
func suggesterOf(t testing.TB, courses []lectern.Course) *Suggester {
	t.Helper()
	s := New(testNow)
	if err := s.Apply(t.Context(), upserts(courses), nil, true); err != nil {
		t.Fatal(err)
	}
	s.Rebuild()
	return s
}

func ask(t testing.TB, s *Suggester, q string) lectern.Suggestions {
	t.Helper()
	out, err := s.Suggest(t.Context(), lectern.SuggestRequest{Query: q, Limit: MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func ids(in []lectern.Suggestion) string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = s.ID
	}
	return strings.Join(out, " ")
}

func texts(in []lectern.Suggestion) string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = s.Text
	}
	return strings.Join(out, ", ")
}

// synthetic makes n courses of words with a Zipf distribution, titles of three to
// eight words.
func synthetic(n int) []lectern.Course {
	r := rand.New(rand.NewPCG(1, 2))
	syllables := strings.Fields("ma chi ne lear ning da ta sci ence py thon de sign com pu ter ba sic ad van ced pro gram ming sta tis tics eco no mics in tro lan gua ge his to ry bio lo gy mu sic")
	words := make([]string, 2000+n/4)
	for i := range words {
		var b strings.Builder
		for range 2 + r.IntN(3) {
			b.WriteString(syllables[r.IntN(len(syllables))])
		}
		words[i] = b.String()
	}
	zipf := rand.NewZipf(r, 1.1, 8, uint64(len(words)-1))
	pick := func(n int) string {
		out := make([]string, n)
		for i := range out {
			out[i] = words[zipf.Uint64()]
		}
		return strings.Join(out, " ")
	}
	skills := make([]string, 500+n/20)
	for i := range skills {
		skills[i] = pick(1 + r.IntN(2))
	}
	out := make([]lectern.Course, n)
	for i := range out {
		own := make([]string, 3+r.IntN(8))
		for j := range own {
			own[j] = skills[min(int(r.ExpFloat64()*float64(len(skills))/6), len(skills)-1)]
		}
		out[i] = course(fmt.Sprint("c", i), pick(3+r.IntN(6)), strings.Join(own, ","),
			fmt.Sprint("category ", r.IntN(40)), fmt.Sprint("provider ", r.IntN(300)), int(r.ExpFloat64()*5000))
	}
	return out
}

func apply(t testing.TB, s *Suggester, courses []lectern.Course, deletes ...string) {
	t.Helper()
	if err := s.Apply(t.Context(), upserts(courses), deletes, false); err != nil {
		t.Fatal(err)
	}
}
