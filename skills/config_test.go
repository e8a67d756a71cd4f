package skills_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

func TestConfigOpen(t *testing.T) {
	write := func(content string) string {
		path := filepath.Join(t.TempDir(), "own.yaml")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("version: acme-1\nskills:\n  - {id: acme-crm, name: Acme CRM, broader: [business]}\n")
	g, err := skills.Config{Enabled: true, Override: good}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := g.Skill("acme-crm"); !ok || !strings.HasSuffix(g.Version(), "+acme-1") {
		t.Errorf("the platform's own skill is not in version %s", g.Version())
	}
	for name, tt := range map[string]struct{ path, mentions string }{
		"missing":       {filepath.Join(t.TempDir(), "none.yaml"), "skills.override: is not there"},
		"unknown key":   {write("skills:\n  - id: acme\n    nam: Acme\n"), "line 3"},
		"not YAML":      {write("skills: [\n"), "line 1"},
		"unknown skill": {write("extend:\n  - {id: no-such-skill, aliases: [x y]}\n"), "override: extend: is no skill"},
		"taken name":    {write("skills:\n  - {id: acme, name: Python}\n"), "own.yaml"},
	} {
		_, err := skills.Config{Enabled: true, Override: tt.path}.Open()
		if lectern.ErrorCode(err) != lectern.CodeInvalid || !strings.Contains(err.Error(), tt.mentions) {
			t.Errorf("%s: %v does not mention %q", name, err, tt.mentions)
		}
	}
}
