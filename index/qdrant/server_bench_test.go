package qdrant

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	pb "github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern"
)

// The catalogue of BenchmarkServer: content vectors in clusters, as those of
// courses are, about serverWords words each, and payloads of every kind.
const (
	serverPoints   = 100_000
	serverDim      = 256
	serverClusters = 2000
	serverWords    = 100
)

// serverLayouts are the ways to keep vectors that BenchmarkServer compares.
var serverLayouts = []struct {
	name   string
	change func(*Config)
}{
	{"memory", func(*Config) {}},
	{"scalar", func(c *Config) { c.Quantization = "scalar" }},
	{"scalar-rest-on-disk", func(c *Config) {
		c.Quantization, c.OnDiskVectors, c.OnDiskPayload, c.OnDiskSparse = "scalar", true, true, true
	}},
}

// BenchmarkServer sizes a real server: it fills it with 100,000 points, lets it
// build its graph, and searches. LECTERN_TEST_QDRANT names the server; where
// LECTERN_TEST_QDRANT_PID is its process on this machine, memory is reported. Run
// it with -benchtime 500x, as each search is one sample of the quantiles.
func BenchmarkServer(b *testing.B) {
	address := os.Getenv("LECTERN_TEST_QDRANT")
	if address == "" {
		b.Skip("LECTERN_TEST_QDRANT names no Qdrant to measure")
	}
	for _, layout := range serverLayouts {
		b.Run(layout.name, func(b *testing.B) {
			c := testConfig(address)
			c.SearchTimeout, c.WriteTimeout = 10*time.Minute, 10*time.Minute
			layout.change(&c)
			index := serverIndex(b, c)
			took := fillServer(b, index)
			filled := memoryOf(b)
			graph := awaitGraph(b, index)
			b.Run("fill", func(b *testing.B) {
				b.ReportMetric(serverPoints/took.Seconds(), "points/s")
				b.ReportMetric(graph.Seconds(), "s-graph")
				b.ReportMetric(0, "ns/op")
				filled.report(b, "filled")
				memoryOf(b).report(b, "with-graph")
			})
			searchServer(b, index)
		})
	}
}

func serverIndex(b *testing.B, c Config) *Index {
	b.Helper()
	x, err := Connect(b.Context(), Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = x.Close() })
	spec := lectern.IndexSpec{Version: 1, Dense: map[string]int{lectern.VectorContent: serverDim}, Sparse: []string{lectern.VectorLexical}}
	if _, err := x.Create(b.Context(), spec); err != nil {
		b.Fatal(err)
	}
	sweep(b, x)
	index, _, err := x.open(b.Context(), courses, 1)
	if err != nil {
		b.Fatal(err)
	}
	return index
}

// near is a unit vector in one of the clusters.
func near(r *rand.Rand) []float32 {
	centre := rand.New(rand.NewPCG(7, r.Uint64N(serverClusters)))
	v, sum := make([]float32, serverDim), 0.0
	for i := range v {
		x := centre.NormFloat64() + 0.7*r.NormFloat64()
		v[i], sum = float32(x), sum+x*x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// fillServer returns how long the writes alone took.
func fillServer(b *testing.B, index *Index) time.Duration {
	b.Helper()
	r := rand.New(rand.NewPCG(8, 9))
	took := time.Duration(0)
	for start := 0; start < serverPoints; start += 5000 {
		points := make([]lectern.Point, 5000)
		for i := range points {
			points[i] = randomPoint(r, start+i)
			points[i].Dense = map[string][]float32{lectern.VectorContent: near(r)}
			points[i].Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: *randomWords(r, serverWords)}
		}
		began := time.Now()
		if err := index.Upsert(b.Context(), points); err != nil {
			b.Fatal(err)
		}
		took += time.Since(began)
	}
	return took
}

// awaitGraph waits until the server has optimised what it holds.
func awaitGraph(b *testing.B, index *Index) time.Duration {
	b.Helper()
	began, quiet := time.Now(), 0
	for ; quiet < 5; time.Sleep(time.Second) {
		info, err := index.x.info(b.Context(), index.collection)
		if err != nil {
			b.Fatal(err)
		}
		quiet++
		if info.GetStatus() != pb.CollectionStatus_Green {
			quiet = 0
		}
		if time.Since(began) > time.Hour {
			b.Fatalf("no graph in an hour: %v", info)
		}
	}
	return time.Since(began) - 5*time.Second
}

// searchServer measures single searches, one after another.
func searchServer(b *testing.B, index *Index) {
	excluded := make([]string, 5000)
	for i := range excluded {
		excluded[i] = fmt.Sprintf("course-%d", i*20)
	}
	filters := map[string]lectern.Filter{
		"all": {},
		"filter": {Categories: []string{"law", "health"}, Eligible: &lectern.Eligibility{
			At: time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), Region: "de"}},
		"5000-excluded": {ExcludeIDs: excluded},
	}
	for _, exact := range []bool{true, false} {
		for _, name := range []string{"all", "filter", "5000-excluded"} {
			how := map[bool]string{true: "exact", false: "graph"}[exact]
			b.Run("search/"+how+"/"+name, func(b *testing.B) {
				index.x.cfg.Exact = exact
				r := rand.New(rand.NewPCG(10, 11))
				measure(b, index, func() lectern.VectorQuery {
					return lectern.VectorQuery{Vector: lectern.VectorContent, Dense: near(r), Filter: filters[name], K: 10}
				})
			})
		}
	}
	b.Run("search/words/filter", func(b *testing.B) {
		r := rand.New(rand.NewPCG(10, 11))
		measure(b, index, func() lectern.VectorQuery {
			return lectern.VectorQuery{Vector: lectern.VectorLexical, Sparse: randomWords(r, 5), Filter: filters["filter"], K: 10}
		})
	})
}

// measure reports quantiles of the time of a search, and for a graph how many of
// the 10 nearest it finds.
func measure(b *testing.B, index *Index, next func() lectern.VectorQuery) {
	var took []time.Duration
	var asked []lectern.VectorQuery
	var found [][]lectern.Hit
	for b.Loop() {
		q := []lectern.VectorQuery{next()}
		began := time.Now()
		lists, err := index.Search(b.Context(), q)
		took = append(took, time.Since(began))
		if err != nil {
			b.Fatal(err)
		}
		if len(asked) < 100 {
			asked, found = append(asked, q[0]), append(found, lists[0])
		}
	}
	slices.Sort(took)
	ms := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(ms(0.5), "ms-p50")
	b.ReportMetric(ms(0.99), "ms-p99")
	b.ReportMetric(0, "ns/op")
	if !index.x.cfg.Exact && asked[0].Dense != nil {
		b.ReportMetric(recall(b, index, asked, found), "recall@10")
	}
}

func recall(b *testing.B, index *Index, asked []lectern.VectorQuery, found [][]lectern.Hit) float64 {
	b.Helper()
	index.x.cfg.Exact = true
	defer func() { index.x.cfg.Exact = false }()
	hit, all := 0, 0
	for n, q := range asked {
		lists, err := index.Search(context.WithoutCancel(b.Context()), []lectern.VectorQuery{q})
		if err != nil {
			b.Fatal(err)
		}
		all += len(lists[0])
		for _, h := range lists[0] {
			if slices.ContainsFunc(found[n], func(g lectern.Hit) bool { return g.ID == h.ID }) {
				hit++
			}
		}
	}
	return float64(hit) / float64(max(1, all))
}

// memory is what a process holds, in MB: its own, and of files that it maps.
type memory map[string]float64

func memoryOf(b *testing.B) memory {
	b.Helper()
	pid := os.Getenv("LECTERN_TEST_QDRANT_PID")
	if pid == "" {
		return nil
	}
	f, err := os.Open("/proc/" + pid + "/status")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	out := memory{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) == 3 && (fields[0] == "RssAnon:" || fields[0] == "RssFile:") {
			kb, _ := strconv.ParseFloat(fields[1], 64)
			out[strings.ToLower(strings.Trim(fields[0], "Rs:"))] = kb / 1024
		}
	}
	return out
}

func (m memory) report(b *testing.B, when string) {
	for what, mb := range m {
		b.ReportMetric(mb, "MB-"+what+"-"+when)
	}
}
