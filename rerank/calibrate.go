package rerank

import (
	"math"
	"slices"
)

// calibrationSmoothing is the part of the wanted shares that is mixed into those of
// the list, so that an interest with no course yet is far off, not infinitely far.
const calibrationSmoothing = 0.01

// mix keeps the first places of a home list near the shares of the learner's profile,
// of interests, categories, providers and levels: at every place the score loses, for
// each kind, weight/(1 − weight) × KL(shares ‖ shares with the course) (Steck,
// Calibrated Recommendations, 2018, whose (1 − weight) × score − weight × KL has the
// same order).
type mix struct {
	kinds  [4]shares
	on     int // how many kinds take part
	places int
	ready  bool       // costs hold for the next place
	least  float64    // the lowest cost of any course at the next place
	at     [][4]int16 // by rank and kind: place in cost; of the first one −1 is not looked up yet
}

// shares are the wanted and the present shares of one kind.
type shares struct {
	odds float64
	of   func(c *Candidate) string // the key of a course; nil goes by Candidate.Interested
	keys []string                  // sorted; none for interests
	want []float64                 // sum to 1
	have []float64
	cost []float64 // odds × divergence with one course more of each key, of none of them, and of an unknown one
}

func (m *mix) begin(s *slate) {
	m.on, m.ready, m.least = 0, false, 0
	m.places = s.l.cfg.Lists.CalibratedPlaces
	if !s.home || s.asIs() || m.places == 0 {
		return
	}
	w := &s.l.cfg.Lists.Calibration
	if len(s.req.Shares) > 1 && w.Interests > 0 {
		k := m.next(w.Interests, nil)
		k.want = append(k.want, s.req.Shares...)
		k.finish()
	}
	if s.req.Mix != nil {
		m.profile(s, w)
	}
	if m.on > 0 {
		m.at = slices.Grow(m.at[:0], len(s.all))[:len(s.all)]
		for rank := range m.at {
			m.at[rank][0] = -1
		}
	}
}

// profile takes up the shares of what the learner takes.
func (m *mix) profile(s *slate, w *MixConfig) {
	if w.Categories > 0 && len(s.req.Mix.Categories) > 0 {
		fill(m.next(w.Categories, func(c *Candidate) string { return c.Course.Category }), s.req.Mix.Categories)
	}
	if w.Providers > 0 && len(s.req.Mix.Providers) > 0 {
		fill(m.next(w.Providers, func(c *Candidate) string { return c.Course.Provider }), s.req.Mix.Providers)
	}
	if w.Levels > 0 && len(s.req.Mix.Levels) > 0 {
		fill(m.next(w.Levels, func(c *Candidate) string { return string(c.Course.Level) }), s.req.Mix.Levels)
	}
}

// next takes up one more kind of share.
func (m *mix) next(weight float64, of func(*Candidate) string) *shares {
	k := &m.kinds[m.on]
	m.on++
	k.odds, k.of = weight/(1-weight), of
	k.keys, k.want = k.keys[:0], k.want[:0]
	return k
}

// fill lays wanted shares out by key, in an order that does not change.
func fill[K ~string](k *shares, wanted map[K]float64) {
	for key := range wanted {
		k.keys = append(k.keys, string(key))
	}
	slices.Sort(k.keys)
	sum := 0.0
	for _, key := range k.keys {
		p := wanted[K(key)]
		if !finite(p) || p < 0 {
			p = 0
		}
		k.want = append(k.want, p)
		sum += p
	}
	for i := range k.want {
		if sum > 0 {
			k.want[i] /= sum
		}
	}
	k.finish()
}

func (k *shares) finish() {
	k.have = cleared(k.have, len(k.want))
	k.cost = cleared(k.cost, len(k.want)+2)
}

// prepare works out what one course more of each key costs, after so many.
func (m *mix) prepare(taken int) {
	m.least, m.ready = 0, m.on > 0 && taken < m.places
	if !m.ready {
		return
	}
	for i := range m.kinds[:m.on] {
		k := &m.kinds[i]
		k.prepare(taken + 1)
		m.least += slices.Min(k.cost)
	}
}

// prepare fills cost with divergences for a list of n courses.
func (k *shares) prepare(n int) {
	total, unknown := 0.0, 0.0
	for i, p := range k.want {
		total += divergence(p, k.have[i], n)
	}
	for i, p := range k.want {
		k.cost[i] = k.odds * (total - divergence(p, k.have[i], n) + divergence(p, k.have[i]+1, n))
		unknown += p * k.cost[i]
	}
	k.cost[len(k.want)], k.cost[len(k.want)+1] = k.odds*total, unknown
}

// divergence is one key's part of the Kullback–Leibler divergence of the share that a
// count is of n from the wanted one.
func divergence(wanted, count float64, n int) float64 {
	if wanted <= 0 {
		return 0
	}
	share := (1-calibrationSmoothing)*count/float64(n) + calibrationSmoothing*wanted
	return wanted * math.Log(wanted/share)
}

// cost is what a course loses at the next place.
func (m *mix) cost(s *slate, rank int) float64 {
	if !m.ready {
		return 0
	}
	sum := 0.0
	at := m.place(s, rank)
	for i := range m.kinds[:m.on] {
		sum += m.kinds[i].cost[at[i]]
	}
	return sum
}

// place finds a course among the keys of every kind.
func (m *mix) place(s *slate, rank int) *[4]int16 {
	at := &m.at[rank]
	if at[0] < 0 {
		for i := range m.kinds[:m.on] {
			at[i] = int16(m.kinds[i].find(&s.in[s.all[rank].index]))
		}
	}
	return at
}

// find returns the place of a course's key in cost: behind the keys where it has another
// one, and last where it is unknown. What serves no interest counts for none; a course
// whose category, provider or level is not known costs the mean of the keys, and counts
// for all of them, by their shares: it neither gains nor loses by it.
func (k *shares) find(c *Candidate) int {
	if k.of == nil {
		if c.Interested > 0 && c.Interested <= len(k.want) {
			return c.Interested - 1
		}
		return len(k.want)
	}
	key := k.of(c)
	if key == "" {
		return len(k.want) + 1
	}
	if i, ok := slices.BinarySearch(k.keys, key); ok {
		return i
	}
	return len(k.want)
}

// add counts a course that has got a place.
func (m *mix) add(s *slate, rank int) {
	if m.on == 0 || len(s.out) >= m.places {
		return
	}
	of := m.place(s, rank)
	for i := range m.kinds[:m.on] {
		k := &m.kinds[i]
		switch at := int(of[i]); {
		case at < len(k.want):
			k.have[at]++
		case at > len(k.want):
			for j, p := range k.want {
				k.have[j] += p
			}
		}
	}
}

func (m *mix) end() {
	for i := range m.kinds {
		clear(m.kinds[i].keys)
	}
}
