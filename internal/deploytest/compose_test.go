package deploytest

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// loadCompose reads the compose file as `docker compose` does. The loader itself
// refuses unknown fields, and networks, volumes and dependencies that are not
// declared.
func loadCompose(t *testing.T, environment map[string]string, profiles ...string) *types.Project {
	t.Helper()
	abs, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  abs,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(abs, "docker-compose.yml")}},
		Environment: environment,
	}, func(o *loader.Options) { o.Profiles = profiles })
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestComposeProfiles(t *testing.T) {
	for _, tt := range []struct {
		profiles []string
		want     []string
	}{
		{nil, []string{"lectern", "postgres", "qdrant"}},
		{[]string{"embeddings"}, []string{"embeddings", "lectern", "postgres", "qdrant"}},
		{[]string{"monitoring"}, []string{"grafana", "lectern", "postgres", "prometheus", "qdrant"}},
	} {
		project := loadCompose(t, nil, tt.profiles...)
		if got := slices.Sorted(maps.Keys(project.Services)); !slices.Equal(got, tt.want) {
			t.Errorf("with profiles %v: %v, want %v", tt.profiles, got, tt.want)
		}
	}
}

func TestComposeServices(t *testing.T) {
	project := loadCompose(t, nil, "*")
	for name, s := range project.Services {
		if s.Build == nil {
			checkImage(t, name, s.Image)
		}
		if s.HealthCheck == nil || s.HealthCheck.Disable || len(s.HealthCheck.Test) < 2 || s.HealthCheck.Test[0] != "CMD" {
			t.Errorf("%s has no health check that runs a command by itself", name)
		}
		if s.Restart != "unless-stopped" {
			t.Errorf("%s restarts %q", name, s.Restart)
		}
		if s.Deploy == nil || s.Deploy.Resources.Limits == nil || s.Deploy.Resources.Limits.MemoryBytes == 0 {
			t.Errorf("%s has no limit of memory", name)
		}
		for dependency, d := range s.DependsOn {
			checkDependency(t, name, dependency, d, project)
		}
		checkVolumes(t, project, name, s)
		checkPorts(t, name, s)
	}
	for name := range project.Volumes {
		used := slices.ContainsFunc(slices.Collect(maps.Values(project.Services)), func(s types.ServiceConfig) bool {
			return slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Source == name })
		})
		if !used {
			t.Errorf("no service uses volume %s", name)
		}
	}
}

func checkDependency(t *testing.T, name, on string, d types.ServiceDependency, project *types.Project) {
	t.Helper()
	target, ok := project.Services[on]
	if !ok {
		t.Errorf("%s waits for %s, which is not a service", name, on)
		return
	}
	allowed := []string{types.ServiceConditionStarted, types.ServiceConditionHealthy}
	if !slices.Contains(allowed, d.Condition) {
		t.Errorf("%s waits until %s %q; allowed: %v", name, on, d.Condition, allowed)
	}
	mine := project.Services[name]
	if d.Required && len(target.Profiles) > 0 && !slices.Equal(target.Profiles, mine.Profiles) {
		t.Errorf("%s needs %s, which only comes with the profiles %v", name, on, target.Profiles)
	}
}

// checkVolumes wants data in declared volumes and files from this repository.
func checkVolumes(t *testing.T, project *types.Project, name string, s types.ServiceConfig) {
	t.Helper()
	for _, v := range s.Volumes {
		switch v.Type {
		case types.VolumeTypeVolume:
			if _, ok := project.Volumes[v.Source]; !ok {
				t.Errorf("%s uses volume %q, which is not declared", name, v.Source)
			}
		case types.VolumeTypeBind:
			if !v.ReadOnly {
				t.Errorf("%s may write to %s", name, v.Source)
			}
			rel, err := filepath.Rel(project.WorkingDir, v.Source)
			if err != nil {
				t.Fatal(err)
			}
			if matches, _ := filepath.Glob(filepath.Join(root, rel)); len(matches) != 1 {
				t.Errorf("%s mounts %s, which is not there", name, rel)
			}
		default:
			t.Errorf("%s has a volume of type %q", name, v.Type)
		}
	}
}

// checkPorts wants nothing open to the network unless somebody says so, and
// databases open to nobody.
func checkPorts(t *testing.T, name string, s types.ServiceConfig) {
	t.Helper()
	for _, p := range s.Ports {
		if p.HostIP != "127.0.0.1" {
			t.Errorf("%s listens on %q by default", name, p.HostIP)
		}
	}
	if _, inside := s.Networks["backend"]; inside && name != "lectern" {
		if len(s.Ports) > 0 || len(s.Networks) > 1 {
			t.Errorf("%s can be reached from outside the backend network", name)
		}
	}
}

func TestComposeLectern(t *testing.T) {
	known := configuration(t)
	project := loadCompose(t, nil, "*")
	s := project.Services["lectern"]
	for name := range s.Environment {
		checkVariable(t, known, "docker-compose.yml", name)
	}
	given := checkSettings(t, known, "deploy/compose/lectern.yaml", read(t, "deploy", "compose", "lectern.yaml"))

	config := s.Environment["LECTERN_CONFIG"]
	if config == nil || !slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool {
		return v.Target == *config && strings.HasSuffix(filepath.ToSlash(v.Source), "deploy/compose/lectern.yaml")
	}) {
		t.Error("LECTERN_CONFIG does not name the mounted deploy/compose/lectern.yaml")
	}
	for key, want := range map[string]any{
		"store.driver": "postgres", "index.driver": "qdrant", "index.qdrant.address": "qdrant:6334",
		"embed.openai.base_url": "http://embeddings:80/v1",
	} {
		if given[key] != want {
			t.Errorf("%s is %v, want %v", key, given[key], want)
		}
	}
	if dsn := given["store.postgres.dsn"].(string); !strings.Contains(dsn, "host=postgres ") || strings.Contains(dsn, "password") {
		t.Errorf("store.postgres.dsn is %q: want the service by its name, and no password", dsn)
	}
	if model := project.Services["embeddings"].Environment["MODEL_ID"]; model == nil || *model != given["embed.openai.model"] {
		t.Errorf("the embedding server has another model than %v", given["embed.openai.model"])
	}
	if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || s.Privileged {
		t.Error("the container of Lectern is not locked down")
	}
	want := shutdown(t, given, known)
	if s.StopGracePeriod == nil || time.Duration(*s.StopGracePeriod) <= want {
		t.Errorf("stop_grace_period is %v, and Lectern may take %v", s.StopGracePeriod, want)
	}
}

// TestComposeConnections wants room in PostgreSQL for the replicas and a few
// commands.
func TestComposeConnections(t *testing.T) {
	given := settings(t, read(t, "deploy", "compose", "lectern.yaml"))
	command := strings.Join(loadCompose(t, nil).Services["postgres"].Command, " ")
	if !strings.Contains(command, "max_connections=200") {
		t.Fatalf("PostgreSQL's command is %q", command)
	}
	if each := given["store.postgres.max_conns"].(int) + 6; each*8 > 200 {
		t.Errorf("eight replicas with %d connections each do not fit 200", each)
	}
}

func TestComposeReplicas(t *testing.T) {
	project := loadCompose(t, map[string]string{"REPLICAS": "3", "PORTS": "8080-8082", "EMBEDDER": "openai", "QDRANT_API_KEY": "k", "POSTGRES_PASSWORD": "p@ss/word"}, "*")
	s := project.Services["lectern"]
	if s.Deploy.Replicas == nil || *s.Deploy.Replicas != 3 {
		t.Errorf("replicas: %v", s.Deploy.Replicas)
	}
	if len(s.Ports) != 1 || s.Ports[0].Published != "8080-8082" || s.Ports[0].Target != 8080 {
		t.Errorf("ports: %+v", s.Ports)
	}
	if s.ContainerName != "" {
		t.Error("a container with a name of its own cannot have replicas")
	}
	same := func(variable, service, other string) {
		a, b := s.Environment[variable], project.Services[service].Environment[other]
		if a == nil || b == nil || *a != *b {
			t.Errorf("%s and %s of %s differ", variable, other, service)
		}
	}
	same("PGPASSWORD", "postgres", "POSTGRES_PASSWORD")
	same("LECTERN_INDEX__QDRANT__API_KEY", "qdrant", "QDRANT__SERVICE__API_KEY")
	if driver := s.Environment["LECTERN_EMBED__DRIVER"]; driver == nil || *driver != "openai" {
		t.Error("EMBEDDER does not choose the embedder")
	}
}

// TestComposeVariables wants every variable of the compose file in env.example,
// and none that Lectern would take for a key of its own in somebody's shell.
func TestComposeVariables(t *testing.T) {
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`[^$]\$\{([A-Z_]+)(:-[^}]*)?\}`).FindAllStringSubmatch(read(t, "docker-compose.yml"), -1) {
		used[m[1]] = true
		if m[2] == "" {
			t.Errorf("%s has no default", m[1])
		}
		if strings.HasPrefix(m[1], envPrefix) {
			t.Errorf("%s looks like a configuration key", m[1])
		}
	}
	example := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Z_]+)=`).FindAllStringSubmatch(read(t, "deploy", "compose", "env.example"), -1) {
		example[m[1]] = true
	}
	if len(used) < 5 || !maps.Equal(used, example) {
		t.Errorf("docker-compose.yml uses %v, env.example lists %v", slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(example)))
	}
}
