package tuning

import (
	"cmp"
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
)

// readPage is how many lists are read at a time.
const readPage = 500

// shown is one recorded list, as far as it is learnt from.
type shown struct {
	logged  lectern.LoggedList
	person  int       // dense, from 0: whose lists are drawn together
	n       int       // places
	x       []float32 // n × terms
	reward  []float64 // by place
	looked  []bool    // by place: an event says so
	last    int       // lowest place that something was done about; −1 is none
	viewed  bool      // the list says what came into view
	gainful bool      // something was wanted
}

// row are the values of one place.
func (l *shown) row(place, terms int) []float32 { return l.x[place*terms : (place+1)*terms] }

// dataset is what was read.
type dataset struct {
	terms []string
	lists []shown // oldest first
	log   Log
	made  map[string]bool // versions
}

// read scans the log, newest first, until its end, the bound, or until time is up.
func (s *Service) read(ctx context.Context, req Request) (*dataset, error) {
	d := &dataset{made: map[string]bool{}}
	var usable []lectern.LoggedList
	cursor := lectern.LogCursor{CreatedAt: *req.Until}
	for {
		page, next, err := s.log.LoggedLists(ctx, *req.Since, cursor, readPage, s.cfg.Places)
		if err != nil && ctx.Err() != nil && len(usable) > 0 {
			d.log.Partial = true
			break
		}
		if err != nil {
			return nil, err
		}
		d.log.Read += len(page)
		for _, l := range page {
			if !req.takes(l.Ranking) {
				d.log.Other++
				continue
			}
			usable = append(usable, l)
		}
		if cursor = next; next == (lectern.LogCursor{}) {
			break
		}
		if len(usable) >= s.cfg.MaxLists {
			usable, d.log.Partial = usable[:s.cfg.MaxLists], true
			break
		}
	}
	slices.Reverse(usable)
	d.align(usable, req)
	return d, nil
}

// takes reports whether a list is one of those whose weights are asked for, in the
// order of its scores.
func (r *Request) takes(k lectern.Ranking) bool {
	row := k.Row
	if r.Row == "" && row == lectern.RowForYou { // made by the weights of the list
		row = ""
	}
	return k.Surface == r.Surface && row == r.Row && k.Sort == "" && len(k.Items) > 1
}

// commonTerms are the terms that most lists have, in the order of the current weights.
func commonTerms(lists []lectern.LoggedList, current []lectern.TermWeight) []string {
	count := map[string]int{}
	for _, l := range lists {
		for _, t := range l.Ranking.Weights {
			count[t.Name]++
		}
	}
	var out []string
	for _, t := range current {
		if 2*count[t.Name] > len(lists) {
			out = append(out, t.Name)
		}
	}
	return out
}

// align puts the lists side by side: the same terms in the same order.
func (d *dataset) align(lists []lectern.LoggedList, req Request) {
	d.terms = commonTerms(lists, req.Current)
	people := map[int64]int{}
	next := 0
	for _, logged := range lists {
		l := shown{logged: logged, last: -1}
		if !l.fill(d.terms, req.Rewards) {
			d.log.OtherTerms++
			continue
		}
		if !l.chosen() {
			d.log.NoChoice++
			continue
		}
		id, known := people[logged.Person]
		if logged.Person == 0 || !known { // lists of nobody are everybody's own
			id = next
			next++
			people[logged.Person] = id
		}
		l.person = id
		if l.viewed {
			d.log.Viewed++
		}
		d.made[logged.Ranking.ConfigVersion] = true
		l.logged = lectern.LoggedList{Ranking: lectern.Ranking{ID: logged.Ranking.ID, CreatedAt: logged.Ranking.CreatedAt}}
		d.lists = append(d.lists, l)
	}
	d.log.People, d.log.Versions = next, len(d.made)
}

// fill reads values and events; false when a term is missing.
func (l *shown) fill(terms []string, rewards map[lectern.EventType]float64) bool {
	r := l.logged.Ranking
	at := make([]int, len(terms))
	for i, name := range terms {
		at[i] = slices.IndexFunc(r.Weights, func(t lectern.TermWeight) bool { return t.Name == name })
		if at[i] < 0 {
			return false
		}
	}
	l.n = len(r.Items)
	l.x = make([]float32, 0, l.n*len(terms))
	places := make(map[string]int, l.n)
	for place, item := range r.Items {
		if len(item.Terms) != len(r.Weights) {
			return false
		}
		for _, j := range at {
			l.x = append(l.x, float32(item.Terms[j]))
		}
		places[item.CourseID] = place
	}
	l.reward, l.looked = make([]float64, l.n), make([]bool, l.n)
	for _, e := range l.logged.Events {
		place, here := places[e.CourseID]
		if !here {
			continue
		}
		worth, counts := rewards[e.Type]
		switch {
		case e.Type == lectern.EventView:
			l.viewed, l.looked[place] = true, true
		case !counts || worth == 0:
			l.looked[place] = true
		case worth < 0:
			l.looked[place], l.last = true, max(l.last, place)
			l.reward[place] = min(l.reward[place], worth)
		default:
			l.looked[place], l.last = true, max(l.last, place)
			if l.reward[place] >= 0 { // a no outweighs a click
				l.reward[place] = max(l.reward[place], worth)
			}
		}
	}
	l.gainful = slices.Max(l.reward) > 0
	return true
}

// chosen reports whether the list prefers anything to anything that was looked at too.
func (l *shown) chosen() bool {
	found := false
	l.pairs(func(_, _ int, _ float64) { found = true })
	return found
}

// pairs calls with the places of every pair that was looked at and of which one was
// preferred, the upper place first, and how much the upper one is worth above the
// lower. What is known of views decides what was looked at; without views a learner is
// taken to go down the list to the place after the last one they did something about
// (Craswell et al. 2008).
//
// That place is where it is because something was done there, so a pair that reaches
// down to it says little about its two courses: pairs are made of two places above it,
// and of neighbours, of which both could have been the last (Radlinski and Joachims
// 2006).
func (l *shown) pairs(each func(upper, lower int, worth float64)) {
	end := l.n - 1
	if !l.viewed {
		end = min(l.last+1, end)
	}
	for b := 1; b <= end; b++ {
		if l.viewed && !l.looked[b] {
			continue
		}
		for a := range b {
			if l.viewed && !l.looked[a] || l.reward[a] == l.reward[b] {
				continue
			}
			if !l.viewed && b >= l.last && b != a+1 {
				continue
			}
			each(a, b, l.reward[a]-l.reward[b])
		}
	}
}

// split divides the lists by time: share of them, the newest, are test.
func (d *dataset) split(share float64) (train, test []shown) {
	slices.SortStableFunc(d.lists, func(a, b shown) int {
		return cmp.Or(a.logged.Ranking.CreatedAt.Compare(b.logged.Ranking.CreatedAt), cmp.Compare(a.logged.Ranking.ID, b.logged.Ranking.ID))
	})
	at := len(d.lists) - int(share*float64(len(d.lists))+0.5)
	return d.lists[:at], d.lists[at:]
}
