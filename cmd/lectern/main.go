// Command lectern runs the course-discovery engine and everything around it:
// serve, import, reindex, migrate, copy, keys, synonyms, doctor, eval and demo.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes one command line and returns the exit status: 0 done, 1 failed,
// 2 not understood.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCommand(stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	printError(stderr, err)
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}

// usageError marks errors in how a command was called.
type usageError struct{ error }

// Unwrap lets a lectern.Error be told as it is everywhere else: without its code.
func (e usageError) Unwrap() error { return e.error }

// printError shows an error as a person wants it: the message, then each field.
func printError(w io.Writer, err error) {
	e, ok := errors.AsType[*lectern.Error](err)
	if !ok {
		fmt.Fprintf(w, "lectern: %v\n", err)
		return
	}
	message := e.Message
	if outer := err.Error(); outer != e.Error() { // wrapped: the context says where
		message = strings.Replace(outer, e.Error(), e.Message, 1)
	}
	fmt.Fprintf(w, "lectern: %s\n", message)
	for _, f := range e.Fields {
		fmt.Fprintf(w, "  %s: %s", f.Field, f.Reason)
		if f.Value != "" {
			fmt.Fprintf(w, " (got %q)", f.Value)
		}
		if f.Allowed != "" {
			fmt.Fprintf(w, "; allowed: %s", f.Allowed)
		}
		fmt.Fprintln(w)
	}
	if e.Err != nil && !strings.Contains(e.Message, e.Err.Error()) {
		fmt.Fprintf(w, "  because: %v\n", e.Err)
	}
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of this build", Args: noArgs,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), version()) },
	}
}

func newRootCommand(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "lectern",
		Short:         "A course-discovery engine: personal lists and search for a learning platform",
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(suggestFlag)
	root.AddCommand(
		newServeCommand(), newImportCommand(), newSkillsCommand(), newLearnersCommand(), newReportsCommand(), newTrainCommand(), newModelsCommand(), newReindexCommand(), newExploreCommand(), newMigrateCommand(), newCopyCommand(),
		newKeysCommand(), newSynonymsCommand(), newReviewsCommand(), newDoctorCommand(), newHealthCommand(), newInsightsCommand(), newMetricsCommand(), newEvalCommand(), newDemoCommand(), newReplayCommand(), newSimulateCommand(), newExperimentsCommand(), newConfigCommand(), newVersionCommand(),
	)
	return root
}
