package rerank

import "slices"

// limit holds the first places to so many courses of one provider. It is hard as long as
// anything else is left: then the best of what is left fills the list, rather than that
// it ends early. Pins count, and are counted before anything else; they stand where
// they are pinned even where they are too many.
type limit struct {
	most, places int // 0 is no limit
	ids          map[string]int32
	counts       []int   // by number of the provider
	of           []int32 // by rank: number of the provider, 1 more; 0 is not looked up yet
}

func (l *limit) begin(s *slate) {
	l.most, l.places = s.l.cfg.Lists.MaxPerProvider, s.l.cfg.Lists.LimitedPlaces
	if s.asIs() || l.most == 0 {
		l.places = 0
	}
	if l.places == 0 {
		return
	}
	if l.ids == nil {
		l.ids = make(map[string]int32)
	}
	l.counts = append(l.counts[:0], 0) // of unknown providers
	l.of = cleared(l.of, len(s.all))
	for _, p := range s.pins.places {
		if p.place < l.places {
			l.counts[l.provider(s, p.rank)]++
		}
	}
	l.counts[0] = 0
}

// provider numbers the provider of a course; 0 is unknown.
func (l *limit) provider(s *slate, rank int) int32 {
	if l.of[rank] == 0 {
		id, name := int32(0), s.in[s.all[rank].index].Course.Provider
		if name != "" {
			var ok bool
			if id, ok = l.ids[name]; !ok {
				id = int32(len(l.counts))
				l.ids[name] = id
				l.counts = append(l.counts, 0)
			}
		}
		l.of[rank] = id + 1
	}
	return l.of[rank] - 1
}

// reached reports whether the next place would be one too many for a course's provider.
func (l *limit) reached(s *slate, rank int) bool {
	if len(s.out) >= l.places {
		return false
	}
	id := l.provider(s, rank)
	return id > 0 && l.counts[id] >= l.most
}

// add counts a course that gets the next place, and was not pinned to it.
func (l *limit) add(s *slate, rank int) {
	if len(s.out) < l.places {
		l.counts[l.provider(s, rank)]++
	}
}

func (l *limit) end() { clear(l.ids) }

// runs breaks up rows of one provider, and of one category. Unknown ones make no run.
type runs struct {
	on                       bool
	provider, category       run
	maxProvider, maxCategory int
}

func (r *runs) begin(s *slate) {
	*r = runs{maxProvider: s.l.cfg.Lists.MaxProviderRun, maxCategory: s.l.cfg.Lists.MaxCategoryRun}
	r.on = s.home && !s.asIs()
}

// room reports whether a course lengthens no full run.
func (r *runs) room(f *Facts) bool {
	return !r.on || r.provider.room(f.Provider, r.maxProvider) && r.category.room(f.Category, r.maxCategory)
}

func (r *runs) add(f *Facts) {
	r.provider.add(f.Provider)
	r.category.add(f.Category)
}

// run counts how often the last key came in a row.
type run struct {
	key string
	n   int
}

func (r *run) room(key string, limit int) bool {
	return limit == 0 || key == "" || key != r.key || r.n < limit
}

func (r *run) add(key string) {
	if key == r.key && key != "" {
		r.n++
		return
	}
	r.key, r.n = key, 1
}

// Limited puts a list that was put in another order since it was made, or has lost
// items, back under the limit of courses of one provider, as far as what it holds allows.
// Otherwise its order stays, and so do the places of what rules pinned.
func (l *Linear) Limited(items []Scored, candidates []Candidate) []Scored {
	most, places := l.cfg.Lists.MaxPerProvider, min(l.cfg.Lists.LimitedPlaces, len(items))
	if most == 0 || places == 0 {
		return items
	}
	counts := make(map[string]int)
	provider := func(s Scored) string { return candidates[s.Index].Course.Provider }
	free := make([]Scored, 0, len(items))
	for i, s := range items {
		switch {
		case s.Pinned == "":
			free = append(free, s)
		case i < places:
			counts[provider(s)]++
		}
	}
	out := make([]Scored, 0, len(items))
	for i, s := range items {
		if s.Pinned != "" {
			out = append(out, s)
			continue
		}
		pick := 0
		if i < places {
			pick = max(0, slices.IndexFunc(free, func(s Scored) bool { return provider(s) == "" || counts[provider(s)] < most }))
			counts[provider(free[pick])]++
		}
		out = append(out, free[pick])
		free = slices.Delete(free, pick, pick+1)
	}
	return out
}
