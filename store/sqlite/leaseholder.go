package sqlite

import "context"

// LeaseHolder returns who holds the named lease now, "" for nobody.
func (s *Store) LeaseHolder(ctx context.Context, name string) (string, error) {
	var holder string
	err := s.readDB.QueryRowContext(ctx, `SELECT holder FROM leases WHERE name = ? AND expires_at > ?`,
		name, s.clock().UnixMicro()).Scan(&holder)
	if isNoRows(err) {
		return "", nil
	}
	return holder, err
}
