package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/feedback"
	"github.com/lectern-dev/lectern/rerank"
)

func newReportsCommand() *cobra.Command {
	var q feedback.Query
	var statuses []string
	var since, group string
	var asJSON bool
	cmd := parent("reports", "Look after what learners reported as poor", newReportsSetCommand(), newReportsRuleCommand())
	cmd.Long = cmd.Short + `. Without a command it lists reports by course, or by the term that put the
course where it was seen.`
	cmd.Example = `  lectern reports --status open
  lectern reports --group term --since 2026-03-01
  lectern reports rule stats-101 --action bury`
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var err error
		if q.Statuses, err = reportStatuses("status", statuses); err != nil {
			return err
		}
		if group != "course" && group != "term" {
			return usageError{fmt.Errorf("--group: %q is not allowed; course and term are", group)}
		}
		if since != "" {
			if q.Since, err = time.Parse(time.DateOnly, since); err != nil {
				return usageError{fmt.Errorf("--since: %q is not a day such as 2026-03-01", since)}
			}
		}
		return withExistingStore(cmd, func(env environment) error {
			return listReports(cmd, storedFeedback(env, nil), q, group, asJSON)
		})
	}
	cmd.Flags().StringSliceVar(&statuses, "status", nil, "only reports in these states: "+inWords(lectern.ReportStatuses()))
	cmd.Flags().StringVar(&since, "since", "", "only reports from this day on, such as 2026-03-01")
	cmd.Flags().StringVar(&q.CourseID, "course", "", "only reports about this course")
	cmd.Flags().StringVar(&group, "group", "course", "course or term")
	cmd.Flags().IntVar(&q.Limit, "limit", 50, "how many groups, most reports first; 0 is all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the document that the HTTP interface answers with")
	return withConfigFlags(cmd)
}

func reportStatuses(flag string, words []string) ([]lectern.ReportStatus, error) {
	var out []lectern.ReportStatus
	for _, w := range words {
		s := lectern.ReportStatus(w)
		if !knownStatus(s) {
			return nil, usageError{fmt.Errorf("--%s: %q is not a state; %s are", flag, w, inWords(lectern.ReportStatuses()))}
		}
		out = append(out, s)
	}
	return out, nil
}

func knownStatus(s lectern.ReportStatus) bool {
	for _, known := range lectern.ReportStatuses() {
		if s == known {
			return true
		}
	}
	return false
}

func listReports(cmd *cobra.Command, s *feedback.Service, q feedback.Query, group string, asJSON bool) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	if group == "term" {
		terms, totals, err := s.ByTerm(ctx, q)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(out, struct {
				Terms []feedback.TermReports `json:"terms"`
				feedback.Totals
			}{terms, totals})
		}
		return printTerms(out, terms)
	}
	courses, totals, err := s.ByCourse(ctx, q)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, struct {
			Courses []feedback.CourseReports `json:"courses"`
			feedback.Totals
		}{courses, totals})
	}
	return printReported(out, courses)
}

func printReported(w io.Writer, courses []feedback.CourseReports) error {
	if len(courses) == 0 {
		fmt.Fprintln(w, "no reports")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "COURSE\tTITLE\tREPORTS\tSTATUS\tREASONS\tTERMS\tNEWEST\tNOTE")
	for _, c := range courses {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", c.CourseID, c.Title, c.Reports, c.Status,
			countsInWords(c.Reasons), countsInWords(c.Terms), c.NewestAt.Format(time.DateOnly), c.Note)
	}
	return t.Flush()
}

func printTerms(w io.Writer, terms []feedback.TermReports) error {
	if len(terms) == 0 {
		fmt.Fprintln(w, "no reports")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TERM\tREPORTS\tCOURSES\tREASONS\tSURFACES\tSETTINGS\tNEWEST")
	for _, c := range terms {
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\t%s\n", orUnknown(c.Term), c.Reports, c.Courses,
			countsInWords(c.Reasons), countsInWords(c.Surfaces), countsInWords(c.Versions), c.NewestAt.Format(time.DateOnly))
	}
	return t.Flush()
}

func countsInWords(counts []feedback.Count) string {
	parts := make([]string, len(counts))
	for i, c := range counts {
		parts[i] = fmt.Sprintf("%d %s", c.Count, orUnknown(c.Name))
	}
	return strings.Join(parts, ", ")
}

func newReportsSetCommand() *cobra.Command {
	var status, note string
	var from []string
	cmd := &cobra.Command{
		Use: "set COURSE", Short: "Say what becomes of the open reports about a course", Args: exactly("COURSE"),
		Example: `  lectern reports set stats-101 --status rejected --note "it is up to date"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			t := feedback.Settlement{By: authorCLI}
			if cmd.Flags().Changed("status") {
				s := lectern.ReportStatus(status)
				t.Status = &s
			}
			if cmd.Flags().Changed("note") {
				t.Note = &note
			}
			var err error
			if t.From, err = reportStatuses("from", from); err != nil {
				return err
			}
			return withExistingStore(cmd, func(env environment) error {
				n, err := storedFeedback(env, nil).Settle(cmd.Context(), args[0], t)
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%s changed\n", counted(n, "report"))
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&status, "status", "", inWords(lectern.ReportStatuses()))
	cmd.Flags().StringVar(&note, "note", "", "for those who look at them next")
	cmd.Flags().StringSliceVar(&from, "from", nil, "only reports in these states; open and in_review when not given")
	return withConfigFlags(cmd)
}

func newReportsRuleCommand() *cobra.Command {
	var given feedback.RuleGiven
	var action, until, base string
	var surfaces []string
	var strength float64
	cmd := &cobra.Command{
		Use: "rule COURSE", Short: "Make a rule of the reports about a course, and resolve them", Args: exactly("COURSE"),
		Long: `Adds a rule about a reported course to the rerank settings, as a new version that running
servers have within two seconds, and sets the course's open reports to resolved. The
rule holds for 90 days when nobody says.`,
		Example: `  lectern reports rule stats-101 --action bury --surface home`,
		RunE: func(cmd *cobra.Command, args []string) error {
			given.Action, given.Author = rerank.RuleAction(action), authorCLI
			for _, s := range surfaces {
				given.Surfaces = append(given.Surfaces, lectern.Surface(s))
			}
			if cmd.Flags().Changed("strength") {
				given.Strength = &strength
			}
			if until != "" {
				at, err := time.Parse(time.DateOnly, until)
				if err != nil {
					return usageError{fmt.Errorf("--until: %q is not a day such as 2026-03-01", until)}
				}
				given.Until = &at
			}
			return withExistingStore(cmd, func(env environment) error { return makeRule(cmd, env, args[0], given, base) })
		},
	}
	cmd.Flags().StringVar(&action, "action", "", "bury or hide")
	cmd.Flags().StringSliceVar(&surfaces, "surface", nil, "where it holds: "+inWords(lectern.Surfaces())+"; everywhere when not given")
	cmd.Flags().StringVar(&until, "until", "", "the day on which it ends, such as 2026-12-31")
	cmd.Flags().Float64Var(&strength, "strength", rerank.DefaultStrength, "of bury: over 0, at most 1")
	cmd.Flags().StringVar(&given.Comment, "comment", "", "why, for the history of the settings")
	cmd.Flags().StringVar(&base, "base", "", "version of the settings that it is meant for, for example v3")
	return withConfigFlags(cmd)
}

func makeRule(cmd *cobra.Command, env environment, course string, given feedback.RuleGiven, base string) error {
	keeper, err := keptSettings(env, nil)
	if err != nil {
		return err
	}
	if given.IfMatch, err = rerankFamily().matchOf(cmd.Context(), keeper, base); err != nil {
		return err
	}
	made, err := storedFeedback(env, keeper).Rule(cmd.Context(), course, given)
	if err != nil {
		return err
	}
	printSettingsWarnings(cmd.ErrOrStderr(), made.Warnings)
	fmt.Fprintf(cmd.OutOrStdout(), "%s is in use with the rule %s; %s resolved\n", made.Name, made.Rule.ID, counted(made.Resolved, "report"))
	return nil
}
