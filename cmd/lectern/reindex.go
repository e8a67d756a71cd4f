package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/indexing"
	"github.com/lectern-dev/lectern/ingest/importer"
)

func newReindexCommand() *cobra.Command {
	var embedder string
	var rollback, list, takeOver bool
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
				env.takeOver = takeOver
				env.config.Skills.Enabled = false // nothing here asks for them
				e, err := newEngine(ctx, env)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, e.close(ctx)) }()
				if list {
					return listGenerations(ctx, cmd.OutOrStdout(), e.pipeline)
				}
				return runReindex(ctx, cmd, e, reindexRequest{embedder: embedder, rollback: rollback, to: to})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&embedder, "embedder", "", "local or openai; the configured one when left out")
	flags.BoolVar(&rollback, "rollback", false, "go back to the generation before the one in use")
	flags.Int64Var(&to, "to", 0, "switch to this generation (see --list)")
	flags.BoolVar(&takeOver, "take-over", false, "replace the indexes that another database made: for one that has taken the other's place")
	flags.BoolVar(&list, "list", false, "list the generations that are kept")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := atMostOne(cmd, "embedder", "rollback", "to", "list"); err != nil {
			return err
		}
		if cmd.Flags().Changed("to") && to < 1 {
			return usageError{fmt.Errorf("reindex: --to %d is no generation; see --list", to)}
		}
		return nil
	}
	return withConfigFlags(cmd)
}

// reindexRequest says what to switch to: a new generation of an embedder, or one
// that is kept.
type reindexRequest struct {
	embedder string
	rollback bool
	to       int64
}

// check refuses what cannot work before anything is begun.
func (r reindexRequest) check(ctx context.Context, e *engine) error {
	if r.embedder != "" && !slices.Contains([]string{driverLocal, driverOpenAI}, r.embedder) {
		return lectern.Invalid("there is no such embedder", lectern.NewFieldError("embedder", r.embedder, "is not known", "local, openai"))
	}
	if r.embedder == driverOpenAI && e.config.Embed.Driver != driverOpenAI { // else it has been checked
		if err := e.config.Embed.OpenAI.Validate(); err != nil {
			return err
		}
	}
	if r.rollback {
		_, err := e.pipeline.Previous(ctx)
		return err
	}
	if r.to == 0 {
		return nil
	}
	all, err := e.pipeline.Generations(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(g indexing.GenerationInfo) bool { return g.Version == r.to })
	switch {
	case i < 0:
		return lectern.Errorf(lectern.CodeNotFound, "there is no generation %d to switch to", r.to)
	case all[i].Fingerprint == "":
		return lectern.Errorf(lectern.CodeInvalid, "generation %d has words only; there is no way to it", r.to)
	}
	return nil
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

func runReindex(ctx context.Context, cmd *cobra.Command, e *engine, r reindexRequest) error {
	if err := r.check(ctx, e); err != nil {
		return err
	}
	begin, total := time.Now(), 0
	shown := stageProgress{out: cmd.ErrOrStderr(), terminal: importer.IsTerminal(cmd.ErrOrStderr())}
	err := progressBoard{store: e.store}.during(ctx, func(tell indexing.Progress) error {
		return r.run(ctx, e.pipeline, func(stage indexing.Stage, done, all int) {
			tell(stage, done, all)
			total = max(total, all)
			shown.show(stage, done, all)
		})
	})
	shown.end()
	if err != nil {
		return err
	}
	active, err := e.store.ActiveArtefact(ctx, indexing.ArtefactEmbedder)
	if err != nil {
		return err
	}
	did := "reindexed"
	if r.rollback || r.to != 0 {
		did = "switched"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s %d courses in %.1f s: generation %d, embedder %s\n",
		did, total, time.Since(begin).Seconds(), active.Version, active.Fingerprint)
	return nil
}

// stageProgress shows one line per stage.
type stageProgress struct {
	out      io.Writer
	terminal bool
	stage    indexing.Stage
	open     bool // the line has no end yet
}

func (p *stageProgress) show(stage indexing.Stage, done, total int) {
	if stage != p.stage {
		p.end()
		if p.stage = stage; !p.terminal {
			fmt.Fprintln(p.out, stage)
		}
	}
	if p.terminal {
		fmt.Fprintf(p.out, "\r%-10s %d of %d", stage, done, total)
		p.open = true
	}
}

func (p *stageProgress) end() {
	if p.open {
		fmt.Fprintln(p.out)
	}
	p.open = false
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
