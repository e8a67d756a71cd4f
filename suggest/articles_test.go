package suggest

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// markedIn returns the highlighted parts of a suggestion.
func markedIn(sg lectern.Suggestion) string {
	units := utf16.Encode([]rune(sg.Text))
	var out []string
	for _, h := range sg.Highlight {
		out = append(out, string(utf16.Decode(units[h.Start:h.End])))
	}
	return strings.Join(out, "|")
}

// Words are found by what they are without their article, and what is attached to
// it, from the third letter on, and the other way round.
func TestArticles(t *testing.T) {
	s := suggesterOf(t, []lectern.Course{
		course("code", "مقدمة في البرمجة", "البرمجة", "البرمجة", "القاهرة", 600),
		course("cook", "أساسيات الطبخ", "", "", "", 10),
		course("books", "دورة المحاسبة المالية", "", "", "", 10),
		course("ai", "مدخل إلى الذكاء الاصطناعي", "", "", "", 10),
		course("market", "دليل للتسويق الرقمي", "", "", "", 10),
		course("free", "تعلم برمجة الويب", "", "", "", 10),
		course("hebrew", "מבוא לתכנות והפסיכולוגיה", "", "", "", 10), course("hebrew-law", "יסודות המשפט", "", "", "", 10),
	})
	for _, tt := range []struct{ query, want, also string }{
		{"برمجة", "free", "code"}, {"البرمجة", "code", "free"}, {"بالبرمجة", "code", "free"}, {"طبخ", "cook", ""}, {"الطبخ", "cook", ""},
		{"محاسبة", "books", ""}, {"ذكاء اصطناعي", "ai", ""}, {"الذكاء الاصطناعي", "ai", ""}, {"تسويق رقمي", "market", ""},
		{"التسويق الرقمي", "market", ""}, {"משפט", "hebrew-law", ""},
	} {
		letters := []rune(tt.query)
		first := bareLetters
		if b := bare(tt.query); b != "" {
			first += len(letters) - len([]rune(b))
		}
		for n := first; n <= len(letters); n++ {
			typed := string(letters[:n])
			got := " " + ids(ask(t, s, typed).Courses) + " "
			if !strings.Contains(got, " "+tt.want+" ") {
				t.Errorf("%q: courses %s, want %s", typed, got, tt.want)
			}
			if n == len(letters) && tt.also != "" && !strings.Contains(got, " "+tt.also+" ") {
				t.Errorf("%q: courses %s, want %s too", typed, got, tt.also)
			}
		}
	}
	out := ask(t, s, "برمجة")
	for group, got := range map[string][]lectern.Suggestion{"completions": out.Completions, "skills": out.Skills, "categories": out.Categories} {
		if len(got) == 0 || got[0].Text != "البرمجة" || markedIn(got[0]) != "البرمجة" {
			t.Errorf("%s: %s", group, texts(got))
		}
	}
	for _, sg := range ask(t, s, "برم").Courses {
		if want := map[string]string{"code": "البرم", "free": "برم"}[sg.ID]; markedIn(sg) != want {
			t.Errorf("%q marked in %q", markedIn(sg), sg.Text)
		}
	}
}

// Of compound words the letters are marked that were typed.
func TestMarksInsideCompounds(t *testing.T) {
	courses := []lectern.Course{
		course("old", "Altenpflege heute", "Altenpflege", "", "", 600), course("sick", "Gesundheits- und Krankenpflege", "", "", "", 10),
	}
	s := suggesterOf(t, courses)
	out := ask(t, s, "pflege")
	for group, got := range map[string][]lectern.Suggestion{"courses": out.Courses, "skills": out.Skills, "completions": out.Completions} {
		if len(got) == 0 {
			t.Errorf("no %s", group)
		}
		for _, sg := range got {
			if markedIn(sg) != "pflege" {
				t.Errorf("%s: %q marked in %q", group, markedIn(sg), sg.Text)
			}
		}
	}
	// Also where a course was found by what it teaches.
	a := text.NewAnalyzer()
	for query, want := range map[string]string{"pflege": "pflege", "alt": "Alt", "heu": "heu", "kurs pflege": "pflege", "kurs alt": "Alt", "alt kurs": ""} {
		title := lectern.Suggestion{Text: "Altenpflege heute"}
		title.Highlight = newQuery(a, query).highlight(a, title.Text)
		if got := markedIn(title); got != want {
			t.Errorf("%q: %q", query, got)
		}
	}
}
