package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/searchlog"
)

// The bounds of an insights report, as the API has them.
const (
	maxInsightDays  = 365
	maxInsightLimit = 500
)

func newInsightsCommand() *cobra.Command {
	var days, limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "insights", Args: noArgs,
		Short:   "Show what people search for, what finds nothing and what nobody opens",
		Example: `  lectern insights --data ./data --days 7`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 || days > maxInsightDays {
				return usageError{fmt.Errorf("--days is %d; it can be 1 to %d", days, maxInsightDays)}
			}
			if limit < 1 || limit > maxInsightLimit {
				return usageError{fmt.Errorf("--limit is %d; it can be 1 to %d", limit, maxInsightLimit)}
			}
			return withExistingStore(cmd, func(env environment) error {
				r, err := readInsights(env.store)(cmd.Context(), days, limit)
				if err != nil {
					return err
				}
				if asJSON {
					enc := json.NewEncoder(cmd.OutOrStdout())
					enc.SetEscapeHTML(false)
					enc.SetIndent("", "  ")
					return enc.Encode(api.InsightsDocument(r))
				}
				return printInsights(cmd.OutOrStdout(), r)
			})
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&days, "days", 30, "the days before now")
	flags.IntVar(&limit, "limit", 20, "queries in each list")
	flags.BoolVar(&asJSON, "json", false, "print what GET /v1/admin/search/insights answers")
	return withConfigFlags(cmd)
}

// printInsights writes a report for people.
func printInsights(w io.Writer, r api.SearchInsights) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "%d searches of %d queries from %s to %s; %s found nothing, of %s something was opened.\n",
		r.Searches, r.Queries, r.From.Format("2006-01-02"), r.To.Format("2006-01-02"), percent(r.Zero, r.Searches), percent(r.Opened, r.Searches))
	if r.Partial {
		fmt.Fprintln(t, "The totals count the most frequent queries only.")
	}
	printQueries(t, "Most searched", r.Top)
	printQueries(t, "Found nothing", r.ZeroResults)
	printQueries(t, fmt.Sprintf("Found something that nearly nobody opened, in at least %d searches", searchlog.MinLowClick), r.LowClick)
	if len(r.Trending) > 0 {
		fmt.Fprintf(t, "\nTrending\nquery\tsearches\tbefore\n")
		for _, c := range r.Trending {
			fmt.Fprintf(t, "%s\t%d\t%d\n", strconv.Quote(c.Query), c.Searches, c.Before)
		}
	}
	if len(r.Corrections) > 0 {
		fmt.Fprintf(t, "\nCorrections that worked\nquery\tfollowed by\ttimes\tlearners\topened\tafter nothing was found\n")
		for _, c := range r.Corrections {
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\n", strconv.Quote(c.From), strconv.Quote(c.To), c.Count, c.Learners, c.Opened, c.FromZero)
		}
	}
	return t.Flush()
}

func printQueries(w io.Writer, title string, counts []lectern.SearchCount) {
	if len(counts) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\nquery\tsearches\tfound nothing\topened\topeners\tmean position\tresults\n", title)
	for _, c := range counts {
		position := "-"
		if c.Opened > 0 {
			position = strconv.FormatFloat(c.Position, 'f', 1, 64)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%s\t%d\n", strconv.Quote(c.Query), c.Searches, c.Zero, percent(c.Opened, c.Searches), c.Openers, position, c.Results)
	}
}

// percent writes a share for people.
func percent(part, whole int) string {
	if whole == 0 {
		return "0 %"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + " %"
}
