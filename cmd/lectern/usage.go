package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lectern-dev/lectern/internal/nearest"
)

// suggestFlag turns "unknown flag" into an error that names the nearest one.
func suggestFlag(cmd *cobra.Command, err error) error {
	const prefix = "unknown flag: --"
	msg := err.Error()
	if !strings.HasPrefix(msg, prefix) {
		return usageError{fmt.Errorf("%s (see %s --help)", msg, cmd.CommandPath())}
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(msg, prefix), "=")
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	hint := ""
	if best, ok := nearest.Of(name, known); ok {
		hint = "; did you mean --" + best + "?"
	} else if best, ok := nearestKey(name, known); ok {
		hint = "; did you mean --" + best + "?"
	}
	return usageError{fmt.Errorf("%s: unknown flag --%s%s", cmd.CommandPath(), name, hint)}
}

// nearestKey compares with the last part of dotted keys, so that --log_level
// finds --log.level.
func nearestKey(name string, known []string) (string, bool) {
	byEnd := map[string]string{}
	var ends []string
	for _, k := range known {
		end := k[strings.LastIndexByte(k, '.')+1:]
		byEnd[end] = k
		ends = append(ends, end)
	}
	best, ok := nearest.Of(name, ends)
	return byEnd[best], ok
}

// noArgs refuses arguments, suggesting a command where one was likely meant.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, c := range cmd.Commands() {
		known = append(known, c.Name())
	}
	what := "argument"
	if len(known) > 0 {
		what = "command"
	}
	where := cmd.CommandPath()
	if !cmd.HasParent() {
		where = "command line"
	}
	return usageError{fmt.Errorf("%s: unknown %s %q%s", where, what, args[0], nearest.Hint(args[0], known))}
}

// exactly refuses any other number of arguments than the named ones.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		return usageError{fmt.Errorf("%s takes %s; got %d arguments", cmd.CommandPath(), strings.Join(names, " "), len(args))}
	}
}

// atMostOne refuses flags that say different things to do.
func atMostOne(cmd *cobra.Command, names ...string) error {
	var given []string
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) < 2 {
		return nil
	}
	return usageError{fmt.Errorf("%s: %s exclude each other; give one of them", cmd.CommandPath(), strings.Join(given, " and "))}
}

// parent makes a command that only holds others, and names the nearest of them
// when it is given one that it does not have.
func parent(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(children...)
	return cmd
}

// version reads what the Go toolchain recorded about this build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "development build of " + s.Value
		}
	}
	return "development build"
}
