package postgres

import (
	"context"
	"fmt"
	"time"
)

// RescueJobs makes running jobs available again whose process is dead, and
// returns how many. A process is alive while it holds the lease that is named by
// prefix and its id among the job queue's workers; jobs that were taken less than
// grace ago are left alone, so that a process may take its first lease. Leases of
// processes that are long gone are cleared away.
func (s *Store) RescueJobs(ctx context.Context, prefix string, grace time.Duration) (int, error) {
	var n int64
	// Not sqlc queries: the queue's tables are not in our migrations.
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		tag, err := tx.tx.Exec(ctx, `UPDATE river_job j
			SET state = 'available', scheduled_at = least(j.scheduled_at, now()),
				max_attempts = least(32767, greatest(j.max_attempts::integer, j.attempt + 1))
			WHERE j.state = 'running' AND j.attempted_at < clock_timestamp() - $2 * interval '1 microsecond'
			AND NOT EXISTS (SELECT 1 FROM leases l
				WHERE l.name = $1 || j.attempted_by[cardinality(j.attempted_by)] AND l.expires_at > clock_timestamp())`,
			prefix, grace.Microseconds())
		if err != nil {
			return err
		}
		n = tag.RowsAffected()
		_, err = tx.tx.Exec(ctx, `DELETE FROM leases
			WHERE starts_with(name, $1) AND expires_at < clock_timestamp() - interval '1 hour'`, prefix)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("rescue jobs: %w", err)
	}
	return int(n), nil
}
