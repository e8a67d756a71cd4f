package postgres

import (
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
)

func TestOldServersAreRefused(t *testing.T) {
	if err := checkVersion(150_004, "15.4"); err != nil {
		t.Error(err)
	}
	err := checkVersion(140_011, "14.11")
	if lectern.ErrorCode(err) != lectern.CodeRefused || !strings.Contains(err.Error(), "14.11") || !strings.Contains(err.Error(), "15 or newer") {
		t.Error(err)
	}
}
