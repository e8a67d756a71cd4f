package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/exposure"
	"github.com/lectern-dev/lectern/store/sqlite/sqlcgen"
)

// pruneBatch bounds the rows that one pruning write deletes, so that other
// writes get their turn in between.
const pruneBatch = 2000

// PutRankings implements lectern.RankingStore.
func (s *Store) PutRankings(ctx context.Context, rankings []lectern.Ranking) error {
	if len(rankings) == 0 {
		return ctx.Err()
	}
	rows := make([]sqlcgen.InsertRankingParams, len(rankings))
	for i, r := range rankings {
		if err := checkID("id", r.ID); err != nil {
			return err
		}
		if err := checkRef(r.Learner); err != nil {
			return err
		}
		r.CreatedAt = lectern.Timestamp(r.CreatedAt)
		body, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("ranking %q: %w", r.ID, err)
		}
		at := micros(r.CreatedAt)
		rows[i] = sqlcgen.InsertRankingParams{RankingID: r.ID, CreatedAt: at, Day: dayOf(at), Body: string(body)}
		if x := r.Exploration; x != nil && x.Posterior != 0 {
			rows[i].Posterior = &x.Posterior
		}
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		people := newPeople(tx)
		var exposed []exposure.Row
		for i, row := range rows {
			if ref := rankings[i].Learner; !ref.IsZero() {
				id, known, err := people.findRef(ctx, ref)
				if err != nil {
					return err
				}
				if known {
					row.LearnerID = &id
					exposed = append(exposed, exposure.Of(&rankings[i], id)...)
				}
			}
			if err := tx.q.InsertRanking(ctx, row); err != nil {
				return fmt.Errorf("ranking %q: %w", row.RankingID, err)
			}
		}
		return tx.putExposures(ctx, exposure.Fold(exposed))
	})
}

func checkRef(ref lectern.LearnerRef) error {
	for _, who := range identities(ref) {
		if err := checkID("learner", who.externalID); err != nil {
			return err
		}
	}
	return nil
}

// Ranking implements lectern.RankingStore.
func (s *Store) Ranking(ctx context.Context, id string) (lectern.Ranking, error) {
	row, err := s.read.Ranking(ctx, id)
	if isNoRows(err) {
		return lectern.Ranking{}, notFound("ranking")
	}
	if err != nil {
		return lectern.Ranking{}, err
	}
	var r lectern.Ranking
	if err := json.Unmarshal([]byte(row.Body), &r); err != nil {
		return lectern.Ranking{}, fmt.Errorf("ranking %q: %w", id, err)
	}
	if row.LearnerID == nil {
		return r, nil
	}
	name, err := s.read.IdentityOf(ctx, *row.LearnerID)
	switch {
	case isNoRows(err): // erased meanwhile
		return lectern.Ranking{}, notFound("ranking")
	case err != nil:
		return lectern.Ranking{}, err
	case name.Kind == kindVisitor:
		r.Learner.AnonymousID = name.ExternalID
	default:
		r.Learner.ID = name.ExternalID
	}
	return r, nil
}

// DeleteRankingsBefore implements lectern.RankingStore.
func (s *Store) DeleteRankingsBefore(ctx context.Context, t time.Time) (int, error) {
	return s.prune(ctx, func(ctx context.Context, tx *writeTx) (int64, error) {
		return tx.q.DeleteRankingsBefore(ctx, micros(t), pruneBatch)
	})
}

// prune repeats a bounded delete, each time in a write of its own, until it
// deletes less than its bound.
func (s *Store) prune(ctx context.Context, step func(context.Context, *writeTx) (int64, error)) (int, error) {
	total := 0
	for {
		var n int64
		err := s.write(ctx, func(ctx context.Context, tx *writeTx) (err error) {
			n, err = step(ctx, tx)
			return err
		})
		if err != nil {
			return total, err
		}
		total += int(n)
		if n < pruneBatch {
			return total, nil
		}
	}
}
