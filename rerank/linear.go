package rerank

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/lectern-dev/lectern"
)

// Linear scores by a weighted sum of terms. It is safe for concurrent use.
type Linear struct {
	cfg      Config
	version  string
	surfaces map[lectern.Surface]surfaceTerms
	params   sync.Pool // of sharedParams
	ratings  ratingWords
}

// surfaceTerms are the terms that take part on one surface.
type surfaceTerms struct {
	terms []lectern.TermWeight // name and weight; the weights sum to 1
	index []int                // term constants, in the same order
}

var _ Reranker = (*Linear)(nil)

// NewLinear returns a reranker for settings that no store has a version of: it is
// named after their hash. Errors: CodeInvalid naming the keys at fault.
func NewLinear(cfg Config) (*Linear, error) {
	doc, err := json.Marshal(cfg)
	if err != nil { // a number that JSON does not know
		doc = fmt.Appendf(nil, "%+v", cfg)
	}
	sum := sha256.Sum256(doc)
	return New(cfg, "v0-"+hex.EncodeToString(sum[:6]))
}

// New returns a reranker of a named version. Errors: CodeInvalid naming the keys at
// fault.
func New(cfg Config, version string) (*Linear, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	l := &Linear{
		cfg:      cfg,
		version:  version,
		surfaces: make(map[lectern.Surface]surfaceTerms),
	}
	l.params.New = func() any { return make(sharedParams) }
	for _, s := range surfaces() {
		l.surfaces[s] = partOf(cfg.Weights.of(s))
	}
	return l, nil
}

// partOf returns the terms with a weight, scaled so that the weights sum to 1.
func partOf(w TermWeights) surfaceTerms {
	sum := 0.0
	for _, weight := range w.vector() {
		sum += weight
	}
	var out surfaceTerms
	for i, weight := range w.vector() {
		if weight > 0 {
			out.terms = append(out.terms, lectern.TermWeight{Name: termNames[i], Weight: weight / sum})
			out.index = append(out.index, i)
		}
	}
	return out
}

// Version names the settings.
func (l *Linear) Version() string { return l.version }

// Config returns the settings. Read only.
func (l *Linear) Config() Config { return l.cfg }

// Pins returns the courses that rules pin for a request.
func (l *Linear) Pins(Request) []string { return nil }

func (l *Linear) of(s lectern.Surface) surfaceTerms {
	if t, ok := l.surfaces[s]; ok {
		return t
	}
	return l.surfaces[lectern.SurfaceHome]
}

// Rerank scores every candidate and orders by falling score, then rising id. On
// home the list is then arranged: see arrange.
func (l *Linear) Rerank(req Request, candidates []Candidate) Ranked {
	part := l.of(req.Surface)
	width := len(part.terms)
	backing := make([]float64, len(candidates)*width)
	out := make([]Scored, len(candidates))
	for i := range candidates {
		values := backing[i*width : (i+1)*width : (i+1)*width]
		score := 0.0
		for j, term := range part.index {
			values[j] = l.value(term, &req, &candidates[i])
			score += part.terms[j].Weight * values[j]
		}
		out[i] = Scored{Index: i, Score: score, Values: values}
	}
	slices.SortFunc(out, func(a, b Scored) int {
		if a.Score != b.Score {
			return cmp.Compare(b.Score, a.Score)
		}
		return cmp.Compare(candidates[a.Index].Course.ID, candidates[b.Index].Course.ID)
	})
	if req.Surface == lectern.SurfaceHome {
		out = l.arrange(req, out, candidates)
	}
	if req.Depth > 0 && len(out) > req.Depth {
		out = out[:req.Depth:req.Depth]
	}
	l.addReasons(req, part, candidates, out)
	return Ranked{Terms: slices.Clone(part.terms), Items: out}
}

// arrange is what happens to a home list beyond its scores: what is nearer to what
// the learner turned down than to anything they like goes last, the first places keep
// to the shares of the interests, runs of one provider or category are broken up,
// courses wait for their prerequisites, and twins of a completed course for its
// successor.
func (l *Linear) arrange(req Request, in []Scored, candidates []Candidate) []Scored {
	kept, last := dismissedLast(in, candidates, l.cfg.Lists.DismissedFrom)
	kept = calibrate(kept, candidates, req.Shares, l.cfg.Lists.Calibration.Interests, l.cfg.Lists.CalibratedPlaces)
	if req.Depth > 0 { // what lies far below the list cannot come into it
		kept = kept[:min(len(kept), req.Depth+2*lookAhead)]
	}
	kept = breakRuns(kept, candidates, l.cfg.Lists.MaxProviderRun, l.cfg.Lists.MaxCategoryRun, l.cfg.Lists.MaxVarietyLoss)
	kept = afterPrerequisites(kept, candidates)
	kept = beforeTwins(kept, candidates)
	return append(kept, last...)
}
