package sentiment

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/blob"
)

// savedVersion changes when saved models can no longer be read: features or hashes
// changed.
const savedVersion = 1

// savedModel is the form of a model in bytes.
type savedModel struct {
	Format  string               `json:"format"`
	Version int                  `json:"version"`
	Name    string               `json:"name"`
	Heads   map[string]headState `json:"heads"`
}

const savedFormat = "lectern sentiment"

// headState is a head; n-grams that weigh nothing are left out.
type headState struct {
	Grams []uint32               `json:"grams"`
	IDF   []byte                 `json:"idf"`     // float32
	W     []byte                 `json:"weights"` // float32
	Bias  float64                `json:"bias"`
	Dense [denseFeatures]float64 `json:"dense"`
	Slope float64                `json:"slope"`
	Shift float64                `json:"shift"`
	Prior float64                `json:"prior"`
	Cut   float64                `json:"cut,omitempty"` // 0 of models saved before there was one
}

func (h *head) state() *headState {
	s := &headState{IDF: blob.FromVector(h.vocabulary.idf), W: blob.FromVector(h.grams), Bias: h.bias, Dense: h.dense,
		Slope: h.calibration.slope, Shift: h.calibration.shift, Prior: h.prior, Cut: h.cut}
	for _, g := range h.vocabulary.grams {
		s.Grams = append(s.Grams, uint32(g))
	}
	return s
}

// Save writes the model. The same model gives the same bytes.
func (m *Model) Save(w io.Writer) error {
	out := savedModel{Format: savedFormat, Version: savedVersion, Name: m.name, Heads: map[string]headState{}}
	for lang, h := range m.heads {
		out.Heads[lang] = *h.state()
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		return fmt.Errorf("save sentiment model: %w", err)
	}
	return nil
}

// maxSavedBytes bounds what Load reads.
const maxSavedBytes = 64 << 20

// Load reads what Save wrote, to be used with this lexicon. Errors: CodeInvalid for
// anything else, and for a model of another version.
func Load(r io.Reader, lex *Lexicon) (*Model, error) {
	var in savedModel
	if err := json.NewDecoder(io.LimitReader(r, maxSavedBytes)).Decode(&in); err != nil {
		return nil, lectern.Errorf(lectern.CodeInvalid, "saved sentiment model cannot be read: %v", err)
	}
	if in.Format != savedFormat || in.Version != savedVersion {
		return nil, lectern.Errorf(lectern.CodeInvalid, "saved sentiment model is %q version %d, want %q version %d", in.Format, in.Version, savedFormat, savedVersion)
	}
	if len(in.Heads) == 0 {
		return nil, lectern.Errorf(lectern.CodeInvalid, "saved sentiment model reads no language")
	}
	m := &Model{lexicon: lex, name: in.Name, heads: map[string]*head{}}
	for _, lang := range sortedKeys(in.Heads) {
		s := in.Heads[lang]
		h, err := s.head()
		if err != nil {
			return nil, lectern.Errorf(lectern.CodeInvalid, "saved sentiment model, language %q: %v", lang, err)
		}
		m.heads[lang] = h
	}
	return m, nil
}

func (s *headState) head() (*head, error) {
	idf, err := blob.Vector(s.IDF)
	if err != nil {
		return nil, err
	}
	w, err := blob.Vector(s.W)
	if err != nil {
		return nil, err
	}
	if len(idf) != len(s.Grams) || len(w) != len(s.Grams) {
		return nil, fmt.Errorf("%d n-grams with %d frequencies and %d weights", len(s.Grams), len(idf), len(w))
	}
	grams := make([]gram, len(s.Grams))
	for i, g := range s.Grams {
		if g >= uint32(groups)*hashSpace || i > 0 && g <= s.Grams[i-1] {
			return nil, fmt.Errorf("n-gram %d is out of order or range", g)
		}
		grams[i] = gram(g)
	}
	numbers := slices.Concat([]float64{s.Bias, s.Slope, s.Shift, s.Prior}, s.Dense[:])
	for _, v := range slices.Concat(idf, w) {
		numbers = append(numbers, float64(v))
	}
	for _, v := range numbers {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("holds %v", v)
		}
	}
	cut := s.Cut
	if cut == 0 {
		cut = middle
	}
	if !(cut > 0 && cut < 1) {
		return nil, fmt.Errorf("calls reviews negative below %v", cut)
	}
	return &head{vocabulary: newVocabulary(grams, idf), bias: s.Bias, dense: s.Dense, grams: w,
		calibration: platt{s.Slope, s.Shift}, prior: s.Prior, cut: cut}, nil
}
