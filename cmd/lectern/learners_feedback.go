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
)

func newLearnersFeedbackCommand() *cobra.Command {
	var flags learnerFlags
	var given feedback.Given
	var days int
	cmd := &cobra.Command{
		Use:   "feedback ID [add KIND COURSE | undo FEEDBACK]",
		Short: "Show what a learner said about suggestions, say something in their name, or take it back",
		Long: `Shows what a learner said about suggestions and did not take back. With add it says one
thing more in their name, with undo it takes one back. KIND is ` + kindsInWords() + `.
Running servers have it in the next list.`,
		Example: `  lectern learners feedback ada
  lectern learners feedback ada add not_now stats-101 --days 14
  lectern learners feedback ada undo 6f1c…`,
		Args: feedbackArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("days") {
				given.Days = &days
			}
			return withExistingStore(cmd, func(env environment) error {
				return giveFeedback(cmd, storedFeedback(env, nil), flags, args, given)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().IntVar(&days, "days", feedback.DefaultDays, "add not_now: how long the course is left out")
	cmd.Flags().StringVar((*string)(&given.Reason), "reason", "", "add report: "+reasonsInWords())
	cmd.Flags().StringVar(&given.Comment, "comment", "", "add report: what administrators shall read")
	cmd.Flags().StringVar(&given.RankingID, "ranking", "", "add: the id of the list that it is about")
	cmd.Flags().StringVar(&given.ID, "id", "", "add: an id of its own, so that it may be sent again; made when not given")
	return withConfigFlags(cmd)
}

func kindsInWords() string { return inWords(lectern.FeedbackKinds()) }

func reasonsInWords() string { return inWords(lectern.ReportReasons()) }

// inWords lists words: a, b or c.
func inWords[T ~string](of []T) string {
	words := make([]string, len(of))
	for i, w := range of {
		words[i] = string(w)
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// feedbackArgs checks what stands behind the command.
func feedbackArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 1, len(args) == 4 && args[1] == "add", len(args) == 3 && args[1] == "undo":
		return nil
	}
	return usageError{fmt.Errorf("%s takes ID, ID add KIND COURSE, or ID undo FEEDBACK; got %q", cmd.CommandPath(), strings.Join(args, " "))}
}

func giveFeedback(cmd *cobra.Command, s *feedback.Service, flags learnerFlags, args []string, given feedback.Given) error {
	ctx, out, ref := cmd.Context(), cmd.OutOrStdout(), flags.ref(args[0])
	switch {
	case len(args) == 1:
		all, err := s.Said(ctx, ref)
		if err != nil {
			return named(ref, err)
		}
		return printSaid(out, all, flags.asJSON)
	case args[1] == "undo":
		if err := s.TakeBack(ctx, ref, args[2]); err != nil {
			return err
		}
		if !flags.asJSON {
			fmt.Fprintf(out, "%s is taken back\n", args[2])
		}
		return nil
	}
	given.Kind, given.CourseID = lectern.FeedbackKind(args[2]), args[3]
	f, created, err := s.Say(ctx, ref, given)
	if err != nil {
		return err
	}
	if flags.asJSON {
		return printJSON(out, feedback.DocumentOf(f, true))
	}
	fmt.Fprintf(out, "%s %s\n", f.ID, stored(created))
	return nil
}

func stored(created bool) string {
	if created {
		return "is stored"
	}
	return "was stored before"
}

func printSaid(w io.Writer, all []feedback.Said, asJSON bool) error {
	if asJSON {
		docs := make([]feedback.Document, len(all))
		for i, f := range all {
			docs[i] = feedback.DocumentOf(f.Feedback, f.Holds)
		}
		return printJSON(w, map[string]any{"feedback": docs})
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "nothing was said")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tKIND\tCOURSE\tAT\tDETAIL")
	for _, f := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", f.ID, f.Kind, f.CourseID, f.At.Format(time.RFC3339), detailOf(f))
	}
	return t.Flush()
}

func detailOf(f feedback.Said) string {
	var parts []string
	if f.Until != nil {
		parts = append(parts, "until "+f.Until.Format(time.DateOnly))
	}
	if f.Reason != "" {
		parts = append(parts, string(f.Reason))
	}
	if f.Term != "" {
		parts = append(parts, fmt.Sprintf("%s put it there, in %s", f.Term, f.ConfigVersion))
	}
	if !f.Holds {
		parts = append(parts, "no longer holds")
	}
	if f.Comment != "" {
		parts = append(parts, fmt.Sprintf("%q", f.Comment))
	}
	return strings.Join(parts, "; ")
}
