package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

func newSkillsESCO() *cobra.Command {
	var concepts, groups, broader, out string
	cmd := &cobra.Command{
		Use: "import-esco", Args: noArgs,
		Short:   "Make an override of the skill graph from ESCO's files",
		Example: `  lectern skills import-esco --skills skills_en.csv --groups skillGroups_en.csv --broader broaderRelationsSkillPillar_en.csv --out esco.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if concepts == "" || out == "" {
				return usageError{errors.New("--skills and --out are needed")}
			}
			var files []*os.File
			defer func() { closeAll(files) }()
			var from skills.ESCOFiles
			if from.Skills, err = opened(concepts, &files); err != nil {
				return err
			}
			if from.Groups, err = opened(groups, &files); err != nil {
				return err
			}
			if from.Broader, err = opened(broader, &files); err != nil {
				return err
			}
			return importSkills(cmd, out, func(g *skills.Graph) (skills.Override, skills.Imported, error) { return skills.ImportESCO(g, from) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&concepts, "skills", "", "skills_*.csv of an ESCO download")
	flags.StringVar(&groups, "groups", "", "skillGroups_*.csv; groups are left out without it")
	flags.StringVar(&broader, "broader", "", "broaderRelationsSkillPillar_*.csv; new skills stand by themselves without it")
	flags.StringVar(&out, "out", "", "override file to write")
	return withConfigFlags(cmd)
}

func newSkillsONET() *cobra.Command {
	var occupations, needs, knowledge, out string
	cmd := &cobra.Command{
		Use: "import-onet", Args: noArgs,
		Short:   "Make an override of the skill graph from O*NET's files",
		Example: `  lectern skills import-onet --occupations "Occupation Data.txt" --skills Skills.txt --knowledge Knowledge.txt --out onet.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if occupations == "" || needs == "" || out == "" {
				return usageError{errors.New("--occupations, --skills and --out are needed")}
			}
			var files []*os.File
			defer func() { closeAll(files) }()
			var from skills.ONETFiles
			if from.Occupations, err = opened(occupations, &files); err != nil {
				return err
			}
			for _, name := range []string{needs, knowledge} {
				f, err := opened(name, &files)
				if err != nil {
					return err
				}
				if f != nil {
					from.Skills = append(from.Skills, f)
				}
			}
			return importSkills(cmd, out, func(g *skills.Graph) (skills.Override, skills.Imported, error) { return skills.ImportONET(g, from) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&occupations, "occupations", "", "Occupation Data.txt of an O*NET download")
	flags.StringVar(&needs, "skills", "", "Skills.txt")
	flags.StringVar(&knowledge, "knowledge", "", "Knowledge.txt; left out without it")
	flags.StringVar(&out, "out", "", "override file to write")
	return withConfigFlags(cmd)
}

// importSkills writes what an import makes for the configured graph, once the
// graph with it has been found right. It never writes over a file: an override may
// have been edited by hand.
func importSkills(cmd *cobra.Command, out string, read func(*skills.Graph) (skills.Override, skills.Imported, error)) (err error) {
	g, err := configuredGraph(cmd)
	if err != nil {
		return err
	}
	override, report, err := read(g)
	if err != nil {
		return err
	}
	if _, err := g.Extend(override); err != nil {
		return fmt.Errorf("what was imported does not fit the graph: %w", err)
	}
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return lectern.Errorf(lectern.CodeInvalid, "cannot write the override: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := override.Write(f); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d rows: %d known, %d added, %d skipped, %d names of others dropped; see %s, then set skills.override\n",
		report.Rows, report.Matched, report.Added, report.Skipped, report.Dropped, out)
	return nil
}
