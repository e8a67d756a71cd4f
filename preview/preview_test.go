package preview_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/preview"
	"github.com/lectern-dev/lectern/rerank"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// platform is learners and lists in memory. Every learner's list is of the same
// courses; levels and countries differ.
type platform struct {
	degraded []string // of every list
	people   int
	lists    func(ref lectern.LearnerRef) rerank.Comparison

	mu       sync.Mutex
	asked    map[lectern.LearnerRef]int
	delay    time.Duration
	failWith error
}

func newPlatform(people int) *platform {
	return &platform{people: people, asked: map[lectern.LearnerRef]int{}, lists: func(lectern.LearnerRef) rerank.Comparison { return swapped() }}
}

func id(i int) string { return fmt.Sprintf("l%04d", i) }

func (p *platform) ProfileChanges(_ context.Context, after int64, limit int) ([]lectern.ProfileChange, error) {
	var out []lectern.ProfileChange
	for i := int(after) + 1; i <= p.people && len(out) < limit; i++ {
		c := lectern.ProfileChange{Seq: int64(i), Key: int64(i), Ref: lectern.LearnerRef{ID: id(i)}}
		switch {
		case i%10 == 0:
			c.Ref = lectern.LearnerRef{AnonymousID: id(i)}
		case i%25 == 1:
			c.Gone, c.Ref = true, lectern.LearnerRef{}
		}
		out = append(out, c)
	}
	return out, nil
}

func (p *platform) Learner(_ context.Context, ref lectern.LearnerRef) (lectern.Learner, error) {
	l := lectern.Learner{ID: ref.ID}
	switch ref.ID {
	case "nowhere":
		return l, lectern.Errorf(lectern.CodeNotFound, "no such learner")
	case "l0002", "l0003":
		l.Consent = &lectern.Consent{}
	}
	return l, nil
}

func (p *platform) Who(_ context.Context, ref lectern.LearnerRef) (rerank.Who, error) {
	w := rerank.Who{SignedIn: ref.ID != "", Level: lectern.LevelBeginner}
	if len(ref.ID) > 0 && ref.ID[len(ref.ID)-1] == '7' {
		w.Level = lectern.LevelAdvanced
	}
	return w, nil
}

func (p *platform) Compare(ctx context.Context, req lectern.ListRequest, _ []rerank.Reranker, _ int) (rerank.Comparison, error) {
	p.mu.Lock()
	p.asked[req.Learner]++
	p.mu.Unlock()
	if p.delay > 0 {
		select {
		case <-ctx.Done():
			return rerank.Comparison{}, ctx.Err()
		case <-time.After(p.delay):
		}
	}
	c := p.lists(req.Learner)
	c.Degraded = p.degraded
	return c, p.failWith
}

// course is a candidate with a vector along one axis.
func course(name, provider string, axis int, days float64) rerank.Candidate {
	v := make([]float32, 4)
	v[axis] = 1
	return rerank.Candidate{Vector: v, Course: &rerank.Facts{
		ID: name, Title: "Course " + name, Provider: provider, FreshAt: now.Add(-time.Duration(days * 24 * float64(time.Hour))),
	}}
}

// swapped is a comparison whose sums stand in the tests: of the courses a, b, c, d the
// old list is a b c and the new one b a d, each of three places down to four.
func swapped() rerank.Comparison {
	terms := func(quality, trend float64) []lectern.TermWeight {
		return []lectern.TermWeight{{Name: "quality", Weight: quality}, {Name: "trend", Weight: trend}}
	}
	item := func(i int, score float64, values ...float64) rerank.Scored {
		return rerank.Scored{Index: i, Score: score, Values: values}
	}
	return rerank.Comparison{
		Request:    rerank.Request{At: now},
		Candidates: []rerank.Candidate{course("a", "x", 0, 10), course("b", "x", 0, 20), course("c", "y", 1, 30), course("d", "z", 2, 40)},
		Lists: []rerank.Ranked{
			{Terms: terms(1, 0), Items: []rerank.Scored{item(0, .9, .9, .1), item(1, .8, .8, .7), item(2, .7, .7, .1), item(3, .4, .4, .9)}},
			{Terms: terms(.5, .5), Items: []rerank.Scored{item(1, .75, .8, .7), item(0, .5, .9, .1), item(3, .65, .4, .9), item(2, .4, .7, .1)}},
		},
	}
}

// run compares with all the time that a busy machine needs; what time that runs out does
// is tested with the limit that ships.
func run(t *testing.T, p *platform, req preview.Request) (preview.Report, error) {
	t.Helper()
	c := preview.DefaultConfig()
	c.Timeout = 5 * time.Minute
	return runWith(t, p, c, req)
}

func runWith(t *testing.T, p *platform, c preview.Config, req preview.Request) (preview.Report, error) {
	t.Helper()
	s, err := preview.New(p, p, c)
	if err != nil {
		t.Fatal(err)
	}
	return s.Run(t.Context(), with(req))
}

func with(req preview.Request) preview.Request {
	req.Old, req.New = named("v1"), named("draft")
	if req.K == 0 {
		req.K = 3
	}
	return req
}

type named string

func (n named) Version() string                                           { return string(n) }
func (named) Pins(rerank.Request) []string                                { return nil }
func (named) Rerank(rerank.Request, []rerank.Candidate) (r rerank.Ranked) { return r }

func ptr[T any](v T) *T { return &v }

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-5 {
		t.Errorf("%s = %g, want %g", what, got, want)
	}
}

func TestOneList(t *testing.T) {
	r, err := run(t, newPlatform(0), preview.Request{Learners: []string{"ann", "nowhere", "l0002"}, Details: ptr(1)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"nowhere"}, r.Unknown); diff != "" {
		t.Error(diff)
	}
	g := r.Groups[0]
	if g.Name != preview.GroupGiven || g.Wanted != 3 || g.Learners != 2 || g.WithoutConsent != 1 {
		t.Errorf("group %+v", g)
	}
	near(t, "overlap", g.Overlap.Mean, 2.0/3) // a and b of three places
	// Depth 1: nothing of one; 2: both of two; 3: two of three. (0 + .9·1 + .81·⅔)/(1 + .9 + .81)
	near(t, "rbo", g.RBO.Mean, (0.9+0.54)/2.71)
	near(t, "changed", g.Changed.Mean, 1)
	near(t, "move", g.Move.Mean, 1) // a, b, c and d by one place each
	// Pairs of a b c: 0, 1, 1; of b a d: the same.
	near(t, "old diversity", g.Diverse.Old, 2.0/3)
	near(t, "change of diversity", g.Diverse.Change.Mean, 0)
	near(t, "old age", g.Age.Mean.Old, 20)
	near(t, "new age", g.Age.Mean.New, 70.0/3)
	near(t, "new median age", g.Age.Median.New, 20)
	if g.Cover != (preview.Pair[int]{Old: 3, New: 3}) {
		t.Errorf("coverage %+v", g.Cover)
	}
	near(t, "gini", g.Gini.Old, 0.25) // 0, 2, 2, 2 of four: (−3·0 −1·2 + 1·2 + 3·2)/(4·6)
	if diff := cmp.Diff([]preview.Count{{CourseID: "d", Title: "Course d", Lists: 2}}, g.Entered); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]preview.Share{{Provider: "y", Old: 0.333333}, {Provider: "z", New: 0.333333}, {Provider: "x", Old: 0.666667, New: 0.666667}}, g.Providers); diff != "" {
		t.Error(diff)
	}
	near(t, "trend before", *g.Terms[1].Old, 0.3) // (.1 + .7 + .1)/3
	near(t, "trend after", *g.Terms[1].New, (0.7+0.1+0.9)/3)
	near(t, "weight of trend", g.Terms[1].NewWeight, 0.5)
	want := preview.Detail{
		Learner: "ann", Overlap: 0.666667, RBO: 0.531365,
		Old: []preview.Place{
			// The mean change of quality over a, b, c, d is −.35, of trend +.225.
			{Position: 0, Other: ptr(1), CourseID: "a", Title: "Course a", Score: .9, Change: "down", Moved: "trend", By: -0.175}, // .05 − .225
			{Position: 1, Other: ptr(0), CourseID: "b", Title: "Course b", Score: .8, Change: "up", Moved: "trend", By: 0.125},    // .35 − .225
			{Position: 2, Other: ptr(3), CourseID: "c", Title: "Course c", Score: .7, Change: "left", Moved: "trend", By: -0.175},
		},
		New: []preview.Place{
			{Position: 0, Other: ptr(1), CourseID: "b", Title: "Course b", Score: .75, Change: "up", Moved: "trend", By: 0.125},
			{Position: 1, Other: ptr(0), CourseID: "a", Title: "Course a", Score: .5, Change: "down", Moved: "trend", By: -0.175},
			{Position: 2, Other: ptr(3), CourseID: "d", Title: "Course d", Score: .65, Change: "entered", Moved: "trend", By: 0.225}, // .45 − .225
		},
	}
	if diff := cmp.Diff([]preview.Detail{want}, r.Details); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestMovedByRules(t *testing.T) {
	p := newPlatform(0)
	p.lists = func(lectern.LearnerRef) rerank.Comparison {
		c := swapped()
		fresh := c.Lists[1].Items
		fresh[0].Pinned = "summer"
		fresh[1].Adjusted = []lectern.Term{{Name: "rule:less", Value: 1, Weight: -.4, Contribution: -.4}}
		c.Lists[1].Items = fresh[:3] // the list could be longer: c was taken out of it
		return c
	}
	moved := func() map[string]string {
		r, err := run(t, p, preview.Request{Nobody: true, Details: ptr(1)})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, place := range append(r.Details[0].Old, r.Details[0].New...) {
			out[place.CourseID] = place.Moved
		}
		return out
	}
	if diff := cmp.Diff(map[string]string{"a": "rule:less", "b": "pin:summer", "c": "hidden", "d": "trend"}, moved()); diff != "" {
		t.Error(diff)
	}
	before := p.lists
	p.lists = func(ref lectern.LearnerRef) rerank.Comparison {
		c := before(ref)
		c.Lists[1].Items[0].Duplicates = []int{2}
		return c
	}
	if got := moved()["c"]; got != "duplicate" {
		t.Errorf("a duplicate was moved by %q", got)
	}
}

func TestSamples(t *testing.T) {
	p := newPlatform(2000)
	advanced := rerank.Audience{Levels: []lectern.Level{lectern.LevelAdvanced}}
	req := preview.Request{
		Sample: ptr(100), Seed: 4,
		Segments: []preview.Segment{{Name: "advanced", Audience: advanced, Sample: 50}, {Name: "all advanced", Audience: advanced, Sample: 500}},
	}
	r, err := run(t, p, req)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, g := range r.Groups {
		sizes = append(sizes, g.Learners)
	}
	// 200 of 2000 ids end with 7.
	if diff := cmp.Diff([]int{100, 50, 200}, sizes); diff != "" {
		t.Errorf("sizes %s", diff)
	}
	if !r.Groups[2].All || r.Groups[1].All || r.Groups[1].Looked >= r.Groups[2].Looked {
		t.Errorf("groups %+v", r.Groups[1:])
	}
	for ref, times := range p.asked {
		if times != 1 || ref.AnonymousID != "" {
			t.Errorf("%+v was compared %d times", ref, times)
		}
	}
	again := newPlatform(2100) // who has come since changes little
	if _, err := run(t, again, req); err != nil {
		t.Fatal(err)
	}
	same := 0
	for ref := range p.asked {
		same += again.asked[ref]
	}
	if same < len(p.asked)*8/10 {
		t.Errorf("a seed drew %d of %d again", same, len(p.asked))
	}
}

// Each learner is as likely as any other to be drawn.
func TestSamplesAreUniform(t *testing.T) {
	const seeds, size = 400, 20
	times := map[lectern.LearnerRef]int{}
	for seed := range uint64(seeds) {
		p := newPlatform(100)
		if _, err := run(t, p, preview.Request{Sample: ptr(size), Seed: seed, Visitors: true}); err != nil {
			t.Fatal(err)
		}
		for ref := range p.asked {
			times[ref]++
		}
	}
	if len(times) != 96 { // 4 are gone
		t.Fatalf("%d of 96 were ever drawn", len(times))
	}
	mean := float64(seeds*size) / 96
	chi := 0.0
	for _, n := range times {
		chi += (float64(n) - mean) * (float64(n) - mean) / mean
	}
	if chi > 150 { // 95 degrees of freedom; beyond 143 once in a thousand
		t.Errorf("χ² = %.0f over 95 degrees of freedom", chi)
	}
}

func TestTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(1000)
		p.delay = 200 * time.Millisecond
		r, err := runWith(t, p, preview.DefaultConfig(), preview.Request{Sample: ptr(800)})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Partial || r.Overall.Learners == 0 || r.Overall.Learners >= 800 || r.TookMS > 8100 {
			t.Errorf("partial %v, %d learners in %d ms", r.Partial, r.Overall.Learners, r.TookMS)
		}
		p.delay = time.Hour
		if r, err = runWith(t, p, preview.DefaultConfig(), preview.Request{}); err != nil || !r.Partial || r.Overall.Learners != 0 || len(r.Groups) != 1 {
			t.Errorf("nothing in time: %+v, %v", r, err)
		}
	})
}

func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(10)
		p.delay = time.Second
		s, err := preview.New(p, p, preview.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() {
			_, err := s.Run(t.Context(), with(preview.Request{Nobody: true}))
			done <- err
		}()
		synctest.Wait()
		if _, err := s.Run(t.Context(), with(preview.Request{})); lectern.ErrorCode(err) != lectern.CodeConflict {
			t.Errorf("a second preview: %v", err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := s.Run(t.Context(), with(preview.Request{Nobody: true})); err != nil {
			t.Errorf("after the first: %v", err)
		}
	})
}

func TestFailures(t *testing.T) {
	p := newPlatform(50)
	p.failWith = lectern.Errorf(lectern.CodeUnavailable, "the index is away")
	r, err := run(t, p, preview.Request{Sample: ptr(20)})
	if err != nil || r.Failed != 20 || r.Failure == "" || r.Overall.Learners != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	p.failWith = lectern.Errorf(lectern.CodeNotFound, "there is no course")
	if _, err := run(t, p, preview.Request{Sample: ptr(20)}); lectern.ErrorCode(err) != lectern.CodeNotFound {
		t.Errorf("an unknown course: %v", err)
	}
}

// TestDegradedListsAreCounted: lists that were made without something are compared, and
// the report says so.
func TestDegradedListsAreCounted(t *testing.T) {
	p := newPlatform(50)
	p.degraded = []string{"neighbours"}
	r, err := run(t, p, preview.Request{Sample: ptr(20)})
	if err != nil || r.Overall.Learners != 20 || r.Degraded["neighbours"] != 20 {
		t.Errorf("%d lists, %v degraded, %v", r.Overall.Learners, r.Degraded, err)
	}
}

func TestRequestsAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		req    preview.Request
		fields []string
	}{
		"everything":  {preview.Request{Surface: "shop", K: 99, Sample: ptr(-1), Details: ptr(1000)}, []string{"surface", "k", "sample", "details"}},
		"rows":        {preview.Request{Surface: lectern.SurfaceSearch, Query: "go", Row: lectern.RowNew}, []string{"row"}},
		"search":      {preview.Request{Surface: lectern.SurfaceSearch}, []string{"query"}},
		"similar":     {preview.Request{Surface: lectern.SurfaceSimilar}, []string{"course_id"}},
		"home":        {preview.Request{Query: "go", CourseID: "c"}, []string{"query", "course_id"}},
		"segments":    {preview.Request{Segments: []preview.Segment{{Name: "a"}, {Name: "a"}, {Sample: -3}}}, []string{"segments[1].name", "segments[2].name", "segments[2].sample"}},
		"too many":    {preview.Request{Sample: ptr(1500), Segments: []preview.Segment{{Name: "a", Sample: 1500}}}, []string{"sample"}},
		"no learner":  {preview.Request{Learners: []string{""}}, []string{"learners[0]"}},
		"nothing bad": {preview.Request{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, newPlatform(20), c.req)
			var fields []string
			if e, ok := errors.AsType[*lectern.Error](err); ok {
				for _, f := range e.Fields {
					fields = append(fields, f.Field)
				}
			}
			slices.Sort(fields)
			slices.Sort(c.fields)
			if diff := cmp.Diff(c.fields, fields); diff != "" {
				t.Errorf("%v: %s", err, diff)
			}
		})
	}
	c := preview.Config{}
	if err := c.Validate(); err == nil {
		t.Error("an empty configuration is usable")
	}
}

// Two equal lists differ in nothing, whatever they are.
func TestEqualLists(t *testing.T) {
	p := newPlatform(30)
	p.lists = func(lectern.LearnerRef) rerank.Comparison {
		c := swapped()
		c.Lists[1] = c.Lists[0]
		return c
	}
	r, err := run(t, p, preview.Request{})
	if err != nil {
		t.Fatal(err)
	}
	g := r.Overall
	if g.Overlap.Mean != 1 || g.RBO.Mean != 1 || g.Move.Mean != 0 || g.Changed.Mean != 0 || len(g.Entered)+len(g.Left) != 0 ||
		g.Diverse.Change.Mean != 0 || *g.Overlap.Low != 1 {
		t.Errorf("%+v", g)
	}
	for _, d := range r.Details {
		for _, place := range d.New {
			if place.Change != "same" || place.Moved != "" {
				t.Errorf("%+v", place)
			}
		}
	}
}
