package sqlite_test

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/lectern-dev/lectern/store/sqlite"
)

// TestMigrateTogether opens one new file from several sides at once, as a server
// and a command started together do.
func TestMigrateTogether(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "lectern.db")
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
}
