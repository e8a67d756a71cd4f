package retrieve

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/text"
)

// CatalogEntry is one course as the follower of the change feed hands it on.
type CatalogEntry struct {
	Course lectern.Course
	Stats  lectern.CourseStats
}

// StatsSource reads the statistics of all courses. lectern.ReviewStore is one.
type StatsSource interface {
	CourseStats(ctx context.Context, ids []string, at time.Time, halfLife time.Duration) ([]lectern.CourseStats, error)
}

// Catalog holds, in memory, what ranking needs to know of every course: facts,
// payload for filters, words of title, skills and categories, and the orders in
// which the sources "popular" and "new" offer courses. Entries never change once
// they are published, so readers hold no lock while they use them. It is safe for
// concurrent use.
type Catalog struct {
	cfg       PopularityConfig
	trending  TrendingConfig
	stats     StatsSource
	clock     lectern.Clock
	histories Histories // nil: ratings do not age
	analyzer  *text.Analyzer
	seed      maphash.Seed
	shared    *sharedTexts

	write    sync.Mutex // held by the one writer
	trendsAt time.Time  // guarded by write

	trends atomic.Pointer[[]lectern.Hit] // see Trending
	epoch  atomic.Uint64                 // rises with every course that comes, goes or changes

	mu      sync.RWMutex // guards what follows
	byID    map[string]*entry
	byTitle map[string][]string // normalised title → ids
	needers map[string][]string // id → the courses that it is a direct prerequisite of
	view    catalogView
}

// catalogView is what lists read besides single courses. Read only.
type catalogView struct {
	popular   []*entry // open courses, most popular first, unknown popularity last
	fresh     []*entry // open courses with a date, newest first
	rated     []*entry // open courses with a rating, best first
	sums      catalogueSums
	means     catalogueMeans
	scale     popularityScale
	languages languageCount
	size      int
}

// popularityScale is what the most active course has.
type popularityScale struct{ activity, volume float64 }

// entry is one course. Read only once published.
type entry struct {
	// What is asked of every candidate lies together.
	unlimited bool      // open, at all times, everywhere and for everybody
	skillBits skillBits // of the skills in payload: courses that share one share a bit
	needs     []string  // ids of the direct prerequisites
	finishers finishers // of a year; see lately

	facts      rerank.Facts
	payload    lectern.Payload
	skills     []string
	provider   string   // as the course has it; payload has it folded
	categories []string // as the course has them; payload has them folded
	title      string   // normalised
	terms      []uint32 // of title, skills and categories; rising
	phrases    []uint32 // terms of the title and of each skill in order; see phrasesOf
	stated     lectern.StatedStats
	stats      lectern.CourseStats
	hash       uint64  // of the course as it was read, statistics aside
	activity   float64 // decayed and weighted events
	volume     float64 // ratings or enrolments of all time
	recentOf   rated   // what facts.Recent was made of
}

// NewCatalog returns an empty catalogue. stats may be nil: then RefreshStats does
// nothing.
func NewCatalog(cfg Config, stats StatsSource, clock lectern.Clock) *Catalog {
	return &Catalog{
		cfg: cfg.Popularity, trending: cfg.Trending, stats: stats, clock: clock, analyzer: text.NewAnalyzer(), seed: maphash.MakeSeed(), shared: newSharedTexts(),
		byID: make(map[string]*entry), byTitle: make(map[string][]string),
		needers: make(map[string][]string),
	}
}

// ReadHistories lets ratings age. Call it before the first Apply.
func (c *Catalog) ReadHistories(h Histories) { c.histories = h }

// Apply writes and deletes courses. With reset, courses that are not in upserts
// are dropped.
func (c *Catalog) Apply(ctx context.Context, upserts []CatalogEntry, deletes []string, reset bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	fresh := c.prepare(upserts)
	c.keepMeasured(fresh)
	if c.readRecent(ctx, fresh) != nil && ctx.Err() != nil { // else RefreshStats asks again, and reports
		return ctx.Err()
	}
	c.write.Lock()
	defer c.write.Unlock()
	gone := make(map[string]bool, len(deletes))
	for _, id := range deletes {
		gone[id] = true
	}
	if reset {
		for id := range c.byID {
			gone[id] = true
		}
	}
	changed := c.changes(fresh, gone)
	c.publish(fresh, gone, len(fresh)*8 > len(c.byID))
	if changed {
		c.epoch.Add(1)
	}
	return nil
}

// changes reports whether any course comes, goes or becomes another, beyond its
// statistics. The caller holds c.write.
func (c *Catalog) changes(fresh []*entry, gone map[string]bool) bool {
	kept := 0
	for _, e := range fresh {
		old := c.byID[e.facts.ID]
		if old == nil || old.hash != e.hash {
			return true
		}
		if gone[e.facts.ID] { // of a reset: it is back
			kept++
		}
	}
	for id := range gone {
		if c.byID[id] != nil {
			kept--
		}
	}
	return kept != 0
}

// RefreshStats reads the statistics of every course anew, so that popularity
// decays and ratings move. Call it every half minute or so.
func (c *Catalog) RefreshStats(ctx context.Context) error {
	if c.stats == nil {
		return nil
	}
	all, err := c.stats.CourseStats(ctx, nil, c.clock(), c.cfg.HalfLife)
	if err != nil {
		return fmt.Errorf("read the statistics of all courses: %w", err)
	}
	lately, err := c.lately(ctx)
	if err != nil {
		return err
	}
	byID := make(map[string]lectern.CourseStats, len(all))
	for _, s := range all {
		byID[s.CourseID] = s
	}
	recent, unread := c.refreshRecent(ctx, byID)
	c.write.Lock()
	defer c.write.Unlock()
	fresh := make([]*entry, 0, len(c.byID))
	for id, old := range c.byID { // only a writer changes byID, and we hold its lock
		e := *old
		e.setStats(byID[id], &c.cfg)
		if r := recent[id]; r != nil {
			e.keepRecent(r)
		}
		if lately != nil {
			e.finishers = lately.year[id]
		}
		fresh = append(fresh, &e)
	}
	c.publish(fresh, nil, true)
	if lately != nil {
		c.setTrends(fresh, lately.week)
	}
	return unread
}

// prepare makes entries of courses, on as many cores as the batch is worth.
func (c *Catalog) prepare(upserts []CatalogEntry) []*entry {
	out := make([]*entry, len(upserts))
	const share = 2000
	var wg sync.WaitGroup
	for start := 0; start < len(upserts); start += share {
		end := min(start+share, len(upserts))
		work := func() {
			for i := start; i < end; i++ {
				out[i] = c.newEntry(upserts[i].Course, upserts[i].Stats)
			}
		}
		if len(upserts) <= share {
			work()
			continue
		}
		wg.Go(work)
	}
	wg.Wait()
	// The last of several entries of a course in one batch counts.
	seen := make(map[string]bool, len(out))
	kept := make([]*entry, 0, len(out))
	for _, e := range slices.Backward(out) {
		if !seen[e.facts.ID] {
			seen[e.facts.ID] = true
			kept = append(kept, e)
		}
	}
	return kept
}

// publish lays fresh entries over the catalogue without the gone ones. With
// rescale, or when fresh ones outgrow it, the scale of popularity is taken anew
// and everything is sorted; otherwise the fresh ones are merged in. The caller
// holds c.write.
func (c *Catalog) publish(fresh []*entry, gone map[string]bool, rescale bool) {
	for _, e := range fresh {
		delete(gone, e.facts.ID)
	}
	var next catalogView
	next.scale, next.sums = c.view.scale, c.view.sums
	next.languages = maps.Clone(c.view.languages)
	if next.languages == nil {
		next.languages = make(languageCount)
	}
	replaced := make(map[string]bool, len(fresh)+len(gone))
	maps.Copy(replaced, gone)
	for _, e := range fresh {
		replaced[e.facts.ID] = true
	}
	for id := range replaced {
		if old := c.byID[id]; old != nil {
			next.sums.add(old, -1)
			next.languages.add(old, -1)
		}
	}
	for _, e := range fresh {
		next.sums.add(e, 1)
		next.languages.add(e, 1)
	}
	if rescale || next.scale.outgrown(fresh) {
		next.scale, next.sums = popularityScale{}, catalogueSums{} // no rounding adds up over time
		for id, e := range c.byID {
			if !replaced[id] {
				next.scale.include(e)
				next.sums.add(e, 1)
			}
		}
		for _, e := range fresh {
			next.scale.include(e)
			next.sums.add(e, 1)
		}
		if next.scale != c.view.scale {
			fresh = append(fresh, c.rescaled(replaced)...)
			for _, e := range fresh {
				replaced[e.facts.ID] = true
			}
		}
	}
	for _, e := range fresh {
		e.facts.Popularity = next.scale.popularity(e, c.cfg.ActivityShare)
	}
	var old []*entry
	for id := range replaced {
		if e := c.byID[id]; e != nil {
			old = append(old, e)
		}
	}
	next.popular = merge(c.view.popular, old, fresh, func(*entry) bool { return true }, byPopularity)
	next.fresh = merge(c.view.fresh, old, fresh, func(e *entry) bool { return !e.facts.FreshAt.IsZero() }, byFreshness)
	next.rated = merge(c.view.rated, old, fresh, func(e *entry) bool { return e.payload.Rating > 0 }, byRating)

	next.means = next.sums.means()
	c.swap(next, fresh, gone)
}

// swapCourses is how many courses are swapped before readers are let in again.
const swapCourses = 512

// swap publishes. A large change goes in by parts, so that readers wait for a
// moment only; every one of its courses is seen either as it was or as it is.
// The caller holds c.write.
func (c *Catalog) swap(next catalogView, fresh []*entry, gone map[string]bool) {
	for part := range slices.Chunk(slices.Collect(maps.Keys(gone)), swapCourses) {
		c.mu.Lock()
		for _, id := range part {
			c.unlist(id)
		}
		c.mu.Unlock()
	}
	for len(fresh) > swapCourses {
		c.mu.Lock()
		c.change(fresh[:swapCourses])
		c.mu.Unlock()
		fresh = fresh[swapCourses:]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.change(fresh)
	next.size = len(c.byID)
	c.view = next
}

// change puts fresh courses into the maps.
func (c *Catalog) change(fresh []*entry) {
	for _, e := range fresh {
		id := e.facts.ID
		if old := c.byID[id]; old != nil && old.title == e.title && slices.Equal(old.needs, e.needs) {
			c.byID[id] = e // the usual case: its statistics moved
			continue
		}
		c.unlist(id)
		c.byID[id] = e
		if e.title != "" {
			c.byTitle[e.title] = append(slices.Clip(c.byTitle[e.title]), id)
		}
		for _, need := range e.needs {
			c.needers[need] = append(slices.Clip(c.needers[need]), id)
		}
	}
}

// unlist takes one course out of the maps.
func (c *Catalog) unlist(id string) {
	old, ok := c.byID[id]
	if !ok {
		return
	}
	delete(c.byID, id)
	strike(c.byTitle, old.title, id)
	for _, need := range old.needs {
		strike(c.needers, need, id)
	}
}

// strike takes an id out of one list of a map. Readers may hold the old list.
func strike(lists map[string][]string, key, id string) {
	ids := slices.DeleteFunc(slices.Clone(lists[key]), func(s string) bool { return s == id })
	if len(ids) == 0 {
		delete(lists, key)
		return
	}
	lists[key] = ids
}

// rescaled copies the entries that are not replaced, to be given a new popularity.
func (c *Catalog) rescaled(replaced map[string]bool) []*entry {
	out := make([]*entry, 0, len(c.byID))
	for id, old := range c.byID {
		if !replaced[id] {
			e := *old
			out = append(out, &e)
		}
	}
	return out
}

// lookup returns the entries of ids, nil for unknown ones.
func (c *Catalog) lookup(ids []string) []*entry {
	out := make([]*entry, len(ids))
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i, id := range ids {
		out[i] = c.byID[id]
	}
	return out
}

// get returns one entry, nil when unknown.
func (c *Catalog) get(id string) *entry {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byID[id]
}

// titled returns the ids of the courses with this title, in rising order.
func (c *Catalog) titled(title string) []string {
	c.mu.RLock()
	ids := slices.Clone(c.byTitle[title])
	c.mu.RUnlock()
	slices.Sort(ids)
	return ids
}

// after returns the ids of the courses that need this one directly, rising.
func (c *Catalog) after(id string) []string {
	c.mu.RLock()
	ids := slices.Clone(c.needers[id])
	c.mu.RUnlock()
	slices.Sort(ids)
	return slices.Compact(ids)
}

// current returns the orders and means as they are now.
func (c *Catalog) current() catalogView {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.view
}

// Len returns how many courses are known.
func (c *Catalog) Len() int { return c.current().size }

// popularityMiddle is the median popularity of the open courses whose popularity is
// known; 0 where none is.
func (v *catalogView) popularityMiddle() float64 {
	known := sort.Search(len(v.popular), func(i int) bool { return !v.popular[i].facts.Popularity.Known })
	if known == 0 {
		return 0
	}
	return v.popular[known/2].facts.Popularity.Value
}

func byPopularity(a, b *entry) int {
	if a.facts.Popularity.Value != b.facts.Popularity.Value {
		return cmp.Compare(b.facts.Popularity.Value, a.facts.Popularity.Value)
	}
	return cmp.Compare(a.facts.ID, b.facts.ID)
}

func byRating(a, b *entry) int {
	return cmp.Or(cmp.Compare(b.payload.Rating, a.payload.Rating), cmp.Compare(a.facts.ID, b.facts.ID))
}

func byFreshness(a, b *entry) int {
	if d := b.facts.FreshAt.Compare(a.facts.FreshAt); d != 0 {
		return d
	}
	return cmp.Compare(a.facts.ID, b.facts.ID)
}

// merge returns a new order: old order without the courses out, with those of in
// that are open and belong. The stretches between them are copied whole.
func merge(old, out, in []*entry, belongs func(*entry) bool, order func(a, b *entry) int) []*entry {
	listed := func(all []*entry) []*entry {
		var some []*entry
		for _, e := range all {
			if e.payload.Status == lectern.StatusOpen && belongs(e) {
				some = append(some, e)
			}
		}
		slices.SortFunc(some, order)
		return some
	}
	leave, enter := listed(out), listed(in)
	merged := make([]*entry, 0, max(0, len(old)-len(leave))+len(enter))
	from := 0
	for len(leave) > 0 || len(enter) > 0 {
		// Of an entry and its replacement with the same place, the old one goes first.
		if len(enter) == 0 || len(leave) > 0 && order(leave[0], enter[0]) <= 0 {
			at, found := slices.BinarySearchFunc(old[from:], leave[0], order)
			merged = append(merged, old[from:from+at]...)
			from += at
			if found {
				from++
			}
			leave = leave[1:]
			continue
		}
		at, _ := slices.BinarySearchFunc(old[from:], enter[0], order)
		merged = append(merged, old[from:from+at]...)
		merged = append(merged, enter[0])
		from += at
		enter = enter[1:]
	}
	return append(merged, old[from:]...)
}
