package postgres

import (
	"context"
	"encoding/json"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/revision"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

var (
	_ lectern.SettingsStore   = (*Store)(nil)
	_ lectern.SettingsWatcher = (*Store)(nil)
)

// settingsChannel is where processes are told that other settings are in use.
const settingsChannel = "lectern_settings"

// PutSettings implements lectern.SettingsStore.
func (s *Store) PutSettings(ctx context.Context, v lectern.SettingsVersion) (lectern.SettingsVersion, error) {
	if err := revision.Check(v); err != nil {
		return lectern.SettingsVersion{}, err
	}
	if err := checkText("settings", v.Kind, v.Author, v.Comment, string(v.Body)); err != nil {
		return lectern.SettingsVersion{}, err
	}
	stored := v
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		kind, err := tx.lockSettings(ctx, v.Kind)
		if err != nil {
			return err
		}
		if kind.Active != v.Base {
			return revision.Moved(v.Base, kind.Active)
		}
		stored = v
		if v.CreatedAt.IsZero() {
			stored.CreatedAt = tx.now
		}
		stored.CreatedAt = lectern.Timestamp(stored.CreatedAt)
		stored.Version = kind.LastVersion + 1
		if err := tx.q.InsertSettings(ctx, sqlcgen.InsertSettingsParams{
			Kind: v.Kind, Version: stored.Version, Body: v.Body, Author: v.Author, Comment: v.Comment,
			CreatedAt: stored.CreatedAt, Base: v.Base,
		}); err != nil {
			return err
		}
		return tx.activateSettings(ctx, stored.Version, lectern.SettingsActivation{
			Kind: v.Kind, Version: stored.Version, Author: v.Author, Comment: v.Comment, At: stored.CreatedAt,
		})
	})
	if err != nil {
		return lectern.SettingsVersion{}, err
	}
	return stored, nil
}

// lockSettings makes changes of a kind take turns until the transaction ends.
func (tx *writeTx) lockSettings(ctx context.Context, kind string) (sqlcgen.SettingsKind, error) {
	if err := tx.q.AddSettingsKind(ctx, kind); err != nil {
		return sqlcgen.SettingsKind{}, err
	}
	return tx.q.LockSettingsKind(ctx, kind)
}

// activateSettings records an activation, makes it the one that holds, and tells.
func (tx *writeTx) activateSettings(ctx context.Context, last int64, a lectern.SettingsActivation) error {
	seq, err := tx.q.InsertSettingsActivation(ctx, sqlcgen.InsertSettingsActivationParams{
		Kind: a.Kind, Version: a.Version, Author: a.Author, Comment: a.Comment, At: lectern.Timestamp(a.At),
	})
	if err != nil {
		return err
	}
	if err := tx.q.SetActiveSettings(ctx, sqlcgen.SetActiveSettingsParams{
		LastVersion: last, Active: a.Version, Activation: seq, Kind: a.Kind,
	}); err != nil {
		return err
	}
	_, err = tx.tx.Exec(ctx, notifyFeed, settingsChannel)
	return err
}

// ActivateSettings implements lectern.SettingsStore.
func (s *Store) ActivateSettings(ctx context.Context, a lectern.SettingsActivation, base int64) error {
	if err := checkText("settings", a.Kind, a.Author, a.Comment); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		kind, err := tx.lockSettings(ctx, a.Kind)
		if err != nil {
			return err
		}
		if a.Version != 0 {
			switch exists, err := tx.q.SettingsExists(ctx, a.Kind, a.Version); {
			case err != nil:
				return err
			case !exists:
				return notFound("settings version")
			}
		}
		switch {
		case base >= 0 && kind.Active != base:
			return revision.Moved(base, kind.Active)
		case kind.Active == a.Version:
			return nil
		}
		when := a
		if a.At.IsZero() {
			when.At = tx.now
		}
		return tx.activateSettings(ctx, kind.LastVersion, when)
	})
}

// ActiveSettings implements lectern.SettingsStore.
func (s *Store) ActiveSettings(ctx context.Context, kind string) (v lectern.SettingsVersion, a lectern.SettingsActivation, err error) {
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		v, a = lectern.SettingsVersion{}, lectern.SettingsActivation{}
		row, err := q.ActiveSettings(ctx, kind)
		if isNoRows(err) {
			return notFound("settings in use")
		}
		if err != nil {
			return err
		}
		a = settingsActivationOf(row)
		if row.Version == 0 {
			return notFound("settings in use")
		}
		body, err := q.Settings(ctx, kind, row.Version) // which never changes
		v = settingsOf(body)
		return err
	})
	return v, a, err
}

// Settings implements lectern.SettingsStore.
func (s *Store) Settings(ctx context.Context, kind string, version int64) (v lectern.SettingsVersion, err error) {
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		row, err := q.Settings(ctx, kind, version)
		if isNoRows(err) {
			return notFound("settings version")
		}
		v = settingsOf(row)
		return err
	})
	return v, err
}

// SettingsVersions implements lectern.SettingsStore.
func (s *Store) SettingsVersions(ctx context.Context, kind string, before int64, limit int) (
	versions []lectern.SettingsVersion, history [][]lectern.SettingsActivation, err error,
) {
	before, limit = revision.Page(before, limit)
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.SettingsVersions(ctx, kind, before, int32(limit)) //nolint:gosec // bounded by Page
		if err != nil {
			return err
		}
		versions = make([]lectern.SettingsVersion, len(rows), len(rows)+1)
		for i, r := range rows {
			versions[i] = settingsOf(r)
		}
		lowest, highest := revision.Span(versions, before, limit)
		found, err := q.SettingsActivations(ctx, kind, lowest, highest)
		if err != nil {
			return err
		}
		activations := make([]lectern.SettingsActivation, len(found))
		for i, a := range found {
			activations[i] = settingsActivationOf(a)
		}
		versions, history = revision.History(kind, versions, activations)
		return nil
	})
	return versions, history, err
}

func settingsOf(r sqlcgen.Setting) lectern.SettingsVersion {
	return lectern.SettingsVersion{
		Kind: r.Kind, Version: r.Version, Body: json.RawMessage(r.Body), Author: r.Author, Comment: r.Comment,
		CreatedAt: r.CreatedAt.UTC(), Base: r.Base,
	}
}

func settingsActivationOf(r sqlcgen.SettingsActivation) lectern.SettingsActivation {
	return lectern.SettingsActivation{
		Seq: r.Seq, Kind: r.Kind, Version: r.Version, Author: r.Author, Comment: r.Comment, At: r.At.UTC(),
	}
}

// WatchSettings implements lectern.SettingsWatcher, over a connection of its own.
func (s *Store) WatchSettings(ctx context.Context, changed func()) error {
	return s.listen(ctx, listener{channel: settingsChannel, name: "lectern settings", what: "settings are"}, changed)
}
