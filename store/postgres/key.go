package postgres

import (
	"context"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// PutKey implements lectern.KeyStore.
func (s *Store) PutKey(ctx context.Context, k lectern.APIKey) error {
	if err := checkID("id", k.ID); err != nil {
		return err
	}
	if len(k.Hash) == 0 {
		return lectern.Invalid("a key needs a hash")
	}
	if err := checkText("name", k.Name, string(k.Scope)); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		created := tx.now
		if !k.CreatedAt.IsZero() {
			created = lectern.Timestamp(k.CreatedAt)
		}
		n, err := tx.q.InsertKey(ctx, sqlcgen.InsertKeyParams{
			KeyID: k.ID, Name: k.Name, Scope: string(k.Scope), Hash: k.Hash,
			CreatedAt: created, RevokedAt: timestampOrNil(k.RevokedAt),
		})
		if err == nil && n == 0 {
			return lectern.Errorf(lectern.CodeConflict, "a key with this id exists")
		}
		return err
	})
}

// KeyByHash implements lectern.KeyStore.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (lectern.APIKey, error) {
	var k lectern.APIKey
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		row, err := q.KeyByHash(ctx, hash)
		if isNoRows(err) {
			return notFound("key")
		}
		k = keyOf(row)
		return err
	})
	if err != nil {
		return lectern.APIKey{}, err
	}
	return k, nil
}

// Keys implements lectern.KeyStore.
func (s *Store) Keys(ctx context.Context) ([]lectern.APIKey, error) {
	var out []lectern.APIKey
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.Keys(ctx)
		out = make([]lectern.APIKey, len(rows))
		for i, r := range rows {
			out[i] = keyOf(r)
		}
		return err
	})
	return out, err
}

// RevokeKey implements lectern.KeyStore. A key that is revoked stays revoked as
// of the first time.
func (s *Store) RevokeKey(ctx context.Context, id string, at time.Time) error {
	if !isText(id) {
		return notFound("key")
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		n, err := tx.q.RevokeKey(ctx, timestampOrNil(&at), id)
		if err == nil && n == 0 {
			return notFound("key")
		}
		return err
	})
}

// Secret implements lectern.KeyStore.
func (s *Store) Secret(ctx context.Context, name string, fresh []byte) ([]byte, error) {
	if err := checkText("name", name); err != nil {
		return nil, err
	}
	value, err := s.secret(ctx, name)
	if !isNoRows(err) {
		return value, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		return tx.q.InsertSecret(ctx, name, append([]byte{}, fresh...)) // never null
	})
	if err != nil {
		return nil, err
	}
	return s.secret(ctx, name) // another process may have been faster
}

func (s *Store) secret(ctx context.Context, name string) (value []byte, err error) {
	err = s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		value, err = q.Secret(ctx, name)
		return err
	})
	return value, err
}

func keyOf(r sqlcgen.ApiKey) lectern.APIKey {
	return lectern.APIKey{
		ID: r.KeyID, Name: r.Name, Scope: lectern.Scope(r.Scope), Hash: r.Hash,
		CreatedAt: r.CreatedAt, RevokedAt: r.RevokedAt,
	}
}
