package experiment

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/stats"
)

// judgeDuel says whose courses people preferred.
func (s *Service) judgeDuel(ctx context.Context, x *stored, out *Results) (stats.Verdict, error) {
	var duel stats.Duel
	var credits []int
	person, lists, tied := int64(0), 0, 0
	flush := func() {
		if len(credits) > 0 {
			duel.Add(credits...)
		}
		credits = nil
	}
	end := s.end(x)
	err := s.o.Log.ActedLists(ctx, x.ID, func(l lectern.ActedList) error {
		if l.Ranking.CreatedAt.After(end) {
			return nil
		}
		if l.Person != person {
			flush()
			person = l.Person
		}
		lists++
		credit := stats.Credit(teamsOf(&l))
		if credit == 0 {
			tied++
		}
		credits = append(credits, credit)
		return nil
	})
	if err != nil {
		return stats.Verdict{}, fmt.Errorf("read what people did about interleaved lists: %w", err)
	}
	flush()
	alpha := cmp.Or(x.Alpha, stats.DefaultAlpha)
	out.Duel = &Duel{DuelResult: duel.Judge(alpha), Votes: duel, Lists: lists, Tied: tied}
	if w := sameLists(x, out.Duel); w != "" {
		out.Warnings = append(out.Warnings, w)
	}
	return duelVerdict(x, out.Duel, alpha, out.Day), nil
}

// teamsOf are the teams of what was acted on, each course once.
func teamsOf(l *lectern.ActedList) []stats.Team {
	var out []stats.Team
	var done []string
	for _, course := range l.Courses {
		i := slices.IndexFunc(l.Ranking.Items, func(it lectern.RankedItem) bool { return it.CourseID == course })
		if i < 0 || slices.Contains(done, course) {
			continue
		}
		done = append(done, course)
		out = append(out, stats.Team(l.Ranking.Items[i].Team))
	}
	return out
}

// From so many people on, of whom more than that share prefer neither, it is said that
// an interleaving compares nothing.
const (
	duelPeople = 50
	duelTies   = 0.9
)

// sameLists warns where nearly nobody could prefer either ranker.
func sameLists(x *stored, d *Duel) string {
	if d.People < duelPeople || d.Votes.Ties <= duelTies*d.People {
		return ""
	}
	return fmt.Sprintf("%.0f of the %.0f people who acted prefer neither of %s and %s: most likely both rankers made the same lists here, so that nothing is compared. "+
		"Compare the two versions of the settings (lectern config diff) and what they do to these surfaces",
		d.Votes.Ties, d.People, x.Arms[0].Name, x.Arms[1].Name)
}

// duelVerdict says in a sentence where an interleaving stands.
func duelVerdict(x *stored, d *Duel, alpha float64, day int) stats.Verdict {
	a, b := x.Arms[0].Name, x.Arms[1].Name
	basis := fmt.Sprintf("%.0f people acted on %d lists: %.0f prefer %s, %.0f prefer %s, %.0f neither (ties); look of day %d",
		d.People, d.Lists, d.Votes.A, a, d.Votes.B, b, d.Votes.Ties, day)
	interval := func(low, high float64) string {
		return fmt.Sprintf("%.4g %% always-valid interval: %.1f %% to %.1f %%", 100*(1-alpha), 100*low, 100*high)
	}
	switch {
	case d.People == 0:
		return stats.Verdict{State: stats.StateNotEnough, Reason: "Nobody has acted on an interleaved list yet."}
	case d.AlwaysP <= alpha && d.Share > 0.5:
		return stats.Verdict{State: stats.StateWinner, Arm: a, Reason: fmt.Sprintf(
			"People prefer the courses of %s to those of %s: %.0f %% of those who prefer either (%s). %s.", a, b, 100*d.Share, interval(d.Always.Low, d.Always.High), basis)}
	case d.AlwaysP <= alpha:
		return stats.Verdict{State: stats.StateWinner, Arm: b, Reason: fmt.Sprintf(
			"People prefer the courses of %s to those of %s: %.0f %% of those who prefer either (%s). %s.", b, a, 100*(1-d.Share), interval(1-d.Always.High, 1-d.Always.Low), basis)}
	case d.Votes.A+d.Votes.B == 0:
		return stats.Verdict{State: stats.StateRunning, Reason: fmt.Sprintf("Nothing to decide by: nobody prefers either of %s and %s. %s.", a, b, basis)}
	}
	return stats.Verdict{State: stats.StateRunning, Reason: fmt.Sprintf(
		"Which of %s and %s people prefer is undecided: %.0f %% of those who prefer either are for %s (%s). %s.", a, b, 100*d.Share, a, interval(d.Always.Low, d.Always.High), basis)}
}
