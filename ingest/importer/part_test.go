package importer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/ingesttest"
	"github.com/lectern-dev/lectern/ingest/mapping"
)

func TestParsePart(t *testing.T) {
	for text, want := range map[string]Part{"1/1": {1, 1}, "1/2": {1, 2}, "12/12": {12, 12}} {
		got, err := ParsePart(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "/", "0/0", "0/2", "3/2", "-1/2", "1/-2", "1/2/3", "a/b", " 1/2", "1/", "0/1"} {
		if got, err := ParsePart(text); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := newBench(t).run(Options{Kind: ingest.Courses, Part: Part{3, 2}}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("a part that is none: %v", err)
	}
}

// TestPartIsStable pins which part a key is in: it must never change.
func TestPartIsStable(t *testing.T) {
	// FNV-1a 64 of "a" is 0xaf63dc4c8601ec8c; its lower half becomes 0x8601ec8c ^
	// 0xaf63dc4c = 0x296230c0. 0xaf63dc4c296230c0 is 0 mod 4 and 4 mod 5.
	for _, tt := range []struct {
		key  string
		of   int
		want int
	}{
		{"a", 1, 1}, {"a", 4, 1}, {"a", 5, 5}, {"course-1", 3, 2},
		{"machine-learning", 2, 2}, {"machine-learning", 7, 3}, {"قواعد", 3, 1},
	} {
		if got := partOf(tt.key, tt.of); got != tt.want {
			t.Errorf("%q is in part %d/%d, want %d", tt.key, got, tt.of, tt.want)
		}
	}
}

// partOf is the one part of n that has the key; 0 where there is not just one.
func partOf(key string, n int) int {
	found := 0
	for i := 1; i <= n; i++ {
		if (Part{i, n}).has(key) {
			if found != 0 {
				return 0
			}
			found = i
		}
	}
	return found
}

// TestPartsAreEven: ids that differ in few bits are spread all the same.
func TestPartsAreEven(t *testing.T) {
	const keys = 10_000
	for _, format := range []string{"course-%d", "%d", "%08d", "x%d0"} {
		for _, n := range []int{2, 3, 4, 8} {
			sizes := make([]int, n+1)
			for i := range keys {
				sizes[partOf(fmt.Sprintf(format, 2*i), n)]++
			}
			if even := keys / n; sizes[0] != 0 || slices.Min(sizes[1:]) < even*9/10 || slices.Max(sizes[1:]) > even*11/10 {
				t.Errorf("%s in %d parts: %d", format, n, sizes)
			}
		}
	}
}

// partFiles are rows of each kind that depend on one another, with some that
// nobody can import.
var partFiles = map[ingest.Kind]func(rt *rapid.T) string{
	ingest.Courses: func(rt *rapid.T) string {
		title := rapid.SampledFrom([]string{"", `,"title":"One"`, `,"title":"Two"`, `,"title":""`}).Draw(rt, "title")
		return fmt.Sprintf(`{"id":"c%d"%s,"provider":"p%d"}`, rapid.IntRange(0, 5).Draw(rt, "course"), title, rapid.IntRange(0, 2).Draw(rt, "provider"))
	},
	ingest.Reviews: func(rt *rapid.T) string {
		return fmt.Sprintf(`{"course_id":"c%d","stars":%d,"text":"t%d"}`, rapid.IntRange(0, 5).Draw(rt, "course"),
			rapid.IntRange(0, 5).Draw(rt, "stars"), rapid.IntRange(0, 2).Draw(rt, "text"))
	},
	ingest.Ratings: func(rt *rapid.T) string {
		return fmt.Sprintf(`{"course_id":"c%d","day":"2026-01-0%d","stars":%d}`, rapid.IntRange(0, 5).Draw(rt, "course"),
			rapid.IntRange(0, 2).Draw(rt, "day"), rapid.IntRange(4, 5).Draw(rt, "stars"))
	},
	ingest.Learners: func(rt *rapid.T) string {
		field := rapid.SampledFrom([]string{`"goal":"nurse"`, `"goal":null`, `"weekly_hours":3`, `"weekly_hours":900`}).Draw(rt, "field")
		return fmt.Sprintf(`{"id":"l%d",%s}`, rapid.IntRange(0, 5).Draw(rt, "learner"), field)
	},
	ingest.Events: func(rt *rapid.T) string {
		whose := []string{`"learner_id":"l"`, `"anonymous_id":"v"`, `"learner_id":"m","anonymous_id":"v"`, `"learner_id":"n"`, `"session_id":"s"`}
		who, id := rapid.IntRange(0, len(whose)-1).Draw(rt, "who"), rapid.IntRange(0, 9).Draw(rt, "id")
		return fmt.Sprintf(`{"id":"e%d-%d",%s,"type":"click","course_id":"c%d","occurred_at":"2026-01-01T00:00:0%dZ"}`, id, who, whose[who], id%3, id)
	},
}

// TestPartsTogetherAreTheWhole imports the same files whole and in parts that
// run at once or one after the other, and parts again: the store is the same, and
// each row is counted in one part.
func TestPartsTogetherAreTheWhole(t *testing.T) {
	for kind, row := range partFiles {
		t.Run(string(kind), func(t *testing.T) {
			dir := t.TempDir()
			run := 0
			rapid.Check(t, func(rt *rapid.T) {
				run++
				files := make([]string, 2)
				for i := range files {
					files[i] = filepath.Join(dir, fmt.Sprintf("%d-%d.jsonl", run, i))
					rows := rapid.SliceOfN(rapid.Custom(row), 1, 30).Draw(rt, "rows")
					rows = append(rows, "{", strings.Repeat(" ", i)+"{}") // not JSON, and without anything
					if err := os.WriteFile(files[i], []byte(strings.Join(rows, "\n")), 0o600); err != nil {
						rt.Fatal(err)
					}
				}
				opts := Options{Kind: kind, Files: files, BatchRows: rapid.IntRange(1, 9).Draw(rt, "batch")}
				whole := newPartImport(rt, opts)
				whole.run(rt, Part{})
				again := whole.run(rt, Part{})

				n := rapid.IntRange(2, 4).Draw(rt, "parts")
				split := newPartImport(rt, opts)
				if rapid.Bool().Draw(rt, "at once") {
					split.runAtOnce(rt, n)
				} else {
					for _, i := range rapid.Permutation(seq(n)).Draw(rt, "order") {
						split.run(rt, Part{i, n})
					}
				}
				if diff := cmp.Diff(whole.rows(), split.rows()); diff != "" {
					rt.Errorf("what the store holds (-whole +parts):\n%s", diff)
				}
				repeated := Summary{}
				for i := 1; i <= n; i++ {
					sum := split.run(rt, Part{i, n})
					repeated.Created += sum.Created + sum.Parked
					repeated.Rejected += sum.Rejected
					repeated.Read += sum.Read - sum.Skipped
				}
				if want := (Summary{Read: again.Read, Rejected: again.Rejected}); !cmp.Equal(repeated, want) {
					rt.Errorf("parts again: %+v, want %+v", repeated, want)
				}
				if diff := cmp.Diff(whole.rows(), split.rows()); diff != "" {
					rt.Errorf("after the parts again (-whole +parts):\n%s", diff)
				}
			})
		})
	}
}

func seq(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// partImport imports into one store, in parts or not.
type partImport struct {
	opts  Options
	store *ingesttest.Memory
	svc   ingest.Service
}

func newPartImport(_ *rapid.T, opts Options) *partImport {
	p := &partImport{opts: opts, store: ingesttest.New()}
	p.svc = p.store.Service()
	p.svc.Clock = func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }
	return p
}

func (p *partImport) importPart(part Part) (Summary, error) {
	opts := p.opts
	opts.Part = part
	sum, err := Run(context.Background(), opts, p.svc)
	if lectern.ErrorCode(err) == lectern.CodeInvalid && sum.Accepted() == 0 {
		err = nil // a part may well consist of nothing but rows that are no good
	}
	return sum, err
}

func (p *partImport) run(rt *rapid.T, part Part) Summary {
	sum, err := p.importPart(part)
	if err != nil {
		rt.Fatal(err)
	}
	return sum
}

func (p *partImport) runAtOnce(rt *rapid.T, n int) {
	var parts errgroup.Group
	for i := 1; i <= n; i++ {
		parts.Go(func() error {
			_, err := p.importPart(Part{i, n})
			return err
		})
	}
	if err := parts.Wait(); err != nil {
		rt.Fatal(err)
	}
}

// rows is all that the store holds.
func (p *partImport) rows() []any {
	s := p.store
	return []any{s.Catalogue, s.Reviews, s.Ratings, s.Learners, s.Events}
}

// TestSplittingByRowsLosesRatings is why parts are not made by cutting files:
// two runs number equal ratings from 1 each.
func TestSplittingByRowsLosesRatings(t *testing.T) {
	b := newBench(t)
	row := "c,2026-01-01,5\n"
	const head = "course_id,day,stars\n"
	for _, name := range []string{"first half.csv", "second half.csv"} {
		if _, err := b.run(Options{Kind: ingest.Ratings, Files: []string{b.file(name, head+row+row)}}); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.store.Ratings) != 2 {
		t.Errorf("two halves in two runs: %d ratings", len(b.store.Ratings))
	}
	whole := b.file("whole.csv", head+strings.Repeat(row, 4))
	for i := range 2 {
		sum, err := b.run(Options{Kind: ingest.Ratings, Files: []string{whole}, Part: Part{i + 1, 2}})
		if err != nil || sum.Read != 4 {
			t.Errorf("part %d: %+v, %v", i+1, sum, err)
		}
	}
	if len(b.store.Ratings) != 4 {
		t.Errorf("two parts: %d ratings", len(b.store.Ratings))
	}
}

func TestPartSummary(t *testing.T) {
	b := newBench(t)
	path := b.file("c.csv", "id,title\na,A\nb,B\nc,C\nd,D\ne,\n,F\n")
	read, skipped, created, rejected := 0, 0, 0, 0
	for i := range 2 {
		sum, err := b.run(Options{Kind: ingest.Courses, Files: []string{path}, Part: Part{i + 1, 2}, BatchRows: 1})
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("\n  part %d/2: %d rows of the other parts skipped\n", i+1, sum.Skipped)
		if out := b.out.String(); !strings.Contains(out, line) || !strings.Contains(out, "committed 6\n") {
			t.Errorf("part %d prints %q, wants %q", i+1, out, line)
		}
		read, skipped, created, rejected = read+sum.Read, skipped+sum.Skipped, created+sum.Created, rejected+sum.Rejected
	}
	if read != 12 || skipped != 6 || created != 4 || rejected != 2 {
		t.Errorf("read %d, skipped %d, created %d, rejected %d", read, skipped, created, rejected)
	}
	if got := b.rejects(); len(got) != 2 {
		t.Errorf("rejects: %q", got)
	}
	_, err := b.run(Options{Kind: ingest.Courses, Files: []string{path}, Part: Part{1, 2}, DryRun: true})
	if out := b.out.String(); err != nil || !strings.Contains(out, "rows of the other parts skipped") || strings.Count(out, "row ") < 1 {
		t.Errorf("dry run: %v, %q", err, out)
	}
}

// TestPartsOfRealRatings imports ratings, two parts at once, over two connections
// to one file, as two processes would; with LECTERN_TEST_SOAK all of them.
func TestPartsOfRealRatings(t *testing.T) {
	kind, yaml, file := ingest.Reviews, "coursera-reviews.yaml", "coursera-reviews/reviews_en.csv.gz"
	want := 3768
	if os.Getenv("LECTERN_TEST_SOAK") != "" {
		kind, yaml, file = ingest.Ratings, "coursera-ratings.yaml", "coursera-ratings/ratings.csv.gz"
		want = 1_454_711
	}
	path := filepath.Join(testData(t), file)
	m, err := mapping.Load(filepath.Join("..", "..", "docs", "import", yaml), kind)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	began := time.Now()
	var parts errgroup.Group
	sums := make([]Summary, 2)
	for i := range sums {
		store := openStore(t, dir)
		t.Cleanup(func() {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
		parts.Go(func() (err error) {
			sums[i], err = Run(context.Background(), Options{Kind: kind, Files: []string{path}, Mapping: m, Part: Part{i + 1, 2}}, serviceOf(store))
			return err
		})
	}
	if err := parts.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d and %d rows in %v", sums[0].Accepted(), sums[1].Accepted(), time.Since(began))
	stats, err := openStore(t, dir).Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := int(stats.Reviews + stats.Ratings); got != want {
		t.Errorf("the store has %d rows, want %d", got, want)
	}
	if total := sums[0].Accepted() + sums[0].Skipped; sums[1].Skipped != sums[0].Accepted() || sums[0].Skipped != sums[1].Accepted() {
		t.Errorf("of %d rows, the parts took %d and %d", total, sums[0].Accepted(), sums[1].Accepted())
	}
}
