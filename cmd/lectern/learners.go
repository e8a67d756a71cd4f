package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest/importer"
	"github.com/lectern-dev/lectern/learner"
)

func newLearnersCommand() *cobra.Command {
	return parent("learners", "Look after what is known of learners",
		newLearnersShowCommand(), newLearnersHomeCommand(), newLearnersCorrectCommand(), newLearnersFeedbackCommand(), newLearnersRebuild())
}

func newLearnersRebuild() *cobra.Command {
	var id string
	var dryRun bool
	cmd := &cobra.Command{
		Use: "rebuild", Args: noArgs,
		Short: "Make profiles from events again, and say how many were not what their events make",
		Long: `Makes the profile of every learner and visitor from their events again, with the
strengths, half-life and rules against noise that are configured now, and replaces
those that differ. Profiles follow each event by themselves, so this is for after a
change of those settings. It may run beside a server, which does the same every
profiles.rebuild_every.`,
		Example: `  lectern learners rebuild --dry-run
  lectern learners rebuild --learner 4711`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExistingStore(cmd, func(env environment) error { return rebuildProfiles(cmd, env, id, dryRun) })
		},
	}
	cmd.Flags().StringVar(&id, "learner", "", "this learner alone")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only compare")
	return withConfigFlags(cmd)
}

func rebuildProfiles(cmd *cobra.Command, env environment, id string, dryRun bool) error {
	ctx := cmd.Context()
	made, err := readCreators(ctx, env.store)
	if err != nil {
		return err
	}
	r, err := newRebuilder(env, made, nil)
	if err != nil {
		return err
	}
	if id != "" {
		one, err := r.One(ctx, lectern.LearnerRef{ID: id}, !dryRun)
		if err != nil {
			return err
		}
		switch {
		case one.TooLong:
			return lectern.Errorf(lectern.CodeRefused, "this learner has more events than are rebuilt")
		case one.Entries == 0:
			fmt.Fprintln(cmd.OutOrStdout(), "the profile is what its events make")
		default:
			fmt.Fprintf(cmd.OutOrStdout(), "%d courses of the profile differed, by %.3g at most; %s\n", one.Entries, one.Most, done(one.Replaced))
		}
		return nil
	}
	var progress func(learner.RebuildReport)
	if importer.IsTerminal(cmd.ErrOrStderr()) {
		progress = func(r learner.RebuildReport) { fmt.Fprintf(cmd.ErrOrStderr(), "\r%d profiles", r.Profiles) }
	}
	report, err := r.All(ctx, !dryRun, progress)
	if progress != nil {
		fmt.Fprintln(cmd.ErrOrStderr())
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d profiles in %s: %d differed, by %.3g at most; %d replaced\n",
		report.Profiles, report.Took.Round(10*time.Millisecond), report.Differed, report.Most, report.Replaced)
	if report.TooLong > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "%d profiles have more events than are rebuilt, and stay as they are\n", report.TooLong)
	}
	return nil
}

func done(replaced bool) string {
	if replaced {
		return "replaced"
	}
	return "left as it is"
}
