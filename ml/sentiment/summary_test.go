package sentiment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func review(id, text string, daysAgo int) lectern.Review {
	at := now.AddDate(0, 0, -daysAgo)
	return lectern.Review{ID: id, CourseID: "c1", LearnerID: "l-" + id, Text: text, WrittenAt: &at}
}

func summaryOptions() SummaryOptions {
	o := DefaultSummaryOptions()
	o.Now = now
	o.Aspects = SeedAspects(NewLexicon())
	return o
}

func aspectOf(s lectern.ReviewSummary, a lectern.Aspect) *lectern.AspectSummary {
	for i := range s.Aspects {
		if s.Aspects[i].Aspect == a {
			return &s.Aspects[i]
		}
	}
	return nil
}

func TestSummarise(t *testing.T) {
	reviews := []lectern.Review{
		review("r1", "The instructor explains everything clearly and with a lot of humour. The quizzes were full of mistakes, which was really annoying.", 0),
		review("r2", "Excellent teacher, wonderful lectures! But the assignments are boring.", 0),
		review("r3", "El curso es excelente y el profesor explica muy bien.", 0),
		review("r4", "很好的课程", 0),
		review("r5", "Terrible course, stay away!!!", 0),
		review("r6", "", 0),
	}
	o := summaryOptions()
	o.Held = map[string]bool{"r5": true}
	s := Summarise(reviews, NewLexicon(), o)
	if s.CourseID != "c1" || s.Model != lexiconName || s.Reviews != 5 || s.Read != 3 || s.Unread != 1 || s.Held != 1 || !s.MadeAt.Equal(now) {
		t.Errorf("summary is %+v", s)
	}
	if s.Weight != 3 || s.Score == nil || *s.Score < 0.5 {
		t.Errorf("weight %g, score %v", s.Weight, s.Score)
	}
	teaching, assignments := aspectOf(s, lectern.AspectTeaching), aspectOf(s, lectern.AspectAssignments)
	if teaching == nil || assignments == nil || teaching.Score < 0.6 || assignments.Score > 0.45 {
		t.Fatalf("teaching %+v, assignments %+v", teaching, assignments)
	}
	want := "The quizzes were full of mistakes, which was really annoying."
	if len(assignments.Quotes) == 0 || assignments.Quotes[0].Text != want || assignments.Quotes[0].ReviewID != "r1" || assignments.Quotes[0].Score > 0.3 {
		t.Errorf("quotes %+v", assignments.Quotes)
	}
}

// TestSummariseExact: two reviews, one of a half-life ago, of scores a and b, weigh 1
// and 1/2: (a + b/2) / 1.5; e - 1 votes make one count 1.5.
func TestSummariseExact(t *testing.T) {
	lex := NewLexicon()
	o := summaryOptions()
	o.HalfLife = 100 * 24 * time.Hour
	reviews := []lectern.Review{review("r1", "Great course.", 0), review("r2", "Boring.", 100)}
	a, _ := lex.Score("Great course.", "")
	b, _ := lex.Score("Boring.", "")
	s := Summarise(reviews, lex, o)
	if want := (a + b/2) / 1.5; math.Abs(*s.Score-want) > 1e-9 || math.Abs(s.Weight-1.5) > 1e-9 {
		t.Errorf("score %.4f and weight %.2f, want %.4f and 1.5", *s.Score, s.Weight, want)
	}
	reviews[1].WrittenAt, reviews[1].Helpful = reviews[0].WrittenAt, 6 // 1 + 0.5 ln 7 = 1.973
	s = Summarise(reviews, lex, o)
	w := 1 + 0.5*math.Log(7)
	if want := (a + w*b) / (1 + w); math.Abs(*s.Score-want) > 1e-9 || s.Weight != 2 {
		t.Errorf("score %.4f and weight %.2f, want %.4f and 2: votes move the score, not its weight", *s.Score, s.Weight, want)
	}
}

func TestAspectsAreDamped(t *testing.T) {
	one := []lectern.Review{review("r0", "The forum is useless.", 0)}
	for i := range 12 {
		one = append(one, review(fmt.Sprintf("g%d", i), "The lectures are excellent.", 0))
	}
	many := slices.Clone(one)
	for i := range 12 {
		many = append(many, review(fmt.Sprintf("b%d", i), "The forum is useless.", 0))
	}
	few, lots := aspectOf(Summarise(one, NewLexicon(), summaryOptions()), lectern.AspectSupport), aspectOf(Summarise(many, NewLexicon(), summaryOptions()), lectern.AspectSupport)
	if few.Mentions != 1 || lots.Mentions != 13 || few.Score < lots.Score+0.15 {
		t.Errorf("one complaint gives %+v, thirteen %+v", few, lots)
	}
}

func TestQuotes(t *testing.T) {
	good := "The explanations in the second week are the clearest that I have read so far."
	bad := "The lecturer mumbles terribly and half of the slides cannot be read at all."
	never := []string{
		"The lectures are great.", // too short
		"the lectures of this course are great and I enjoyed each one of them.",                // no capital
		"The lectures of this course are great and I enjoyed each one of them:",                // no end
		"THE LECTURES OF THIS COURSE ARE GREAT AND I ENJOYED EACH ONE OF THEM.",                // shouts
		"The lectures are great, write to me at someone@example.org for more of them.",         // address
		"The lectures are great, and you find more of them on www.example.org as well.",        // link
		"The lectures are great, call me on +49 170 1234567 and I will tell you more.",         // telephone
		"The lectures of Prof. Weber are great and I enjoyed each one of them a lot.",          // title and name
		"The lectures that Annabel gave are great and I enjoyed each one of them a lot.",       // name
		"The lectures by the good people at northfield are great and I enjoyed them a lot.",    // provider
		"The lectures are great " + strings.Repeat("and great ", 20) + "indeed.",               // too long
		"Are the lectures of this course great, and can one enjoy each one of them?",           // asks
		"Is it \"great lectures that one enjoys, all of them, from the first to the last one.", // half a quotation
	}
	reviews := []lectern.Review{review("good", good, 0), review("bad", bad, 0)}
	for i, s := range never {
		reviews = append(reviews, review(fmt.Sprintf("never%d", i), s, 0))
	}
	o := summaryOptions()
	o.Names = []string{"Northfield University"}
	a := aspectOf(Summarise(reviews, NewLexicon(), o), lectern.AspectTeaching)
	if a == nil {
		t.Fatal("no teaching")
	}
	var got []string
	for _, q := range a.Quotes {
		got = append(got, q.Text)
	}
	if diff := cmp.Diff([]string{good, bad}, got); diff != "" {
		t.Error(diff)
	}
	for i, s := range never {
		if a := aspectOf(Summarise(reviews[i+2:i+3], NewLexicon(), o), lectern.AspectTeaching); a != nil && len(a.Quotes) > 0 {
			t.Errorf("%q is quoted", s)
		}
	}
}

// TestQuotesOfOtherLanguages: capitals of nouns are no names, and signs before a
// sentence no reason against it; of two, the one that is whole comes first.
func TestQuotesOfOtherLanguages(t *testing.T) {
	for text, want := range map[string]bool{
		"Die Erklärungen des Dozenten sind sehr klar und hilfreich.":                      true,
		"Die Erklärungen von Annabel Schuster sind sehr klar und hilfreich.":              false,
		"Die Erklärungen von Frau Schuster sind sehr klar und hilfreich.":                 false,
		"¡Las explicaciones del profesor son excelentes y muy claras!":                    true,
		"Les explications sont très claires.":                                             true,
		"Les explications de Madame Dupont sont très claires et excellentes.":             false,
		"The explanations of the lecturer are excellent and very clear, I enjoyed them":   true,
		"Las explicaciones del profesor son excelentes, pero no me gustan los ejercicios": false, // two clauses
	} {
		s := Summarise([]lectern.Review{{ID: "r1", CourseID: "c1", Text: text}}, NewLexicon(), summaryOptions())
		a := aspectOf(s, lectern.AspectTeaching)
		if got := a != nil && len(a.Quotes) == 1; got != want {
			t.Errorf("%q is quoted: %v", text, got)
		}
	}
}

func TestTeachersNamed(t *testing.T) {
	o := summaryOptions()
	reviews := []lectern.Review{review("r1", "Weber makes it all click, wonderful.", 0)}
	if a := aspectOf(Summarise(reviews, NewLexicon(), o), lectern.AspectTeaching); a != nil {
		t.Fatalf("an unknown name is teaching: %+v", a)
	}
	o.Teachers = []string{"Anna Weber"}
	if a := aspectOf(Summarise(reviews, NewLexicon(), o), lectern.AspectTeaching); a == nil {
		t.Error("who names a teacher does not speak of teaching")
	}
}

func TestSplitSentences(t *testing.T) {
	for in, want := range map[string][]string{
		"One. Two! Three?":            {"One.", "Two!", "Three?"},
		"By Dr. Smith e.g. on 3.5 h.": {"By Dr. Smith e.g. on 3.5 h."},
		"Wow!!! So good...\nThanks":   {"Wow!!!", "So good...", "Thanks"},
		"很好。谢谢！":                      {"很好。", "谢谢！"},
		"good.Great":                  {"good.", "Great"},
		"  ":                          nil,
		"no end":                      {"no end"},
		"He said \"go.\" I went.":     {"He said \"go.\"", "I went."},
		"see www.example.org now":     {"see www.example.org now"},
	} {
		if diff := cmp.Diff(want, splitSentences(in)); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

func TestAspectsOf(t *testing.T) {
	a := SeedAspects(NewLexicon())
	for s, want := range map[string]lectern.Aspect{
		"The professor has a soothing voice.":               lectern.AspectTeaching,
		"The syllabus covers all that I wanted.":            lectern.AspectContent,
		"It was far too fast for beginners.":                lectern.AspectPace,
		"The quizzes are ambiguous.":                        lectern.AspectAssignments,
		"Nobody replies in the forum.":                      lectern.AspectSupport,
		"The certificate got me a job.":                     lectern.AspectValue,
		"Peer graded homework with an unfair rubric.":       lectern.AspectAssignments,
		"I got a refund because it was overpriced.":         lectern.AspectValue,
		"Material is outdated, uses an old version.":        lectern.AspectContent,
		"The teaching assistants answered within an hour.":  lectern.AspectSupport,
		"The workload is more than the stated three hours.": lectern.AspectPace,
	} {
		if got := a.Of(s, "en"); len(got) == 0 || got[0] != want {
			t.Errorf("%q speaks of %v, want %s", s, got, want)
		}
	}
	if got := a.Of("I am from Kenya.", "en"); len(got) > 0 {
		t.Errorf("nothing is said of %v", got)
	}
	if got := a.Of("El profesor explica bien", "es"); len(got) == 0 || got[0] != lectern.AspectTeaching {
		t.Errorf("Spanish: %v", got)
	}
}

func TestGrow(t *testing.T) {
	var reviews []lectern.Review
	for i := range 60 {
		text := "The videos passed by. I took it in May."
		switch i % 3 {
		case 0:
			text = "The professor showed sprockles. I met nobody."
		case 1:
			text = "The homework had dinglets."
		}
		r := review(fmt.Sprintf("r%d", i), text, i)
		r.CourseID = fmt.Sprintf("c%d", i%4)
		reviews = append(reviews, r)
	}
	seeds := SeedAspects(NewLexicon())
	grown := seeds.Grow(reviews, DefaultGrowOptions())
	terms := map[string]lectern.Aspect{}
	for _, g := range grown.Grown() {
		terms[g.Term] = g.Aspect
	}
	if terms["sprockles"] != lectern.AspectTeaching || terms["dinglets"] != lectern.AspectAssignments {
		t.Errorf("grown %+v", grown.Grown())
	}
	if len(seeds.Grown()) != 0 {
		t.Error("the seeds grew")
	}
	for i := range reviews {
		reviews[i].CourseID = "c1"
		if i > 20 {
			reviews[i].CourseID = fmt.Sprintf("other%d", i%4)
			reviews[i].Text = "The professor is here."
		}
	}
	if got := seeds.Grow(reviews, DefaultGrowOptions()).Grown(); len(got) > 0 {
		t.Errorf("a course's own words were added: %+v", got)
	}
}

// TestSummaryProperties: whatever the reviews, scores are in bounds, quotes are of
// different reviews and as long as they may be, and order does not matter.
func TestSummaryProperties(t *testing.T) {
	lex, aspects := NewLexicon(), SeedAspects(NewLexicon())
	phrases := []string{"The lectures are great.", "the quiz was bad", "Terrible forum, nobody replies to questions!", "¿Qué?", "很好", "👍👍", "WORTH IT!!!",
		"The assignments in this course are far too easy to be of any use.", "The professor explains every single step with patience and humour.", "a\xffb", "3.5/5", "but"}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		var reviews []lectern.Review
		for i := range n {
			text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(phrases), 0, 5).Draw(t, "text"), " ")
			r := review(fmt.Sprintf("r%d", i), text, rapid.IntRange(0, 3000).Draw(t, "age"))
			r.Helpful = rapid.IntRange(-1, 1000).Draw(t, "helpful")
			if rapid.Bool().Draw(t, "undated") {
				r.WrittenAt = nil
			}
			reviews = append(reviews, r)
		}
		o := DefaultSummaryOptions()
		o.Now, o.Aspects = now, aspects
		s := Summarise(reviews, lex, o)
		shuffled := slices.Clone(reviews)
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if diff := cmp.Diff(s, Summarise(shuffled, lex, o)); diff != "" {
			t.Fatal(diff)
		}
		if s.Read+s.Unread+s.Held != s.Reviews || s.Weight < 0 || s.Weight > float64(n) || (s.Score == nil) != (s.Read == 0) {
			t.Fatalf("%+v", s)
		}
		for _, a := range s.Aspects {
			if a.Score < 0 || a.Score > 1 || a.Mentions == 0 || len(a.Quotes) > quotesEach || a.Quotes == nil {
				t.Fatalf("%+v", a)
			}
			if len(a.Quotes) == 2 && a.Quotes[0].ReviewID == a.Quotes[1].ReviewID {
				t.Fatalf("two quotes of one review: %+v", a.Quotes)
			}
			for _, q := range a.Quotes {
				if n := utf8.RuneCountInString(q.Text); n < shortestQuote || n > longestQuote {
					t.Fatalf("quote of %d letters", n)
				}
			}
		}
	})
}
