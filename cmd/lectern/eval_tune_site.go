package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/demo"
	"github.com/lectern-dev/lectern/eval/homes"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
	"github.com/lectern-dev/lectern/tuning"
)

// tunePlaces is how many courses of a list learners are shown.
const tunePlaces = 20

// tuneSite is a site whose lists are logged.
type tuneSite struct {
	*homeSite
	seed  uint64
	truth map[string]demo.CourseTruth
	begin time.Time
	shown []shownTo // in order of time
}

// shownTo is one list with whom it was made for.
type shownTo struct {
	person homes.Person
	list   lectern.Ranking
}

// hiddenWeights are behind the simulated choices. They are far from the default ones.
func hiddenWeights() map[string]float64 {
	return map[string]float64{
		"level_fit": 0.25, "popularity": 0.20, "similarity": 0.15, "quality": 0.15, "novelty": 0.15, "collaborative": 0.10,
	}
}

// logLists makes lists for learners in turn, a minute apart: every other one by
// settings drawn at random, the others with their first places in random order.
func (s *tuneSite) logLists(ctx context.Context, people []homes.Person, n int) error {
	lots := rand.New(rand.NewPCG(s.seed, 21)) //nolint:gosec // a simulation
	turn := &drawnSettings{config: s.config.Rerank, lots: lots}
	record := &listRecord{ctx: ctx, store: s.store, lots: lots}
	s.ranker.Rerankers, s.ranker.Rankings = turn, record
	for i := range n {
		s.now = s.now.Add(time.Minute)
		who := people[i%len(people)]
		if err := turn.next(i%2 == 0); err != nil {
			return err
		}
		record.random = i%2 == 1
		if _, err := s.ranker.List(ctx, lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: who.Ref, Limit: tunePlaces}); err != nil {
			return err
		}
		if record.err != nil {
			return record.err
		}
		s.shown = append(s.shown, shownTo{who, record.last})
	}
	return nil
}

// drawnSettings is a source of rerankers, each in use for one list.
type drawnSettings struct {
	config rerank.Config
	lots   *rand.Rand
	now    rerank.Reranker
	n      int
}

var _ rerank.Source = (*drawnSettings)(nil)

// Reranker implements rerank.Source.
func (d *drawnSettings) Reranker() rerank.Reranker { return d.now }

// next makes the settings of the next list: the default ones, or random weights.
func (d *drawnSettings) next(random bool) (err error) {
	c := d.config
	if random {
		w := func() float64 { return d.lots.ExpFloat64() }
		c.Weights.Home = rerank.TermWeights{
			Similarity: w(), Interest: w(), Collaborative: w(), Quality: w(), Popularity: w(), Freshness: w(), Level: w(), Time: w(),
			Language: w(), Readiness: w(), NotDismissed: w(), Trend: w(), Complement: w(),
			Sentiment: w(), GoalProgress: w(), Novelty: w(), Completion: w(), Exposure: w(),
		}
	}
	d.n++
	d.now, err = rerank.New(c, fmt.Sprintf("v%d", 1+d.n%2))
	return err
}

// listRecord stores lists at once, the first places of some in random order.
type listRecord struct {
	ctx    context.Context //nolint:containedctx // of the evaluation; the port has none
	store  lectern.RankingStore
	lots   *rand.Rand
	random bool
	last   lectern.Ranking
	err    error
}

var _ retrieve.Rankings = (*listRecord)(nil)

// Record implements retrieve.Rankings.
func (l *listRecord) Record(r lectern.Ranking) bool {
	head := r.Items[:min(tunePlaces, len(r.Items))]
	if l.random {
		l.lots.Shuffle(len(head), func(i, j int) { head[i], head[j] = head[j], head[i] })
		for i := range head {
			head[i].Propensity = 1 / float64(len(head))
		}
	}
	r.Items = head
	l.last = r
	l.err = l.store.PutRankings(l.ctx, []lectern.Ranking{r})
	return true
}

// Ranking implements retrieve.Rankings.
func (l *listRecord) Ranking(ctx context.Context, id string) (lectern.Ranking, error) {
	return l.store.Ranking(ctx, id)
}

// chooser says what somebody does with a list: events, without who and where.
type chooser func(n int, s shownTo) []lectern.Event

// Going down a list, a learner looks at the next place with tuneLook; by known weights
// they click where the log-odds say so, tuneSlope × what the course is worth beyond its
// neighbours, less tuneReserve.
const (
	tuneLook    = 0.85
	tuneSlope   = 10
	tuneReserve = 1.5
)

// byWeights chooses by weights of the recorded terms.
func (s *tuneSite) byWeights(hidden map[string]float64, seed uint64) chooser {
	return func(n int, to shownTo) []lectern.Event {
		lots := rand.New(rand.NewPCG(s.seed^seed<<32, uint64(n))) //nolint:gosec // a simulation
		worth, mean := make([]float64, len(to.list.Items)), 0.0
		for i, item := range to.list.Items {
			for j, t := range to.list.Weights {
				worth[i] += tuneSlope * hidden[t.Name] * item.Terms[j]
			}
			mean += worth[i] / float64(len(worth))
		}
		var out []lectern.Event
		for i, item := range to.list.Items {
			if i > 0 && lots.Float64() > tuneLook {
				break
			}
			if lots.Float64() < 1/(1+math.Exp(tuneReserve-(worth[i]-mean))) {
				out = append(out, at(lectern.EventClick, item.CourseID, i))
			}
		}
		return out
	}
}

// By hidden interests a place is looked at with interestLook^place, and a course that
// was looked at is clicked with clickLeast + clickMost × want, where want is
// min(1, 3 × demo.Relevance); one that was clicked is enrolled in with want.
const (
	interestLook = 0.92
	clickLeast   = 0.02
	clickMost    = 0.9
)

// byInterests chooses by what the demo platform hides.
func (s *tuneSite) byInterests(n int, to shownTo) []lectern.Event {
	lots := rand.New(rand.NewPCG(s.seed, uint64(n)+1<<40)) //nolint:gosec // a simulation
	var out []lectern.Event
	for i, item := range to.list.Items {
		if lots.Float64() > math.Pow(interestLook, float64(i)) {
			continue
		}
		want := math.Min(1, 3*demo.Relevance(to.person.Truth, s.truth[item.CourseID]))
		if lots.Float64() > clickLeast+clickMost*want {
			continue
		}
		out = append(out, at(lectern.EventClick, item.CourseID, i))
		if lots.Float64() < want {
			out = append(out, at(lectern.EventEnrol, item.CourseID, i))
		}
	}
	return out
}

func at(kind lectern.EventType, course string, place int) lectern.Event {
	return lectern.Event{Type: kind, CourseID: course, Position: &place, Surface: lectern.SurfaceHome}
}

// choose sends what learners do with the lists, as events.
func (s *tuneSite) choose(ctx context.Context, by chooser) error {
	var events []lectern.Event
	for n, to := range s.shown {
		for i, e := range by(n, to) {
			e.ID, e.LearnerID, e.RankingID = fmt.Sprintf("tune-%d-%d", n, i), to.person.Ref.ID, to.list.ID
			e.OccurredAt = to.list.CreatedAt.Add(time.Duration(i+1) * time.Second)
			events = append(events, e)
		}
	}
	s.now = s.now.Add(time.Hour)
	return s.Append(ctx, events)
}

// drawnLog is the log of the same lists with other choices.
type drawnLog []lectern.LoggedList

var _ lectern.ListLog = drawnLog{}

// LoggedLists implements lectern.ListLog: everything at once, newest first.
func (l drawnLog) LoggedLists(context.Context, time.Time, lectern.LogCursor, int, int) ([]lectern.LoggedList, lectern.LogCursor, error) {
	return slices.Clone(l), lectern.LogCursor{}, nil
}

func (s *tuneSite) chosenAnew(by chooser) drawnLog {
	people := map[string]int64{}
	var out drawnLog
	for n, to := range slices.Backward(s.shown) {
		l := lectern.LoggedList{Ranking: to.list}
		if people[to.person.Ref.ID] == 0 {
			people[to.person.Ref.ID] = int64(len(people) + 1)
		}
		l.Person = people[to.person.Ref.ID]
		for _, e := range by(n, to) {
			l.Events = append(l.Events, lectern.Citation{Type: e.Type, CourseID: e.CourseID, Position: e.Position, At: to.list.CreatedAt})
		}
		if len(l.Events) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// propose learns from a log, against the default weights.
func (s *tuneSite) propose(ctx context.Context, log lectern.ListLog, seed uint64) (tuning.Proposal, error) {
	config := s.config.Tuning
	config.Timeout = 5 * time.Minute // what is measured is what is found
	tuner, err := tuning.New(log, config, s.Now)
	if err != nil {
		return tuning.Proposal{}, err
	}
	current, err := tuning.Current(s.config.Rerank, lectern.SurfaceHome, "")
	if err != nil {
		return tuning.Proposal{}, err
	}
	return tuner.Propose(ctx, tuning.Request{Current: current, Since: &s.begin, Seed: seed})
}
