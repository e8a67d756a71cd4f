package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

func newSkillsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "skills", Args: noArgs,
		Short: "Look into the skill graph, extend it and check what extends it",
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSkillsShow(), newSkillsFind(), newSkillsTag(), newSkillsCheck(), newSkillsESCO(), newSkillsONET())
	return cmd
}

// configuredGraph is the graph that a server with this configuration has.
func configuredGraph(cmd *cobra.Command) (*skills.Graph, error) {
	env, err := loadEnvironment(cmd)
	if err != nil {
		return nil, err
	}
	return env.config.Skills.Open()
}

func newSkillsShow() *cobra.Command {
	return withConfigFlags(&cobra.Command{
		Use: "show ID", Args: exactly("ID"),
		Short: "Print a skill or an occupation with all that the graph says of it",
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := configuredGraph(cmd)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			s, isSkill := g.Skill(args[0])
			if isSkill {
				printSkill(w, g, s)
			}
			o, isOccupation := g.Occupation(args[0])
			if isOccupation {
				printOccupation(w, g, o)
			}
			if !isSkill && !isOccupation {
				return lectern.Errorf(lectern.CodeNotFound, "there is no skill or occupation %q: `lectern skills find %s` looks for names", args[0], args[0])
			}
			return nil
		},
	})
}

func printSkill(w io.Writer, g *skills.Graph, s skills.Skill) {
	fmt.Fprintf(w, "%s (skill %s)\n", s.Name, s.ID)
	printList(w, "aliases", s.Aliases)
	printList(w, "phrases", s.Phrases)
	printList(w, "weak", s.Weak)
	printList(w, "broader", s.Broader)
	printList(w, "narrower", g.Narrower(s.ID))
	printList(w, "related", s.Related)
	printList(w, "requires", s.Requires)
	var needs []string
	for _, n := range g.NeededBy(s.ID) {
		needs = append(needs, fmt.Sprintf("%s %.1f", n.Occupation.ID, n.Importance))
	}
	printList(w, "taken by", needs)
}

func printOccupation(w io.Writer, g *skills.Graph, o skills.Occupation) {
	fmt.Fprintf(w, "%s (occupation %s)\n", o.Name, o.ID)
	printList(w, "aliases", o.Aliases)
	printList(w, "phrases", o.Phrases)
	printList(w, "weak", o.Weak)
	var takes []string
	for _, id := range slices.Sorted(maps.Keys(o.Skills)) {
		s, _ := g.Skill(id)
		takes = append(takes, fmt.Sprintf("%s %.1f", s.ID, o.Skills[id]))
	}
	printList(w, "skills", takes)
}

func printList(w io.Writer, what string, items []string) {
	if len(items) > 0 {
		fmt.Fprintf(w, "  %-9s %s\n", what, strings.Join(items, ", "))
	}
}

func newSkillsFind() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "find TEXT...", Args: someText,
		Short: "Find skills and occupations by name, and show what a query is understood as",
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return usageError{errors.New("--limit must be at least 1")}
			}
			g, err := configuredGraph(cmd)
			if err != nil {
				return err
			}
			query := strings.Join(args, " ")
			x := skills.NewIndex(skills.NewMatcher(g), skills.IndexOptions{})
			w := cmd.OutOrStdout()
			for _, s := range x.SearchSkills(query, limit) {
				fmt.Fprintf(w, "skill       %-32s %s\n", s.ID, s.Name)
			}
			for _, o := range x.SearchOccupations(query, limit) {
				fmt.Fprintf(w, "occupation  %-32s %s\n", o.ID, o.Name)
			}
			for _, t := range x.Matcher().Expand(query) {
				by := fmt.Sprintf("%s %q", t.Why.Kind, t.Why.Name)
				if t.Why.Occupation != "" {
					by += " of occupation " + t.Why.Occupation
				}
				fmt.Fprintf(w, "asks for    %-32s %.2f by %s\n", t.SkillID, t.Weight, by)
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 10, "skills and occupations shown")
	return withConfigFlags(cmd)
}

// someText asks for at least one argument.
func someText(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError{errors.New("TEXT is needed: the name or query to look for")}
	}
	return nil
}

func newSkillsTag() *cobra.Command {
	var title, text string
	cmd := &cobra.Command{
		Use: "tag", Args: noArgs,
		Short:   "Print the skills that a text speaks of",
		Example: `  lectern skills tag --title "Python for everyone" --text "Loops, lists and a first look at pandas."`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if title == "" && text == "" {
				return usageError{errors.New("--text or --title is needed: what is to be tagged")}
			}
			g, err := configuredGraph(cmd)
			if err != nil {
				return err
			}
			for _, t := range skills.NewMatcher(g).Tag(lectern.Course{Title: title, Description: text}) {
				var evidence []string
				for _, e := range t.Evidence {
					evidence = append(evidence, fmt.Sprintf("%s %q ×%d", e.Field, e.Name, e.Count))
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%.2f  %-32s %s\n", t.Confidence, t.SkillID, strings.Join(evidence, ", "))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&title, "title", "", "title of the course")
	cmd.Flags().StringVar(&text, "text", "", "description of the course")
	return withConfigFlags(cmd)
}

func newSkillsCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check FILE", Args: exactly("FILE"),
		Short: "Check an override of the skill graph, and say what it changes",
		RunE: func(cmd *cobra.Command, args []string) error {
			before, err := skills.Default()
			if err != nil {
				return err
			}
			after, err := skills.Config{Enabled: true, Override: args[0]}.Open()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is right: version %s, %d skills (%+d), %d occupations (%+d)\n", args[0], after.Version(),
				len(after.Skills()), len(after.Skills())-len(before.Skills()),
				len(after.Occupations()), len(after.Occupations())-len(before.Occupations()))
			return nil
		},
	}
}

// opened is a file of an import, nil where none is named.
func opened(name string, files *[]*os.File) (io.Reader, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, lectern.Errorf(lectern.CodeInvalid, "cannot read the file to import: %w", err)
	}
	*files = append(*files, f)
	return f, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // was only read
	}
}
