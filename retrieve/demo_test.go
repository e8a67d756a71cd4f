package retrieve_test

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/embed"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/training"
)

// demoWorld is the demo platform as it stood at a cut in time: what was before makes
// profiles, statistics and the model; what was enrolled in after it is the truth.
type demoWorld struct {
	*world
	platform *demo.Platform
	cut      time.Time
	people   []demoLearner // those with a past and a future
	courses  map[string]demo.CourseTruth
	before   map[string][]lectern.Event // by learner, oldest first
}

// demoLearner is one learner to make lists for.
type demoLearner struct {
	ref    lectern.LearnerRef
	truth  demo.LearnerTruth
	wanted map[string]bool // enrolled in after the cut
	last   string          // the last course enrolled in before it
}

// demoShare is the share of events before the cut.
const demoShare = 0.85

func newDemoWorld(t testing.TB, seed uint64, options ...option) *demoWorld {
	t.Helper()
	if testing.Short() {
		t.Skip("trains an embedder and a model")
	}
	o := demo.DefaultOptions(now)
	o.Seed = seed
	d := &demoWorld{platform: demo.Generate(o), courses: map[string]demo.CourseTruth{}, before: map[string][]lectern.Event{}}
	events := d.platform.Events
	d.cut = events[int(demoShare*float64(len(events)))].OccurredAt
	var courses []lectern.Course
	var texts []string
	for i, c := range d.platform.Courses {
		d.courses[c.ID] = d.platform.Truth.Courses[i]
		if c.PublishedAt == nil || !c.PublishedAt.After(d.cut) {
			courses, texts = append(courses, c), append(texts, c.EmbeddingText())
		}
	}
	local, err := embed.Train(context.Background(), slices.Values(texts), embed.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	facts := learner.NewCatalogue()
	if err := facts.Apply(context.Background(), courses, nil, true); err != nil {
		t.Fatal(err)
	}
	d.split(events)
	model := d.fit(t, courses)
	all := append([]option{func(w *world, _ *retrieve.Config, _ *rerankConfig) {
		w.clock, w.embedder = d.cut, local
		w.knows = learner.Sources{Courses: facts, Events: d}
		w.others = retrieve.Deps{Collaborative: oneModel{model}}
		w.activity = d.activity
	}}, options...)
	d.world = newWorld(t, courses, all...)
	for id, past := range d.before {
		i := slices.IndexFunc(d.platform.Learners, func(l lectern.Learner) bool { return l.ID == id })
		if i < 0 {
			continue
		}
		d.profiles[lectern.LearnerRef{ID: id}] = lectern.Profile{
			Learner: d.platform.Learners[i], Version: 1, Entries: learner.DefaultConfig().Rebuild(past, nil),
		}
	}
	if err := d.catalog.RefreshStats(context.Background()); err != nil {
		t.Fatal(err)
	}
	return d
}

// oneModel is a model that is in use for ever.
type oneModel struct{ model retrieve.CollaborativeModel }

func (m oneModel) Collaborative() retrieve.CollaborativeModel { return m.model }

// LearnerEvents implements learner.Events.
func (d *demoWorld) LearnerEvents(_ context.Context, ref lectern.LearnerRef, limit int) ([]lectern.Event, error) {
	past := slices.Clone(d.before[ref.ID])
	slices.Reverse(past)
	return past[:min(limit, len(past))], nil
}

// split sorts events into past and future.
func (d *demoWorld) split(events []lectern.Event) {
	truths := make(map[string]demo.LearnerTruth)
	for _, l := range d.platform.Truth.Learners {
		truths[l.ID] = l
	}
	taken, wanted, last := map[[2]string]bool{}, map[string]map[string]bool{}, map[string]string{}
	for _, e := range events {
		if e.LearnerID == "" || e.CourseID == "" {
			continue
		}
		key := [2]string{e.LearnerID, e.CourseID}
		switch {
		case e.OccurredAt.Before(d.cut):
			d.before[e.LearnerID] = append(d.before[e.LearnerID], e)
			if e.Type == lectern.EventEnrol {
				taken[key], last[e.LearnerID] = true, e.CourseID
			}
		case e.Type == lectern.EventEnrol && !taken[key]:
			if wanted[e.LearnerID] == nil {
				wanted[e.LearnerID] = map[string]bool{}
			}
			wanted[e.LearnerID][e.CourseID] = true
		}
	}
	for id, courses := range wanted {
		if last[id] != "" {
			d.people = append(d.people, demoLearner{lectern.LearnerRef{ID: id}, truths[id], courses, last[id]})
		}
	}
	slices.SortFunc(d.people, func(a, b demoLearner) int { return cmp.Compare(a.ref.ID, b.ref.ID) })
}

// demoModel is the collaborative model that the demo platform has.
var demoModel = "als"

// fit learns a model from the past.
func (d *demoWorld) fit(t testing.TB, courses []lectern.Course) *training.Scorer {
	t.Helper()
	data := &cf.Data{Ordered: true}
	at := map[string]int32{}
	for _, c := range courses {
		at[c.ID] = int32(len(data.Items))
		data.Items = append(data.Items, c.ID)
	}
	unit := learner.DefaultConfig().Strengths.Enrol
	for _, id := range slices.Sorted(maps.Keys(d.before)) {
		var h cf.History
		for _, e := range learner.DefaultConfig().Rebuild(d.before[id], nil) {
			if item, ok := at[e.CourseID]; ok && e.Weight > 0 {
				h = append(h, cf.Interaction{Item: item, Weight: float32(e.Weight / unit), At: e.LastAt.Unix()})
			}
		}
		slices.SortFunc(h, func(a, b cf.Interaction) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Item, b.Item)) })
		data.Histories = append(data.Histories, h)
	}
	var models []cf.Model
	for _, name := range []string{demoModel, "slist"} { // the second knows what follows
		spec, _ := cf.SpecByName(name)
		m, err := spec.New(maps.Clone(spec.Defaults))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Fit(context.Background(), data); err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
	}
	s, err := training.NewScorer(training.Version{Version: 1}, data.Items, models, training.ScorerOptions{Unit: unit})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// activity is what the store says of all courses' events before a time.
func (d *demoWorld) activity(at time.Time, halfLife time.Duration) []lectern.CourseStats {
	byID := map[string]*lectern.CourseStats{}
	for _, past := range d.before {
		for _, e := range past {
			s := byID[e.CourseID]
			if s == nil {
				s = &lectern.CourseStats{CourseID: e.CourseID, Activity: map[lectern.EventType]float64{}}
				byID[e.CourseID] = s
			}
			s.Activity[e.Type] += math.Exp2(-at.Sub(e.OccurredAt).Hours() / halfLife.Hours())
			if e.Type == lectern.EventRate && e.Value != nil {
				s.RatingMean = (s.RatingMean*float64(s.RatingCount) + *e.Value) / float64(s.RatingCount+1)
				s.RatingCount++
			}
		}
	}
	var out []lectern.CourseStats
	for _, s := range byID {
		out = append(out, *s)
	}
	return out
}

// quality is how good lists are: recall, hit rate and nDCG at ten of what was enrolled
// in later, and nDCG at ten of the hidden relevance.
type quality struct{ recall, hit, ndcg, latent float64 }

func (q *quality) add(o quality) {
	q.recall, q.hit, q.ndcg, q.latent = q.recall+o.recall, q.hit+o.hit, q.ndcg+o.ndcg, q.latent+o.latent
}

func (q quality) over(n int) quality {
	f := float64(max(1, n))
	return quality{q.recall / f, q.hit / f, q.ndcg / f, q.latent / f}
}

// judge holds the first ten of a list against one learner's truth. relevant are the
// hidden relevances of all courses for the learner, falling.
func (d *demoWorld) judge(l *demoLearner, list []string, relevant []float64) quality {
	const k = 10
	var q quality
	hits, dcg, ideal, latent, best := 0.0, 0.0, 0.0, 0.0, 0.0
	for i, id := range list[:min(k, len(list))] {
		if l.wanted[id] {
			hits++
			dcg += 1 / math.Log2(float64(i)+2)
		}
		latent += demo.Relevance(l.truth, d.courses[id]) / math.Log2(float64(i)+2)
	}
	for i := range min(k, len(l.wanted)) {
		ideal += 1 / math.Log2(float64(i)+2)
	}
	for i, r := range relevant[:min(k, len(relevant))] {
		best += r / math.Log2(float64(i)+2)
	}
	q.recall = hits / float64(min(k, len(l.wanted)))
	q.hit = min(hits, 1)
	q.ndcg = dcg / ideal
	if best > 0 {
		q.latent = latent / best
	}
	return q
}

// relevant are the hidden relevances of the courses that the learner has not taken.
func (d *demoWorld) relevant(l *demoLearner) []float64 {
	seen := map[string]bool{}
	for _, e := range d.profiles[l.ref].Entries {
		if e.State&lectern.StateSeen != 0 {
			seen[e.CourseID] = true
		}
	}
	var out []float64
	for id, c := range d.courses {
		if r := demo.Relevance(l.truth, c); r > 0 && !seen[id] && d.world.courses[id].ID != "" {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b float64) int { return cmp.Compare(b, a) })
	return out
}
