package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newMigrateCommand() *cobra.Command {
	return parent("migrate", "Bring the database schema up or down, or show where it stands",
		newMigrateUpCommand(), newMigrateDownCommand(), newMigrateStatusCommand())
}

func newMigrateUpCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "up", Short: "Apply every migration that is not applied yet", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withUnmigratedStore(cmd, func(env environment) error { return env.store.Migrate(cmd.Context()) })
		},
	}
	return withConfigFlags(cmd)
}

func newMigrateDownCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "down VERSION", Short: "Go back to a version; 0 removes everything, data included", Args: exactly("VERSION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			version, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || version < 0 {
				return usageError{fmt.Errorf("VERSION %q is not a number of at least 0", args[0])}
			}
			return withUnmigratedExistingStore(cmd, func(env environment) error { return env.store.MigrateDown(cmd.Context(), version) })
		},
	}
	return withConfigFlags(cmd)
}

func newMigrateStatusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "status", Short: "List the migrations and which are applied", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withUnmigratedExistingStore(cmd, func(env environment) error {
				states, err := env.store.MigrationStatus(cmd.Context())
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				fmt.Fprintln(w, "VERSION\tAPPLIED\tNAME")
				for _, s := range states {
					fmt.Fprintf(w, "%d\t%t\t%s\n", s.Version, s.Applied, s.Name)
				}
				return w.Flush()
			})
		},
	}
	return withConfigFlags(cmd)
}

// withUnmigratedStore is withStore for the commands that migrate.
func withUnmigratedStore(cmd *cobra.Command, f func(environment) error) error {
	return withOpened(cmd, (*environment).openUnmigrated, f)
}

// withUnmigratedExistingStore is withUnmigratedStore where there must be data.
func withUnmigratedExistingStore(cmd *cobra.Command, f func(environment) error) error {
	return withOpened(cmd, func(e *environment, ctx context.Context) error {
		if err := e.mustExist(); err != nil {
			return err
		}
		return e.openUnmigrated(ctx)
	}, f)
}
