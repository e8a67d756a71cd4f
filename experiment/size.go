package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/stats"
)

// size plans how many people an experiment takes, from what people did in as many days
// before as it is planned for; nil where that says nothing.
func (s *Service) size(ctx context.Context, d *Definition) (*Sizing, error) {
	m, ok := metricOf(d.Primary.Metric)
	if !ok || d.Primary.MinimumEffect == 0 || d.AA {
		return nil, nil
	}
	metrics := Metrics()
	samples := make([]stats.Sample, len(metrics))
	today, days, before := s.o.Day(s.o.Clock()), d.days(), d.beforeDays()
	err := s.o.Log.DaySums(ctx, today-days-before, today-days, today-1, func(earlier, t lectern.Tally) error {
		for i := range metrics {
			samples[i].Add(metrics[i].unit(&earlier, &t, float64(before), float64(days)))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what people did before: %w", err)
	}
	sample := &samples[slices.IndexFunc(metrics, func(o Metric) bool { return o.Name == m.Name })]
	per := sample.Per()
	if sample.N < 2 || sample.Value() == 0 || per == 0 {
		return nil, nil
	}
	out := &Sizing{
		Mean: sample.Value(), Variance: sample.Variance(), Per: per, Correlation: correlation(sample, before), People: sample.N, Days: days,
		Variances: make(map[string]float64), At: lectern.Timestamp(s.o.Clock()),
	}
	for i := range metrics {
		r := correlation(&samples[i], before)
		if v := samples[i].Variance() * (1 - r*r); v > 0 && finite(v) {
			out.Variances[metrics[i].Name] = v
		}
	}
	size := stats.SizeFor(stats.SizePlan{
		Mean: out.Mean, Variance: out.Variance, Per: out.Per, Effect: d.Primary.MinimumEffect, Power: d.Primary.Power,
		Alpha: d.Alpha, Shares: d.shares(), Correlation: out.Correlation, Daily: sample.N / float64(days),
	})
	if !finite(size.Fixed, size.Always, size.FixedDays, size.AlwaysDays, out.Variance) || size.Fixed <= 0 {
		return nil, nil
	}
	out.Fixed, out.Always, out.FixedDays, out.AlwaysDays = math.Ceil(size.Fixed), math.Ceil(size.Always), size.FixedDays, size.AlwaysDays
	return out, nil
}

// noSize says why an experiment was started without a planned size; "" of one that has
// one, or that is not planned by people.
func noSize(x *stored) string {
	switch {
	case x.Plan == nil || x.Plan.Size != nil:
		return ""
	case x.kind() == KindInterleaving:
		return "an interleaving needs no planned size: its interval holds from the first vote on"
	case x.AA:
		return "an A/A test has no effect to find"
	case x.Primary.MinimumEffect == 0:
		return "no minimum effect: primary.minimum_effect says which change is to be found"
	}
	return fmt.Sprintf("no baseline: in the %d days before the start too little was done to tell how %s varies between people", x.days(), x.Primary.Metric)
}

// fewest is how many people a correlation is believed of: of fewer, a fit explains by
// chance.
const fewest = 100

// correlation is that of what people did in so many days before with what they did after.
func correlation(s *stats.Sample, days int) float64 {
	if days == 0 || s.N < fewest {
		return 0
	}
	return stats.Analyse([]stats.Sample{*s}, stats.Options{Adjust: true}).Correlation
}

// options are those of one metric: the plan's size, with the variance that the metric
// itself is planned to have there.
func (p *Plan) options(o stats.Options, d *Definition, metric string) stats.Options {
	if p.Size == nil {
		return o
	}
	o.Units, o.Variance = p.Size.Always, p.Size.Variances[metric]
	if o.Variance == 0 && metric == d.Primary.Metric {
		o.Variance = p.Size.Variance
	}
	return o
}

func finite(list ...float64) bool {
	for _, v := range list {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// Size plans a draft as Start would, nil where what people did says nothing. Errors:
// CodeNotFound.
func (s *Service) Size(ctx context.Context, id string) (*Sizing, error) {
	x, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.size(ctx, &x.Definition)
}
