package preview

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Lists makes the same list with several rerankers, recording nothing.
// *retrieve.Engine is one.
type Lists interface {
	// Compare makes the first k places of one list with each reranker.
	Compare(ctx context.Context, req lectern.ListRequest, rerankers []rerank.Reranker, k int) (rerank.Comparison, error)
	// Who says who somebody is to rules and audiences.
	Who(ctx context.Context, ref lectern.LearnerRef) (rerank.Who, error)
}

// People reads learners. A store is one.
type People interface {
	Learner(ctx context.Context, ref lectern.LearnerRef) (lectern.Learner, error)
	ProfileChanges(ctx context.Context, after int64, limit int) ([]lectern.ProfileChange, error)
}

// Service makes previews, one at a time. It is safe for concurrent use.
type Service struct {
	lists  Lists
	people People
	cfg    Config
	busy   sync.Mutex
}

// New returns a service. Errors: CodeInvalid naming the keys at fault.
func New(lists Lists, people People, cfg Config) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Service{lists: lists, people: people, cfg: cfg}, nil
}

// Check returns what Run would object to in what is asked for. Errors: CodeInvalid
// naming the fields at fault.
func (s *Service) Check(req Request) error { return req.check(s.cfg) }

// margin is the part of a caller's time that is left for the answer.
const margin = 10

// Run compares the lists of two rerankers. It uses every processor, and answers with
// what it has when its time is up, even if that is nothing. Errors: CodeInvalid naming
// the fields at fault, CodeConflict while another preview runs in this process,
// CodeNotFound for a course that a list is to be about, and those of the stores.
func (s *Service) Run(ctx context.Context, req Request) (Report, error) {
	if err := req.check(s.cfg); err != nil {
		return Report{}, err
	}
	if !s.busy.TryLock() {
		return Report{}, lectern.Errorf(lectern.CodeConflict, "another preview is under way; try again when it has ended")
	}
	defer s.busy.Unlock()
	start := time.Now() // of a duration, not of the ranking
	limit := s.cfg.Timeout
	if end, ok := ctx.Deadline(); ok {
		left := time.Until(end)
		limit = min(limit, left-left/margin)
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r := run{Service: s, req: req, report: Report{
		Old: req.Old.Version(), New: req.New.Version(), Surface: req.Surface, Row: req.Row, Query: req.Query,
		CourseID: req.CourseID, K: req.K, Depth: req.depth(), Seed: req.Seed,
		Unknown: []string{}, Groups: []Group{}, Details: []Detail{},
	}}
	err := r.everything(within)
	if errors.Is(ctx.Err(), context.Canceled) {
		return Report{}, ctx.Err()
	}
	if err != nil && within.Err() == nil {
		return Report{}, err
	}
	if within.Err() != nil {
		r.report.Partial = true
	}
	r.sumUp()
	r.report.TookMS = time.Since(start).Milliseconds()
	return r.report, nil
}

// member is one who was chosen, for one group or more.
type member struct {
	ref    lectern.LearnerRef
	groups []int
}

// run is one preview on its way.
type run struct {
	*Service
	req     Request
	report  Report
	members []member
	at      map[lectern.LearnerRef]int // into members
	lists   []*compared                // beside members; nil where there is none
}

// everything chooses and compares. What was done when it fails stays done.
func (r *run) everything(ctx context.Context) error {
	r.at = map[lectern.LearnerRef]int{}
	if err := r.choose(ctx); err != nil {
		return err
	}
	return r.compare(ctx)
}

// add puts somebody into a group.
func (r *run) add(group int, ref lectern.LearnerRef) {
	i, known := r.at[ref]
	if !known {
		i = len(r.members)
		r.at[ref] = i
		r.members = append(r.members, member{ref: ref})
	}
	if !slices.Contains(r.members[i].groups, group) {
		r.members[i].groups = append(r.members[i].groups, group)
	}
}

// group begins a group.
func (r *run) group(name string, wanted int) int {
	r.report.Groups = append(r.report.Groups, Group{Name: name, Wanted: wanted})
	return len(r.report.Groups) - 1
}

// Names of the groups that are no segments.
const (
	GroupGiven     = "given"
	GroupEverybody = "everybody"
	GroupNobody    = "nobody"
	GroupOverall   = "overall"
)

// choose finds whose lists are compared.
func (r *run) choose(ctx context.Context) error {
	if len(r.req.Learners) > 0 {
		g := r.group(GroupGiven, len(r.req.Learners))
		for _, id := range r.req.Learners {
			r.add(g, lectern.LearnerRef{ID: id})
		}
	}
	if r.req.Nobody {
		r.add(r.group(GroupNobody, 1), lectern.LearnerRef{})
	}
	n := *r.req.Sample
	look := n
	if len(r.req.Segments) > 0 {
		look = r.cfg.MaxLooked
	}
	drawn, all, err := r.draw(ctx, look, r.req.Seed, r.req.Visitors)
	if err != nil {
		return err
	}
	if n > 0 {
		g := r.group(GroupEverybody, n)
		r.report.Groups[g].All = all && len(drawn) <= n
		for _, ref := range drawn[:min(n, len(drawn))] {
			r.add(g, ref)
		}
	}
	return r.fillSegments(ctx, drawn, all)
}

// fillSegments goes through learners in random order until every segment has who it
// wants. Thus each has a uniform sample of its own.
func (r *run) fillSegments(ctx context.Context, drawn []lectern.LearnerRef, all bool) error {
	first := len(r.report.Groups)
	for _, s := range r.req.Segments {
		r.group(s.Name, s.Sample)
	}
	have := make([]int, len(r.req.Segments))
	full := func() bool {
		for i, s := range r.req.Segments {
			if have[i] < s.Sample {
				return false
			}
		}
		return true
	}
	at := 0
	for at < len(drawn) && !full() {
		chunk := drawn[at:min(at+64*runtime.GOMAXPROCS(0), len(drawn))]
		at += len(chunk)
		who := make([]rerank.Who, len(chunk))
		known := make([]bool, len(chunk))
		err := r.each(ctx, len(chunk), func(i int) error {
			var err error
			who[i], err = r.Service.lists.Who(ctx, chunk[i])
			known[i] = err == nil
			if lectern.ErrorCode(err) == lectern.CodeNotFound { // gone since
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
		for i, ref := range chunk {
			for s, segment := range r.req.Segments {
				if have[s] == segment.Sample || !known[i] {
					continue
				}
				r.report.Groups[first+s].Looked++
				if segment.Audience.Includes(who[i]) {
					have[s]++
					r.add(first+s, ref)
				}
			}
		}
	}
	for s, segment := range r.req.Segments {
		r.report.Groups[first+s].All = all && have[s] < segment.Sample
	}
	return nil
}

// each calls do for 0 to n − 1 on every processor, in order of beginning, until one
// fails or time is up.
func (r *run) each(ctx context.Context, n int, do func(i int) error) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	errs := make([]error, min(runtime.GOMAXPROCS(0), n))
	failed := atomic.Bool{}
	for w := range errs {
		wait.Go(func() {
			for !failed.Load() && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if errs[w] = do(i); errs[w] != nil {
					failed.Store(true)
					return
				}
			}
		})
	}
	wait.Wait()
	return errors.Join(errors.Join(errs...), ctx.Err())
}

// compare makes and measures everybody's lists. Details are of those who come first.
func (r *run) compare(ctx context.Context) error {
	r.lists = make([]*compared, len(r.members))
	rerankers := []rerank.Reranker{r.req.Old, r.req.New}
	var mu sync.Mutex
	return r.each(ctx, len(r.members), func(i int) error {
		who, known, err := r.person(ctx, r.members[i].ref)
		if err != nil {
			return err
		}
		if !known {
			mu.Lock()
			r.report.Unknown = append(r.report.Unknown, who.ref.ID)
			mu.Unlock()
			return nil
		}
		c, err := r.Service.lists.Compare(ctx, r.req.list(who.ref), rerankers, r.req.depth())
		switch {
		case ctx.Err() != nil && (err != nil || len(c.Degraded) > 0): // what is missing may be for want of time
			return ctx.Err()
		case err == nil && len(c.Lists) == 2:
		case lectern.ErrorCode(err) == lectern.CodeNotFound || lectern.ErrorCode(err) == lectern.CodeInvalid:
			return err // it holds for every list
		default:
			mu.Lock()
			r.report.Failed++
			if r.report.Failure == "" && err != nil {
				r.report.Failure = err.Error()
			}
			mu.Unlock()
			return nil
		}
		m := measure(c, [2]rerank.Reranker{r.req.Old, r.req.New}, r.req.K, r.req.depth(), i < *r.req.Details)
		m.person = who
		r.lists[i] = &m
		return nil
	})
}

// person looks somebody up. Nobody is known, and has given no consent to anything.
func (r *run) person(ctx context.Context, ref lectern.LearnerRef) (person, bool, error) {
	p := person{ref: ref}
	if ref.IsZero() {
		return p, true, nil
	}
	l, err := r.people.Learner(ctx, ref)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("read a learner: %w", err)
	}
	p.withoutConsent = l.Consent != nil && !l.Consent.Personalisation
	return p, true, nil
}

// sumUp fills the report from the lists that were compared.
func (r *run) sumUp() {
	slices.Sort(r.report.Unknown)
	var all []*compared
	of := make([][]*compared, len(r.report.Groups))
	for i, l := range r.lists {
		if l == nil {
			continue
		}
		all = append(all, l)
		for _, part := range l.degraded {
			if r.report.Degraded == nil {
				r.report.Degraded = make(map[string]int)
			}
			r.report.Degraded[part]++
		}
		for _, g := range r.members[i].groups {
			of[g] = append(of[g], l)
		}
		if l.detail != nil {
			d := *l.detail
			d.Learner, d.WithoutConsent = l.ref.ID, l.withoutConsent
			if l.ref.ID == "" && l.ref.AnonymousID != "" {
				d.Learner, d.Visitor = l.ref.AnonymousID, true
			}
			r.report.Details = append(r.report.Details, d)
		}
	}
	r.report.Overall = Group{Name: GroupOverall, Wanted: len(r.members)}
	summarise(&r.report.Overall, all)
	for g := range r.report.Groups {
		summarise(&r.report.Groups[g], of[g])
	}
}
