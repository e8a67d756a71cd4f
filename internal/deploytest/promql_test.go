package deploytest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// expression is a PromQL query and where it stands.
type expression struct{ where, expr string }

var (
	quoted    = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	selectors = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)?\{([^}]*)\}`)
	matcher   = regexp.MustCompile(`([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)`)
	grouping  = regexp.MustCompile(`\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)`)
	duration  = regexp.MustCompile(`\[[^\]]*\]`)
	number    = regexp.MustCompile(`\b[0-9][0-9.e]*\b`)
	word      = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
	counted   = regexp.MustCompile(`\b(rate|increase)\(\s*([a-zA-Z_:]+)`)
)

// words are PromQL's own that the expressions here use.
var words = []string{
	"sum", "max", "min", "avg", "count", "absent", "rate", "increase", "histogram_quantile", "scalar",
	"min_over_time", "max_over_time", "avg_over_time", "and", "or", "unless", "bool",
}

// everyMetric has these labels from the scrape.
var everyMetric = []string{"job", "instance"}

// check says what in a query no scrape of Lectern could answer.
func check(expr string, all map[string]metric) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for open, shut := range map[string]string{"(": ")", "{": "}", "[": "]"} {
		if strings.Count(expr, open) != strings.Count(expr, shut) {
			fault("has more %s than %s, or fewer", open, shut)
		}
	}
	plain := quoted.ReplaceAllString(expr, `""`)
	var labels []string // of all metrics in the query
	find := func(name string) (metric, bool) {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			base, cut := strings.CutSuffix(name, suffix)
			if m, ok := all[base]; ok && cut && m.histogram {
				if suffix == "_bucket" {
					m.labels = append([]string{"le"}, m.labels...)
				}
				return m, true
			}
		}
		m, ok := all[name]
		return m, ok && !m.histogram
	}
	for _, s := range selectors.FindAllStringSubmatch(plain, -1) {
		m, _ := find(s[1]) // an unknown one is reported below
		for _, label := range matcher.FindAllStringSubmatch(s[2], -1) {
			if !slices.Contains(append(m.labels, everyMetric...), label[1]) {
				fault("%s has no label %s", s[1], label[1])
			}
		}
	}
	rest := selectors.ReplaceAllString(plain, "$1 ")
	rest = number.ReplaceAllString(duration.ReplaceAllString(rest, " "), " ")
	names := grouping.ReplaceAllString(rest, " ")
	for _, name := range word.FindAllString(strings.ReplaceAll(names, `""`, " "), -1) {
		if slices.Contains(words, name) {
			continue
		}
		m, ok := find(name)
		if !ok {
			fault("nothing exports %s", name)
		}
		labels = append(labels, m.labels...)
	}
	for _, g := range grouping.FindAllStringSubmatch(rest, -1) {
		for _, label := range word.FindAllString(g[2], -1) {
			if !slices.Contains(append(labels, everyMetric...), label) {
				fault("%s (%s): no metric in it has that label", g[1], label)
			}
		}
	}
	for _, c := range counted.FindAllStringSubmatch(expr, -1) {
		if !regexp.MustCompile(`_(total|bucket|sum|count)$`).MatchString(c[2]) {
			fault("%s() of %s, which is not a counter", c[1], c[2])
		}
	}
	return faults
}

func TestCheckFinds(t *testing.T) {
	all := exported(t)
	for expr, want := range map[string]string{
		`sum by (route) (rate(lectern_http_requests_total{status=~"5.."}[5m]))`:                       "",
		`histogram_quantile(0.9, sum by (le) (rate(lectern_list_stage_duration_seconds_bucket[5m])))`: "",
		`lectern_leaders`:                                     "nothing exports lectern_leaders",
		`lectern_leader{instances="x"}`:                       "lectern_leader has no label instances",
		`sum by (rout) (lectern_http_requests_total)`:         "by (rout): no metric in it has that label",
		`lectern_http_request_duration_seconds`:               "nothing exports lectern_http_request_duration_seconds",
		`lectern_leader_bucket`:                               "nothing exports lectern_leader_bucket",
		`rate(lectern_jobs_pending[5m])`:                      "rate() of lectern_jobs_pending, which is not a counter",
		`sum(rate(lectern_http_requests_total[5m])`:           "has more ( than ), or fewer",
		`sum by (le) (rate(lectern_http_requests_total[5m]))`: "by (le): no metric in it has that label",
	} {
		if got := strings.Join(check(expr, all), "; "); got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}

// rules returns the alerts' queries.
func rules(t *testing.T) (out []expression) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	decode(t, read(t, "deploy", "prometheus", "rules.yml"), &file)
	seen := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if seen[r.Alert] || r.Alert == "" {
				t.Errorf("alert %q has no name of its own", r.Alert)
			}
			seen[r.Alert] = true
			if !slices.Contains([]string{"page", "ticket"}, r.Labels["severity"]) {
				t.Errorf("%s: severity %q", r.Alert, r.Labels["severity"])
			}
			for _, want := range []string{"summary", "action"} {
				if r.Annotations[want] == "" {
					t.Errorf("%s has no %s", r.Alert, want)
				}
			}
			out = append(out, expression{r.Alert, r.Expr})
		}
	}
	if len(out) < 10 {
		t.Fatalf("only %d alerts", len(out))
	}
	return out
}

// dashboard returns the panels' queries, variables filled in.
func dashboard(t *testing.T) (out []expression) {
	t.Helper()
	var board struct {
		UID        string `json:"uid"`
		Templating struct {
			List []struct {
				Name, Type, Definition string
			} `json:"list"`
		} `json:"templating"`
		Panels []struct {
			ID      int    `json:"id"`
			Type    string `json:"type"`
			Title   string `json:"title"`
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ RefID, Expr string }
		} `json:"panels"`
	}
	if err := json.Unmarshal([]byte(read(t, "deploy", "grafana", "dashboards", "lectern.json")), &board); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"__rate_interval": true, "datasource": true}
	for _, v := range board.Templating.List {
		known[v.Name] = true
		if query, ok := strings.CutPrefix(v.Definition, "label_values("); ok {
			query, _, _ = strings.Cut(query, ",")
			out = append(out, expression{"variable " + v.Name, strings.ReplaceAll(query, "$job", "x")})
		}
	}
	variable := regexp.MustCompile(`\$\{?(\w+)\}?`)
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q shares its id or leaves the grid", p.Title)
		}
		ids[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			for _, v := range variable.FindAllStringSubmatch(target.Expr, -1) {
				if !known[v[1]] {
					t.Errorf("panel %q uses $%s, which is not a variable", p.Title, v[1])
				}
			}
			out = append(out, expression{"panel " + p.Title, variable.ReplaceAllString(target.Expr, "x")})
		}
	}
	if len(out) < 20 {
		t.Fatalf("only %d queries", len(out))
	}
	return out
}

func TestMonitoringNamesRealMetrics(t *testing.T) {
	all := exported(t)
	for _, e := range append(rules(t), dashboard(t)...) {
		for _, f := range check(e.expr, all) {
			t.Errorf("%s: %s\n%s", e.where, f, e.expr)
		}
	}
}

// TestPrometheusScrapes holds the scrape against routes, compose file and alerts.
func TestPrometheusScrapes(t *testing.T) {
	var config struct {
		Global        map[string]string `yaml:"global"`
		RuleFiles     []string          `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName       string `yaml:"job_name"`
			MetricsPath   string `yaml:"metrics_path"`
			ScrapeTimeout string `yaml:"scrape_timeout"`
			DNS           []struct {
				Names           []string `yaml:"names"`
				Type            string   `yaml:"type"`
				Port            uint32   `yaml:"port"`
				RefreshInterval string   `yaml:"refresh_interval"`
			} `yaml:"dns_sd_configs"`
			Static []struct {
				Targets []string `yaml:"targets"`
			} `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	decode(t, read(t, "deploy", "prometheus", "prometheus.yml"), &config)
	services := loadCompose(t, nil, "*").Services
	job := config.ScrapeConfigs[0]
	if job.JobName != "lectern" || !routes(t)[job.MetricsPath] || len(job.DNS) != 1 || job.DNS[0].Type != "A" {
		t.Fatalf("the first job is %+v", job)
	}
	for _, name := range job.DNS[0].Names {
		if s, ok := services[name]; !ok || s.Ports[0].Target != job.DNS[0].Port {
			t.Errorf("it scrapes %s:%d, which is no service", name, job.DNS[0].Port)
		}
	}
	if !slices.Equal(config.RuleFiles, []string{"rules.yml"}) {
		t.Errorf("rule files: %v", config.RuleFiles)
	}
	var source struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name      string         `yaml:"name"`
			UID       string         `yaml:"uid"`
			Type      string         `yaml:"type"`
			Access    string         `yaml:"access"`
			URL       string         `yaml:"url"`
			IsDefault bool           `yaml:"isDefault"`
			JSONData  map[string]any `yaml:"jsonData"`
		} `yaml:"datasources"`
	}
	decode(t, read(t, "deploy", "grafana", "provisioning", "datasources", "prometheus.yaml"), &source)
	if len(source.Datasources) != 1 || source.Datasources[0].URL != "http://prometheus:9090" || !source.Datasources[0].IsDefault {
		t.Errorf("Grafana reads from %+v", source.Datasources)
	}
	if provider := read(t, "deploy", "grafana", "provisioning", "dashboards", "lectern.yaml"); !strings.Contains(provider, "path: /var/lib/lectern-dashboards") {
		t.Errorf("Grafana looks for dashboards elsewhere:\n%s", provider)
	}
}
