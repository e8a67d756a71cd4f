package sentiment

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// SummaryOptions are what Summarise goes by.
type SummaryOptions struct {
	Now      time.Time       // zero weighs all reviews alike
	HalfLife time.Duration   // of a review's weight; 0 never fades
	Damping  float64         // mentions that an aspect's own score has to outweigh
	Held     map[string]bool // ids of reviews that do not count
	Names    []string        // of instructors and providers, which no quote holds
	Teachers []string        // of Names, those of people who teach: who names one speaks of teaching
	Aspects  *Aspects        // nil is the seeds
}

// DefaultSummaryOptions let a review of two years ago count half.
func DefaultSummaryOptions() SummaryOptions {
	return SummaryOptions{HalfLife: 2 * 365 * 24 * time.Hour, Damping: 4}
}

// Weights of reviews: votes say that many agree, so they count, damped; a review of
// unknown date counts as one of a half-life ago.
const (
	undatedWeight  = 0.5
	helpfulWeight  = 0.5 // for each e-fold of votes
	maxVotesWeight = 3.0
)

// neutralSentence is what ScoreSentence gives where nothing is said.
const neutralSentence = 0.5

// mention is one clause that speaks of an aspect.
type mention struct {
	review   *lectern.Review
	language string
	sentence string // that the clause is of
	whole    bool   // the clause is the sentence
	leads    bool   // no other aspect is mentioned as much
	strength float64
	score    float64
	weight   float64
}

// Summarise sums up the reviews of one course. Score is the mean of the reviews'
// probabilities, weighted by age and votes, and Weight the sum of the ages' weights,
// so that old reviews fade from both. The score of an aspect is the weighted mean of
// its clauses, damped towards that of all clauses of the course, as that is towards
// neutral. MadeAt is o.Now. The order of the reviews does not matter.
func Summarise(reviews []lectern.Review, c Classifier, o SummaryOptions) lectern.ReviewSummary {
	if o.Aspects == nil {
		o.Aspects = SeedAspects(NewLexicon())
	}
	sorted := slices.Clone(reviews)
	slices.SortStableFunc(sorted, newestFirst)
	out := lectern.ReviewSummary{Model: c.Name(), MadeAt: o.Now}
	var mentions [aspectCount][]mention
	usage := newUsage(slices.Concat(o.Names, o.Teachers), o.Aspects.lexicon.profiles.words)
	teachers := newUsage(o.Teachers, o.Aspects.lexicon.profiles.words).names
	sum, total := 0.0, 0.0
	for i := range sorted {
		r := &sorted[i]
		out.CourseID = r.CourseID
		if r.Text == "" {
			continue
		}
		out.Reviews++
		if o.Held[r.ID] {
			out.Held++
			continue
		}
		p, ok := c.Score(r.Text, r.Language)
		if !ok {
			out.Unread++
			continue
		}
		out.Read++
		age := o.ageWeight(r)
		w := age * votesWeight(r.Helpful)
		sum, total = sum+w*p, total+w
		out.Weight += age
		usage.count(r.Text)
		o.Aspects.mentions(r, c, w, teachers, &mentions)
	}
	if total > 0 {
		score := sum / total
		out.Score = &score
	}
	out.Aspects = o.aspects(&mentions, usage)
	return out
}

// newestFirst orders reviews by time, those without one last, then by id.
func newestFirst(a, b lectern.Review) int {
	switch {
	case a.WrittenAt != nil && b.WrittenAt != nil && !a.WrittenAt.Equal(*b.WrittenAt):
		return b.WrittenAt.Compare(*a.WrittenAt)
	case a.WrittenAt == nil && b.WrittenAt != nil:
		return 1
	case a.WrittenAt != nil && b.WrittenAt == nil:
		return -1
	case a.ID < b.ID:
		return -1
	case a.ID > b.ID:
		return 1
	}
	return 0
}

func (o *SummaryOptions) ageWeight(r *lectern.Review) float64 {
	if o.HalfLife <= 0 || o.Now.IsZero() {
		return 1
	}
	if r.WrittenAt == nil {
		return undatedWeight
	}
	age := max(o.Now.Sub(*r.WrittenAt), 0)
	return math.Exp2(-age.Hours() / o.HalfLife.Hours())
}

func votesWeight(helpful int) float64 {
	return min(1+helpfulWeight*math.Log1p(float64(max(helpful, 0))), maxVotesWeight)
}

// mentions adds what the clauses of a review say of aspects.
func (a *Aspects) mentions(r *lectern.Review, c Classifier, weight float64, teachers map[string]bool, out *[aspectCount][]mention) {
	lang := a.lexicon.Language(r.Text, r.Language)
	list := a.lexicon.lists[lang]
	if a.lists[lang] == nil || list == nil {
		return
	}
	for _, sentence := range splitSentences(r.Text) {
		clauses := list.clauses(sentence)
		for _, clause := range clauses {
			ts := tokenize(clause)
			strengths := a.strengths(ts, lang)
			if names(ts, teachers) {
				strengths[aspectTeaching] += mentionStrength
			}
			ks := mentioned(strengths)
			if len(ks) == 0 {
				continue
			}
			p, ok := scoreSentence(c, clause, lang)
			if !ok {
				continue
			}
			for _, k := range ks {
				out[k] = append(out[k], mention{review: r, language: lang, sentence: sentence, whole: len(clauses) == 1,
					leads: len(ks) == 1 || k == ks[0] && strengths[k] > strengths[ks[1]], strength: strengths[k], score: p, weight: weight})
			}
		}
	}
}

// aspectTeaching is the place of teaching in lectern.Aspects.
const aspectTeaching = 0

// names reports whether one of the words is a name.
func names(ts []token, of map[string]bool) bool {
	for _, t := range ts {
		if of[strings.TrimSuffix(t.word, "'s")] {
			return true
		}
	}
	return false
}

// aspects sums up the aspects that are mentioned at all.
func (o *SummaryOptions) aspects(mentions *[aspectCount][]mention, u *usage) []lectern.AspectSummary {
	sum, total := 0.0, 0.0
	for _, ms := range mentions {
		for _, m := range ms {
			sum, total = sum+m.weight*m.score, total+m.weight
		}
	}
	overall := (sum + o.Damping*neutralSentence) / max(total+o.Damping, 1e-9)
	var out []lectern.AspectSummary
	taken := map[string]bool{} // sentences quoted for another aspect
	for k, aspect := range lectern.Aspects() {
		ms := mentions[k]
		if len(ms) == 0 {
			continue
		}
		sum, total := o.Damping*overall, o.Damping
		for _, m := range ms {
			sum, total = sum+m.weight*m.score, total+m.weight
		}
		score := sum / max(total, 1e-9)
		out = append(out, lectern.AspectSummary{
			Aspect: aspect, Score: score, Mentions: len(ms), Quotes: quotes(ms, score, u, taken),
		})
	}
	return out
}
