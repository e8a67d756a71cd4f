package sentiment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// steady are reviews of a course over a year: two a week, one in eight negative, all
// by learners who took it.
func steady(authors map[string]Author) []lectern.Review {
	r := rand.New(rand.NewPCG(1, 1))
	var out []lectern.Review
	for i := range 104 {
		stars := 5.0
		switch r.IntN(8) {
		case 0:
			stars = 1
		case 1, 2, 3:
			stars = 4
		}
		out = append(out, written(fmt.Sprintf("h%03d", i), stars, now.AddDate(-1, 0, 0).Add(time.Duration(i)*84*time.Hour), fmt.Sprintf("Review number %d says that part %d was what it was for me.", i*i, i)))
		authors["l-"+out[i].ID] = Author{Reviews: 1, Took: true}
	}
	return out
}

func written(id string, stars float64, at time.Time, text string) lectern.Review {
	return lectern.Review{ID: id, CourseID: "c1", LearnerID: "l-" + id, Stars: &stars, Text: text, WrittenAt: &at}
}

// crowd are n reviews within a day, n days of them before the present.
func crowd(n int, stars float64, text func(i int) string) []lectern.Review {
	var out []lectern.Review
	for i := range n {
		out = append(out, written(fmt.Sprintf("x%03d", i), stars, now.AddDate(0, -1, 0).Add(time.Duration(i)*time.Hour), text(i)))
	}
	return out
}

func rules(held []lectern.HeldReview) map[string]int {
	out := map[string]int{}
	for _, h := range held {
		out[h.Rule]++
		if !strings.HasPrefix(h.ReviewID, "x") {
			out["honest"]++
		}
	}
	return out
}

func TestSuspicious(t *testing.T) {
	various := func(i int) string { return fmt.Sprintf("Bad %d", i) }
	same := func(i int) string {
		return fmt.Sprintf("I want to say that this is a complete waste of time and of money, number %d.", i)
	}
	short := func(int) string { return "Great course!" }
	oneOff := Author{Reviews: 1, Since: now.AddDate(0, -1, 0)}
	busy := Author{Reviews: 5, Since: now.AddDate(0, -1, 0)}
	took, old := Author{Reviews: 1, Took: true}, Author{Reviews: 5, Since: now.AddDate(-1, 0, 0)}
	for name, c := range map[string]struct {
		crowd  []lectern.Review
		author *Author
		want   map[string]int
	}{
		"blame by one-off accounts":    {crowd(15, 1, various), &oneOff, map[string]int{RuleOneOffs: 15}},
		"blame by the unknown":         {crowd(15, 1, various), nil, map[string]int{RuleBurst: 15}},
		"blame by those who took it":   {crowd(15, 1, various), &took, map[string]int{}},
		"blame by established authors": {crowd(15, 1, various), &old, map[string]int{}},
		"blame by many-sided new ones": {crowd(15, 1, various), &busy, map[string]int{RuleBurst: 15}},
		"blame without text":           {crowd(15, 1, func(int) string { return "" }), &oneOff, map[string]int{RuleOneOffs: 15}},
		"a few bad days":               {crowd(4, 1, various), &oneOff, map[string]int{}},
		"praise by one-off accounts":   {crowd(20, 5, various), &oneOff, map[string]int{RuleOneOffs: 20}},
		"praise by the unknown":        {crowd(20, 5, various), nil, map[string]int{}},
		"copies by the unknown":        {crowd(4, 1, same), nil, map[string]int{RuleCopies: 4}},
		"copies by two":                {crowd(2, 1, same), nil, map[string]int{}},
		"short praise, known authors":  {crowd(30, 5, short), &old, map[string]int{}},
		"short praise, who took it":    {crowd(30, 5, short), &took, map[string]int{}},
	} {
		t.Run(name, func(t *testing.T) {
			authors := map[string]Author{}
			reviews := append(steady(authors), c.crowd...)
			if c.author != nil {
				for _, r := range c.crowd {
					authors[r.LearnerID] = *c.author
				}
			}
			held := Suspicious(reviews, BombingContext{Authors: authors}, DefaultBombingConfig())
			if diff := cmp.Diff(c.want, rules(held)); diff != "" {
				t.Errorf("%s\n%+v", diff, held)
			}
			for _, h := range held {
				if h.CourseID != "c1" || h.Status != lectern.HoldPending || h.Detail == "" {
					t.Errorf("held %+v", h)
				}
			}
		})
	}
}

// TestLaunchIsNoAttack: sixty enthusiasts in the first week, without any history, are
// left alone, whoever they are.
func TestLaunchIsNoAttack(t *testing.T) {
	launch := crowd(60, 5, func(i int) string { return fmt.Sprintf("Great %d", i) })
	authors := map[string]Author{}
	for _, r := range launch {
		authors[r.LearnerID] = Author{Reviews: 1, Since: *r.WrittenAt}
	}
	if held := Suspicious(launch, BombingContext{Authors: authors}, DefaultBombingConfig()); len(held) > 0 {
		t.Errorf("held %+v", held)
	}
}

// TestFewReviews: a course of six reviews is protected from new accounts with nothing
// else; those who took it, the unknown and reviews taken over from elsewhere are free.
func TestFewReviews(t *testing.T) {
	attack := crowd(10, 1, func(i int) string { return fmt.Sprintf("Bad %d", i) })
	since := *attack[0].WrittenAt
	for name, c := range map[string]struct {
		author *Author
		before int
		want   map[string]int
	}{
		"new accounts":              {&Author{Reviews: 1, Since: since}, 6, map[string]int{RuleOneOffs: 10}},
		"new accounts, at launch":   {&Author{Reviews: 1, Since: since}, 3, map[string]int{}},
		"those who took it":         {&Author{Reviews: 1, Since: since, Took: true}, 6, map[string]int{}},
		"the unknown":               {nil, 6, map[string]int{}},
		"accounts of unknown age":   {&Author{Reviews: 1}, 6, map[string]int{}},
		"taken over from elsewhere": {&Author{Reviews: 1, Since: now.AddDate(1, 0, 0)}, 6, map[string]int{}},
	} {
		t.Run(name, func(t *testing.T) {
			authors := map[string]Author{}
			history := steady(authors)
			reviews := append(slices.Clone(history[:c.before]), attack...)
			for _, r := range attack {
				if c.author != nil {
					authors[r.LearnerID] = *c.author
				}
			}
			held := Suspicious(reviews, BombingContext{Authors: authors}, DefaultBombingConfig())
			if diff := cmp.Diff(c.want, rules(held)); diff != "" {
				t.Errorf("%s\n%+v", diff, held)
			}
		})
	}
}

// TestRepeats: one author has one voice, that of the newest review.
func TestRepeats(t *testing.T) {
	reviews := crowd(15, 1, func(i int) string { return fmt.Sprintf("Bad %d", i) })
	for i := range reviews {
		reviews[i].LearnerID = "l1"
	}
	known := BombingContext{Authors: map[string]Author{"l1": {Reviews: 1, Took: true}}}
	counting := func(reviews []lectern.Review, known BombingContext) (out []string) {
		held := map[string]bool{}
		for _, h := range Suspicious(reviews, known, DefaultBombingConfig()) {
			if h.Rule != RuleRepeats {
				t.Errorf("%+v", h)
			}
			held[h.ReviewID] = true
		}
		for _, r := range reviews {
			if !held[r.ID] {
				out = append(out, r.ID)
			}
		}
		return out
	}
	if diff := cmp.Diff([]string{"x014"}, counting(reviews, known)); diff != "" {
		t.Error(diff)
	}
	if n := len(counting(reviews, BombingContext{})); n != 15 {
		t.Errorf("of an unknown author %d count", n)
	}
	reviews[14].Held = lectern.HoldUpheld
	if diff := cmp.Diff([]string{"x013", "x014"}, counting(reviews, known)); diff != "" {
		t.Errorf("the newest is upheld: %s", diff)
	}
}

// TestCopiesOverTime: the same words years apart are how people praise, unless they
// come from accounts that have done nothing else; four in one month are a campaign,
// and those of other years are not of it.
func TestCopiesOverTime(t *testing.T) {
	const text = "An excellent course, I recommend it to everybody. I learned a lot in a short time."
	at := func(id string, months int) lectern.Review { return written(id, 5, now.AddDate(0, -months, 0), text) }
	apart := []lectern.Review{at("x1", 40), at("x2", 30), at("x3", 20), at("x4", 10)}
	burst := []lectern.Review{at("x5", 5), written("x6", 5, now.AddDate(0, -5, 2), text), written("x7", 5, now.AddDate(0, -5, 20), text)}
	undated := slices.Clone(apart)
	for i := range undated {
		undated[i].WrittenAt = nil
	}
	for name, c := range map[string]struct {
		reviews []lectern.Review
		author  *Author
		want    int
	}{
		"years apart":                       {apart, nil, 0},
		"years apart, by those who took it": {apart, &Author{Reviews: 1, Took: true}, 0},
		"years apart, by one-off accounts":  {apart, &Author{Reviews: 1}, 4},
		"of one month":                      {append(slices.Clone(apart), burst...), nil, 3},
		"of one month, by one-off accounts": {append(slices.Clone(apart), burst...), &Author{Reviews: 1}, 7},
		"of no time":                        {undated, nil, 4},
	} {
		t.Run(name, func(t *testing.T) {
			known := BombingContext{Authors: map[string]Author{}}
			for _, r := range c.reviews {
				if c.author != nil {
					known.Authors[r.LearnerID] = *c.author
				}
			}
			if held := Suspicious(c.reviews, known, DefaultBombingConfig()); len(held) != c.want {
				t.Errorf("%d held, want %d: %+v", len(held), c.want, held)
			}
		})
	}
}

// TestOneAuthorsCopies: who posts the same text again has one voice, not several.
func TestOneAuthorsCopies(t *testing.T) {
	reviews := crowd(5, 1, func(int) string { return "I want to say that this is a complete waste of time and of money." })
	for i := range reviews {
		reviews[i].LearnerID = "l1"
	}
	if held := Suspicious(reviews, BombingContext{}, DefaultBombingConfig()); len(held) > 0 {
		t.Errorf("held %+v", held)
	}
}

// TestTails against sums by hand: Poisson(1): P(≥2) = 1 - 2/e = .26424; two or more of
// three with chance 1/2: 3/8 + 1/8 = 1/2.
func TestTails(t *testing.T) {
	if p := poissonTail(2, 1); math.Abs(p-(1-2/math.E)) > 1e-12 {
		t.Errorf("Poisson: %v", p)
	}
	if p := binomialTail(2, 3, 0.5); math.Abs(p-0.5) > 1e-9 {
		t.Errorf("binomial: %v", p)
	}
}

func TestJaccard(t *testing.T) {
	if got := jaccard([]uint32{1, 2, 3}, []uint32{2, 3, 4}); got != 0.5 {
		t.Errorf("{1,2,3} and {2,3,4} share 2 of 4, got %v", got)
	}
}

func BenchmarkSuspicious(b *testing.B) {
	authors := map[string]Author{}
	var reviews []lectern.Review
	for k := range 50 {
		for i, r := range steady(authors) {
			r.ID = fmt.Sprintf("%d-%d", k, i)
			reviews = append(reviews, r)
		}
	}
	for b.Loop() {
		Suspicious(reviews, BombingContext{Authors: authors}, DefaultBombingConfig())
	}
}
