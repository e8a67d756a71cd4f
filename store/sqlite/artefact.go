package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// artefactChunk is how many bytes of an artefact one row holds.
const artefactChunk = 1 << 20

// PutArtefact implements lectern.ArtefactStore.
func (s *Store) PutArtefact(ctx context.Context, a lectern.Artefact, body []byte) (int64, error) {
	if a.Kind == "" {
		return 0, lectern.Invalid("an artefact needs a kind")
	}
	meta, err := json.Marshal(a.Meta)
	if err != nil {
		return 0, fmt.Errorf("artefact meta: %w", err)
	}
	var version int64
	err = s.write(ctx, func(ctx context.Context, tx *writeTx) (err error) {
		if version, err = tx.q.NextArtefactVersion(ctx, a.Kind); err != nil {
			return err
		}
		created := tx.now
		if !a.CreatedAt.IsZero() {
			created = a.CreatedAt
		}
		if err := tx.q.InsertArtefact(ctx, sqlcgen.InsertArtefactParams{
			Kind: a.Kind, Version: version, Fingerprint: a.Fingerprint,
			CreatedAt: micros(created), Meta: string(meta), Size: int64(len(body)),
		}); err != nil {
			return err
		}
		for chunk := int64(0); len(body) > 0; chunk++ {
			n := min(len(body), artefactChunk)
			if err := tx.q.InsertArtefactChunk(ctx, sqlcgen.InsertArtefactChunkParams{
				Kind: a.Kind, Version: version, Chunk: chunk, Body: body[:n],
			}); err != nil {
				return err
			}
			body = body[n:]
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return version, nil
}

// ActiveArtefact implements lectern.ArtefactStore.
func (s *Store) ActiveArtefact(ctx context.Context, kind string) (lectern.Artefact, error) {
	row, err := s.read.ActiveArtefact(ctx, kind)
	if isNoRows(err) {
		return lectern.Artefact{}, notFound("active artefact")
	}
	if err != nil {
		return lectern.Artefact{}, err
	}
	return artefactOf(row)
}

// ArtefactBody implements lectern.ArtefactStore.
func (s *Store) ArtefactBody(ctx context.Context, kind string, version int64) ([]byte, error) {
	size, err := s.read.ArtefactSize(ctx, kind, version)
	if isNoRows(err) {
		return nil, notFound("artefact")
	}
	if err != nil {
		return nil, err
	}
	chunks, err := s.read.ArtefactChunks(ctx, kind, version)
	if err != nil {
		return nil, err
	}
	body := make([]byte, 0, size)
	for _, c := range chunks {
		body = append(body, c...)
	}
	switch {
	case len(chunks) == 0 && size > 0: // pruned between the two queries
		return nil, notFound("artefact")
	case int64(len(body)) != size:
		return nil, fmt.Errorf("artefact %s %d: %d bytes stored of %d", kind, version, len(body), size)
	}
	return body, nil
}

// ActivateArtefact implements lectern.ArtefactStore.
func (s *Store) ActivateArtefact(ctx context.Context, kind string, version int64) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
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
	rows, err := s.read.Artefacts(ctx, kind)
	if err != nil {
		return nil, err
	}
	out := make([]lectern.Artefact, len(rows))
	for i, r := range rows {
		if out[i], err = artefactOf(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PruneArtefacts implements lectern.ArtefactStore.
func (s *Store) PruneArtefacts(ctx context.Context, kind string, keep int) (int, error) {
	pruned := 0
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		pruned = 0
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
			if r.Active != 0 {
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
		Kind: r.Kind, Version: r.Version, Fingerprint: r.Fingerprint,
		Active: r.Active != 0, CreatedAt: fromMicros(r.CreatedAt),
	}
	if err := json.Unmarshal([]byte(r.Meta), &a.Meta); err != nil {
		return lectern.Artefact{}, fmt.Errorf("artefact %s %d: meta: %w", r.Kind, r.Version, err)
	}
	return a, nil
}
