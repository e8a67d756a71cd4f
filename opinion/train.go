package opinion

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/lease"
	"github.com/lectern-dev/lectern/ml/sentiment"
)

// LeaseTraining is the lease under which one process at a time trains.
const LeaseTraining = "train sentiment"

const (
	firstCheck   = 30 * time.Second // after a start, which training must not slow down
	checkEvery   = 15 * time.Second // how often it is asked whether a training is due
	retryAfter   = time.Hour        // a training that failed, or found too little
	cutShare     = 0.2              // of the reviews, the newest, that a model is compared on
	maxCutShare  = 0.4              // where the newest have too few negative ones
	cutNegatives = 20               // wanted among them
	minNegatives = 8                // with fewer nothing can be compared
)

// Training is what came of one.
type Training struct {
	Version    int64 // 0 where nothing was stored
	Activated  bool
	Refused    string // why it is not in use
	Reviews    int    // learnt from
	Languages  []sentiment.LanguageFit
	Comparison Comparison
	Took       time.Duration
}

// Comparison is a model against the lexicon on the newest reviews, which a model
// learnt from the others has not seen.
type Comparison struct {
	From     time.Time `json:"from"`     // of the oldest of them
	Positive int       `json:"positive"` // 4 and 5 stars
	Negative int       `json:"negative"` // 1 and 2
	Model    float64   `json:"model"`    // area under the ROC curve
	Lexicon  float64   `json:"lexicon"`
}

// ErrTooLittle is within the error of Train when there is too little to learn from.
var ErrTooLittle = errors.New("there is too little to learn from")

// The keys of an artefact's Meta.
const (
	metaReviews    = "reviews"    // learnt from
	metaStored     = "stored"     // reviews in the store at that time
	metaComparison = "comparison" // JSON
	metaLanguages  = "languages"  // JSON
	metaRefused    = "refused"
	metaSeconds    = "seconds"
)

// trainWhenDue trains by itself until ctx ends.
func (k *Keeper) trainWhenDue(ctx context.Context) {
	if !k.o.Config.Train {
		return
	}
	var notBefore time.Time
	rest(ctx, firstCheck)
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		now := k.o.Clock()
		if !now.Before(notBefore) {
			if err := k.trainIfDue(ctx, now); err != nil && ctx.Err() == nil {
				notBefore = now.Add(retryAfter)
				if !errors.Is(err, ErrTooLittle) && lectern.ErrorCode(err) != lectern.CodeConflict {
					k.o.Logger.WarnContext(ctx, "no model of reviews was trained", slog.Any("err", err), slog.Duration("retry_in", retryAfter))
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// trainIfDue trains where there has been no training yet, or one long enough ago and
// with reviews enough since.
func (k *Keeper) trainIfDue(ctx context.Context, now time.Time) error {
	all, err := k.o.Store.Artefacts(ctx, Kind)
	if err != nil {
		return fmt.Errorf("list the models of reviews: %w", err)
	}
	if len(all) > 0 && now.Sub(all[0].CreatedAt) < k.o.Config.TrainEvery {
		return nil
	}
	stats, err := k.o.Store.Stats(ctx)
	if err != nil {
		return fmt.Errorf("count reviews: %w", err)
	}
	before := int64(0)
	if len(all) > 0 {
		before, _ = strconv.ParseInt(all[0].Meta[metaStored], 10, 64)
	}
	if stats.Reviews-before < int64(k.o.Config.RetrainAfter) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, k.o.Config.TrainTimeout)
	defer cancel()
	_, err = k.Train(ctx, false)
	return err
}

// Train learns from the platform's starred reviews, compares what it learnt with the
// lexicon, keeps it as a new version, and puts it to use where it is better. dry stores
// nothing. Errors: CodeConflict while another process trains; CodePrecondition with
// ErrTooLittle.
func (k *Keeper) Train(ctx context.Context, dry bool) (*Training, error) {
	if dry {
		out, _, err := k.learn(ctx)
		return out, err
	}
	var out *Training
	err := lease.Hold(ctx, k.o.Store, LeaseTraining, k.o.Holder, k.o.Logger, func(ctx context.Context) (err error) {
		k.count(func(s *Stats) { s.Training = true })
		out, err = k.train(ctx)
		k.count(func(s *Stats) {
			s.Training = false
			switch {
			case err != nil && !errors.Is(err, ErrTooLittle):
				s.Failures++
			case err == nil && !out.Activated:
				s.Refused++
			}
		})
		return err
	})
	if errors.Is(err, lease.ErrHeld) {
		err = lectern.Errorf(lectern.CodeConflict, "another process is training a model of reviews at the moment")
	}
	return out, err
}

func (k *Keeper) train(ctx context.Context) (*Training, error) {
	stats, err := k.o.Store.Stats(ctx)
	if err != nil {
		return nil, fmt.Errorf("count reviews: %w", err)
	}
	out, learnt, err := k.learn(ctx)
	if err != nil {
		return nil, err
	}
	body, err := encode(learnt.model, learnt.aspects)
	if err != nil {
		return nil, err
	}
	meta, err := out.meta(stats.Reviews)
	if err != nil {
		return nil, err
	}
	out.Version, err = k.o.Store.PutArtefact(ctx, lectern.Artefact{
		Kind: Kind, Fingerprint: learnt.model.Name(), CreatedAt: lectern.Timestamp(k.o.Clock()), Meta: meta,
	}, body)
	if err != nil {
		return nil, fmt.Errorf("store the model of reviews: %w", err)
	}
	if out.Refused == "" {
		if err := k.o.Store.ActivateArtefact(ctx, Kind, out.Version); err != nil {
			return nil, fmt.Errorf("put model %d of reviews to use: %w", out.Version, err)
		}
		out.Activated = true
	}
	if _, err := k.o.Store.PruneArtefacts(ctx, Kind, k.o.Config.Keep-1); err != nil {
		k.o.Logger.WarnContext(ctx, "old models of reviews are not deleted", slog.Any("err", err))
	}
	k.o.Logger.InfoContext(ctx, "a model of reviews is trained", slog.Int64("version", out.Version), slog.Bool("activated", out.Activated),
		slog.String("refused", out.Refused), slog.Int("reviews", out.Reviews), slog.Float64("auc", out.Comparison.Model),
		slog.Float64("lexicon_auc", out.Comparison.Lexicon), slog.Duration("took", out.Took))
	k.Notify()
	return out, nil
}

func (t *Training) meta(stored int64) (map[string]string, error) {
	comparison, err := json.Marshal(t.Comparison)
	if err != nil {
		return nil, fmt.Errorf("encode the comparison: %w", err)
	}
	languages, err := json.Marshal(t.Languages)
	if err != nil {
		return nil, fmt.Errorf("encode the languages: %w", err)
	}
	return map[string]string{
		metaReviews: strconv.Itoa(t.Reviews), metaStored: strconv.FormatInt(stored, 10), metaComparison: string(comparison),
		metaLanguages: string(languages), metaRefused: t.Refused, metaSeconds: strconv.FormatFloat(t.Took.Seconds(), 'f', 1, 64),
	}, nil
}

// learnt is what a training makes.
type learnt struct {
	model   *sentiment.Model
	aspects *sentiment.Aspects
}

// learn fits a model on the older reviews to compare it with the lexicon on the newer
// ones, and then the model to keep on all of them.
func (k *Keeper) learn(ctx context.Context) (*Training, *learnt, error) {
	begin := time.Now()
	reviews, err := k.starred(ctx)
	if err != nil {
		return nil, nil, err
	}
	out := &Training{Reviews: len(reviews)}
	options := sentiment.DefaultFitOptions()
	m, report, err := sentiment.Fit(ctx, reviews, k.lexicon, options)
	if errors.Is(err, sentiment.ErrTooFew) {
		return nil, nil, lectern.Errorf(lectern.CodePrecondition, "%w: of %d reviews with text and stars too few are negative, or positive",
			ErrTooLittle, len(reviews))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("learn from reviews: %w", err)
	}
	out.Languages = report.Languages
	older, newer := cutByTime(reviews)
	var before *sentiment.Model
	if len(older) > 0 {
		before, _, err = sentiment.Fit(ctx, older, k.lexicon, options)
		if err != nil && !errors.Is(err, sentiment.ErrTooFew) {
			return nil, nil, fmt.Errorf("learn from the older reviews: %w", err)
		}
	}
	out.Refused = "the newest reviews have too few negative ones to compare it with the lexicon"
	if before != nil {
		out.Comparison = compare(before, k.lexicon, newer)
		out.Refused = out.Comparison.objection(k.o.Config.Gain)
	}
	grown := sentiment.SeedAspects(k.lexicon).Grow(reviews, sentiment.DefaultGrowOptions())
	out.Took = time.Since(begin)
	return out, &learnt{m, grown}, nil
}

func (c Comparison) objection(gain float64) string {
	switch {
	case c.Negative < minNegatives:
		return fmt.Sprintf("of the newest reviews %d are negative, too few to compare it with the lexicon", c.Negative)
	case !(c.Model > c.Lexicon+gain):
		return fmt.Sprintf("on the newest reviews it does not beat the lexicon: area under the curve %.4f against %.4f", c.Model, c.Lexicon)
	}
	return ""
}

// starred returns the reviews with text and stars that count, of every course its
// newest, up to the configured number, oldest first. What does not fit is left out by
// a draw that is the same every time.
func (k *Keeper) starred(ctx context.Context) ([]lectern.Review, error) {
	limit := k.o.Config.TrainReviews
	var out []lectern.Review
	keep := uint64(1) // one in so many reviews that are not negative
	for after := int64(0); ; {
		courses, next, err := k.o.Store.ScanCourses(ctx, after, scanPage)
		if err != nil {
			return nil, fmt.Errorf("read the catalogue: %w", err)
		}
		for _, c := range courses {
			reviews, err := pageThrough(ctx, k.o.Store.Reviews, c.ID, k.o.Config.MaxReviews)
			if err != nil {
				return nil, fmt.Errorf("read the reviews of %q: %w", c.ID, err)
			}
			for _, r := range reviews {
				if r.Stars != nil && r.Held.Counts() && drawn(&r, keep) {
					r.LearnerID = "" // nothing is learnt of who wrote it
					out = append(out, r)
				}
			}
			for len(out) > limit {
				keep *= 2
				out = slices.DeleteFunc(out, func(r lectern.Review) bool { return !drawn(&r, keep) })
				if keep > 1<<20 {
					out = out[:limit] // negative ones alone are more
				}
			}
		}
		if after = next; next == 0 {
			slices.SortStableFunc(out, byTime)
			return out, nil
		}
	}
}

// drawn reports whether a review is among one in so many. Negative ones, which are
// rare and tell most, always are.
func drawn(r *lectern.Review, oneIn uint64) bool {
	return *r.Stars <= 2 || uint64(markOf(r.ID))>>9%oneIn == 0 //nolint:gosec // bits
}

func byTime(a, b lectern.Review) int {
	switch {
	case a.WrittenAt == nil && b.WrittenAt == nil:
		return cmp.Compare(a.ID, b.ID)
	case a.WrittenAt == nil:
		return -1
	case b.WrittenAt == nil:
		return 1
	}
	return cmp.Or(a.WrittenAt.Compare(*b.WrittenAt), cmp.Compare(a.ID, b.ID))
}

// cutByTime parts reviews that are ordered by time into older and newer ones: a fifth,
// or as many as have some negative ones among them. older is empty where that would
// be most of them.
func cutByTime(reviews []lectern.Review) (older, newer []lectern.Review) {
	at := len(reviews) - int(cutShare*float64(len(reviews)))
	least := len(reviews) - int(maxCutShare*float64(len(reviews)))
	negative := 0
	for _, r := range reviews[at:] {
		if *r.Stars <= 2 {
			negative++
		}
	}
	for at > least && negative < cutNegatives {
		at--
		if *reviews[at].Stars <= 2 {
			negative++
		}
	}
	if negative < minNegatives {
		return nil, reviews
	}
	return reviews[:at], reviews[at:]
}

// compare holds a model against the lexicon on reviews that both read.
func compare(m, lexicon sentiment.Classifier, reviews []lectern.Review) Comparison {
	var out Comparison
	var ours, theirs []float64
	var good []bool
	for _, r := range reviews {
		if *r.Stars > 2 && *r.Stars < 4 {
			continue
		}
		p, ok := m.Score(r.Text, r.Language)
		q, also := lexicon.Score(r.Text, r.Language)
		if !ok || !also {
			continue
		}
		if out.From.IsZero() && r.WrittenAt != nil {
			out.From = *r.WrittenAt
		}
		positive := *r.Stars >= 4
		if positive {
			out.Positive++
		} else {
			out.Negative++
		}
		ours, theirs, good = append(ours, p), append(theirs, q), append(good, positive)
	}
	out.Model, out.Lexicon = areaUnder(ours, good), areaUnder(theirs, good)
	return out
}

// areaUnder is the area under the ROC curve: how often a positive review scores above
// a negative one, ties half.
func areaUnder(scores []float64, good []bool) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	var wins, positives, negatives float64
	for i := 0; i < len(order); {
		var pos, neg float64
		j := i
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			if good[order[j]] {
				pos++
			} else {
				neg++
			}
		}
		wins += pos * (negatives + neg/2)
		positives, negatives = positives+pos, negatives+neg
		i = j
	}
	if positives == 0 || negatives == 0 {
		return 0.5
	}
	return wins / (positives * negatives)
}
