package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// artefactChunk is how many bytes of an artefact one row holds.
const artefactChunk = 1 << 20

// PutArtefact implements lectern.ArtefactStore.
func (s *Store) PutArtefact(ctx context.Context, a lectern.Artefact, body []byte) (int64, error) {
	if a.Kind == "" {
		return 0, lectern.Invalid("an artefact needs a kind")
	}
	if err := checkText("kind", a.Kind, a.Fingerprint); err != nil {
		return 0, err
	}
	meta, err := json.Marshal(a.Meta)
	if err != nil {
		return 0, fmt.Errorf("artefact meta: %w", err)
	}
	var version int64
	err = s.write(ctx, func(ctx context.Context, tx *writeTx) (err error) {
		// The kind's row is locked from here on: another version waits.
		if version, err = tx.q.NextArtefactVersion(ctx, a.Kind); err != nil {
			return err
		}
		created := tx.now
		if !a.CreatedAt.IsZero() {
			created = lectern.Timestamp(a.CreatedAt)
		}
		if err := tx.q.InsertArtefact(ctx, sqlcgen.InsertArtefactParams{
			Kind: a.Kind, Version: version, Fingerprint: a.Fingerprint,
			CreatedAt: created, Meta: meta, Size: int64(len(body)),
		}); err != nil {
			return err
		}
		var chunks []sqlcgen.InsertArtefactChunksParams
		for part := range slices.Chunk(body, artefactChunk) {
			chunks = append(chunks, sqlcgen.InsertArtefactChunksParams{
				Kind: a.Kind, Version: version, Chunk: int32(len(chunks)), Body: part, //nolint:gosec // few
			})
		}
		if len(chunks) == 0 {
			return nil
		}
		_, err = tx.q.InsertArtefactChunks(ctx, chunks)
		return err
	})
	if err != nil {
		return 0, err
	}
	return version, nil
}

// ActiveArtefact implements lectern.ArtefactStore.
func (s *Store) ActiveArtefact(ctx context.Context, kind string) (lectern.Artefact, error) {
	var a lectern.Artefact
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		row, err := q.ActiveArtefact(ctx, kind)
		if isNoRows(err) {
			return notFound("active artefact")
		}
		if err != nil {
			return err
		}
		a, err = artefactOf(row)
		return err
	})
	return a, err
}

// ArtefactBody implements lectern.ArtefactStore.
func (s *Store) ArtefactBody(ctx context.Context, kind string, version int64) ([]byte, error) {
	var body []byte
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		size, err := q.ArtefactSize(ctx, kind, version)
		if isNoRows(err) {
			return notFound("artefact")
		}
		if err != nil {
			return err
		}
		chunks, err := q.ArtefactChunks(ctx, kind, version)
		if err != nil {
			return err
		}
		body = slices.Concat(chunks...)
		switch {
		case len(chunks) == 0 && size > 0: // pruned between the two queries
			return notFound("artefact")
		case int64(len(body)) != size:
			return fmt.Errorf("artefact %s %d: %d bytes stored of %d", kind, version, len(body), size)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return body, nil
}

// ActivateArtefact implements lectern.ArtefactStore.
func (s *Store) ActivateArtefact(ctx context.Context, kind string, version int64) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if err := tx.q.LockArtefactKind(ctx, kind); err != nil {
			return err
		}
		if _, err := tx.q.ArtefactSize(ctx, kind, version); isNoRows(err) {
			return notFound("artefact")
		} else if err != nil {
			return err
		}
		return tx.q.SetActiveArtefact(ctx, version, kind)
	})
}

// Artefacts implements lectern.ArtefactStore.
func (s *Store) Artefacts(ctx context.Context, kind string) ([]lectern.Artefact, error) {
	var out []lectern.Artefact
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		rows, err := q.Artefacts(ctx, kind)
		out = make([]lectern.Artefact, len(rows))
		for i, r := range rows {
			if out[i], err = artefactOf(r); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// PruneArtefacts implements lectern.ArtefactStore.
func (s *Store) PruneArtefacts(ctx context.Context, kind string, keep int) (int, error) {
	pruned := 0
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		pruned = 0
		if err := tx.q.LockArtefactKind(ctx, kind); err != nil {
			return err
		}
		rows, err := tx.q.Artefacts(ctx, kind)
		if err != nil {
			return err
		}
		held, err := tx.q.HeldVersions(ctx, kind) // by experiments
		if err != nil {
			return err
		}
		kept := 0
		for _, r := range rows {
			if r.Active {
				continue
			}
			if kept++; kept <= keep || slices.Contains(held, r.Version) {
				continue
			}
			if err := tx.q.DeleteArtefact(ctx, kind, r.Version); err != nil {
				return err
			}
			pruned++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return pruned, nil
}

func artefactOf(r sqlcgen.Artefact) (lectern.Artefact, error) {
	a := lectern.Artefact{
		Kind: r.Kind, Version: r.Version, Fingerprint: r.Fingerprint, Active: r.Active, CreatedAt: r.CreatedAt,
	}
	if err := json.Unmarshal(r.Meta, &a.Meta); err != nil {
		return lectern.Artefact{}, fmt.Errorf("artefact %s %d: meta: %w", r.Kind, r.Version, err)
	}
	return a, nil
}
