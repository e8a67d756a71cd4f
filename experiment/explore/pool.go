package explore

import (
	"slices"

	"github.com/lectern-dev/lectern"
)

// of returns the exploring places of a list.
func (p *Places) of(surface lectern.Surface, row lectern.Row) []int {
	return p.Of(SurfaceOf(surface, row))
}

// SurfaceOf is the surface whose places a list explores: its own or, of a row of the
// home page, that of lists like the row; "" for rows that have no places.
func SurfaceOf(surface lectern.Surface, row lectern.Row) lectern.Surface {
	switch row {
	case "":
		return surface
	case lectern.RowForYou:
		return lectern.SurfaceHome
	case lectern.RowBecause:
		return lectern.SurfaceSimilar
	case lectern.RowNext:
		return lectern.SurfaceNext
	case lectern.RowTrending:
		return lectern.SurfaceTrending
	}
	return ""
}

// Of returns the exploring places of a surface, none for what is no surface.
func (p *Places) Of(surface lectern.Surface) []int {
	switch surface {
	case lectern.SurfaceHome:
		return p.Home
	case lectern.SurfaceSearch:
		return p.Search
	case lectern.SurfaceSimilar:
		return p.Similar
	case lectern.SurfaceNext:
		return p.Next
	case lectern.SurfaceTrending:
		return p.Trending
	}
	return nil
}

// termQuality is the term that quality floors are held against.
const termQuality = "quality"

// neutral is the value of a term that a list does not have.
const neutral = 0.5

// setting is a list on its way to a scene.
type setting struct {
	cfg    *Config
	req    *lectern.ExploreRequest
	counts *Counts
	places []int // 0-based
	scene  scene
	known  map[string]int // providers
	pool   []int
	owed   []int
}

// lay finds the places, the pool and the new courses that are owed impressions. It
// reports false where nothing can be tried.
func (t *setting) lay(most int) bool {
	t.findPlaces(most)
	if len(t.places) == 0 {
		return false
	}
	t.findPool()
	first := t.places[0]
	if !slices.ContainsFunc(t.pool, func(i int) bool { return i > first }) {
		return false
	}
	t.build()
	return true
}

// findPlaces takes the first places of the surface, as far as the list goes and no rule
// pins what stands there.
func (t *setting) findPlaces(most int) {
	t.places = t.places[:0]
	for _, place := range t.cfg.Places.of(t.req.Surface, t.req.Row) {
		if at := place - 1; at > 0 && at < len(t.req.Items) && !t.req.Items[at].Fixed && len(t.places) < most {
			t.places = append(t.places, at)
		}
	}
	slices.Sort(t.places)
	t.places = slices.Compact(t.places)
}

// findPool goes through the list from the first exploring place on.
func (t *setting) findPool() {
	t.pool, t.owed = t.pool[:0], t.owed[:0]
	items, cfg := t.req.Items, t.cfg
	quality := slices.IndexFunc(t.req.Terms, func(w lectern.TermWeight) bool { return w.Name == termQuality })
	top, bar := 0.0, 0.0
	for i := range items {
		top = max(top, items[i].Score)
	}
	for _, at := range t.places { // good enough for the best of them is for all
		bar = max(bar, cfg.ScoreShare*items[at].Score)
	}
	caps, common := t.caps(), 0
	t.counts.mu.Lock() // once for the whole list
	defer t.counts.mu.Unlock()
	t.counts.turn(t.req.At)
	for i := t.places[0]; i < len(items); i++ {
		it := &items[i]
		if it.Fixed || it.Held {
			continue
		}
		q := neutral
		if quality >= 0 && quality < len(it.Values) {
			q = it.Values[quality]
		}
		usual := common < cfg.Pool && q >= cfg.Quality && it.Score >= bar
		owed := len(t.owed) < cfg.Pool && t.isOwed(it, q, cfg.NewCourses.Relevance*top)
		if !usual && !owed || t.counts.over(it.CourseID, it.Provider, &caps) {
			continue
		}
		if usual {
			common++
		}
		if owed {
			t.owed = append(t.owed, i)
		}
		t.pool = append(t.pool, i)
	}
}

// caps are those that hold for this list. Where all courses are of one provider, none of
// them takes another's place.
func (t *setting) caps() Caps {
	caps := t.cfg.Caps
	items := t.req.Items
	for i := range items {
		if items[i].Provider != items[0].Provider {
			return caps
		}
	}
	caps.PerProvider = 0
	return caps
}

// isOwed reports whether a course is new, good and fitting enough to be owed
// impressions, and has had fewer than its age asks for.
func (t *setting) isOwed(it *lectern.ExploreItem, quality, bar float64) bool {
	n := &t.cfg.NewCourses
	if n.Days == 0 || it.Age < 0 || it.Age > float64(n.Days) || quality < n.Quality || it.Score < bar {
		return false
	}
	had, ready := t.counts.impressions(it.CourseID)
	return ready && float64(had) < float64(n.Impressions)*it.Age/float64(n.Days)
}

// build makes the scene: the list down to the last place that may change.
func (t *setting) build() {
	s, items := &t.scene, t.req.Items
	last := max(t.pool[len(t.pool)-1], t.places[len(t.places)-1])
	s.size, s.places = last+1, t.places
	s.perProvider, s.limited = t.req.PerProvider, t.req.LimitedPlaces
	s.floor, s.newShare = t.cfg.Floor, t.cfg.NewCourses.Share
	s.fixed, s.pool, s.owed = cleared(s.fixed, s.size), cleared(s.pool, s.size), cleared(s.owed, s.size)
	s.provider = cleared(s.provider, s.size)
	if t.known == nil {
		t.known = make(map[string]int)
	}
	clear(t.known)
	for i := range s.size {
		s.fixed[i] = items[i].Fixed
		name := items[i].Provider
		if name == "" {
			continue
		}
		n, ok := t.known[name]
		if !ok {
			n = len(t.known) + 1
			t.known[name] = n
		}
		s.provider[i] = n
	}
	for _, i := range t.pool {
		s.pool[i] = true
	}
	for _, i := range t.owed {
		s.owed[i] = true
	}
}

// cleared returns n zeroes in the room of s.
func cleared[T any](s []T, n int) []T {
	s = grown(s, n)
	clear(s)
	return s
}
