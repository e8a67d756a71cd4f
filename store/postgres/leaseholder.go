package postgres

import "context"

// LeaseHolder returns who holds the named lease now, "" for nobody.
func (s *Store) LeaseHolder(ctx context.Context, name string) (string, error) {
	var holder string
	err := s.pool.QueryRow(ctx, `SELECT holder FROM leases WHERE name = $1 AND expires_at > clock_timestamp()`, name).Scan(&holder)
	if isNoRows(err) {
		return "", nil
	}
	return holder, fail(err)
}

// CountLeases returns how many leases are held whose name begins with prefix.
func (s *Store) CountLeases(ctx context.Context, prefix string) (int, error) {
	var n int
	err := s.pool.QueryRow(ctx, `SELECT count(*)::integer FROM leases
		WHERE starts_with(name, $1) AND expires_at > clock_timestamp()`, prefix).Scan(&n)
	return n, fail(err)
}
