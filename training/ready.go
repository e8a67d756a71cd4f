package training

import (
	"context"
	"fmt"

	"github.com/lectern-dev/lectern"
)

// Ready loads a version that need not be the one in use, for who tries it out. The
// keeper does not keep it. Errors: CodeNotFound where it is no longer there.
func (k *Keeper) Ready(ctx context.Context, a lectern.Artefact) (*Scorer, error) {
	body, err := k.o.Store.ArtefactBody(ctx, Kind, a.Version)
	if err != nil {
		return nil, fmt.Errorf("read model %d: %w", a.Version, err)
	}
	return k.load(a, body)
}
