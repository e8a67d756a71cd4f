package homes

import (
	"cmp"
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
)

// Ways of making a list that are compared with what is served.
const (
	WayRandom     = "random"
	WayPopularity = "popularity"
	WayServed     = "served"
)

// WayScore is one way of making lists and how good they are.
type WayScore struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // floor, source or list
	Score
}

// Lists is how well lists recover what learners want.
type Lists struct {
	Learners int        `json:"learners"`
	Ways     []WayScore `json:"ways"`
	// Both tells of learners with two latent interests or more.
	Both []Both `json:"two_interests"`
}

// Both says how often two interests of one learner both show in the first ten.
type Both struct {
	Who        string  `json:"who"` // taken, touched or latent: what the site knows of both
	Learners   int     `json:"learners"`
	Served     float64 `json:"served"` // share of them
	Popularity float64 `json:"popularity"`
}

// bothFrom is the least weight of an interest that is looked for.
const bothFrom = 0.2

// Way returns the score of one way.
func (l Lists) Way(name string) Score {
	for _, w := range l.Ways {
		if w.Name == name {
			return w.Score
		}
	}
	return Score{}
}

// Lists judges the lists of up to n learners of whom three courses or more are known.
func (j *Judge) Lists(ctx context.Context, n int) (Lists, error) {
	people, all, err := j.warm(ctx, n, 3)
	if err != nil {
		return Lists{}, err
	}
	sums, kinds := map[string]*Score{}, map[string]string{}
	add := func(name, kind string, s Score) {
		if sums[name] == nil {
			sums[name], kinds[name] = &Score{}, kind
		}
		sums[name].add(s)
	}
	both := newBothCount()
	lots := j.lots(1)
	for i, p := range people {
		got, err := j.site.Answer(ctx, home(p.Ref), TopK)
		if err != nil {
			return Lists{}, err
		}
		ideal := j.ideal(p, all[i].gone)
		popular := popularOf(got)
		add(WayRandom, "floor", j.score(p, ideal, j.random(lots, all[i].gone)))
		add(WayPopularity, "floor", j.score(p, ideal, popular))
		add(WayServed, "list", j.score(p, ideal, got.List))
		for _, s := range got.Sources {
			if s.Name != sourcePopular {
				add(s.Name, "source", j.score(p, ideal, s.IDs))
			}
		}
		both.add(j, p, all[i], got.List, popular)
	}
	out := Lists{Learners: len(people), Both: both.shares()}
	for name, s := range sums {
		out.Ways = append(out.Ways, WayScore{name, kinds[name], s.over(len(people))})
	}
	order := []string{"floor", "source", "list"}
	slices.SortFunc(out.Ways, func(a, b WayScore) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), cmp.Compare(a.NDCG, b.NDCG), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// sourcePopular is the source of popular courses, which without anything else is the
// floor.
const sourcePopular = "popular"

func popularOf(a Answer) []string {
	for _, s := range a.Sources {
		if s.Name == sourcePopular {
			return s.IDs
		}
	}
	return nil
}

// bothCount counts learners whose two interests both show.
type bothCount struct {
	who             []string
	of, got, chance map[string]int
}

func newBothCount() *bothCount {
	return &bothCount{[]string{"taken", "touched", "latent"}, map[string]int{}, map[string]int{}, map[string]int{}}
}

// add looks at one learner's two heaviest interests, of those that the site could
// know of as far as each line asks for.
func (b *bothCount) add(j *Judge, p Person, k known, list, popular []string) {
	for _, who := range b.who {
		var topics []string
		for _, in := range p.Truth.Interests {
			knows := map[string]bool{"taken": k.taken[in.Topic] > 0, "touched": k.touched[in.Topic] > 0, "latent": true}
			if in.Weight >= bothFrom && knows[who] && j.left(in.Topic, k.gone) {
				topics = append(topics, in.Topic)
			}
		}
		if len(topics) < 2 {
			continue
		}
		b.of[who]++
		shows := func(list []string) int {
			in := j.topics(list)
			if in[topics[0]] && in[topics[1]] {
				return 1
			}
			return 0
		}
		b.got[who] += shows(list)
		b.chance[who] += shows(popular)
	}
}

func (b *bothCount) shares() []Both {
	var out []Both
	for _, who := range b.who {
		out = append(out, Both{who, b.of[who], ratio(b.got[who], b.of[who]), ratio(b.chance[who], b.of[who])})
	}
	return out
}

func ratio(a, b int) float64 { return float64(a) / float64(max(b, 1)) }

// top asks for a list that has no sources worth telling apart.
func (j *Judge) top(ctx context.Context, req lectern.ListRequest) ([]string, error) {
	req.Limit = TopK
	return j.site.Top(ctx, req, TopK)
}
