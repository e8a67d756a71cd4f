package homes

import (
	"context"
	"fmt"

	"github.com/lectern-dev/lectern"
)

// Cold is how good lists are for learners of whom nothing but this is known.
type Cold struct {
	Knows    string `json:"knows"`
	Way      string `json:"way"`
	Learners int    `json:"learners"`
	Score
	Length    float64 `json:"length"`    // courses in the first ten
	Interests float64 `json:"interests"` // share of the learner's latent topics that show in the first ten
}

// What is known of new learners.
const (
	KnowsNothing   = "nothing"
	KnowsOne       = "one_interest"  // the heaviest one is stated, by the name of its topic
	KnowsInterests = "all_interests" // all are
	KnowsClick     = "one_click"     // they clicked on one course of their heaviest interest, and said nothing
)

// ColdStarts signs up to n new learners up, who want what the judge's learners want,
// and judges their first lists.
func (j *Judge) ColdStarts(ctx context.Context, n int) ([]Cold, error) {
	people := spread(j.people, n)
	var out []Cold
	sum := func(knows, way string, list func(p Person) ([]string, error)) error {
		c := Cold{Knows: knows, Way: way, Learners: len(people)}
		var s Score
		for _, p := range people {
			ids, err := list(p)
			if err != nil {
				return err
			}
			s.add(j.score(p, j.ideal(p, nil), ids))
			c.Length += float64(min(len(ids), TopK)) / float64(len(people))
			shown := j.topics(ids)
			for _, t := range interestsOf(p) {
				if shown[t] {
					c.Interests += 1 / float64(len(p.Truth.Interests)*len(people))
				}
			}
		}
		c.Score = s.over(len(people))
		c.Found = 0 // nobody is the same learner later
		out = append(out, c)
		return nil
	}
	lots := j.lots(2)
	nobody, err := j.site.Answer(ctx, home(lectern.LearnerRef{}), TopK)
	if err != nil {
		return nil, err
	}
	trending, err := j.top(ctx, lectern.ListRequest{Surface: lectern.SurfaceTrending})
	if err != nil {
		return nil, err
	}
	fixed := func(ids []string) func(Person) ([]string, error) {
		return func(Person) ([]string, error) { return ids, nil }
	}
	if err := sum(KnowsNothing, WayRandom, func(Person) ([]string, error) { return j.random(lots, nil), nil }); err != nil {
		return nil, err
	}
	if err := sum(KnowsNothing, WayPopularity, fixed(popularOf(nobody))); err != nil {
		return nil, err
	}
	if err := sum(KnowsNothing, "trending", fixed(trending)); err != nil {
		return nil, err
	}
	for _, knows := range []string{KnowsNothing, KnowsClick, KnowsOne, KnowsInterests} {
		if err := sum(knows, WayServed, func(p Person) ([]string, error) { return j.arrive(ctx, p, knows) }); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// arrive signs a new learner up and returns the first list.
func (j *Judge) arrive(ctx context.Context, p Person, knows string) ([]string, error) {
	l := lectern.Learner{ID: fmt.Sprintf("new-%s-%s", knows, p.Ref.ID)}
	for i, in := range p.Truth.Interests {
		if knows == KnowsInterests || knows == KnowsOne && i == heaviest(p) {
			l.Interests = append(l.Interests, in.Topic)
		}
	}
	if err := j.site.PutLearners(ctx, []lectern.Learner{l}); err != nil {
		return nil, err
	}
	ref := lectern.LearnerRef{ID: l.ID}
	if knows == KnowsClick {
		for _, id := range j.open {
			if j.truth[id].Topic == p.Truth.Interests[heaviest(p)].Topic {
				if err := j.site.Append(ctx, []lectern.Event{j.event(ref, lectern.EventClick, id, "cold", 0)}); err != nil {
					return nil, err
				}
				break
			}
		}
	}
	return j.top(ctx, home(ref))
}

func heaviest(p Person) int {
	best := 0
	for i, in := range p.Truth.Interests {
		if in.Weight > p.Truth.Interests[best].Weight {
			best = i
		}
	}
	return best
}
