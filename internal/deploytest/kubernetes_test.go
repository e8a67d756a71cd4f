package deploytest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// The parts of the manifests that must agree with Lectern. Decoding refuses a
// field that has no place here, so a misspelt one is found too.
type (
	metadata struct {
		Name        string            `yaml:"name"`
		Namespace   string            `yaml:"namespace"`
		Labels      map[string]string `yaml:"labels"`
		Annotations map[string]string `yaml:"annotations"`
	}
	selector struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	object[T any] struct {
		APIVersion string   `yaml:"apiVersion"`
		Kind       string   `yaml:"kind"`
		Metadata   metadata `yaml:"metadata"`
		Spec       T        `yaml:"spec"`
	}
	deploymentSpec struct {
		Replicas             int `yaml:"replicas"`
		RevisionHistoryLimit int `yaml:"revisionHistoryLimit"`
		Strategy             struct {
			Type          string `yaml:"type"`
			RollingUpdate struct {
				MaxSurge       int `yaml:"maxSurge"`
				MaxUnavailable int `yaml:"maxUnavailable"`
			} `yaml:"rollingUpdate"`
		} `yaml:"strategy"`
		Selector selector `yaml:"selector"`
		Template struct {
			Metadata metadata `yaml:"metadata"`
			Spec     podSpec  `yaml:"spec"`
		} `yaml:"template"`
	}
	podSpec struct {
		ServiceAccountName           string `yaml:"serviceAccountName"`
		AutomountServiceAccountToken *bool  `yaml:"automountServiceAccountToken"`
		EnableServiceLinks           *bool  `yaml:"enableServiceLinks"`
		SecurityContext              struct {
			RunAsNonRoot   bool              `yaml:"runAsNonRoot"`
			RunAsUser      int               `yaml:"runAsUser"`
			RunAsGroup     int               `yaml:"runAsGroup"`
			FSGroup        int               `yaml:"fsGroup"`
			SeccompProfile map[string]string `yaml:"seccompProfile"`
		} `yaml:"securityContext"`
		TopologySpreadConstraints []struct {
			MaxSkew           int      `yaml:"maxSkew"`
			TopologyKey       string   `yaml:"topologyKey"`
			WhenUnsatisfiable string   `yaml:"whenUnsatisfiable"`
			LabelSelector     selector `yaml:"labelSelector"`
		} `yaml:"topologySpreadConstraints"`
		TerminationGracePeriodSeconds int         `yaml:"terminationGracePeriodSeconds"`
		Containers                    []container `yaml:"containers"`
		Volumes                       []struct {
			Name      string            `yaml:"name"`
			ConfigMap map[string]string `yaml:"configMap"`
			EmptyDir  map[string]string `yaml:"emptyDir"`
		} `yaml:"volumes"`
	}
	container struct {
		Name    string              `yaml:"name"`
		Image   string              `yaml:"image"`
		Args    []string            `yaml:"args"`
		Env     []map[string]string `yaml:"env"`
		EnvFrom []struct {
			SecretRef map[string]string `yaml:"secretRef"`
		} `yaml:"envFrom"`
		Ports []struct {
			Name          string `yaml:"name"`
			ContainerPort int    `yaml:"containerPort"`
		} `yaml:"ports"`
		StartupProbe   probe `yaml:"startupProbe"`
		ReadinessProbe probe `yaml:"readinessProbe"`
		LivenessProbe  probe `yaml:"livenessProbe"`
		Lifecycle      struct {
			PreStop struct {
				Sleep struct {
					Seconds int `yaml:"seconds"`
				} `yaml:"sleep"`
			} `yaml:"preStop"`
		} `yaml:"lifecycle"`
		Resources struct {
			Requests map[string]string `yaml:"requests"`
			Limits   map[string]string `yaml:"limits"`
		} `yaml:"resources"`
		SecurityContext struct {
			AllowPrivilegeEscalation *bool               `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool                `yaml:"readOnlyRootFilesystem"`
			Capabilities             map[string][]string `yaml:"capabilities"`
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			Name      string `yaml:"name"`
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	probe struct {
		HTTPGet struct {
			Path string `yaml:"path"`
			Port string `yaml:"port"`
		} `yaml:"httpGet"`
		PeriodSeconds    int `yaml:"periodSeconds"`
		TimeoutSeconds   int `yaml:"timeoutSeconds"`
		FailureThreshold int `yaml:"failureThreshold"`
	}
)

const manifests = "deploy/kubernetes"

func manifest[T any](t *testing.T, name, kind string) object[T] {
	t.Helper()
	var o object[T]
	decode(t, read(t, manifests, name), &o)
	if o.Kind != kind || o.APIVersion == "" || o.Metadata.Name != "lectern" {
		t.Errorf("%s is %s %s %s, want a %s named lectern", name, o.APIVersion, o.Kind, o.Metadata.Name, kind)
	}
	return o
}

// routes are those of the API that need no key.
func routes(t *testing.T) map[string]bool {
	t.Helper()
	var doc struct {
		Paths map[string]struct {
			Get struct {
				Security *[]any `yaml:"security"`
			} `yaml:"get"`
		} `yaml:"paths"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "api", "openapi.yaml")), &doc); err != nil {
		t.Fatal(err)
	}
	open := map[string]bool{}
	for path, methods := range doc.Paths {
		if s := methods.Get.Security; s != nil && len(*s) == 0 {
			open[path] = true
		}
	}
	return open
}

func TestDeployment(t *testing.T) {
	d := manifest[deploymentSpec](t, "deployment.yaml", "Deployment").Spec
	if d.Replicas < 3 || d.Strategy.RollingUpdate.MaxUnavailable != 0 || d.Strategy.RollingUpdate.MaxSurge < 1 {
		t.Errorf("%d replicas, %+v: an upgrade would be felt", d.Replicas, d.Strategy.RollingUpdate)
	}
	pod := d.Template.Spec
	if len(pod.Containers) != 1 {
		t.Fatalf("%d containers", len(pod.Containers))
	}
	c := pod.Containers[0]
	open := routes(t)
	for name, p := range map[string]struct {
		probe
		path string
	}{
		"startup": {c.StartupProbe, "/healthz"}, "liveness": {c.LivenessProbe, "/healthz"}, "readiness": {c.ReadinessProbe, "/readyz"},
	} {
		if p.HTTPGet.Path != p.path || !open[p.HTTPGet.Path] {
			t.Errorf("the %s probe asks %q, want %s, which must be a route without a key", name, p.HTTPGet.Path, p.path)
		}
		if len(c.Ports) != 1 || p.HTTPGet.Port != c.Ports[0].Name {
			t.Errorf("the %s probe asks port %q of %v", name, p.HTTPGet.Port, c.Ports)
		}
	}
	if c.ReadinessProbe.TimeoutSeconds <= 2 {
		t.Error("/readyz takes up to two seconds to say what is not ready")
	}
	if wait := c.StartupProbe.PeriodSeconds * c.StartupProbe.FailureThreshold; wait < 300 {
		t.Errorf("a migration gets only %d seconds", wait)
	}
	if a := d.Template.Metadata.Annotations; !open[a["prometheus.io/path"]] || a["prometheus.io/port"] != "8080" {
		t.Errorf("Prometheus is told to scrape %v", a)
	}
	checkSelectors(t, d)
	checkPodSecurity(t, pod)
	checkMounts(t, pod)
}

func checkSelectors(t *testing.T, d deploymentSpec) {
	t.Helper()
	labels := d.Template.Metadata.Labels
	budget := manifest[struct {
		MaxUnavailable             int      `yaml:"maxUnavailable"`
		UnhealthyPodEvictionPolicy string   `yaml:"unhealthyPodEvictionPolicy"`
		Selector                   selector `yaml:"selector"`
	}](t, "poddisruptionbudget.yaml", "PodDisruptionBudget").Spec
	service := manifest[struct {
		Selector map[string]string `yaml:"selector"`
		Ports    []struct {
			Name       string `yaml:"name"`
			Port       int    `yaml:"port"`
			TargetPort string `yaml:"targetPort"`
		} `yaml:"ports"`
	}](t, "service.yaml", "Service").Spec
	selectors := []map[string]string{d.Selector.MatchLabels, budget.Selector.MatchLabels, service.Selector}
	for _, c := range d.Template.Spec.TopologySpreadConstraints {
		selectors = append(selectors, c.LabelSelector.MatchLabels)
	}
	if len(selectors) < 4 {
		t.Error("nothing spreads the pods")
	}
	for _, s := range selectors {
		if len(s) == 0 {
			t.Error("an empty selector")
		}
		for k, v := range s {
			if labels[k] != v {
				t.Errorf("selector %v does not match pods labelled %v", s, labels)
			}
		}
	}
	if budget.MaxUnavailable < 1 || budget.MaxUnavailable >= d.Replicas {
		t.Errorf("the disruption budget lets %d of %d go", budget.MaxUnavailable, d.Replicas)
	}
	port := d.Template.Spec.Containers[0].Ports[0].Name
	if len(service.Ports) != 1 || service.Ports[0].TargetPort != port {
		t.Errorf("the service leads to %v, the container has %s", service.Ports, port)
	}
}

// checkPodSecurity wants what the restricted Pod Security Standard wants, and a
// bit more.
func checkPodSecurity(t *testing.T, pod podSpec) {
	t.Helper()
	c := pod.Containers[0]
	for what, ok := range map[string]bool{
		"runAsNonRoot":             pod.SecurityContext.RunAsNonRoot && pod.SecurityContext.RunAsUser > 0,
		"seccompProfile":           pod.SecurityContext.SeccompProfile["type"] == "RuntimeDefault",
		"allowPrivilegeEscalation": c.SecurityContext.AllowPrivilegeEscalation != nil && !*c.SecurityContext.AllowPrivilegeEscalation,
		"readOnlyRootFilesystem":   c.SecurityContext.ReadOnlyRootFilesystem,
		"capabilities":             slices.Equal(c.SecurityContext.Capabilities["drop"], []string{"ALL"}),
		"service account token":    pod.AutomountServiceAccountToken != nil && !*pod.AutomountServiceAccountToken,
		"memory limit":             c.Resources.Limits["memory"] != "" && c.Resources.Requests["memory"] != "",
		// LECTERN_PORT and others, which name no key, stop Lectern at start.
		"enableServiceLinks": pod.EnableServiceLinks != nil && !*pod.EnableServiceLinks,
	} {
		if !ok {
			t.Errorf("the pod's %s is not as it must be", what)
		}
	}
	final := dockerfile(t)[1]
	if user := find(final, "USER")[0]; !strings.HasPrefix(user, strconv.Itoa(pod.SecurityContext.RunAsUser)+":") {
		t.Errorf("the pod runs as %d, the image as %s", pod.SecurityContext.RunAsUser, user)
	}
	var namespace object[struct{}]
	decode(t, read(t, manifests, "namespace.yaml"), &namespace)
	if namespace.Metadata.Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Error("the namespace does not enforce the restricted standard")
	}
}

func checkMounts(t *testing.T, pod podSpec) {
	t.Helper()
	c := pod.Containers[0]
	var volumes, mounts, paths []string
	for _, v := range pod.Volumes {
		volumes = append(volumes, v.Name)
	}
	for _, m := range c.VolumeMounts {
		mounts, paths = append(mounts, m.Name), append(paths, m.MountPath)
	}
	if !slices.Equal(volumes, mounts) {
		t.Errorf("volumes %v, mounted %v", volumes, mounts)
	}
	for _, want := range []string{"/data", "/tmp", "/etc/lectern"} {
		if !slices.Contains(paths, want) {
			t.Errorf("%s is not mounted", want)
		}
	}
	known := configuration(t)
	config := ""
	for _, v := range c.Env {
		checkVariable(t, known, "deployment.yaml", v["name"])
		if v["name"] == envPrefix+"CONFIG" {
			config = v["value"]
		}
	}
	if config != "/etc/lectern/lectern.yaml" {
		t.Errorf("LECTERN_CONFIG is %q", config)
	}
	given := checkSettings(t, known, "lectern.yaml", read(t, manifests, "lectern.yaml"))
	grace := time.Duration(pod.TerminationGracePeriodSeconds-c.Lifecycle.PreStop.Sleep.Seconds) * time.Second
	if c.Lifecycle.PreStop.Sleep.Seconds < 5 || grace < shutdown(t, given, known) {
		t.Errorf("after preStop %v are left; Lectern may take %v", grace, shutdown(t, given, known))
	}
	if given["store.driver"] != "postgres" || given["index.driver"] != "qdrant" {
		t.Error("replicas need backends that they share")
	}
}

func TestSecretTemplate(t *testing.T) {
	var secret struct {
		APIVersion string            `yaml:"apiVersion"`
		Kind       string            `yaml:"kind"`
		Metadata   metadata          `yaml:"metadata"`
		Type       string            `yaml:"type"`
		StringData map[string]string `yaml:"stringData"`
	}
	text := read(t, manifests, "secret.example.yaml")
	known := configuration(t)
	decode(t, strings.ReplaceAll(text, "# LECTERN_", "LECTERN_"), &secret) // those that are optional, too
	if len(secret.StringData) < 4 {
		t.Errorf("the template has only %d keys", len(secret.StringData))
	}
	for name := range secret.StringData {
		checkVariable(t, known, "secret.example.yaml", name)
	}
	refs := manifest[deploymentSpec](t, "deployment.yaml", "Deployment").Spec.Template.Spec.Containers[0].EnvFrom
	if len(refs) != 1 || refs[0].SecretRef["name"] != secret.Metadata.Name {
		t.Errorf("the pods read %v, the template is %q", refs, secret.Metadata.Name)
	}
}

func TestAutoscaler(t *testing.T) {
	var a object[struct {
		ScaleTargetRef map[string]string `yaml:"scaleTargetRef"`
		MinReplicas    int               `yaml:"minReplicas"`
		MaxReplicas    int               `yaml:"maxReplicas"`
		Metrics        []any             `yaml:"metrics"`
		Behavior       any               `yaml:"behavior"`
	}]
	decode(t, read(t, manifests, "components", "autoscaling", "horizontalpodautoscaler.yaml"), &a)
	if ref := a.Spec.ScaleTargetRef; ref["kind"] != "Deployment" || ref["name"] != "lectern" || ref["apiVersion"] != "apps/v1" {
		t.Errorf("it scales %v", ref)
	}
	if a.Spec.MinReplicas < 3 || a.Spec.MaxReplicas <= a.Spec.MinReplicas {
		t.Errorf("from %d to %d", a.Spec.MinReplicas, a.Spec.MaxReplicas)
	}
}

func TestSystemdUnit(t *testing.T) {
	unit := read(t, "deploy", "systemd", "lectern.service")
	for _, want := range []string{"serve --config /etc/lectern/lectern.yaml", "DynamicUser=yes", "StateDirectory=lectern\n", "Restart=always", "NoNewPrivileges=yes", "ProtectSystem=strict"} {
		if !strings.Contains(unit, want) {
			t.Errorf("the unit lacks %q", want)
		}
	}
	known := configuration(t)
	for line := range strings.Lines(unit) {
		if value, ok := strings.CutPrefix(line, "Environment="); ok {
			name, _, _ := strings.Cut(value, "=")
			checkVariable(t, known, "lectern.service", name)
		}
		if value, ok := strings.CutPrefix(line, "TimeoutStopSec="); ok {
			d, err := time.ParseDuration(strings.TrimSpace(value) + "s")
			if err != nil || d <= shutdown(t, nil, known) {
				t.Errorf("TimeoutStopSec is %v (%v), and Lectern may take %v", d, err, shutdown(t, nil, known))
			}
		}
	}
}
