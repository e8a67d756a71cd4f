package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern/indexing"
)

func newReindexCommand() *cobra.Command {
	var embedder string
	var rollback, list bool
	var to int64
	cmd := &cobra.Command{
		Use: "reindex", Args: noArgs,
		Short: "Make a new embedder and a new index beside the ones in use, and switch to them",
		Long: `Makes a new embedder (trained on the catalogue as it is, or connected to its
server), embeds every course and review with it, fills a new index beside the one
in use, checks it and switches to it. Servers on the same data go on answering and
take the new generation over by themselves. The one before is kept for a way back.`,
		Example: `  lectern reindex --config lectern.yaml
  lectern reindex --embedder openai --config lectern.yaml
  lectern reindex --list
  lectern reindex --rollback`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExistingStore(cmd, func(env environment) (err error) {
				ctx := cmd.Context()
				e, err := newEngine(ctx, env)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, e.close(ctx)) }()
				if list {
					return listGenerations(ctx, cmd.OutOrStdout(), e.pipeline)
				}
				return runReindex(ctx, cmd, e.pipeline, reindexRequest{embedder: embedder, rollback: rollback, to: to})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&embedder, "embedder", "", "local or openai; the configured one when left out")
	flags.BoolVar(&rollback, "rollback", false, "go back to the generation before the one in use")
	flags.Int64Var(&to, "to", 0, "switch to this generation (see --list)")
	flags.BoolVar(&list, "list", false, "list the generations that are kept")
	cmd.MarkFlagsMutuallyExclusive("embedder", "rollback", "to", "list")
	return withConfigFlags(cmd)
}

// reindexRequest says what to switch to: a new generation of an embedder, or one
// that is kept.
type reindexRequest struct {
	embedder string
	rollback bool
	to       int64
}

// run does what is asked for.
func (r reindexRequest) run(ctx context.Context, p *indexing.Pipeline, progress indexing.Progress) (err error) {
	to := r.to
	if r.rollback {
		if to, err = p.Previous(ctx); err != nil {
			return err
		}
	}
	if to != 0 {
		return p.Switch(ctx, to, progress)
	}
	return p.Reindex(ctx, r.embedder, progress)
}

func runReindex(ctx context.Context, cmd *cobra.Command, p *indexing.Pipeline, r reindexRequest) error {
	begin, total := time.Now(), 0
	err := r.run(ctx, p, func(stage indexing.Stage, done, all int) {
		total = max(total, all)
		fmt.Fprintf(cmd.ErrOrStderr(), "\r%-10s %d of %d", stage, done, all)
	})
	fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	ready := p.Ready()
	fmt.Fprintf(cmd.OutOrStdout(), "reindexed %d courses in %.1f s: generation %d, embedder %s\n",
		total, time.Since(begin).Seconds(), ready.Version, ready.Fingerprint)
	return nil
}

func listGenerations(ctx context.Context, out io.Writer, p *indexing.Pipeline) error {
	all, err := p.Generations(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "GENERATION\tIN USE\tEMBEDDER\tDIMENSION\tINDEX KEPT\tMADE\tFINGERPRINT\tREASON")
	for _, g := range all {
		embedder := g.Embedder
		if embedder == "" {
			embedder = "(words)"
		}
		fmt.Fprintf(w, "%d\t%t\t%s\t%d\t%t\t%s\t%s\t%s\n", g.Version, g.Active, embedder, g.Dim, g.Indexed,
			g.CreatedAt.Format(time.RFC3339), g.Fingerprint, g.Reason)
	}
	return w.Flush()
}
