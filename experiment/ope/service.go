package ope

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/bandit"
	"github.com/lectern-dev/lectern/experiment/explore"
)

// Deps are what estimates are made from.
type Deps struct {
	Log       lectern.OutcomeLog
	Step      Step
	StepDraws int                // of random policies for each list; 0 is 300
	Explore   explore.Settings   // in use: rewards, and how much policies try out
	Catalogue Catalogue          // nil: a draft's rules are not replayed
	Posterior explore.Posteriors // nil: nothing is known of when posteriors were learnt
	Config    Config
	Clock     lectern.Clock
}

// Service estimates, one request at a time. It is safe for concurrent use.
type Service struct {
	Deps
	busy sync.Mutex
}

// New returns a service. Errors: CodeInvalid naming the keys at fault.
func New(d Deps) (*Service, error) {
	if err := d.Config.Validate(); err != nil {
		return nil, err
	}
	if d.StepDraws > 0 {
		d.Step = drawn{d.Step, d.StepDraws}
	}
	return &Service{Deps: d}, nil
}

// Estimate says what a target would have earned; it changes nothing. Where the log says
// too little the results say so, and hold no estimates. Errors: CodeInvalid naming the
// fields at fault, CodeNotFound for a posterior that is not kept, CodeConflict while
// another estimate is made in this process, CodeDeadline.
func (s *Service) Estimate(ctx context.Context, req Request) (Report, error) {
	now := s.Clock()
	settings, _ := s.Explore.Current()
	if err := req.check(now, s.Config, settings.Rewards); err != nil {
		return Report{}, err
	}
	if err := s.knows(ctx, req.Posterior); err != nil {
		return Report{}, err
	}
	if !s.busy.TryLock() {
		return Report{}, lectern.Errorf(lectern.CodeConflict, "another estimate is under way; try again when it has ended")
	}
	defer s.busy.Unlock()
	start := time.Now() // of a duration, not of what is estimated
	within, cancel := context.WithTimeout(ctx, s.Config.Timeout)
	defer cancel()
	report, err := s.estimate(within, req, settings, now)
	if err != nil {
		if within.Err() != nil {
			err = &lectern.Error{Code: lectern.CodeDeadline, Message: "no estimate was made in time; ask for a shorter time of the log", Err: err}
		}
		return Report{}, err
	}
	report.TookMS = time.Since(start).Milliseconds()
	return report, nil
}

// knows checks that a posterior that is asked for is kept.
func (s *Service) knows(ctx context.Context, posterior int64) error {
	if posterior == 0 || s.Posterior == nil {
		return nil
	}
	_, err := s.Posterior.At(ctx, posterior)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return &lectern.Error{
			Code: lectern.CodeNotFound, Err: err, Message: fmt.Sprintf("there is no posterior %d, or it is no longer kept", posterior),
			Fields: []lectern.FieldError{lectern.NewFieldError("posterior", posterior, "is not kept", "a version that lectern explore status names, or 0 for that of each list")},
		}
	}
	return err
}

func (s *Service) estimate(ctx context.Context, req Request, settings *explore.Config, now time.Time) (Report, error) {
	out := Report{
		Target: req.describe(), Surface: req.Surface, Since: *req.Since, Until: *req.Until, Model: req.Model,
		Confidence: req.Confidence, NotReplayed: []string{}, Results: []Result{}, Notes: []string{},
	}
	t := target{explore: *req.Explore, policy: req.Policy, posterior: req.Posterior, strength: func(policy string, version int64) float64 {
		return explore.Strength(settings, policy, version)
	}}
	if req.Settings != nil {
		var err error
		if t.order, err = newOrderer(*req.Settings, req.Base, req.BaseName, s.Catalogue); err != nil {
			return out, err
		}
	}
	q := query{
		since: *req.Since, until: *req.Until, surface: req.Surface, rows: req.Row != nil, all: req.Lists == ListsAll,
		rewards: settings.Rewards, most: s.Config.MaxLists,
	}
	if req.Row != nil {
		q.row = *req.Row
	}
	entries, read, err := read(ctx, s.Log, q)
	if err != nil {
		return out, err
	}
	out.Log = read
	b := builder{step: s.Step, target: t, rewards: len(settings.Rewards) + 1, places: s.Config.Places, exploring: req.Places == PlacesExploring}
	if req.Model == ModelPosition {
		e, ok, err := examine(ctx, entries, s.Step, s.Config.Places)
		if err != nil {
			return out, err
		}
		if !ok {
			out.Notes = append(out.Notes, "How much places are looked at cannot be told from these lists; all are taken to be looked at alike.")
		}
		out.Examination = &e
		b.curve = e.places(s.Config.Places)
	}
	young := 0
	if req.SettleDays != nil { // what is too young for every reward need not be laid out
		all := len(entries)
		entries = slices.DeleteFunc(entries, func(e Entry) bool { return tooYoung(e.Ranking.CreatedAt, now, *req.SettleDays) })
		young = all - len(entries)
	}
	sample, err := b.sample(ctx, entries, settings.Rewards)
	if err != nil {
		return out, err
	}
	sample.young = young
	if t.order != nil {
		out.NotReplayed = slices.Sorted(maps.Keys(t.order.lost))
	}
	for _, j := range wanted(settings.Rewards, req.Reward) {
		res, err := s.result(ctx, req, sample, settings.Rewards, j, now)
		if err != nil {
			return out, err
		}
		out.Results = append(out.Results, res)
	}
	out.Notes = append(out.Notes, b.notes()...)
	out.Notes = append(out.Notes, s.notes(ctx, req, &out, settings.Rewards)...)
	return out, nil
}

// sample lays all lists beside the target. Of a reward alone it counts how often it was
// earned; the last one is the sum of all, as they are valued.
func (b *builder) sample(ctx context.Context, entries []Entry, rewards []explore.Reward) (*Sample, error) {
	out := &Sample{Width: bandit.Dim, Position: b.curve != nil}
	for _, r := range rewards {
		out.Rewards = append(out.Rewards, r.Name)
	}
	out.Rewards = append(out.Rewards, RewardSum)
	for i := range entries {
		if i%64 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		l, ok, err := b.add(ctx, &entries[i])
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		for j := range l.Picks {
			values := l.Picks[j].Rewards
			sum := 0.0
			for k, v := range values[:len(rewards)] {
				sum += v * rewards[k].Value
			}
			values[len(rewards)] = sum
		}
		out.Lists = append(out.Lists, l)
	}
	return out, nil
}

// wanted are the indices of the rewards that are asked for; the sum comes first.
func wanted(rewards []explore.Reward, name string) []int {
	if name == RewardSum {
		return []int{len(rewards)}
	}
	var out []int
	if name == "" {
		out = append(out, len(rewards))
	}
	for i, r := range rewards {
		if name == "" || r.Name == name {
			out = append(out, i)
		}
	}
	return out
}

// result estimates one reward from the lists whose rewards have come.
func (s *Service) result(ctx context.Context, req Request, sample *Sample, rewards []explore.Reward, j int, now time.Time) (Result, error) {
	res := Result{Reward: sample.Rewards[j], SettleDays: settle(req, sample, rewards, j, now), TooYoung: sample.young}
	settled := *sample
	settled.Lists = nil
	for _, l := range sample.Lists {
		if tooYoung(l.At, now, res.SettleDays) {
			res.TooYoung++
		} else {
			settled.Lists = append(settled.Lists, l)
		}
	}
	res.Estimates = []Estimate{}
	if len(settled.Lists) == 0 {
		res.Refused = []string{fmt.Sprintf("no list that was seen is old enough for this reward: %d are younger than %g days", res.TooYoung, res.SettleDays)}
		if res.TooYoung == 0 {
			res.Refused = []string{"no list of that time explored and is known to have been seen"}
		}
		res.Verdict = verdict(&res, req.Confidence)
		return res, nil
	}
	o := DefaultSettings()
	o.Clip, o.Switch, o.Shrinkage = *req.Clip, req.Switch, req.Shrinkage
	o.Confidence, o.Draws, o.Seed = req.Confidence, req.Draws, req.Seed
	var err error
	if res.Outcome, err = settled.Estimate(ctx, j, o); err != nil {
		return res, err
	}
	if res.Refused = refusals(res.Overlap, s.Config, req.MinSupport); len(res.Refused) > 0 && !req.Anyway {
		res.Estimates = []Estimate{}
	}
	res.Verdict = verdict(&res, req.Confidence)
	res.round()
	return res, nil
}

func tooYoung(made, now time.Time, settleDays float64) bool {
	return now.Sub(made) < time.Duration(settleDays*float64(day))
}

// settle is how old lists must be. The sum waits for as many of its rewards as leave
// half of the lists.
func settle(req Request, sample *Sample, rewards []explore.Reward, j int, now time.Time) float64 {
	switch {
	case req.SettleDays != nil:
		return *req.SettleDays
	case j < len(rewards):
		return rewards[j].WithinDays
	}
	windows := []float64{0}
	for _, r := range rewards {
		windows = append(windows, r.WithinDays)
	}
	slices.Sort(windows)
	for _, w := range slices.Backward(windows) {
		old := 0
		for i := range sample.Lists {
			if now.Sub(sample.Lists[i].At) >= time.Duration(w*float64(day)) {
				old++
			}
		}
		if 2*old >= len(sample.Lists) {
			return w
		}
	}
	return 0
}
