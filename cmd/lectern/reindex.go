package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func newReindexCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "reindex", Args: noArgs,
		Short: "Train the embedder on the catalogue as it is and embed every course anew",
		Long: `Trains the embedder on the catalogue as it is, embeds every course with it and
switches to it. A server on the same data goes on answering and takes the new
vectors over by itself.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExistingStore(cmd, func(env environment) (err error) {
				e, err := newEngine(cmd.Context(), env)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, e.close(cmd.Context())) }()
				begin, total := time.Now(), 0
				err = e.pipeline.Reindex(cmd.Context(), func(done, all int) {
					total = all
					fmt.Fprintf(cmd.ErrOrStderr(), "\rembedded %d of %d", done, all)
				})
				fmt.Fprintln(cmd.ErrOrStderr())
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "reindexed %d courses in %.1f s\n", total, time.Since(begin).Seconds())
				return nil
			})
		},
	}
	return withConfigFlags(cmd)
}
