package postgres

import (
	"context"
)

// LeaseHolder returns who holds the named lease now, "" for nobody.
func (s *Store) LeaseHolder(ctx context.Context, name string) (string, error) {
	var holder string
	err := s.pool.QueryRow(ctx, `SELECT holder FROM leases WHERE name = $1 AND expires_at > clock_timestamp()`, name).Scan(&holder)
	if isNoRows(err) {
		return "", nil
	}
	return holder, fail(err)
}
