package opinions

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment"
)

// Attack is what is done to the reviews of a course; honest ones are controls, of
// which nothing should be held.
type Attack struct {
	Name     string
	Honest   bool
	Reviews  int
	Over     time.Duration
	Stars    func(r *rand.Rand) float64
	Text     func(r *rand.Rand, i int) string // nil takes real reviews of other courses with these stars
	Took     bool                             // the authors have taken the course
	Known    bool                             // and have written other reviews before
	AtLaunch bool                             // in the first week of the course, before all other reviews
}

const day = 24 * time.Hour

// Attacks are the ones that are measured, and the honest crowds that look like them.
func Attacks() []Attack {
	one := func(*rand.Rand) float64 { return 1 }
	five := func(*rand.Rand) float64 { return 5 }
	copied := "This course is a complete waste of time and money, the lecturer has no idea and nobody answers."
	lauded := "By far the best course on the whole platform, every single lecture is worth gold, take it right now."
	same := func(text string) func(*rand.Rand, int) string {
		return func(r *rand.Rand, _ int) string { return edited(r, text) }
	}
	short := func(r *rand.Rand, _ int) string {
		return []string{"Great course!", "Great course", "Excellent!", "Very good course.", "Thank you!"}[r.IntN(5)]
	}
	return []Attack{
		{Name: "30 one-star reviews in two days", Reviews: 30, Over: 2 * day, Stars: one, Text: composed(false)},
		{Name: "12 one-star reviews in two days", Reviews: 12, Over: 2 * day, Stars: one, Text: composed(false)},
		{Name: "15 copies of a complaint in a month", Reviews: 15, Over: 30 * day, Stars: one, Text: same(copied)},
		{Name: "40 five-star reviews in two days", Reviews: 40, Over: 2 * day, Stars: five, Text: composed(true)},
		{Name: "20 copies of praise in a month", Reviews: 20, Over: 30 * day, Stars: five, Text: same(lauded)},
		{Name: "30 one-star reviews in a month", Reviews: 30, Over: 30 * day, Stars: one, Text: composed(false)},
		{Name: "launch week of praise", Honest: true, Reviews: 60, Over: 7 * day, AtLaunch: true, Stars: enthusiastic},
		{Name: "short praise by known learners", Honest: true, Reviews: 60, Over: 3 * day, Stars: five, Text: short, Took: true, Known: true},
		{Name: "short praise by new learners", Honest: true, Reviews: 60, Over: 3 * day, Stars: enthusiastic, Text: short, Took: true},
		{Name: "complaints of known learners", Honest: true, Reviews: 15, Over: 3 * day, Stars: one, Took: true, Known: true},
	}
}

func enthusiastic(r *rand.Rand) float64 {
	if r.Float64() < 0.8 {
		return 5
	}
	return 4
}

// composed makes texts that differ, as hired or angry writers do.
func composed(good bool) func(r *rand.Rand, i int) string {
	parts := [3][]string{
		{"Terrible.", "I am very disappointed.", "Do not take this course.", "What a waste.", "Worst experience so far.", "Not recommended at all.", "I want a refund.", "Bad course."},
		{"The lectures are boring and badly prepared.", "Nothing is explained.", "The content is outdated.", "The quizzes are full of mistakes.", "The teacher reads from slides.", "Nobody answers questions.", "I learned nothing.", "It is far too expensive for what it is.", "The videos are of poor quality."},
		{"Avoid.", "Look elsewhere.", "Stay away.", "One star is too much.", "Never again.", "Shame.", "Save your money."},
	}
	if good {
		parts = [3][]string{
			{"Amazing!", "I loved it.", "Take this course.", "Wonderful.", "Best course so far.", "Highly recommended.", "Brilliant course.", "Five stars."},
			{"The lectures are clear and lively.", "Everything is explained well.", "The content is up to date.", "The quizzes are helpful.", "The teacher is great.", "All questions are answered quickly.", "I learned a lot.", "It is worth every penny.", "The videos are of high quality."},
			{"Thank you!", "Go for it.", "I will be back.", "More of this, please.", "Well done.", "Great work.", "Perfect."},
		}
	}
	return func(r *rand.Rand, _ int) string {
		return parts[0][r.IntN(len(parts[0]))] + " " + parts[1][r.IntN(len(parts[1]))] + " " + parts[2][r.IntN(len(parts[2]))]
	}
}

// edited changes two words, as copies made to look different are.
func edited(r *rand.Rand, text string) string {
	words := strings.Fields(text)
	for range 2 {
		words[r.IntN(len(words))] = []string{"really", "this", "so", "very", "the"}[r.IntN(5)]
	}
	return strings.Join(words, " ")
}

// AttackResult is what became of an attack, over all courses and repetitions.
type AttackResult struct {
	Name         string  `json:"name"`
	Honest       bool    `json:"honest"`      // a control: nothing should be held
	Held         float64 `json:"held"`        // share of the injected reviews
	HonestHeld   float64 `json:"honest_held"` // share of the course's own, but for earlier reviews by authors of several
	Before       float64 `json:"before"`      // score of the course, over all repetitions
	Unheld       float64 `json:"unheld"`      // with all injected reviews
	After        float64 `json:"after"`       // with what is held left out
	Repetitions  int     `json:"repetitions"`
	AuthorsKnown bool    `json:"authors_known"`
}

// Bomb injects the attack into the reviews of each course, several times at random
// times in the later half of its history, and holds what looks suspicious. Where
// authors are known, nine of ten writers of the course's own reviews have taken it.
func Bomb(byCourse map[string][]lectern.Review, a Attack, known bool, c sentiment.Classifier, cfg sentiment.BombingConfig, seed uint64, times int) AttackResult {
	out := AttackResult{Name: a.Name, Honest: a.Honest, AuthorsKnown: known}
	var injected, held, own, ownHeld int
	ids := make([]string, 0, len(byCourse))
	for id := range byCourse {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		reviews := byCourse[id]
		pools := poolsWithout(byCourse, id)
		before := sentimentMean(reviews, nil, c)
		for n := range times {
			r := newRand(seed + uint64(n))
			all, fakes, context := inject(reviews, a, pools, r)
			if !known {
				context = sentiment.BombingContext{}
			}
			ids := map[string]bool{}
			for _, h := range sentiment.Suspicious(all, context, cfg) {
				ids[h.ReviewID] = true
				switch {
				case fakes[h.ReviewID]:
					held++
				case h.Rule != sentiment.RuleRepeats: // which is no suspicion
					ownHeld++
				}
			}
			injected, own = injected+len(fakes), own+len(reviews)
			out.Before += before
			out.Unheld += sentimentMean(all, nil, c)
			out.After += sentimentMean(all, ids, c)
			out.Repetitions++
		}
	}
	n := float64(max(out.Repetitions, 1))
	out.Before, out.Unheld, out.After = out.Before/n, out.Unheld/n, out.After/n
	out.Held = float64(held) / float64(max(injected, 1))
	out.HonestHeld = float64(ownHeld) / float64(max(own, 1))
	return out
}

// HonestHolds are the reviews that the rules hold with no attack made.
type HonestHolds struct {
	Held   int            `json:"held"`
	Of     int            `json:"of"`
	ByRule map[string]int `json:"by_rule,omitempty"`
}

// Share of the reviews that are held.
func (h HonestHolds) Share() float64 { return float64(h.Held) / float64(max(h.Of, 1)) }

// Honest lets the rules judge reviews as they are, course by course, where nothing is
// known of authors: they hold most there.
func Honest(reviews []lectern.Review, cfg sentiment.BombingConfig) HonestHolds {
	out := HonestHolds{Of: len(reviews), ByRule: map[string]int{}}
	byCourse := map[string][]lectern.Review{}
	for _, r := range reviews {
		byCourse[r.CourseID] = append(byCourse[r.CourseID], r)
	}
	for _, of := range byCourse {
		for _, h := range sentiment.Suspicious(of, sentiment.BombingContext{}, cfg) {
			out.Held++
			out.ByRule[h.Rule]++
		}
	}
	return out
}

// inject adds the attack's reviews and says which they are and who wrote what.
func inject(reviews []lectern.Review, a Attack, pools map[float64][]string, r *rand.Rand) ([]lectern.Review, map[string]bool, sentiment.BombingContext) {
	sorted := slices.Clone(reviews)
	slices.SortStableFunc(sorted, func(x, y lectern.Review) int { return x.WrittenAt.Compare(*y.WrittenAt) })
	first, last := *sorted[0].WrittenAt, *sorted[len(sorted)-1].WrittenAt
	start := first.Add(time.Duration((0.5 + 0.4*r.Float64()) * float64(last.Sub(first))))
	if a.AtLaunch {
		start = first.Add(-a.Over)
	}
	known := sentiment.BombingContext{Authors: map[string]sentiment.Author{}}
	for _, v := range sorted {
		known.Authors[v.LearnerID] = sentiment.Author{Reviews: known.Authors[v.LearnerID].Reviews + 1, Took: r.Float64() < 0.9}
	}
	fakes := map[string]bool{}
	for i := range a.Reviews {
		at := start.Add(time.Duration(r.Float64() * float64(a.Over)))
		stars := a.Stars(r)
		id := fmt.Sprintf("injected-%d", i)
		sorted = append(sorted, lectern.Review{ID: id, CourseID: sorted[0].CourseID, LearnerID: id, Stars: &stars, Text: a.text(pools, stars, r, i), WrittenAt: &at})
		fakes[id] = true
		known.Authors[id] = sentiment.Author{Reviews: 1, Since: at.Add(-time.Hour)}
		if a.Took {
			known.Authors[id] = sentiment.Author{Reviews: 1, Since: at.Add(-20 * day), Took: true}
		}
		if a.Known {
			known.Authors[id] = sentiment.Author{Reviews: 4, Since: first, Took: true}
		}
	}
	return sorted, fakes, known
}

// text is the attack's own, or a real one.
func (a Attack) text(pools map[float64][]string, stars float64, r *rand.Rand, i int) string {
	if a.Text != nil {
		return a.Text(r, i)
	}
	pool := pools[stars]
	if len(pool) == 0 {
		return ""
	}
	return pool[r.IntN(len(pool))]
}

// poolsWithout are the texts of the other courses by stars.
func poolsWithout(byCourse map[string][]lectern.Review, course string) map[float64][]string {
	out := map[float64][]string{}
	for _, id := range slices.Sorted(maps.Keys(byCourse)) {
		if id == course {
			continue
		}
		for _, r := range byCourse[id] {
			out[*r.Stars] = append(out[*r.Stars], r.Text)
		}
	}
	return out
}

// sentimentMean is the mean score of the reviews that are not held.
func sentimentMean(reviews []lectern.Review, held map[string]bool, c sentiment.Classifier) float64 {
	sum, n := 0.0, 0
	for _, r := range reviews {
		if held[r.ID] {
			continue
		}
		if p, ok := c.Score(r.Text, r.Language); ok {
			sum += p
			n++
		}
	}
	return sum / float64(max(n, 1))
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
