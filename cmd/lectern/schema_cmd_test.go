package main

import (
	"strings"
	"testing"
)

// The schema takes the flags of the other commands about the settings.
func TestSchemaTakesConfigFlags(t *testing.T) {
	if out := mustRun(t, "config", "rerank", "schema", "--data", t.TempDir()); !strings.Contains(out, `"$schema"`) {
		t.Errorf("%.200s", out)
	}
}
