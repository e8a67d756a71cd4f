package indextest

import (
	"cmp"
	"slices"

	"github.com/lectern-dev/lectern"
)

// reference answers by looking at every point, in the plainest way.
type reference map[string]lectern.Point

func (r reference) upsert(points ...lectern.Point) {
	for _, p := range points {
		r[p.ID] = p
	}
}

func (r reference) delete(ids ...string) {
	for _, id := range ids {
		delete(r, id)
	}
}

func (r reference) search(q lectern.VectorQuery) []lectern.Hit {
	hits := []lectern.Hit{}
	for id, p := range r {
		if !matches(q.Filter, p) {
			continue
		}
		if q.Sparse != nil {
			if s, shared := sparseDot(*q.Sparse, p.Sparse[q.Vector]); shared {
				hits = append(hits, lectern.Hit{ID: id, Score: s})
			}
			continue
		}
		if v := p.Dense[q.Vector]; len(v) > 0 {
			var s float32
			for i := range v {
				s += v[i] * q.Dense[i]
			}
			hits = append(hits, lectern.Hit{ID: id, Score: s})
		}
	}
	slices.SortFunc(hits, func(a, b lectern.Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return hits[:min(q.K, len(hits))]
}

func (r reference) allowed(f lectern.Filter, ids []string) []bool {
	out := make([]bool, len(ids))
	for i, id := range ids {
		p, ok := r[id]
		out[i] = ok && matches(f, p)
	}
	return out
}

func (r reference) vectors(name string, ids []string) [][]float32 {
	out := make([][]float32, len(ids))
	for i, id := range ids {
		if v := r[id].Dense[name]; len(v) > 0 {
			out[i] = v
		}
	}
	return out
}

func (r reference) stats() (points int, vectors map[string]int) {
	vectors = map[string]int{}
	for _, p := range r {
		for name, v := range p.Dense {
			if len(v) > 0 {
				vectors[name]++
			}
		}
		for name, v := range p.Sparse {
			if len(v.Indices) > 0 {
				vectors[name]++
			}
		}
	}
	return len(r), vectors
}

func sparseDot(a, b lectern.SparseVector) (sum float32, shared bool) {
	for i, t := range a.Indices {
		if j := slices.Index(b.Indices, t); j >= 0 {
			sum += a.Values[i] * b.Values[j]
			shared = true
		}
	}
	return sum, shared
}

// matches is the meaning of lectern.Filter, clause by clause.
func matches(f lectern.Filter, point lectern.Point) bool {
	p := point.Payload
	anyOf := func(have []string, want []string) bool {
		return slices.ContainsFunc(want, func(w string) bool {
			w = lectern.FoldKey(w)
			return w != "" && slices.Contains(have, w)
		})
	}
	if len(f.Levels) > 0 && (p.Level == "" || !slices.Contains(f.Levels, p.Level)) {
		return false
	}
	if f.MaxHours != nil && (p.Hours == nil || *p.Hours > *f.MaxHours) {
		return false
	}
	if f.MinHours != nil && (p.Hours == nil || *p.Hours < *f.MinHours) {
		return false
	}
	if len(f.Languages) > 0 && !slices.ContainsFunc(f.Languages, func(l string) bool {
		return lectern.LanguageAnswers(p.Languages, lectern.LanguageKeys(l))
	}) {
		return false
	}
	if len(f.Skills) > 0 && !anyOf(p.Skills, f.Skills) {
		return false
	}
	if len(f.Categories) > 0 && !anyOf(p.Categories, f.Categories) {
		return false
	}
	if len(f.Providers) > 0 && !anyOf([]string{p.Provider}, f.Providers) {
		return false
	}
	if slices.Contains(f.ExcludeIDs, point.ID) || (f.OnlyIDs != nil && !slices.Contains(f.OnlyIDs, point.ID)) {
		return false
	}
	e := f.Eligible
	if e == nil {
		return true
	}
	return p.Status == lectern.StatusOpen &&
		(p.EnrolFrom == nil || !e.At.Before(*p.EnrolFrom)) &&
		(p.EnrolUntil == nil || e.At.Before(*p.EnrolUntil)) &&
		(len(p.Regions) == 0 || anyOf(p.Regions, []string{e.Region})) &&
		(len(p.Organisations) == 0 || anyOf(p.Organisations, e.Organisations))
}
