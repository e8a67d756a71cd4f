package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/lectern-dev/lectern/store/storetest"
)

func TestCopy(t *testing.T) {
	fresh := func(t *testing.T) storetest.Copyable { return open(t, filepath.Join(t.TempDir(), "lectern.db")) }
	storetest.RunCopy(t, fresh, fresh)
}
