package main

import (
	"strings"
	"testing"
)

func TestWithoutPassword(t *testing.T) {
	for dsn, want := range map[string]string{
		"": "",
		"postgres://u:geheim@h:5432/d?sslmode=disable": "postgres://u:xxxxx@h:5432/d?sslmode=disable",
		"postgres://u@h/d":                                  "postgres://u@h/d",
		"postgres://h/d?user=u&password=geheim&x=1":         "postgres://h/d?user=u&password=xxxxx&x=1",
		"postgres://u:g%40heim@h/d":                         "postgres://u:xxxxx@h/d",
		"host=h user=u password=geheim dbname=d":            "host=h user=u password=xxxxx dbname=d",
		`host=h password = 'ge heim\'geheim' dbname=d`:      "host=h password = xxxxx dbname=d",
		"host=h sslpassword=geheim":                         "host=h sslpassword=xxxxx",
		"postgres://u:geheim@h:port/d":                      "xxxxx",
		"postgres://u:ge%heim@h/d?application_name=lectern": "xxxxx",
	} {
		if got := withoutPassword(dsn); got != want {
			t.Errorf("%s: %s, want %s", dsn, got, want)
		}
	}
}

// No command shows what lets somebody in, unless it is asked to.
func TestSecretsAreNotPrinted(t *testing.T) {
	args := []string{
		"--store.driver", "postgres", "--store.postgres.dsn", "postgres://u:geheim@127.0.0.1:1/d?connect_timeout=1",
		"--store.postgres.direct_dsn", "host=127.0.0.1 port=1 user=u password=geheim dbname=d",
		"--index.driver", "qdrant", "--index.qdrant.address", "127.0.0.1:1", "--index.qdrant.api_key", "geheim", "--index.qdrant.connect_timeout", "100ms",
		"--embed.driver", "openai", "--embed.openai.api_key", "geheim", "--embed.openai.model", "m", "--embed.openai.base_url", "http://127.0.0.1:1/v1",
		"--data", t.TempDir(),
	}
	call := func(args ...string) (int, string) {
		var out strings.Builder
		code := run(t.Context(), args, &out, &out)
		return code, out.String()
	}
	if code, out := call(append([]string{"config"}, args...)...); code != 0 || strings.Contains(out, "geheim") || strings.Count(out, hidden) != 4 {
		t.Errorf("config ended with %d:\n%s", code, out)
	}
	if code, out := call(append([]string{"config", "--secrets"}, args...)...); code != 0 || strings.Count(out, "geheim") != 4 {
		t.Errorf("config --secrets ended with %d:\n%s", code, out)
	}
	for _, command := range []string{"doctor", "reindex", "serve", "keys list"} {
		code, out := call(append(strings.Fields(command), args...)...)
		if code != 1 || strings.Contains(out, "geheim") {
			t.Errorf("%s ended with %d:\n%s", command, code, out)
		}
	}
	bad := append([]string{"serve"}, args...)
	bad[4] = "postgres://u:geheim@127.0.0.1:port/d"
	if code, out := call(bad...); code != 1 || strings.Contains(out, "geheim") || !strings.Contains(out, "store.postgres.dsn") {
		t.Errorf("serve with a bad address ended with %d:\n%s", code, out)
	}
}
