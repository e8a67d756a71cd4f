package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/transfer"
)

// environment is what every command that touches data starts from.
type environment struct {
	config Config
	log    *slog.Logger
	store  relational
	// takeOver lets this run replace indexes that another database made.
	takeOver bool
	// clock is that of a simulation; nil is the system's.
	clock lectern.Clock
}

// withConfigFlags adds the configuration flags to a command.
func withConfigFlags(cmd *cobra.Command) *cobra.Command {
	if err := configFlags(cmd.Flags()); err != nil {
		panic(err) // the defaults do not flatten: a bug, found by every test
	}
	if cmd.Long == "" {
		cmd.Long = cmd.Short + "."
	}
	cmd.Long += "\n\nEvery key of docs/config.md is a flag too, for example --log.level debug."
	return cmd
}

// loadEnvironment reads the configuration of a command, without opening data.
func loadEnvironment(cmd *cobra.Command) (environment, error) {
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return environment{}, err
	}
	c, err := LoadConfig(path, os.Environ(), cmd.Flags())
	if err != nil {
		return environment{}, err
	}
	if asked := cmd.Flags().Changed("log.level") || os.Getenv("LECTERN_LOG__LEVEL") != ""; measures(cmd) && !asked && c.Log.Level == "info" {
		c.Log.Level = "warn" // what a server tells of its work is in the way of what was measured
	}
	return environment{config: c, log: newLogger(cmd.ErrOrStderr(), c.Log)}, nil
}

// measures reports whether a command is for figures: one of eval, or simulate.
func measures(cmd *cobra.Command) bool {
	for ; cmd != nil; cmd = cmd.Parent() {
		if name := cmd.Name(); name == "eval" || name == "simulate" {
			return true
		}
	}
	return false
}

// withStore opens the store, up to date, runs f and closes the store again. The
// data folder is made when it is not there.
func withStore(cmd *cobra.Command, f func(environment) error) error {
	return withOpened(cmd, (*environment).open, f)
}

// withExistingStore is withStore for commands that need data to work on: a
// mistyped --data must not leave an empty database behind.
func withExistingStore(cmd *cobra.Command, f func(environment) error) error {
	return withOpened(cmd, func(e *environment, ctx context.Context) error {
		if err := e.mustExist(); err != nil {
			return err
		}
		return e.open(ctx)
	}, f)
}

func withOpened(cmd *cobra.Command, open func(*environment, context.Context) error, f func(environment) error) (err error) {
	env, err := loadEnvironment(cmd)
	if err != nil {
		return err
	}
	if err := open(&env, cmd.Context()); err != nil {
		return err
	}
	defer func() {
		if cerr := env.store.Close(); err == nil {
			err = cerr
		}
	}()
	return f(env)
}

// open opens the store and migrates it. It refuses the target of a copy that has
// not ended: what is written there now would be in the way of the rest.
func (e *environment) open(ctx context.Context) error {
	if err := e.openMigrated(ctx); err != nil {
		return err
	}
	half, err := transfer.Unfinished(ctx, e.store)
	if err == nil && half {
		err = lectern.Errorf(lectern.CodePrecondition, "%s is half a copy: run the same `lectern copy` again, which goes on where it stopped; or begin with an empty one",
			e.config.place())
	}
	if err != nil {
		return errors.Join(err, e.store.Close())
	}
	return nil
}

// openMigrated is open for the copy itself.
func (e *environment) openMigrated(ctx context.Context) error {
	if err := e.openUnmigrated(ctx); err != nil {
		return err
	}
	if err := e.store.Migrate(ctx); err != nil {
		err = errors.Join(err, e.store.Close())
		return fmt.Errorf("migrate %s: %w", e.config.place(), err)
	}
	return nil
}

func (e *environment) openUnmigrated(ctx context.Context) (err error) {
	e.store, err = openRelational(ctx, e)
	return err
}

// forDoctor returns an environment that waits no longer than somebody at a terminal
// would, and keeps warnings out of the findings, which say the same.
func (e environment) forDoctor() environment {
	q := &e.config.Index.Qdrant
	q.ConnectTimeout = min(q.ConnectTimeout, maxIndexWait)
	e.config.Embed.OpenAI.Retries = min(e.config.Embed.OpenAI.Retries, 1)
	e.log = slog.New(quieter{e.log.Handler()})
	return e
}

// quieter writes warnings, and what is less, only where debugging is asked for.
type quieter struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quieter) Enabled(ctx context.Context, level slog.Level) bool {
	if level <= slog.LevelWarn {
		level = min(level, slog.LevelDebug)
	}
	return q.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (q quieter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quieter{q.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (q quieter) WithGroup(name string) slog.Handler { return quieter{q.Handler.WithGroup(name)} }

func newLogger(w io.Writer, c LogConfig) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo // Validate has refused anything else
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
