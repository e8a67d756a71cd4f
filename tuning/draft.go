package tuning

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Revision is a proposal with the settings that it makes, ready for a preview.
type Revision struct {
	Proposal
	Draft json.RawMessage `json:"draft"` // the whole settings with the proposed weights
	Patch json.RawMessage `json:"patch"` // the same as a merge patch
}

// Revise proposes weights in the place of those of cfg. Errors: as of Propose.
func (s *Service) Revise(ctx context.Context, cfg rerank.Config, req Request) (Revision, error) {
	var err error
	if req.Current, err = Current(cfg, cmp.Or(req.Surface, lectern.SurfaceHome), req.Row); err != nil {
		return Revision{}, err
	}
	p, err := s.Propose(ctx, req)
	if err != nil {
		return Revision{}, err
	}
	revised, patch, err := Draft(cfg, p)
	if err != nil {
		return Revision{}, err
	}
	draft, err := rerank.Document(revised)
	return Revision{Proposal: p, Draft: draft, Patch: patch}, err
}

// queryTerms are about queries and say nothing on other surfaces.
func queryTerms() []string { return []string{"relevance", "skill_match"} }

// Current returns the weights of settings on a surface, or in a row, of every term
// that takes part there, as shares.
func Current(cfg rerank.Config, surface lectern.Surface, row lectern.Row) ([]lectern.TermWeight, error) {
	byName, err := termMap(*weightsOf(&cfg, surface, rowOf(&cfg, surface, row)))
	if err != nil {
		return nil, err
	}
	var out []lectern.TermWeight
	sum := 0.0
	for _, name := range rerank.TermNames() {
		if slices.Contains(cfg.Disabled, name) || surface != lectern.SurfaceSearch && slices.Contains(queryTerms(), name) {
			continue
		}
		out = append(out, lectern.TermWeight{Name: name, Weight: byName[name]})
		sum += byName[name]
	}
	for i := range out {
		out[i].Weight /= sum
	}
	return out, nil
}

// Draft returns settings with the proposed weights in the place of those of the
// proposal's surface or row, and the merge patch that makes them. What the weights sum
// to stays.
func Draft(cfg rerank.Config, p Proposal) (rerank.Config, json.RawMessage, error) {
	p.Row = rowOf(&cfg, p.Surface, p.Row)
	to := *weightsOf(&cfg, p.Surface, p.Row)
	now, err := termMap(to)
	if err != nil {
		return rerank.Config{}, nil, err
	}
	sum := 0.0
	for _, w := range p.Weights {
		sum += now[w.Term]
	}
	proposed := map[string]float64{}
	for _, w := range p.Weights {
		proposed[w.Term] = round(w.Proposed * sum)
	}
	body, err := json.Marshal(proposed)
	if err != nil {
		return rerank.Config{}, nil, fmt.Errorf("write the proposed weights: %w", err)
	}
	if err := json.Unmarshal(body, &to); err != nil {
		return rerank.Config{}, nil, fmt.Errorf("read the proposed weights: %w", err)
	}
	all, err := termMap(to)
	if err != nil {
		return rerank.Config{}, nil, err
	}
	where := map[string]any{string(p.Surface): all}
	if p.Row != "" {
		cfg.Weights.Rows = maps.Clone(cfg.Weights.Rows)
		if cfg.Weights.Rows == nil {
			cfg.Weights.Rows = map[lectern.Row]rerank.TermWeights{}
		}
		cfg.Weights.Rows[p.Row] = to
		where = map[string]any{"rows": map[string]any{string(p.Row): all}}
	} else {
		*weightsOf(&cfg, p.Surface, "") = to
	}
	patch, err := json.Marshal(map[string]any{"weights": where})
	return cfg, patch, err
}

// termMap is weights by the names of their terms.
func termMap(w rerank.TermWeights) (map[string]float64, error) {
	body, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write weights: %w", err)
	}
	out := map[string]float64{}
	return out, json.Unmarshal(body, &out)
}

// rowOf is the row whose weights a list has: the home list goes by those of for_you,
// where that row has its own.
func rowOf(cfg *rerank.Config, surface lectern.Surface, row lectern.Row) lectern.Row {
	if _, own := cfg.Weights.Rows[lectern.RowForYou]; own && surface == lectern.SurfaceHome && row == "" {
		return lectern.RowForYou
	}
	return row
}

// weightsOf are the weights that hold on a surface, or in a row of home.
func weightsOf(cfg *rerank.Config, surface lectern.Surface, row lectern.Row) *rerank.TermWeights {
	if w, ok := cfg.Weights.Rows[row]; ok {
		return &w
	}
	switch rowSurface(surface, row) {
	case lectern.SurfaceSearch:
		return &cfg.Weights.Search
	case lectern.SurfaceSimilar:
		return &cfg.Weights.Similar
	case lectern.SurfaceNext:
		return &cfg.Weights.Next
	case lectern.SurfaceTrending:
		return &cfg.Weights.Trending
	}
	return &cfg.Weights.Home
}

// rowSurface is the surface whose weights a row has while it has none of its own.
func rowSurface(surface lectern.Surface, row lectern.Row) lectern.Surface {
	switch row {
	case lectern.RowBecause:
		return lectern.SurfaceSimilar
	case lectern.RowNext:
		return lectern.SurfaceNext
	case lectern.RowTrending:
		return lectern.SurfaceTrending
	}
	return surface
}
