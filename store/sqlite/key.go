package sqlite

import (
	"context"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// PutKey implements lectern.KeyStore.
func (s *Store) PutKey(ctx context.Context, k lectern.APIKey) error {
	if err := checkID("id", k.ID); err != nil {
		return err
	}
	if len(k.Hash) == 0 {
		return lectern.Invalid("a key needs a hash")
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		exists, err := tx.q.KeyExists(ctx, k.ID, k.Hash)
		if err != nil {
			return err
		}
		if exists {
			return lectern.Errorf(lectern.CodeConflict, "a key with this id exists")
		}
		created := tx.now
		if !k.CreatedAt.IsZero() {
			created = k.CreatedAt
		}
		return tx.q.InsertKey(ctx, sqlcgen.InsertKeyParams{
			KeyID: k.ID, Name: k.Name, Scope: string(k.Scope), Hash: k.Hash,
			CreatedAt: micros(created), RevokedAt: microsOrNil(k.RevokedAt),
		})
	})
}

// KeyByHash implements lectern.KeyStore.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (lectern.APIKey, error) {
	row, err := s.read.KeyByHash(ctx, hash)
	if isNoRows(err) {
		return lectern.APIKey{}, notFound("key")
	}
	if err != nil {
		return lectern.APIKey{}, err
	}
	return keyOf(row), nil
}

// Keys implements lectern.KeyStore.
func (s *Store) Keys(ctx context.Context) ([]lectern.APIKey, error) {
	rows, err := s.read.Keys(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]lectern.APIKey, len(rows))
	for i, r := range rows {
		out[i] = keyOf(r)
	}
	return out, nil
}

// RevokeKey implements lectern.KeyStore. A key that is revoked stays revoked as
// of the first time.
func (s *Store) RevokeKey(ctx context.Context, id string, at time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		n, err := tx.q.RevokeKey(ctx, microsOrNil(&at), id)
		if err == nil && n == 0 {
			return notFound("key")
		}
		return err
	})
}

// Secret implements lectern.KeyStore.
func (s *Store) Secret(ctx context.Context, name string, fresh []byte) ([]byte, error) {
	value, err := s.read.Secret(ctx, name)
	if !isNoRows(err) {
		return value, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if err := tx.q.InsertSecret(ctx, name, fresh); err != nil {
			return err
		}
		value, err = tx.q.Secret(ctx, name)
		return err
	})
	return value, err
}

func keyOf(r sqlcgen.ApiKey) lectern.APIKey {
	return lectern.APIKey{
		ID: r.KeyID, Name: r.Name, Scope: lectern.Scope(r.Scope), Hash: r.Hash,
		CreatedAt: fromMicros(r.CreatedAt), RevokedAt: timeOrNil(r.RevokedAt),
	}
}
