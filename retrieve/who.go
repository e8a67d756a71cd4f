package retrieve

import (
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// rerankRequest lays out who asks for scoring. Without consent it is nobody. Most of it
// is made once: a page asks for each of its rows.
func (e *Engine) rerankRequest(p *pass, depth int) rerank.Request {
	if p.asks == nil {
		r := e.whoAsks(p)
		p.asks = &r
	}
	r := *p.asks
	r.Depth = depth
	return r
}

func (e *Engine) whoAsks(p *pass) rerank.Request {
	means := p.view.means
	r := rerank.Request{
		Surface: p.req.Surface, At: p.at, Query: strings.Join(strings.Fields(p.req.Query), " "),
		RatingMean: means.rating, SentimentMean: means.sentiment, FinishRate: means.finishRate, ViewsMean: means.views,
		Likely: p.view.languages.most(), PopularityMiddle: p.view.popularityMiddle(),
	}
	if r.Surface == lectern.SurfaceHome { // the list without a row is that row; a page's rows take their own names
		r.Row = lectern.RowForYou
	}
	r.Languages = p.languageKeys()
	if p.taste.Personal {
		r.Level, r.WeeklyHours = p.profile.Learner.PreferredLevel, p.weeklyHours()
		r.HoursAssumed = p.taste.WeeklyHours != nil && p.taste.HoursEstimated
		if p.taste.Level != "" {
			r.Level, r.LevelAssumed = p.taste.Level, p.taste.LevelEstimated
		}
		if p.req.Surface == lectern.SurfaceHome {
			r.Shares, r.Mix = p.taste.Shares, e.mixOf(p)
		}
		r.Preferences = p.profile.Corrections.Preferences
	}
	r.Who = p.who(&r)
	if p.seed != nil && p.req.Surface == lectern.SurfaceSimilar { // a course stands in for wishes that were not stated
		if r.Level == "" {
			r.Level, r.LevelAssumed = p.seed.facts.Level, true
		}
		if len(r.Languages) == 0 {
			r.Languages, r.LanguagesAssumed = p.seed.facts.Languages, true
		}
	}
	return r
}

// who tells people apart, for rules. Of those who allow no personal lists it says what
// decides what may be shown to them, and whether they are signed in.
func (p *pass) who(r *rerank.Request) rerank.Who {
	l := &p.profile.Learner
	w := rerank.Who{
		SignedIn: p.req.Learner.ID != "" || l.ID != "" && !l.Anonymous,
		Region:   lectern.FoldKey(l.Region), Organisations: lectern.FoldKeys(l.Organisations),
	}
	if p.taste.Personal {
		w.Courses, w.Languages, w.Level = len(p.profile.Entries), r.Languages, r.Level
	}
	return w
}

// mixLeast is how many courses must speak for a learner before their shares mean
// anything.
const mixLeast = 3

// mixOf is in which shares the learner takes courses, each weighing what it weighs in the
// taste; nil where too few speak for them. What a course does not say takes no part.
func (e *Engine) mixOf(p *pass) *rerank.Mix {
	ids := make([]string, 0, len(p.taste.Touched))
	weights := make([]float64, 0, len(p.taste.Touched))
	for _, t := range p.taste.Touched {
		if t.Weight > 0 {
			ids, weights = append(ids, t.CourseID), append(weights, t.Weight)
		}
	}
	if len(ids) < mixLeast {
		return nil
	}
	m := &rerank.Mix{Categories: map[string]float64{}, Providers: map[string]float64{}, Levels: map[lectern.Level]float64{}}
	known := 0
	for i, en := range e.Catalog.lookup(ids) {
		if en == nil {
			continue
		}
		known++
		if en.facts.Category != "" {
			m.Categories[en.facts.Category] += weights[i]
		}
		if en.facts.Provider != "" {
			m.Providers[en.facts.Provider] += weights[i]
		}
		if en.facts.Level != "" {
			m.Levels[en.facts.Level] += weights[i]
		}
	}
	if known < mixLeast {
		return nil
	}
	toShares(m.Categories)
	toShares(m.Providers)
	toShares(m.Levels)
	return m
}

// toShares scales amounts to sum to 1.
func toShares[K ~string](amounts map[K]float64) {
	sum := 0.0
	for _, a := range amounts {
		sum += a
	}
	for k := range amounts {
		amounts[k] /= sum
	}
}
