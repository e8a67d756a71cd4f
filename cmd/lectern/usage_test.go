package main

import (
	"strings"
	"testing"
)

// Flags that exclude each other are a matter of usage, like any other slip.
func TestReindexFlagsExcludeEachOther(t *testing.T) {
	for _, args := range []string{"reindex --rollback --to 3", "reindex --list --embedder local", "reindex --embedder local --rollback --to 1"} {
		code, _, stderr := runCommand(t, strings.Fields(args+" --data "+t.TempDir())...)
		if code != 2 || !strings.Contains(stderr, "exclude each other") {
			t.Errorf("%s: status %d, %s", args, code, stderr)
		}
	}
}
