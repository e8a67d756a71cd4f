package experiment

import (
	"context"
	"fmt"
	"math"

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
	var sample stats.Sample
	per := 0.0
	today := s.o.Day(s.o.Clock())
	err := s.o.Log.DaySums(ctx, today-d.days(), today-1, func(t lectern.Tally) error {
		value, p := m.of(&t, float64(d.days()))
		per += p
		sample.Add(stats.Unit{Value: value, Per: p})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what people did before: %w", err)
	}
	if sample.N < 2 || sample.Value() == 0 || per == 0 {
		return nil, nil
	}
	out := &Sizing{
		Mean: sample.Value(), Variance: sample.Variance(), Per: per / sample.N, People: sample.N, Days: d.days(),
		At: lectern.Timestamp(s.o.Clock()),
	}
	size := stats.SizeFor(stats.SizePlan{
		Mean: out.Mean, Variance: out.Variance, Per: out.Per, Effect: d.Primary.MinimumEffect, Power: d.Primary.Power,
		Alpha: d.Alpha, Shares: d.shares(), Daily: sample.N / float64(d.days()),
	})
	if !finite(size.Fixed, size.Always, size.FixedDays, size.AlwaysDays, out.Variance) || size.Fixed <= 0 {
		return nil, nil
	}
	out.Fixed, out.Always, out.FixedDays, out.AlwaysDays = math.Ceil(size.Fixed), math.Ceil(size.Always), size.FixedDays, size.AlwaysDays
	return out, nil
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
