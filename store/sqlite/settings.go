package sqlite

import (
	"context"
	"encoding/json"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/revision"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

var _ lectern.SettingsStore = (*Store)(nil)

// PutSettings implements lectern.SettingsStore.
func (s *Store) PutSettings(ctx context.Context, v lectern.SettingsVersion) (lectern.SettingsVersion, error) {
	if err := revision.Check(v); err != nil {
		return lectern.SettingsVersion{}, err
	}
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if err := tx.q.AddSettingsKind(ctx, v.Kind); err != nil {
			return err
		}
		kind, err := tx.q.SettingsKind(ctx, v.Kind)
		if err != nil {
			return err
		}
		if kind.Active != v.Base {
			return revision.Moved(v.Base, kind.Active)
		}
		if v.CreatedAt.IsZero() {
			v.CreatedAt = tx.now
		}
		v.CreatedAt = lectern.Timestamp(v.CreatedAt)
		v.Version = kind.LastVersion + 1
		if err := tx.q.InsertSettings(ctx, sqlcgen.InsertSettingsParams{
			Kind: v.Kind, Version: v.Version, Body: string(v.Body), Author: v.Author, Comment: v.Comment,
			CreatedAt: micros(v.CreatedAt), Base: v.Base,
		}); err != nil {
			return err
		}
		return tx.activateSettings(ctx, v.Version, lectern.SettingsActivation{
			Kind: v.Kind, Version: v.Version, Author: v.Author, Comment: v.Comment, At: v.CreatedAt,
		})
	})
	if err != nil {
		return lectern.SettingsVersion{}, err
	}
	return v, nil
}

// activateSettings records an activation and makes it the one that holds.
func (tx *writeTx) activateSettings(ctx context.Context, last int64, a lectern.SettingsActivation) error {
	seq, err := tx.q.InsertSettingsActivation(ctx, sqlcgen.InsertSettingsActivationParams{
		Kind: a.Kind, Version: a.Version, Author: a.Author, Comment: a.Comment, At: micros(a.At),
	})
	if err != nil {
		return err
	}
	return tx.q.SetActiveSettings(ctx, sqlcgen.SetActiveSettingsParams{
		LastVersion: last, Active: a.Version, Activation: seq, Kind: a.Kind,
	})
}

// ActivateSettings implements lectern.SettingsStore.
func (s *Store) ActivateSettings(ctx context.Context, a lectern.SettingsActivation, base int64) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		kind, err := tx.q.SettingsKind(ctx, a.Kind)
		if err != nil && !isNoRows(err) {
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
		if a.At.IsZero() {
			a.At = tx.now
		}
		return tx.activateSettings(ctx, kind.LastVersion, a)
	})
}

// ActiveSettings implements lectern.SettingsStore.
func (s *Store) ActiveSettings(ctx context.Context, kind string) (lectern.SettingsVersion, lectern.SettingsActivation, error) {
	row, err := s.read.ActiveSettings(ctx, kind)
	if isNoRows(err) {
		return lectern.SettingsVersion{}, lectern.SettingsActivation{}, notFound("settings in use")
	}
	if err != nil {
		return lectern.SettingsVersion{}, lectern.SettingsActivation{}, err
	}
	if row.Version == 0 {
		return lectern.SettingsVersion{}, settingsActivationOf(row), notFound("settings in use")
	}
	v, err := s.Settings(ctx, kind, row.Version) // which never changes
	return v, settingsActivationOf(row), err
}

// Settings implements lectern.SettingsStore.
func (s *Store) Settings(ctx context.Context, kind string, version int64) (lectern.SettingsVersion, error) {
	row, err := s.read.Settings(ctx, kind, version)
	if isNoRows(err) {
		return lectern.SettingsVersion{}, notFound("settings version")
	}
	if err != nil {
		return lectern.SettingsVersion{}, err
	}
	return settingsOf(row), nil
}

// SettingsVersions implements lectern.SettingsStore.
func (s *Store) SettingsVersions(ctx context.Context, kind string, before int64, limit int) ([]lectern.SettingsVersion, [][]lectern.SettingsActivation, error) {
	before, limit = revision.Page(before, limit)
	rows, err := s.read.SettingsVersions(ctx, kind, before, int64(limit))
	if err != nil {
		return nil, nil, err
	}
	versions := make([]lectern.SettingsVersion, len(rows), len(rows)+1)
	for i, r := range rows {
		versions[i] = settingsOf(r)
	}
	lowest, highest := revision.Span(versions, before, limit)
	found, err := s.read.SettingsActivations(ctx, kind, lowest, highest)
	if err != nil {
		return nil, nil, err
	}
	activations := make([]lectern.SettingsActivation, len(found))
	for i, a := range found {
		activations[i] = settingsActivationOf(a)
	}
	versions, history := revision.History(kind, versions, activations)
	return versions, history, nil
}

func settingsOf(r sqlcgen.Setting) lectern.SettingsVersion {
	return lectern.SettingsVersion{
		Kind: r.Kind, Version: r.Version, Body: json.RawMessage(r.Body), Author: r.Author, Comment: r.Comment,
		CreatedAt: fromMicros(r.CreatedAt), Base: r.Base,
	}
}

func settingsActivationOf(r sqlcgen.SettingsActivation) lectern.SettingsActivation {
	return lectern.SettingsActivation{
		Seq: r.Seq, Kind: r.Kind, Version: r.Version, Author: r.Author, Comment: r.Comment, At: fromMicros(r.At),
	}
}
