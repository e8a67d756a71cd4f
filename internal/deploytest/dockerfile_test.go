package deploytest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// instruction is one of a Dockerfile, its continued lines joined.
type instruction struct{ name, text string }

// dockerfile returns the instructions of each stage.
func dockerfile(t *testing.T) (stages [][]instruction) {
	t.Helper()
	text := regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(read(t, "Dockerfile"), "")
	text = regexp.MustCompile(`\\\n\s*`).ReplaceAllString(text, " ")
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		if name == "FROM" {
			stages = append(stages, nil)
		}
		if len(stages) == 0 {
			t.Fatalf("%q is before the first FROM", line)
		}
		last := len(stages) - 1
		stages[last] = append(stages[last], instruction{name, strings.TrimSpace(rest)})
	}
	return stages
}

// find returns the texts of one kind of instruction.
func find(stage []instruction, name string) (out []string) {
	for _, i := range stage {
		if i.name == name {
			out = append(out, i.text)
		}
	}
	return out
}

func TestDockerfileBuild(t *testing.T) {
	stages := dockerfile(t)
	if len(stages) != 2 {
		t.Fatalf("%d stages", len(stages))
	}
	build := stages[0]
	from := regexp.MustCompile(`golang:(\d+)\.(\d+)\.(\d+)-\w+ AS build$`).FindStringSubmatch(build[0].text)
	if from == nil {
		t.Fatalf("builds FROM %q: want a Go image pinned to a release", build[0].text)
	}
	module := regexp.MustCompile(`(?m)^go (\d+)\.(\d+)(?:\.(\d+))?$`).FindStringSubmatch(read(t, "go.mod"))
	if module == nil {
		t.Fatal("go.mod names no version of Go")
	}
	var image, wanted [3]int
	for i := range 3 {
		_, _ = fmt.Sscan(from[i+1], &image[i])
		_, _ = fmt.Sscan(module[i+1], &wanted[i])
	}
	if image[0] != wanted[0] || image[1] != wanted[1] || image[2] < wanted[2] {
		t.Errorf("the image has Go %v, go.mod wants %v", image, wanted)
	}
	// Modules before code, so that a change of code does not fetch them again.
	var order []string
	for _, i := range build {
		switch {
		case i.text == "go.mod go.sum ./":
			order = append(order, "go.mod")
		case i.text == "go mod download":
			order = append(order, "download")
		case i.text == ". .":
			order = append(order, "code")
		case strings.Contains(i.text, "make build"):
			order = append(order, "build")
		}
	}
	if got := strings.Join(order, " "); got != "go.mod download code build" {
		t.Errorf("the build runs %q", got)
	}
	makefile := read(t, "Makefile")
	for _, want := range []string{"export CGO_ENABLED := 0", "$(GO) build -o bin/lectern ./cmd/lectern"} {
		if !strings.Contains(makefile, want) {
			t.Errorf("`make build`, which the image is built with, lacks %q", want)
		}
	}
}

func TestDockerfileImage(t *testing.T) {
	stages := dockerfile(t)
	final := stages[len(stages)-1]
	if final[0].text != "scratch" {
		checkImage(t, "Dockerfile", final[0].text)
	}
	user := find(final, "USER")
	if len(user) != 1 || !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user[0]) {
		t.Errorf("USER %v: want one, by number, not root", user)
	}
	if len(find(final, "RUN")) > 0 {
		t.Error("the final stage has no shell to RUN anything")
	}
	copies := strings.Join(find(final, "COPY"), "\n")
	for _, want := range []string{"ca-certificates.crt", "--chown=" + strings.Join(user, "") + " /data /data", "/src/bin/lectern /lectern"} {
		if !strings.Contains(copies, want) {
			t.Errorf("the final stage does not copy %q", want)
		}
	}
	for name, want := range map[string]string{
		"ENTRYPOINT": `["/lectern"]`, "CMD": `["serve"]`, "VOLUME": `["/data"]`, "EXPOSE": "8080",
	} {
		if got := find(final, name); len(got) != 1 || got[0] != want {
			t.Errorf("%s %v, want %s", name, got, want)
		}
	}
	health := find(final, "HEALTHCHECK")
	if len(health) != 1 || !strings.HasSuffix(health[0], `CMD ["/lectern", "health"]`) {
		t.Errorf("HEALTHCHECK %v", health)
	}
	if len(find(final, "LABEL")) == 0 {
		t.Error("the image has no labels")
	}
	known := configuration(t)
	variables := regexp.MustCompile(`(\w+)=`).FindAllStringSubmatch(strings.Join(find(final, "ENV"), " "), -1)
	if len(variables) == 0 {
		t.Error("the image sets no variables")
	}
	for _, v := range variables {
		checkVariable(t, known, "Dockerfile", v[1])
	}
}

// TestContextKeepsSecretsOut: what git ignores must not reach an image either.
func TestContextKeepsSecretsOut(t *testing.T) {
	ignored := "\n" + read(t, ".dockerignore")
	for _, want := range []string{"/.env", "/lectern.env", "/data/", "/bin/"} {
		if !strings.Contains(ignored, "\n"+want+"\n") {
			t.Errorf(".dockerignore lacks %s", want)
		}
		if !strings.Contains("\n"+read(t, ".gitignore"), "\n"+want+"\n") {
			t.Errorf(".gitignore lacks %s", want)
		}
	}
}
