package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/importer"
	"github.com/lectern-dev/lectern/ingest/mapping"
)

// rejectsFile is where rows that cannot be imported are kept, in the data folder.
const rejectsFile = "rejects.jsonl"

func newImportCommand() *cobra.Command {
	var children []*cobra.Command
	for _, kind := range ingest.Kinds() {
		children = append(children, newImportKindCommand(kind))
	}
	cmd := parent("import", "Import courses, reviews, ratings, learners or events from files", children...)
	cmd.Example = `  lectern import courses catalogue.csv.gz --map catalogue.yaml --data ./data
  lectern import ratings ratings.csv --map ratings.yaml --data ./data --dry-run`
	return cmd
}

func newImportKindCommand(kind ingest.Kind) *cobra.Command {
	options := importer.Options{Kind: kind}
	var mapPath, part string
	cmd := &cobra.Command{
		Use:   string(kind) + " FILE...",
		Short: "Import " + string(kind) + " from CSV or JSONL files, gzipped or not",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("%s: name at least one file", cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Files = args
			if part != "" {
				p, err := importer.ParsePart(part)
				if err != nil {
					return err
				}
				options.Part = p
			}
			if mapPath != "" {
				m, err := mapping.Load(mapPath, kind)
				if err != nil {
					return err
				}
				options.Mapping = m
			}
			for _, path := range args { // before a mistyped name makes a database
				if _, err := os.Stat(path); err != nil {
					return lectern.Errorf(lectern.CodeNotFound, "cannot read %s: %v", path, errors.Unwrap(err))
				}
			}
			with := withStore
			if options.DryRun {
				with = withScratchStore
			}
			return with(cmd, func(env environment) error {
				options.RejectsPath = filepath.Join(env.config.Data, rejectsFile)
				options.Out, options.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
				options.Progress = importer.IsTerminal(options.Err)
				service, err := importIngest(cmd.Context(), env, kind, options.DryRun)
				if err != nil {
					return err
				}
				_, err = importer.Run(cmd.Context(), options, service)
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&mapPath, "map", "", "mapping file: which column feeds which field (see docs/import.md)")
	flags.BoolVar(&options.DryRun, "dry-run", false, "show the first mapped rows and write nothing")
	flags.BoolVar(&options.Strict, "strict", false, "fail when any row is rejected")
	flags.StringVar(&part, "part", "", "import one share of the rows, such as 1/2; other processes import the others at the same time")
	flags.IntVar(&options.BatchRows, "batch-rows", 0, "rows a commit; 0 is 2,000, or 20,000 for ratings")
	if kind == ingest.Courses || kind == ingest.Learners {
		flags.BoolVar(&options.Replace, "replace", false, "overwrite what is stored instead of patching it")
	}
	return withConfigFlags(cmd)
}

// withScratchStore is withStore for a dry run: where there is no data yet it
// opens an empty store in a folder that is removed afterwards.
func withScratchStore(cmd *cobra.Command, f func(environment) error) error {
	scratch := ""
	err := withOpened(cmd, func(e *environment, ctx context.Context) error {
		if e.mustExist() != nil {
			folder, err := os.MkdirTemp("", "lectern-dry-run-")
			if err != nil {
				return err
			}
			scratch, e.config.Data = folder, folder
		}
		return e.open(ctx)
	}, f)
	if scratch != "" {
		err = errors.Join(err, os.RemoveAll(scratch))
	}
	return err
}
