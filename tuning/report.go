package tuning

import (
	"context"
	"fmt"
	"slices"
)

// proposal lays everything out.
func (l *learner) proposal(ctx context.Context, proposed []float64, draws [][]float64) (Proposal, error) {
	lists := judge(l.test, l.propensity)
	gain, err := gains(ctx, lists, l.current, proposed, l.cfg.Draws, l.req.Seed)
	if err != nil {
		return Proposal{}, err
	}
	p := Proposal{
		Surface: l.req.Surface, Row: l.req.Row, Method: l.req.Method, Since: *l.req.Since, Until: *l.req.Until,
		Split: l.test[0].logged.Ranking.CreatedAt, Log: l.d.log, NDCG: gain, Position: l.position(), Warnings: []string{},
	}
	all := 0.0
	for _, w := range l.req.Current {
		all += w.Weight
	}
	for _, w := range l.req.Current {
		out := Weight{Term: w.Name, Current: round(w.Weight / all), Proposed: round(w.Weight / all)}
		j := slices.Index(l.d.terms, w.Name)
		switch {
		case j < 0:
			out.Kept = "the log does not hold its values"
		case l.kept[j] != "":
			out.Kept = l.kept[j]
		default:
			out.Proposed = round(proposed[j])
			values := make([]float64, len(draws))
			for d := range draws {
				values[d] = draws[d][j]
			}
			low, high := interval(values)
			low, high = round(max(0, min(low, proposed[j]))), round(max(high, proposed[j]))
			out.Low, out.High = &low, &high
		}
		p.Weights = append(p.Weights, out)
	}
	p.Warnings = l.warnings(p)
	return p, nil
}

func (l *learner) position() Position {
	out := Position{Examined: "cascade", Propensity: make([]float64, len(l.propensity))}
	switch {
	case l.d.log.Viewed == len(l.d.lists):
		out.Examined = "views"
	case l.d.log.Viewed > 0:
		out.Examined = "both"
	}
	for i, v := range l.propensity {
		out.Propensity[i] = round(v)
	}
	out.Handling = "Courses are compared with others of the same list that were looked at: where view events say so, else down to the place after the last choice. " +
		"What places do by themselves is a part of the model that is fitted beside the weights. On the newer lists each choice is divided by how often its place is looked at."
	return out
}

// fewPeople is the number of people below which intervals are rough.
const fewPeople = 100

func (l *learner) warnings(p Proposal) []string {
	out := []string{"The log only shows choices from the lists that were shown: what is estimated is a better order of the courses that the settings of the time brought up, not what other courses would have done."}
	log := l.d.log
	if p.NDCG.Low <= 0 {
		out = append(out, "The interval of the gain holds 0: chance may explain all of it.")
	}
	if log.Versions > 1 {
		out = append(out, fmt.Sprintf("The lists were made by %d versions of the settings.", log.Versions))
	} else {
		out = append(out, "All lists were made by one version of the settings, so the terms may hardly vary by themselves; lists with other weights, or in random order, would tell more.")
	}
	if log.OtherTerms > 0 {
		out = append(out, fmt.Sprintf("%d lists lack the value of a term that most lists have, and were left out.", log.OtherTerms))
	}
	if log.Partial {
		out = append(out, fmt.Sprintf("Only the newest %d lists were read.", len(l.d.lists)+log.NoChoice+log.OtherTerms))
	}
	if log.People < fewPeople {
		out = append(out, fmt.Sprintf("The choices are those of %d people: take the intervals as rough.", log.People))
	}
	if l.req.Method == MethodCoordinate {
		out = append(out, "The intervals are those of smaller samples, scaled: take them as rough.")
	}
	return out
}
