package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/simulate"
)

// slates are lists as they are before exploration, as an engine made them: of each
// learner in the order of their visits.
type slates map[string][]lectern.ExploreRequest

var _ lectern.Explorer = slates{}

// Explore keeps the list and explores nothing.
func (s slates) Explore(req *lectern.ExploreRequest) ([]int, *lectern.Exploration) {
	kept := *req
	kept.Terms, kept.Items = slices.Clone(req.Terms), slices.Clone(req.Items)
	for i := range kept.Items {
		kept.Items[i].Values = slices.Clone(kept.Items[i].Values)
	}
	s[req.Learner.ID] = append(s[req.Learner.ID], kept)
	return nil, nil
}

// Finish implements lectern.Explorer.
func (slates) Finish(context.Context, *lectern.Ranking) error { return nil }

// replaySite shows learners lists that an engine made before, without what they have
// taken meanwhile, and explores them. A list is the same whatever else was explored
// before it: so that policies can be compared on many seeds in seconds.
type replaySite struct {
	slates   slates
	next     map[string]int // by learner
	explorer lectern.Explorer
	learner  *memoryLearner
	knows    func(ref lectern.LearnerRef, courseID string) bool
	last     lectern.Ranking // what learners look at
	lists    int
	now      time.Time
}

var (
	_ simulate.Site    = (*replaySite)(nil)
	_ simulate.Records = (*replaySite)(nil)
)

// List implements simulate.Lister.
func (s *replaySite) List(_ context.Context, req lectern.ListRequest) (lectern.List, error) {
	n := s.next[req.Learner.ID]
	if n == len(s.slates[req.Learner.ID]) {
		return lectern.List{}, fmt.Errorf("%s has visited more often than when lists were made", req.Learner.ID)
	}
	s.next[req.Learner.ID]++
	asked := s.slates[req.Learner.ID][n]
	asked.Items = slices.DeleteFunc(slices.Clone(asked.Items), func(it lectern.ExploreItem) bool { return s.knows(req.Learner, it.CourseID) })
	order, x := s.explorer.Explore(&asked)
	if x == nil {
		order = order[:0]
		for i := range asked.Items {
			order = append(order, i)
		}
	}
	s.lists++
	s.last = lectern.Ranking{
		ID: fmt.Sprintf("list-%d", s.lists), Learner: req.Learner, Surface: req.Surface, CreatedAt: asked.At, Weights: asked.Terms,
		Segment: asked.Segment, Served: req.Limit, Exploration: x, Items: make([]lectern.RankedItem, len(order)),
	}
	out := lectern.List{RankingID: s.last.ID, Total: len(order)}
	for at, i := range order {
		it := &asked.Items[i]
		s.last.Items[at] = lectern.RankedItem{CourseID: it.CourseID, Score: it.Score, Terms: it.Values}
		if at < req.Limit {
			out.Items = append(out.Items, lectern.Item{Course: lectern.Course{ID: it.CourseID}, Position: at, Score: it.Score})
		}
	}
	return out, nil
}

// Home implements simulate.Lister: no pages are kept.
func (s *replaySite) Home(context.Context, lectern.HomeRequest) (lectern.Home, error) {
	return lectern.Home{}, lectern.Errorf(lectern.CodeUnavailable, "only lists of recommendations are replayed")
}

// Ranking implements simulate.Records for the list that is looked at.
func (s *replaySite) Ranking(_ context.Context, id string) (lectern.Ranking, error) {
	if id != s.last.ID {
		return lectern.Ranking{}, lectern.Errorf(lectern.CodeNotFound, "the list %s is not kept", id)
	}
	return s.last, nil
}

// learnEvery is how often what was learnt gets to those who choose by it.
const learnEvery = time.Hour

// Until implements simulate.Site.
func (s *replaySite) Until(_ context.Context, t time.Time) error {
	if s.now.Truncate(learnEvery).Before(t.Truncate(learnEvery)) {
		s.learner.publish()
	}
	s.now = t
	return nil
}

// Settle implements simulate.Site.
func (s *replaySite) Settle(context.Context) error { return nil }

// PutCourses implements simulate.Site: new courses are in the lists already.
func (s *replaySite) PutCourses(context.Context, []lectern.Course) error { return nil }

// Append implements simulate.Site.
func (s *replaySite) Append(_ context.Context, events []lectern.Event) error {
	s.learner.learn(&s.last, events)
	return nil
}

// Say implements simulate.Site.
func (s *replaySite) Say(context.Context, lectern.LearnerRef, lectern.Feedback) error { return nil }

// memoryLearner learns from events as the log's learner does, but in memory: every item
// seen once, every reward of an item once; a later event without a list is put down to
// the last list that the same learner's event about the course cited.
type memoryLearner struct {
	rewards []explore.Reward
	now     *bandit.Posterior // being learnt
	current *bandit.Posterior
	version int64
	rows    map[[2]string]*learntRow // by learner and course: of the last list cited
}

// learntRow is an item of a list that was seen.
type learntRow struct {
	ranking string
	at      time.Time // of the list
	row     []float64
	had     map[string]bool // rewards
}

var _ explore.Posteriors = (*memoryLearner)(nil)

func newMemoryLearner(c explore.Config) *memoryLearner {
	half := time.Duration(c.Learning.HalfLifeDays * 24 * float64(time.Hour))
	return &memoryLearner{rewards: c.Rewards, now: bandit.NewPosterior(bandit.F1(), c.Learning.Ridge, half), rows: map[[2]string]*learntRow{}}
}

// Current implements explore.Posteriors.
func (m *memoryLearner) Current() (*bandit.Posterior, int64) { return m.current, m.version }

// At implements explore.Posteriors: no older version is kept.
func (m *memoryLearner) At(_ context.Context, version int64) (*bandit.Posterior, error) {
	if version != m.version {
		return nil, lectern.Errorf(lectern.CodeNotFound, "the posterior %d is not kept", version)
	}
	return m.current, nil
}

func (m *memoryLearner) publish() {
	if m.now.Impressions() > 0 && (m.current == nil || m.current.Impressions() < m.now.Impressions() || m.current.Rewards() < m.now.Rewards()) {
		m.current, m.version = m.now.Clone(), m.version+1
	}
}

// learn takes in events, those of lists about the last one.
func (m *memoryLearner) learn(last *lectern.Ranking, events []lectern.Event) {
	for _, e := range events {
		key := [2]string{e.LearnerID, e.CourseID}
		r := m.rows[key]
		if e.RankingID != "" && (r == nil || r.ranking != e.RankingID) {
			if r = m.see(last, e); r == nil {
				delete(m.rows, key)
				continue
			}
			m.rows[key] = r
		}
		if r == nil {
			continue
		}
		for _, w := range m.rewards {
			enough := w.AtLeast == 0 || e.Value != nil && *e.Value >= w.AtLeast
			if w.Event == e.Type && enough && !r.had[w.Name] && e.OccurredAt.Sub(r.at).Hours() <= 24*w.WithinDays {
				r.had[w.Name] = true
				m.now.Reward(r.row, w.Value, r.at)
			}
		}
	}
}

// see learns that an item was seen; nil where the list explored nothing.
func (m *memoryLearner) see(last *lectern.Ranking, e lectern.Event) *learntRow {
	if last.Exploration == nil || last.ID != e.RankingID || e.Position == nil {
		return nil
	}
	row, ok := bandit.Seen(nil, last, *e.Position)
	if !ok {
		return nil
	}
	m.now.Add(row, last.CreatedAt)
	return &learntRow{ranking: e.RankingID, at: last.CreatedAt, row: row, had: map[string]bool{}}
}
