package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/lectern-dev/lectern/store/storetest"
)

func BenchmarkSearches(b *testing.B) {
	storetest.BenchmarkSearches(b, open(b, filepath.Join(b.TempDir(), "lectern.db")))
}
