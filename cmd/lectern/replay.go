package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/experiment/learn"
)

func newReplayCommand() *cobra.Command {
	var draws int
	var all bool
	cmd := &cobra.Command{
		Use: "replay RANKING_ID", Short: "Fill the places of a list that explored again, and find its probabilities again", Args: exactly("RANKING_ID"),
		Long: `Fill the places of a list that explored again, from what was recorded of it, and
find the probability of every place again. Nothing but the record and the posterior
that it names takes part, whatever has become of index, models and settings since.

The first table has the places that explore:
  PUT THERE    the course that was chosen
  IN PLACE OF  the course that would have stood there
  BY           what chose: the policy, the uniform floor, or the share of new courses
  OUT OF       courses that it was chosen among
  OWED         of which are new courses that were owed impressions
The second one has the probability that each place held the course that it held:
  BEFORE       the place of the course before exploration
  RECORDED     the probability in the record
  AGAIN        the probability as it is found now; ± is the standard error
Only places that exploration can change are printed, unless --all is given.`,
		Example: "  lectern replay 0193d7a2-5a6f-7c3e-9b1d-2f6c8e4a7b90 --draws 100000",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withExistingStore(cmd, func(env environment) error {
				settings, err := keptExploration(env)
				if err != nil {
					return err
				}
				x, err := newExplorer(cmd.Context(), env, settings, learn.NewKeeper(env.store, env.log), env.store, nil)
				if err != nil {
					return err
				}
				r, err := x.Replay(cmd.Context(), args[0], draws)
				if err != nil {
					return err
				}
				return printReplay(cmd.OutOrStdout(), r, draws, all)
			})
		},
	}
	cmd.Flags().IntVar(&draws, "draws", 0, "draws behind each probability that is not exact: "+explore.DrawsAllowed)
	cmd.Flags().BoolVar(&all, "all", false, "print all places, also those that exploration never changes")
	return withConfigFlags(cmd)
}

// printReplay lays a replay out: how places were filled, then every place.
func printReplay(out io.Writer, r *explore.Replay, asked int, all bool) error {
	x := r.Ranking.Exploration
	fmt.Fprintf(out, "list %s of %s, %s", r.Ranking.ID, r.Ranking.CreatedAt.Format("2006-01-02 15:04:05"), r.Ranking.Surface)
	if r.Ranking.Row != "" {
		fmt.Fprintf(out, "/%s", r.Ranking.Row)
	}
	fmt.Fprintf(out, ", ranked by %s\npolicy %s of settings %s, posterior %d, seed %d\n", r.Ranking.ConfigVersion, x.Policy, x.Settings, x.Posterior, x.Seed)
	if r.Filled {
		fmt.Fprintln(out, "filled again: the same list")
	} else {
		fmt.Fprintf(out, "filled again: ANOTHER LIST, at the places %v (from 0)\n", r.Differs)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprint(w, "\nPLACE\tPUT THERE\tIN PLACE OF\tBY\tOUT OF\tOWED\n")
	for _, c := range r.Choices {
		stood := c.Stood
		if stood == c.CourseID {
			stood = "(stays)"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%d\n", c.Place+1, c.CourseID, stood, c.By, c.Options, c.Owed)
	}
	how := "exact"
	if r.Draws > 0 {
		how = fmt.Sprintf("by %d draws", r.Draws)
	}
	fmt.Fprintf(w, "\nPLACE\tCOURSE\tBEFORE\tRECORDED\tAGAIN (%s)\t\n", how)
	left := 0
	for _, p := range r.Places {
		if !all && p.Agrees && p.Recorded == 1 && p.Propensity == 1 {
			left++
			continue
		}
		note := ""
		if !p.Agrees {
			note = "DIFFERS"
		}
		fmt.Fprintf(w, "%d\t%s\t%d\t%s\t%s\t%s\n", p.Place+1, p.CourseID, p.Stood+1, chanceText(p.Recorded, p.RecordedError), chanceText(p.Propensity, p.PropensityError), note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if left > 0 {
		fmt.Fprintf(out, "%s left out that exploration cannot change; --all prints them\n", counted(left, "place"))
	}
	if r.Draws > 0 && r.Draws < asked {
		fmt.Fprintf(out, "%d draws were asked for: this list may be filled in so many ways that no more than %d are made\n", asked, r.Draws)
	}
	return nil
}

// chanceText writes a probability with its standard error, if it has one.
func chanceText(p, err float64) string {
	if err == 0 {
		return fmt.Sprintf("%.5f", p)
	}
	return fmt.Sprintf("%.5f ± %.5f", p, err)
}
