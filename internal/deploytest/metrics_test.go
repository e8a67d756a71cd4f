package deploytest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metric is one that the binary exports.
type metric struct {
	labels    []string
	histogram bool
}

// exported collects the metrics from the code that makes them, so that those of
// backends which no test starts are among them, and those of the libraries.
func exported(t *testing.T) map[string]metric {
	t.Helper()
	out := map[string]metric{"up": {}} // Prometheus adds it
	for _, dir := range []string{"api", filepath.Join("cmd", "lectern")} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					collect(call, out)
				}
				return true
			})
		}
	}
	if len(out) < 30 {
		t.Fatalf("found only %d metrics in the code", len(out))
	}
	addLibraries(t, out)
	return out
}

// collect adds the metric that a call of prometheus.NewSomething makes.
func collect(call *ast.CallExpr, out map[string]metric) {
	fn, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return
	}
	if pkg, ok := fn.X.(*ast.Ident); !ok || pkg.Name != "prometheus" {
		return
	}
	var labels []string
	for _, arg := range call.Args[1:] {
		if list, ok := arg.(*ast.CompositeLit); ok {
			for _, e := range list.Elts {
				labels = append(labels, text(e))
			}
		}
	}
	name := text(call.Args[0]) // NewDesc
	if options, ok := call.Args[0].(*ast.CompositeLit); ok {
		for _, e := range options.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok && kv.Key.(*ast.Ident).Name == "Name" {
				name = text(kv.Value)
			}
		}
	}
	if strings.HasPrefix(name, "lectern_") {
		out[name] = metric{labels: labels, histogram: strings.HasPrefix(fn.Sel.Name, "NewHistogram")}
	}
}

// text returns a string literal's value, "" for anything else.
func text(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	s, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return s
}

func addLibraries(t *testing.T, out map[string]metric) {
	t.Helper()
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		out[f.GetName()] = metric{}
	}
}

// TestEveryMetricIsShown wants each of Lectern's metrics in the dashboard or in
// an alert: one that nobody looks at is not worth its name.
func TestEveryMetricIsShown(t *testing.T) {
	var all strings.Builder
	for _, e := range append(rules(t), dashboard(t)...) {
		all.WriteString(e.expr + "\n")
	}
	for name := range exported(t) {
		if strings.HasPrefix(name, "lectern_") && !strings.Contains(all.String(), name) {
			t.Errorf("neither dashboard nor alerts show %s", name)
		}
	}
}

func TestExportedMetrics(t *testing.T) {
	all := exported(t)
	requests, ok := all["lectern_http_requests_total"]
	if !ok || !slices.Equal(requests.labels, []string{"method", "route", "status"}) {
		t.Errorf("lectern_http_requests_total: %+v", requests)
	}
	if !all["lectern_http_request_duration_seconds"].histogram {
		t.Error("lectern_http_request_duration_seconds is not seen as a histogram")
	}
	if calls := all["lectern_qdrant_calls_total"]; !slices.Equal(calls.labels, []string{"operation", "outcome"}) {
		t.Errorf("lectern_qdrant_calls_total: %+v", calls)
	}
}
