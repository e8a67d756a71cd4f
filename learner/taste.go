package learner

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// Taste is what a learner likes, in the space of one embedder. Read only.
type Taste struct {
	// Personal is whether the learner allows lists that are made from what is
	// known of them. Without it everything below is empty.
	Personal bool
	Vectors  [][]float32 // one per interest, heaviest first, unit length; none when nothing is known, or without an embedder
	Shares   []float64   // beside Vectors: how much of the learner's attention each has; they sum to 1
	Recent   []float32   // what the last session was about, unit length; nil without one
	Away     []float32   // what the learner turned down, unit length; nil without such
	// AwayTopics are what Away is made of, topic by topic, heaviest first, unit
	// length; at most as many as interests may be.
	AwayTopics [][]float32
	Interests  []Interest // as stated, the goal last
	Liked      []Liked    // strongest first
	// Touched is what collaborative models read: every course of the profile, oldest
	// first; without those of interests that the learner removed.
	Touched []lectern.Touch

	Level          lectern.Level // as stated, else as estimated; "" is unknown
	LevelEstimated bool
	WeeklyHours    *float64 // as stated, else as estimated; nil is unknown
	HoursEstimated bool
	Wanted         []string     // skills that the goal asks for and the learner lacks, most important first
	Pace           lectern.Pace // as the learner corrected it, else as estimated; "" is unknown
	// Partial reports that index or embedder did not answer, so that vectors are
	// missing this time.
	Partial bool
}

// Interest is one stated interest, or the goal.
type Interest struct {
	Text   string
	Goal   bool
	Vector []float32 // unit length; nil when the embedder knows none of it
}

// Liked is one course that speaks for the learner's taste.
type Liked struct {
	CourseID string
	Weight   float64   // as of when the taste was made, > 0
	Vector   []float32 // unit length; nil without an embedder
}

// weighted is a profile entry as it weighs now.
type weighted struct {
	id     string
	weight float64
	at     time.Time // of the latest event
	state  lectern.CourseState
	out    bool // of an interest that the learner removed
}

// weigh decays entries to at, bounds them, and returns the heaviest first, ties
// by id.
func (c Config) weigh(entries []lectern.ProfileEntry, at time.Time) []weighted {
	out := make([]weighted, 0, len(entries))
	for _, e := range entries {
		age := max(0, at.Sub(e.WeightAt).Seconds())
		w := e.Weight * math.Exp2(-age/c.HalfLife.Seconds())
		w = min(max(w, -c.MaxCourseWeight), c.MaxCourseWeight)
		if e.State&(lectern.StateDropped|lectern.StateCompleted) == lectern.StateDropped {
			w = min(w, 0) // however much was done before it was given up
		}
		if !math.IsNaN(w) {
			out = append(out, weighted{id: e.CourseID, weight: w, at: e.LastAt, state: e.State})
		}
	}
	slices.SortFunc(out, func(a, b weighted) int {
		return cmp.Or(cmp.Compare(math.Abs(b.weight), math.Abs(a.weight)), cmp.Compare(a.id, b.id))
	})
	return out
}

// touched is what collaborative models read, oldest first, without what is out.
func touched(entries []weighted) []lectern.Touch {
	var out []lectern.Touch
	for _, e := range entries {
		if !e.out && !onlySaid(e) {
			if out == nil {
				out = make([]lectern.Touch, 0, len(entries))
			}
			out = append(out, lectern.Touch{CourseID: e.id, Weight: e.weight, At: e.at})
		}
	}
	slices.SortFunc(out, func(a, b lectern.Touch) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.CourseID, b.CourseID))
	})
	return out
}

// heaviest are the entries that make vectors.
func (c Config) heaviest(entries []weighted) []weighted {
	entries = entries[:min(len(entries), c.MaxEntries)]
	for len(entries) > 0 && entries[len(entries)-1].weight == 0 {
		entries = entries[:len(entries)-1]
	}
	return entries
}

// points puts courses and what is stated side by side. What has no vector, or one
// of another length than the rest, is left out.
func (c Config) points(entries []weighted, vectors [][]float32, interests []Interest) []point {
	out := make([]point, 0, len(entries)+len(interests))
	dim := 0
	add := func(p point) {
		if dim == 0 {
			dim = len(p.vector)
		}
		if dim > 0 && len(p.vector) == dim && p.weight != 0 {
			out = append(out, p)
		}
	}
	for i, e := range entries {
		add(point{id: e.id, stated: -1, weight: e.weight, at: e.at, vector: vectors[i], out: e.out})
	}
	for i, in := range interests {
		w := c.InterestWeight
		if in.Goal {
			w = c.GoalWeight
		}
		add(point{stated: i, weight: w, vector: in.Vector})
	}
	return out
}

// personal reports whether the learner allows personal lists.
func personal(l lectern.Learner) bool {
	if l.Consent == nil {
		return lectern.DefaultConsent().Personalisation
	}
	return l.Consent.Personalisation
}

// stated returns the interests and the goal that are not empty, each once, without
// those that the learner removed.
func (c Config) stated(l lectern.Learner, removed removal) []Interest {
	var out []Interest
	seen := make(map[string]bool)
	add := func(text string, goal bool) {
		text = strings.Join(strings.Fields(text), " ")
		if key := lectern.FoldKey(text); key != "" && !seen[key] && !removed.text(text) {
			seen[key] = true
			out = append(out, Interest{Text: text, Goal: goal})
		}
	}
	for _, text := range l.Interests {
		if len(out) == c.MaxInterests {
			break
		}
		add(text, false)
	}
	add(l.Goal, true)
	return out
}

// embedStated fills in vectors and reports whether the embedder answered.
func embedStated(ctx context.Context, embedder lectern.Embedder, interests []Interest) bool {
	if len(interests) == 0 {
		return true
	}
	texts := make([]string, len(interests))
	for i, in := range interests {
		texts[i] = in.Text
	}
	vectors, err := embedder.Embed(ctx, lectern.EmbedQuery, texts)
	if err != nil || len(vectors) != len(texts) {
		return false
	}
	for i := range interests {
		interests[i].Vector = vectors[i]
	}
	return true
}

// courseVectors reads the courses' vectors of one name and reports whether the
// index answered.
func courseVectors(ctx context.Context, index lectern.VectorIndex, name string, entries []weighted) ([][]float32, bool) {
	if len(entries) == 0 {
		return nil, true
	}
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	vectors, err := index.Vectors(ctx, name, ids)
	return vectors, err == nil && len(vectors) == len(ids)
}

// mix returns for each course the unit vector of (1 − share) × content + share ×
// reviews, and its content alone where nobody reviewed it. A course without
// content has no vector: what people say of it does not tell what it is about.
func (c Config) mix(content, reviews [][]float32) [][]float32 {
	out := make([][]float32, len(content))
	for i, v := range content {
		out[i] = v
		said := reviews[i]
		if v == nil || len(said) != len(v) {
			continue
		}
		sum := make([]float64, len(v))
		for j := range v {
			sum[j] = (1-c.ReviewsShare)*float64(v[j]) + c.ReviewsShare*float64(said[j])
		}
		if mixed := unit(sum); mixed != nil {
			out[i] = mixed
		}
	}
	return out
}

// unit scales to length 1; what is too short to have a direction becomes nil.
func unit(sum []float64) []float32 {
	norm := 0.0
	for _, x := range sum {
		norm += x * x
	}
	norm = math.Sqrt(norm)
	if norm < 1e-9 || math.IsNaN(norm) || math.IsInf(norm, 0) {
		return nil
	}
	out := make([]float32, len(sum))
	for i, x := range sum {
		out[i] = float32(x / norm)
	}
	return out
}
