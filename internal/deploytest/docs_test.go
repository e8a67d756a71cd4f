package deploytest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDeployDocs wants each file, key and variable that the page names to exist.
func TestDeployDocs(t *testing.T) {
	page := read(t, "docs", "deploy.md")
	known := configuration(t)
	keys, files := 0, 0
	for _, m := range regexp.MustCompile("`([a-z_]+(?:\\.[a-z_0-9]+)+)`").FindAllStringSubmatch(page, -1) {
		key := m[1]
		if section(known, key) {
			continue
		}
		if top, _, _ := strings.Cut(key, "."); !section(known, top) {
			continue // a file, not a key
		}
		keys++
		if !isKey(known, key) {
			t.Errorf("%s is not a configuration key", key)
		}
	}
	for _, name := range regexp.MustCompile(`LECTERN_[A-Z_]*__[A-Z_]+`).FindAllString(page, -1) {
		checkVariable(t, known, "docs/deploy.md", name)
	}
	for _, m := range regexp.MustCompile(`\bdeploy/[\w./@-]+\w`).FindAllString(page+read(t, "README.md"), -1) {
		files++
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(m))); err != nil {
			t.Errorf("%s is named, and is not there", m)
		}
	}
	if keys < 8 || files < 5 {
		t.Errorf("found only %d keys and %d files", keys, files)
	}
}

// section reports whether keys stand below a name.
func section(known map[string]any, name string) bool {
	for key := range known {
		if strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}
