package opinions

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment"
)

// Figures are those of one classifier on one test part.
type Figures struct {
	Model     string     `json:"model"`
	Unread    int        `json:"unread"` // left neutral, at the middle of the ranks
	AUC       float64    `json:"auc"`
	Interval  Interval   `json:"auc_interval"`
	Threshold float64    `json:"threshold"` // below it a review counts as negative; chosen in the training part
	F1        [2]float64 `json:"f1"`        // of the negative and of the positive class, at the threshold
	F1Middle  [2]float64 `json:"f1_middle"` // the same at .5
	Brier     float64    `json:"brier"`
	ECE       float64    `json:"ece"`
}

// Comparison is the lexicon against the learnt model on one split.
type Comparison struct {
	Split    string                  `json:"split"`
	Train    [3]int                  `json:"train"` // negative, neutral, positive
	Test     [3]int                  `json:"test"`
	Fit      []sentiment.LanguageFit `json:"fit,omitempty"`
	Lexicon  Figures                 `json:"lexicon"`
	Learnt   *Figures                `json:"learnt,omitempty"` // nil where there was too little to learn from
	Gain     float64                 `json:"gain"`
	GainOver Interval                `json:"gain_interval"`
}

// Compare fits on the first part and measures on the second.
func Compare(ctx context.Context, split string, train, test []lectern.Review, lex *sentiment.Lexicon, o sentiment.FitOptions) (Comparison, error) {
	c := Comparison{Split: split}
	c.Train[0], c.Train[1], c.Train[2] = Classes(train)
	c.Test[0], c.Test[1], c.Test[2] = Classes(test)
	model, report, err := sentiment.Fit(ctx, train, lex, o)
	if err != nil {
		return c, fmt.Errorf("%s: %w", split, err)
	}
	c.Fit = report.Languages
	lexical := score(lex, test)
	c.Lexicon = figures(lex.Name(), lexical, BestThreshold(score(lex, train).scored), o.Seed)
	learnt := score(model, test)
	f := figures("learnt", learnt, report.Languages[0].Threshold, o.Seed)
	c.Learnt = &f
	c.Gain, c.GainOver = AUCGain(lexical.scored, learnt.scored, o.Seed)
	return c, nil
}

// scores are those of the reviews with a clear class.
type scores struct {
	scored []Scored
	unread int
}

// score reads all reviews. What is not read takes the mean of the others: it is
// neutral.
func score(c sentiment.Classifier, reviews []lectern.Review) scores {
	var out scores
	var unread []int
	sum := 0.0
	for _, r := range reviews {
		if r.Stars == nil || *r.Stars > 2 && *r.Stars < 4 {
			continue
		}
		p, ok := c.Score(r.Text, r.Language)
		if !ok {
			unread = append(unread, len(out.scored))
		} else {
			sum += p
		}
		out.scored = append(out.scored, Scored{Positive: *r.Stars >= 4, P: p})
	}
	out.unread = len(unread)
	for _, i := range unread {
		out.scored[i].P = sum / float64(max(len(out.scored)-len(unread), 1))
	}
	return out
}

func figures(name string, s scores, threshold float64, seed uint64) Figures {
	f := Figures{Model: name, Unread: s.unread, Threshold: threshold, Brier: Brier(s.scored), ECE: ECE(s.scored)}
	f.AUC, f.Interval = AUCInterval(s.scored, seed)
	f.F1[0], f.F1[1] = F1(s.scored, threshold)
	f.F1Middle[0], f.F1Middle[1] = F1(s.scored, middle)
	return f
}

// middle is the threshold where nothing else is known.
const middle = 0.5

func isTooFew(err error) bool { return errors.Is(err, sentiment.ErrTooFew) }

// courseIDs lists the courses of the reviews, sorted.
func courseIDs(reviews []lectern.Review) []string {
	seen := map[string]bool{}
	for _, r := range reviews {
		seen[r.CourseID] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
