package sentiment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
)

// ErrTooFew says that no language has enough reviews of either class to learn from:
// the lexicon stays.
var ErrTooFew = errors.New("too few starred reviews of one class to learn from")

// FitOptions are the knobs of Fit.
type FitOptions struct {
	Seed        uint64  // of folds and of the sample
	MinPerClass int     // positive and negative reviews that a language needs
	MaxReviews  int     // to learn from in a language: all negative ones and a sample of the others
	Folds       int     // of the cross-validation
	Neutral     float64 // weight of a review with three stars, as a negative one; 0 leaves them out
}

// DefaultFitOptions are what the measurements were made with.
func DefaultFitOptions() FitOptions {
	return FitOptions{Seed: 1, MinPerClass: 30, MaxReviews: 40_000, Folds: 5, Neutral: 0.3}
}

// FitReport says what Fit saw and chose.
type FitReport struct {
	Languages []LanguageFit  // those that were learnt, sorted
	Skipped   map[string]int // reviews with stars by language that has too few; "" is unknown
}

// LanguageFit is one learnt language.
type LanguageFit struct {
	Language   string  `json:"language"`
	Positive   int     `json:"positive"` // 4 and 5 stars
	Neutral    int     `json:"neutral"`  // 3
	Negative   int     `json:"negative"` // 1 and 2
	Features   int     `json:"features"`
	Penalty    float64 `json:"penalty"`     // on n-grams, chosen
	AUC        float64 `json:"auc"`         // cross-validated
	LexiconAUC float64 `json:"lexicon_auc"` // of the same reviews
	Threshold  float64 `json:"threshold"`   // below which Score finds most negative reviews with least false alarm (F1), cross-validated
	F1         float64 `json:"f1"`          // of the negative class there, cross-validated
}

// validationReviews bound a cross-validation, which fits twenty times.
const validationReviews = 10_000

// The classes by stars.
const (
	positiveStars = 4.0
	negativeStars = 2.0
)

// example is a review to learn from.
type example struct {
	tokens   []token
	reading  reading
	grams    []gram
	course   int
	key      uint64 // random, by seed and id: the order within a course
	at       int64
	negative bool
	neutral  bool
}

// Fit learns from reviews with stars: one or two are negative, four or five
// positive, three lean to the negative. Each language with enough of either class
// gets a logistic regression of its own over the lexicon's reading, words and
// letters, with both classes of the same weight in sum; what a language lacks, the
// lexicon reads. How strongly n-grams are held back is chosen by cross-validation,
// and the probabilities are calibrated on the same held-out scores (Platt, 1999)
// to the share of negative reviews as it is. The same reviews in the same order
// give the same model. Errors: ErrTooFew.
func Fit(ctx context.Context, reviews []lectern.Review, lex *Lexicon, o FitOptions) (*Model, FitReport, error) {
	report := FitReport{Skipped: map[string]int{}}
	byLanguage := map[string][]example{}
	courses := map[string]int{}
	for i := range reviews {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, report, ctx.Err()
		}
		r := &reviews[i]
		if r.Stars == nil || r.Text == "" {
			continue
		}
		ts := tokenize(r.Text)
		lang := lex.profiles.language(ts, r.Language)
		e := example{tokens: ts, negative: *r.Stars <= negativeStars}
		e.neutral = !e.negative && *r.Stars < positiveStars
		if _, ok := courses[r.CourseID]; !ok {
			courses[r.CourseID] = len(courses)
		}
		e.course = courses[r.CourseID]
		e.key = reviewKey(o.Seed, r, i)
		if r.WrittenAt != nil {
			e.at = r.WrittenAt.Unix()
		}
		byLanguage[lang] = append(byLanguage[lang], e)
	}
	m := &Model{lexicon: lex, heads: map[string]*head{}}
	for _, lang := range sortedKeys(byLanguage) {
		es := byLanguage[lang]
		negative, neutral := count(es)
		positive := len(es) - negative - neutral
		if lang == "" || min(negative, positive) < o.MinPerClass {
			report.Skipped[lang] = len(es)
			continue
		}
		h, fit, err := fitLanguage(ctx, lex, lang, es, o)
		if err != nil {
			return nil, report, err
		}
		fit.Positive, fit.Neutral, fit.Negative = positive, neutral, negative
		m.heads[lang] = h
		report.Languages = append(report.Languages, fit)
	}
	if len(m.heads) == 0 {
		return nil, report, ErrTooFew
	}
	m.name = m.fingerprint()
	return m, report, nil
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// reviewKey is random to what a review says, and the same for the same review.
func reviewKey(seed uint64, r *lectern.Review, i int) uint64 {
	h := hashWord(r.ID)
	if r.ID == "" {
		h = uint32(i)
	}
	return uint64(mix(h, uint32(seed)))<<32 | uint64(mix(h, uint32(seed>>32)+1))
}

func count(es []example) (negative, neutral int) {
	for _, e := range es {
		switch {
		case e.negative:
			negative++
		case e.neutral:
			neutral++
		}
	}
	return negative, neutral
}

// sampled keeps n reviews: the negative ones, up to half of n, and of the others as
// many as there is room for.
func sampled(es []example, n int) []example {
	if n <= 0 || len(es) <= n {
		return es
	}
	byKey := slices.Clone(es)
	slices.SortStableFunc(byKey, func(a, b example) int { return cmp.Compare(a.key, b.key) })
	negative, _ := count(es)
	room := [2]int{n - min(negative, n/2), min(negative, n/2)}
	out := make([]example, 0, n)
	for _, e := range byKey {
		k := 0
		if e.negative {
			k = 1
		}
		if room[k] > 0 {
			room[k]--
			out = append(out, e)
		}
	}
	return out
}

// fitLanguage fits one head: it chooses the penalty by cross-validation, calibrates
// on the held-out scores of the one chosen, and fits all.
func fitLanguage(ctx context.Context, lex *Lexicon, lang string, all []example, o FitOptions) (*head, LanguageFit, error) {
	list := lex.lists[lang]
	if list == nil {
		list = &wordList{language: lang, byFirst: map[string][]*entry{}, stems: map[string]*entry{}, shortest: shortestStem}
	}
	negative, neutral := count(all)
	prior := math.Log(float64(len(all)-negative-neutral) / float64(negative))
	es := sampled(all, o.MaxReviews)
	for i := range es {
		es[i].reading = list.read(es[i].tokens)
		es[i].grams = list.grams(nil, es[i].tokens)
		es[i].tokens = nil
	}
	part := sampled(es, validationReviews)
	tried, err := tryPenalties(ctx, part, o)
	if err != nil {
		return nil, LanguageFit{}, err
	}
	fit := LanguageFit{Language: lang, AUC: tried.auc}
	chosen, scores := tried.penalty, tried.scores
	lexical := make([]float64, len(part))
	for i := range part {
		lexical[i] = part[i].reading.evidence()
	}
	fit.LexiconAUC, fit.Penalty = areaUnder(part, lexical), chosen.grams
	h, err := fitHead(ctx, es, o, chosen)
	if err != nil {
		return nil, fit, err
	}
	h.prior = prior
	h.calibration = calibrate(part, scores, prior)
	fit.Threshold, fit.F1 = threshold(part, scores, h.calibration)
	h.cut = max(fit.Threshold, middle) // below the middle it would call even fewer negative than there are
	fit.Features = len(h.vocabulary.grams)
	return h, fit, nil
}

// trial is a penalty with what it gives on folds that were held out.
type trial struct {
	penalty penalty
	scores  []float64
	auc     float64
}

// Penalties are tried from the most cautious on. The most cautious one wins whose AUC
// is next to the best: between neighbours chance decides, and n-grams that help on
// one course are not sure to help on the next.
const (
	densePenalty = 1.0
	penaltyNear  = 0.0005
)

func gramPenalties() []float64 { return []float64{3, 1} }

// tryPenalties cross-validates each penalty.
func tryPenalties(ctx context.Context, es []example, o FitOptions) (trial, error) {
	fold := folds(es, o.Folds)
	var trials []trial
	best := 0.0
	for _, g := range gramPenalties() {
		t := trial{penalty: penalty{dense: densePenalty, grams: g}}
		var err error
		if t.scores, err = crossValidate(ctx, es, fold, o, t.penalty); err != nil {
			return t, err
		}
		t.auc = areaUnder(es, t.scores)
		best = max(best, t.auc)
		trials = append(trials, t)
	}
	at := slices.IndexFunc(trials, func(t trial) bool { return t.auc >= best-penaltyNear })
	return trials[at], nil
}

// folds puts whole courses into folds, the largest first into the emptiest, so that
// what is held out is a course unseen. A course with more than its share of the
// negative reviews is cut by time instead.
func folds(es []example, k int) []int {
	byCourse := map[int][]int{}
	total := 0
	for i, e := range es {
		byCourse[e.course] = append(byCourse[e.course], i)
		if e.negative {
			total++
		}
	}
	negatives := func(c int) int {
		n := 0
		for _, i := range byCourse[c] {
			if es[i].negative {
				n++
			}
		}
		return n
	}
	courses := make([]int, 0, len(byCourse))
	for c := range byCourse {
		courses = append(courses, c)
	}
	slices.SortFunc(courses, func(a, b int) int {
		return cmp.Or(cmp.Compare(negatives(b), negatives(a)), cmp.Compare(len(byCourse[b]), len(byCourse[a])), cmp.Compare(a, b))
	})
	fold := make([]int, len(es))
	load := make([]float64, k)
	for _, c := range courses {
		members := byCourse[c]
		if n := negatives(c); n*k > total {
			cutByTime(es, members, fold, load, k)
			continue
		}
		f := 0
		for i := range load {
			if load[i] < load[f] {
				f = i
			}
		}
		for _, i := range members {
			fold[i] = f
		}
		load[f] += float64(negatives(c)) + float64(len(members))*float64(total)/float64(len(es))
	}
	return fold
}

// cutByTime deals the members of one course out to all folds in blocks of time,
// each class by itself, so that each fold has some of either.
func cutByTime(es []example, members, fold []int, load []float64, k int) {
	slices.SortFunc(members, func(a, b int) int {
		return cmp.Or(cmp.Compare(es[a].at, es[b].at), cmp.Compare(es[a].key, es[b].key))
	})
	for _, negative := range []bool{true, false} {
		var of []int
		for _, i := range members {
			if es[i].negative == negative {
				of = append(of, i)
			}
		}
		for n, i := range of {
			fold[i] = n * k / len(of)
			if negative {
				load[fold[i]]++
			}
		}
	}
}

// crossValidate returns the log-odds of every example by a head that did not see
// its fold.
func crossValidate(ctx context.Context, es []example, fold []int, o FitOptions, p penalty) ([]float64, error) {
	out := make([]float64, len(es))
	for f := range o.Folds {
		var train []example
		for i, e := range es {
			if fold[i] != f {
				train = append(train, e)
			}
		}
		if n, _ := count(train); n == 0 || n == len(train) {
			return nil, fmt.Errorf("fold %d leaves one class: %w", f, ErrTooFew)
		}
		h, err := fitHead(ctx, train, o, p)
		if err != nil {
			return nil, err
		}
		for i := range es {
			if fold[i] == f {
				out[i] = h.logit(&es[i].reading, es[i].grams)
			}
		}
	}
	return out, nil
}

// fitHead fits the weights of one set of examples.
func fitHead(ctx context.Context, es []example, o FitOptions, p penalty) (*head, error) {
	docs, courses := make([][]gram, len(es)), make([]int, len(es))
	for i, e := range es {
		docs[i], courses[i] = e.grams, e.course
	}
	h := &head{vocabulary: learnVocabulary(docs, courses)}
	negative, neutral := count(es)
	low := float64(negative) + o.Neutral*float64(neutral)
	high := float64(len(es) - negative - neutral)
	rows := make([]row, 0, len(es))
	// Each class weighs as much as the smaller one has reviews: balanced, and the
	// penalty grows with what there is to learn from.
	total := math.Min(low, high)
	for i := range es {
		e := &es[i]
		r := row{y: 1, weight: total / high}
		switch {
		case e.negative:
			r.y, r.weight = 0, total/low
		case e.neutral:
			r.y, r.weight = 0, o.Neutral*total/low
		}
		if r.weight == 0 {
			continue
		}
		r.offset, r.dense = e.reading.evidence(), e.reading.dense()
		r.sparse = h.vocabulary.weigh(e.grams)
		rows = append(rows, r)
	}
	w, err := fitLogistic(ctx, rows, len(h.vocabulary.grams), p)
	if err != nil {
		return nil, err
	}
	h.bias, h.dense = w.bias, w.dense
	h.grams = make([]float32, len(w.grams))
	for i, v := range w.grams {
		h.grams[i] = float32(v)
	}
	return h, nil
}

// calibrate fits the probabilities to held-out scores. Where the examples are a
// sample, the shift is set back to the share of negative reviews that there are.
func calibrate(es []example, scores []float64, prior float64) platt {
	var z []float64
	var positive []bool
	negatives := 0.0
	for i, e := range es {
		if e.neutral {
			continue
		}
		z, positive = append(z, scores[i]), append(positive, !e.negative)
		if e.negative {
			negatives++
		}
	}
	c := fitPlatt(z, positive)
	c.shift += prior - math.Log((float64(len(z))-negatives)/negatives)
	return c
}

// areaUnder is the area under the ROC curve of scores over the examples with a
// clear class; ties count half.
func areaUnder(es []example, scores []float64) float64 {
	var order []int
	for i, e := range es {
		if !e.neutral {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	var below, pairs, wins float64 // negatives so far
	for i := 0; i < len(order); {
		j, pos, neg := i, 0.0, 0.0
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			if es[order[j]].negative {
				neg++
			} else {
				pos++
			}
		}
		wins += pos * (below + neg/2)
		pairs += pos
		below += neg
		i = j
	}
	if pairs == 0 || below == 0 {
		return 0.5
	}
	return wins / (pairs * below)
}

// threshold is the probability below which a review is best called negative, by F1 of
// the negative class on held-out scores, and that F1.
func threshold(es []example, scores []float64, c platt) (at, best float64) {
	var order []int
	total := 0.0
	for i, e := range es {
		if !e.neutral {
			order = append(order, i)
			if e.negative {
				total++
			}
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	best, at = -1, middle
	hits := 0.0
	for n, i := range order[:len(order)-1] {
		if es[i].negative {
			hits++
		}
		next := order[n+1]
		if scores[next] == scores[i] {
			continue
		}
		if f := 2 * hits / (float64(n+1) + total); f > best {
			best, at = f, logistic(c.logit((scores[i]+scores[next])/2))
		}
	}
	return at, max(best, 0)
}
