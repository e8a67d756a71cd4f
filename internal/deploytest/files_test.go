// Package deploytest holds what Lectern is deployed with against what Lectern is:
// the configuration keys, routes and metrics that Dockerfile, compose file,
// manifests, alerts and dashboard name must exist.
package deploytest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// root is the module's, seen from this folder.
var root = filepath.Join("..", "..")

// envPrefix starts the variables that set configuration keys.
const envPrefix = "LECTERN_"

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// decode reads YAML into what has a place for every field that it holds.
func decode(t *testing.T, text string, into any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// settings flattens a configuration file to dotted keys.
func settings(t *testing.T, text string) map[string]any {
	t.Helper()
	var tree map[string]any
	decode(t, text, &tree)
	flat := map[string]any{}
	var walk func(prefix string, node map[string]any)
	walk = func(prefix string, node map[string]any) {
		for key, value := range node {
			if below, ok := value.(map[string]any); ok && len(below) > 0 {
				walk(prefix+key+".", below)
				continue
			}
			flat[prefix+key] = value
		}
	}
	walk("", tree)
	return flat
}

// configuration is every key with its default; another test holds the file
// against the code.
func configuration(t *testing.T) map[string]any {
	t.Helper()
	keys := settings(t, read(t, "docs", "lectern.yaml"))
	if len(keys) < 100 {
		t.Fatalf("docs/lectern.yaml has only %d keys", len(keys))
	}
	return keys
}

// isKey reports whether Lectern knows a key; below a free map any name is one.
func isKey(known map[string]any, key string) bool {
	if _, ok := known[key]; ok {
		return true
	}
	for k, value := range known {
		if _, free := value.(map[string]any); free && strings.HasPrefix(key, k+".") {
			return true
		}
	}
	return false
}

// checkVariable reports a variable of Lectern's environment that it would refuse.
func checkVariable(t *testing.T, known map[string]any, where, name string) {
	t.Helper()
	if !strings.HasPrefix(name, envPrefix) || name == envPrefix+"CONFIG" {
		return
	}
	key := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, envPrefix), "__", "."))
	if !isKey(known, key) {
		t.Errorf("%s: %s sets %q, which is not a configuration key", where, name, key)
	}
}

// checkSettings reports keys of a configuration file that Lectern would refuse.
func checkSettings(t *testing.T, known map[string]any, where, text string) map[string]any {
	t.Helper()
	given := settings(t, text)
	for key := range given {
		if !isKey(known, key) {
			t.Errorf("%s: %q is not a configuration key", where, key)
		}
	}
	return given
}

// shutdown is the longest that Lectern takes to stop: requests, jobs and recorded
// lists get server.shutdown_timeout each.
func shutdown(t *testing.T, given, known map[string]any) time.Duration {
	t.Helper()
	const key = "server.shutdown_timeout"
	value, ok := given[key]
	if !ok {
		value = known[key]
	}
	d, err := time.ParseDuration(value.(string))
	if err != nil {
		t.Fatal(err)
	}
	return 3 * d
}

// checkImage reports an image whose content may change under its name.
func checkImage(t *testing.T, where, image string) {
	t.Helper()
	if strings.Contains(image, "@sha256:") {
		return
	}
	name := image[strings.LastIndexByte(image, '/')+1:]
	_, tag, ok := strings.Cut(name, ":")
	if !ok || tag == "latest" || strings.Count(tag, ".") == 0 || !strings.ContainsAny(tag, "0123456789") {
		t.Errorf("%s: image %q is not pinned to a release", where, image)
	}
}

func TestCheckersRefuse(t *testing.T) {
	known := configuration(t)
	for key, want := range map[string]bool{
		"server.address": true, "embed.openai.headers.x-team": true,
		"server.adress": false, "server": false, "embed.openai.model.x": false,
	} {
		if isKey(known, key) != want {
			t.Errorf("isKey(%q) = %v", key, !want)
		}
	}
}
