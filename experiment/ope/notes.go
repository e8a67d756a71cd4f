package ope

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/lectern-dev/lectern/experiment/explore"
)

// notes say what was left out of a sample.
func (b *builder) notes() []string {
	var out []string
	if b.gone > 0 {
		out = append(out, fmt.Sprintf("%s left out: the posterior that the target chooses by is no longer kept.", lists(b.gone)))
	}
	if other := b.unusable - b.gone; other > 0 {
		out = append(out, fmt.Sprintf("%s left out, without a whole record.", lists(other)))
	}
	if b.wrong > 0 {
		out = append(out, fmt.Sprintf("%d places were left out: no probability is recorded for what they showed.", b.wrong))
	}
	return out
}

func lists(n int) string {
	if n == 1 {
		return "1 list was"
	}
	return fmt.Sprintf("%d lists were", n)
}

// notes say what to know when reading a report.
func (s *Service) notes(ctx context.Context, req Request, r *Report, rewards []explore.Reward) []string {
	var out []string
	if r.Log.ByView == 0 && r.Log.BelowIt > 0 {
		out = append(out, "No view events cite these lists. Places are taken to have been seen only where they or places below were acted on: rates are too high, and courses that nobody acts on are missed. Send view events.")
	}
	if r.Log.Unknown > 0 {
		out = append(out, fmt.Sprintf("%s left out: how likely what they showed was is not yet known. It is found shortly after a list was made; where the number stays, lectern replay says of one of them why.", lists(r.Log.Unknown)))
	}
	if r.Log.Clipped {
		out = append(out, fmt.Sprintf("Only the newest %d lists were looked at.", s.Config.MaxLists))
	}
	if req.Lists == ListsAll && r.Log.Lists > 0 {
		out = append(out, "Lists that did not explore show one order alone: of what the target would show otherwise they tell nothing.")
	}
	if req.Posterior > 0 && s.Posterior != nil {
		if p, err := s.Posterior.At(ctx, req.Posterior); err == nil && p.At().After(*req.Since) {
			out = append(out, "The posterior was learnt from some of these lists, too: the estimate flatters it.")
		}
	}
	for i := range r.Results {
		out = append(out, resultNotes(&r.Results[i], rewards)...)
	}
	return out
}

func resultNotes(res *Result, rewards []explore.Reward) []string {
	var out []string
	if res.Reward == RewardSum {
		var late []string
		for _, r := range rewards {
			if r.WithinDays > res.SettleDays {
				late = append(late, r.Name)
			}
		}
		if len(late) > 0 {
			out = append(out, fmt.Sprintf("Of the sum, rewards that may still come are missing, of the log and of the target alike: %s.", strings.Join(late, ", ")))
		}
	}
	if missing := 1 - res.Overlap.Support; len(res.Estimates) > 0 && missing > 5e-4 {
		out = append(out, fmt.Sprintf("%s: to ips, the %.1f %% of the target's picks that the log cannot show earn nothing: its value is too low by about as much, and its difference is none to go by. SNIPS and the doubly robust estimate fill them in by the rest.",
			res.Reward, 100*missing))
	}
	var snips, dr Estimate
	for _, e := range res.Estimates {
		switch e.Estimator {
		case NameSNIPS:
			snips = e
		case NameDR:
			dr = e
		}
	}
	if len(res.Estimates) > 0 && (snips.Low > dr.High || dr.Low > snips.High) {
		out = append(out, fmt.Sprintf("%s: SNIPS and the doubly robust estimate contradict each other; trust neither before you know why.", res.Reward))
	}
	if half := (dr.High - dr.Low) / 2; half > 0 && res.Overlap.MonteCarlo > half/4 {
		out = append(out, fmt.Sprintf("%s: probabilities found by Monte Carlo are behind %.0f %% of the interval's width; more draws in the exploration settings would narrow it.",
			res.Reward, 100*math.Min(1, 2*res.Overlap.MonteCarlo/half)))
	}
	return out
}
