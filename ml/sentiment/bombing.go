package sentiment

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
)

// The rules that hold reviews back.
const (
	RuleRepeats = "repeats"          // of several reviews by one author, all but the newest
	RuleBurst   = "burst"            // far more blame in a few days than the course's own history
	RuleOneOffs = "one_off_accounts" // the same of accounts that have done nothing else
	RuleCopies  = "copies"           // nearly the same text by several authors in a short time
)

// Author is what is known of who wrote a review.
type Author struct {
	Reviews int       // courses that they reviewed, but for reviews of other courses that are held
	Since   time.Time // first seen; zero is unknown
	Took    bool      // has started or completed the course
}

// BombingContext is what the platform knows beside the reviews of the course.
type BombingContext struct {
	// Authors by learner id. One that is missing is unknown, and neither a one-off
	// account nor an established one.
	Authors map[string]Author
}

// BombingConfig are the bounds of the rules.
type BombingConfig struct {
	History     int           `koanf:"history"`      // reviews before a burst that the rules need; fewer, as in a launch week, hold nothing back
	FewHistory  int           `koanf:"few_history"`  // the same where all of the burst comes from accounts that are known to be new and have done nothing else
	Several     int           `koanf:"several"`      // reviews that make a burst, at least
	Factor      float64       `koanf:"factor"`       // times what was to be expected, at least
	Chance      float64       `koanf:"chance"`       // of such a count, and of such a share, without an attack, at most
	Memory      time.Duration `koanf:"memory"`       // half-life of the history
	Established int           `koanf:"established"`  // courses reviewed by an author whom bursts do not hold back
	AccountAge  time.Duration `koanf:"account_age"`  // of a one-off account, at most; of an established one, more
	CopyWords   int           `koanf:"copy_words"`   // words of a text that can be a copy: short praise is alike without any
	CopyAuthors int           `koanf:"copy_authors"` // authors of the same text, at least
	CopyShare   float64       `koanf:"copy_share"`   // of two texts' word pairs that they have in common, at least
	CopyWithin  time.Duration `koanf:"copy_within"`  // span in which so many authors have it; accounts with nothing else at any time
}

// DefaultBombingConfig holds no honest review of the measured courses back but a few.
func DefaultBombingConfig() BombingConfig {
	return BombingConfig{
		History: 20, FewHistory: 5, Several: 6, Factor: 4, Chance: 1e-4, Memory: 30 * 24 * time.Hour,
		Established: 3, AccountAge: 30 * 24 * time.Hour,
		CopyWords: 8, CopyAuthors: 3, CopyShare: 0.5, CopyWithin: 30 * 24 * time.Hour,
	}
}

// Polarities of stars.
const (
	praise = 1
	blame  = -1
)

// judged is a review with what the rules look at.
type judged struct {
	review      *lectern.Review
	at          time.Time // zero is unknown
	polarity    int
	oneOff      bool
	fresh       bool // one-off, and known to have been new at the time
	established bool
}

// Suspicious returns the reviews of one course that look as if they were made to
// move its score, by review id; one that several rules find is held by the first of
// repeats, copies, one-off accounts and burst. The text of a review may be empty. A burst needs both a count and a share of its
// kind that the history of the course makes unlikely: enthusiasm after a launch, a
// growing course and praise where nearly all is praise are none. Praise is held only
// as copies or from one-off accounts: a course that was recommended somewhere gets a
// burst of it honestly, and it moves a score little.
func Suspicious(reviews []lectern.Review, known BombingContext, c BombingConfig) []lectern.HeldReview {
	all := make([]judged, 0, len(reviews))
	for i := range reviews {
		all = append(all, judge(&reviews[i], known, c))
	}
	slices.SortStableFunc(all, func(a, b judged) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.review.ID, b.review.ID))
	})
	found := map[string]lectern.HeldReview{}
	all = repeats(all, known, found)
	copies(all, c, found)
	for _, polarity := range []int{blame, praise} {
		kind := "one or two stars"
		if polarity == praise {
			kind = "five stars"
		}
		bursts(all, c, RuleOneOffs, kind+" from accounts with this one review", found,
			func(j *judged) bool { return j.oneOff && j.polarity == polarity })
		few := c
		few.History = min(c.FewHistory, c.History)
		bursts(all, few, RuleOneOffs, kind+" from new accounts with this one review", found,
			func(j *judged) bool { return j.fresh && j.polarity == polarity })
		if polarity == blame {
			bursts(all, c, RuleBurst, kind, found,
				func(j *judged) bool { return !j.established && j.polarity == polarity })
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b lectern.HeldReview) int { return cmp.Compare(a.ReviewID, b.ReviewID) })
}

func judge(r *lectern.Review, known BombingContext, c BombingConfig) judged {
	j := judged{review: r}
	if r.WrittenAt != nil {
		j.at = *r.WrittenAt
	}
	if r.Stars != nil {
		switch {
		case *r.Stars <= negativeStars:
			j.polarity = blame
		case *r.Stars > positiveStars+0.5:
			j.polarity = praise
		}
	}
	a, ok := known.Authors[r.LearnerID]
	if !ok || r.LearnerID == "" {
		return j
	}
	// Reviews that were written long before their author was heard of were taken over
	// from elsewhere: nobody knows how old the account was.
	dated := !a.Since.IsZero() && !j.at.IsZero()
	age := j.at.Sub(a.Since)
	j.established = a.Took || a.Reviews >= c.Established && dated && age > c.AccountAge
	j.oneOff = !j.established && a.Reviews <= 1 && (!dated || age <= c.AccountAge)
	j.fresh = j.oneOff && dated && age >= -c.AccountAge
	return j
}

// repeats holds all but the newest of the reviews by one known author, and returns the
// others. What somebody has decided not to count does not stand in for the rest.
func repeats(all []judged, known BombingContext, found map[string]lectern.HeldReview) []judged {
	newest, count := map[string]string{}, map[string]int{}
	of := func(j *judged) (string, bool) {
		id := j.review.LearnerID
		_, ok := known.Authors[id]
		return id, ok && id != "" && j.review.Held != lectern.HoldUpheld
	}
	for i := range all {
		if id, ok := of(&all[i]); ok {
			newest[id] = all[i].review.ID
			count[id]++
		}
	}
	return slices.DeleteFunc(all, func(j judged) bool {
		id, ok := of(&j)
		if !ok || newest[id] == j.review.ID {
			return false
		}
		hold(found, j.review, RuleRepeats, fmt.Sprintf("Its author wrote %d reviews of this course, of which the newest counts.", count[id]))
		return true
	})
}

// burstWindows are the spans that a burst is looked for in.
func burstWindows() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{day, 3 * day, 7 * day}
}

// bursts holds reviews of one kind that come in a burst.
func bursts(all []judged, c BombingConfig, rule, kind string, found map[string]lectern.HeldReview, of func(*judged) bool) {
	start := 0
	for start < len(all) && all[start].at.IsZero() {
		start++ // without a time there is no burst
	}
	dated := all[start:]
	h := newHistory(dated, c.Memory, of)
	for _, window := range burstWindows() {
		last := 0
		for i := range dated {
			if i > 0 && dated[i].at.Equal(dated[i-1].at) || !h.is[i] {
				continue
			}
			for last < len(dated) && dated[last].at.Sub(dated[i].at) < window {
				last++
			}
			b, ok := h.burst(i, last, window, c)
			if !ok {
				continue
			}
			detail := fmt.Sprintf("%d of %d reviews within %s from %s have %s; %.1f were to be expected.",
				b.count, b.of, days(window), dated[i].at.UTC().Format(time.DateOnly), kind, b.expected)
			for k := i; k < last; k++ {
				if h.is[k] {
					hold(found, dated[k].review, rule, detail)
				}
			}
		}
	}
}

func days(d time.Duration) string {
	if n := int(d.Hours() / 24); n != 1 {
		return fmt.Sprintf("%d days", n)
	}
	return "a day"
}

func hold(found map[string]lectern.HeldReview, r *lectern.Review, rule, detail string) {
	if _, ok := found[r.ID]; ok {
		return
	}
	found[r.ID] = lectern.HeldReview{ReviewID: r.ID, CourseID: r.CourseID, Rule: rule, Detail: detail, Status: lectern.HoldPending}
}

// history counts, before each review, all reviews and those of the kind, and their
// rates with the weight of the past halving.
type history struct {
	dated  []judged
	is     []bool
	kind   []int     // of the kind before i
	rate   []float64 // of the kind, reviews a day, as of i
	memory float64   // days
}

func newHistory(dated []judged, memory time.Duration, of func(*judged) bool) *history {
	h := &history{dated: dated, memory: memory.Hours() / 24,
		is: make([]bool, len(dated)), kind: make([]int, len(dated)+1), rate: make([]float64, len(dated))}
	sum := 0.0
	for i := range dated {
		h.is[i] = of(&dated[i])
		if i > 0 {
			age := dated[i].at.Sub(dated[i-1].at).Hours() / 24
			sum *= math.Exp2(-age / h.memory)
		}
		h.rate[i] = sum * math.Ln2 / h.memory
		h.kind[i+1] = h.kind[i]
		if h.is[i] {
			h.kind[i+1]++
			sum++
		}
	}
	return h
}

// outbreak is a burst: count reviews of the kind among of.
type outbreak struct {
	count, of int
	expected  float64
}

// burst judges the reviews from, …, to-1, which one window holds.
func (h *history) burst(from, to int, window time.Duration, c BombingConfig) (outbreak, bool) {
	b := outbreak{count: h.kind[to] - h.kind[from], of: to - from}
	if b.count < c.Several || from < c.History {
		return b, false
	}
	span := h.dated[from].at.Sub(h.dated[0].at).Hours() / 24
	if span < window.Hours()/24 {
		return b, false // no history to compare with
	}
	// The rate of young histories is not yet all there, and of none it is not known
	// to be nothing: one more review in the whole of it is always possible.
	seen := 1 - math.Exp2(-span/h.memory)
	rate := h.rate[from]/seen + 1/span
	b.expected = rate * window.Hours() / 24
	share := (float64(h.kind[from]) + 1) / (float64(from) + 2)
	return b, float64(b.count) >= c.Factor*b.expected &&
		poissonTail(b.count, b.expected) <= c.Chance &&
		binomialTail(b.count, b.of, share) <= c.Chance
}

// poissonTail is the chance of k or more where mean are expected.
func poissonTail(k int, mean float64) float64 {
	term, below := math.Exp(-mean), 0.0
	for i := range k {
		below += term
		term *= mean / float64(i+1)
	}
	return math.Max(0, 1-below)
}

// binomialTail is the chance of k or more out of n, each with chance p.
func binomialTail(k, n int, p float64) float64 {
	lnN, _ := math.Lgamma(float64(n + 1))
	tail := 0.0
	for i := k; i <= n; i++ {
		a, _ := math.Lgamma(float64(i + 1))
		b, _ := math.Lgamma(float64(n - i + 1))
		tail += math.Exp(lnN - a - b + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return math.Min(1, tail)
}
