package main

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/api"
	"github.com/lectern-dev/lectern/internal/nearest"
)

func newKeysCommand() *cobra.Command {
	return parent("keys", "Create, list and revoke API keys",
		newKeysCreateCommand(), newKeysListCommand(), newKeysRevokeCommand())
}

func newKeysCreateCommand() *cobra.Command {
	var scope, name string
	cmd := &cobra.Command{
		Use: "create", Short: "Create a key and print it once", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := parseScope(scope)
			if err != nil {
				return err
			}
			if strings.TrimSpace(name) == "" {
				return usageError{fmt.Errorf("--name is required: say what the key is for")}
			}
			return withStore(cmd, func(env environment) error {
				text, key, err := api.NewKey(s, name, rand.Reader, lectern.SystemClock())
				if err != nil {
					return err
				}
				if err := env.store.PutKey(cmd.Context(), key); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), text)
				fmt.Fprintf(cmd.ErrOrStderr(), "Key %s (%s, scope %s). It is stored hashed and will not be shown again.\n", key.ID, key.Name, key.Scope)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&scope, "scope", "", "what it may do: public, creator, server, admin")
	cmd.Flags().StringVar(&name, "name", "", "what it is for")
	return withConfigFlags(cmd)
}

func parseScope(s string) (lectern.Scope, error) {
	if slices.Contains(lectern.Scopes(), lectern.Scope(s)) {
		return lectern.Scope(s), nil
	}
	var names []string
	for _, scope := range lectern.Scopes() {
		names = append(names, string(scope))
	}
	return "", usageError{fmt.Errorf("--scope %q is not one of %s%s", s, strings.Join(names, ", "), nearest.Hint(s, names))}
}

func newKeysListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the keys, without their secrets", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExistingStore(cmd, func(env environment) error {
				keys, err := env.store.Keys(cmd.Context())
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				fmt.Fprintln(w, "ID\tSCOPE\tNAME\tCREATED\tREVOKED")
				for _, k := range keys {
					revoked := "-"
					if k.RevokedAt != nil {
						revoked = k.RevokedAt.Format(time.RFC3339)
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Scope, k.Name, k.CreatedAt.Format(time.RFC3339), revoked)
				}
				return w.Flush()
			})
		},
	}
	return withConfigFlags(cmd)
}

func newKeysRevokeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "revoke ID", Short: "Revoke a key for good", Args: exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withExistingStore(cmd, func(env environment) error {
				if err := env.store.RevokeKey(cmd.Context(), args[0], lectern.SystemClock()); err != nil {
					return fmt.Errorf("key %q: %w", args[0], err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "revoked %s\n", args[0])
				return nil
			})
		},
	}
	return withConfigFlags(cmd)
}
