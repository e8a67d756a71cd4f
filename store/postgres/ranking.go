package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/exposure"
	"github.com/lectern-dev/lectern/store/postgres/sqlcgen"
)

// rankingLock is the name of the right to number rankings among advisory locks. It
// is the last that a transaction takes.
const rankingLock int64 = 7310579603205

// PutRankings implements lectern.RankingStore.
func (s *Store) PutRankings(ctx context.Context, rankings []lectern.Ranking) error {
	if len(rankings) == 0 {
		return ctx.Err()
	}
	var rows sqlcgen.InsertRankingsParams
	var names []identity
	for _, r := range rankings {
		if err := checkRanking(r); err != nil {
			return err
		}
		r.CreatedAt = lectern.Timestamp(r.CreatedAt)
		body, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("ranking %q: %w", r.ID, err)
		}
		rows.RankingIds = append(rows.RankingIds, r.ID)
		rows.CreatedAts = append(rows.CreatedAts, r.CreatedAt)
		rows.Days = append(rows.Days, dayOf(r.CreatedAt))
		rows.Bodies = append(rows.Bodies, string(body))
		posterior := int64(0)
		if r.Exploration != nil {
			posterior = r.Exploration.Posterior
		}
		rows.Posteriors = append(rows.Posteriors, posterior)
		if name, named := rankingOf(r.Learner); named {
			names = append(names, name)
		}
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		people, err := tx.findPeople(ctx, names)
		if err != nil {
			return err
		}
		rows.LearnerIds = make([]int64, len(rankings)) // 0 is nobody
		var exposed []exposure.Row
		for i := range rankings {
			if name, named := rankingOf(rankings[i].Learner); named {
				rows.LearnerIds[i] = people[name].id
				if rows.LearnerIds[i] != 0 {
					exposed = append(exposed, exposure.Of(&rankings[i], rows.LearnerIds[i])...)
				}
			}
		}
		// One who is erased before the commit makes the row's reference fail, and
		// the next try finds nobody.
		var line pipeline
		q := sqlcgen.New(&line)
		if exposed = exposure.Fold(exposed); len(exposed) > 0 {
			if err := q.PutExposures(ctx, exposureRows(exposed)); err != nil {
				return err
			}
		}
		if err := errors.Join(q.AwaitTurn(ctx, rankingLock), q.InsertRankings(ctx, rows)); err != nil {
			return err
		}
		return line.send(ctx, tx.tx)
	})
}

// rankingOf returns the name under which a ranking's learner is looked up: the
// learner id where there is one, as with events.
func rankingOf(ref lectern.LearnerRef) (identity, bool) {
	names := identities(ref)
	if len(names) == 0 {
		return identity{}, false
	}
	return names[0], true
}

func checkRanking(r lectern.Ranking) error {
	if err := checkID("id", r.ID); err != nil {
		return err
	}
	for _, who := range identities(r.Learner) {
		if err := checkID("learner", who.externalID); err != nil {
			return err
		}
	}
	return checkTime("created_at", r.CreatedAt)
}

// Ranking implements lectern.RankingStore.
func (s *Store) Ranking(ctx context.Context, id string) (lectern.Ranking, error) {
	var r lectern.Ranking
	if !isText(id) {
		return r, notFound("ranking")
	}
	err := s.read(ctx, func(ctx context.Context, q *sqlcgen.Queries) error {
		row, err := q.Ranking(ctx, id)
		if isNoRows(err) {
			return notFound("ranking")
		}
		if err != nil {
			return err
		}
		r = lectern.Ranking{}
		if err := json.Unmarshal(row.Body, &r); err != nil {
			return fmt.Errorf("ranking %q: %w", id, err)
		}
		if row.LearnerID == nil {
			return nil
		}
		name, err := q.IdentityOf(ctx, *row.LearnerID)
		switch {
		case isNoRows(err): // erased meanwhile
			return notFound("ranking")
		case err != nil:
			return err
		case name.Kind == kindVisitor:
			r.Learner.AnonymousID = name.ExternalID
		default:
			r.Learner.ID = name.ExternalID
		}
		return nil
	})
	if err != nil {
		return lectern.Ranking{}, err
	}
	return r, nil
}
