package importer

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/store/sqlite"
)

func openStore(t testing.TB, dir string) *sqlite.Store {
	t.Helper()
	ctx := context.Background()
	store, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "lectern.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	return store
}

func serviceOf(store *sqlite.Store) ingest.Service {
	return ingest.Service{Courses: store, Reviews: store, Learners: store, Events: store}
}

// TestSQLiteEndToEnd imports both catalogues, the reviews and, with LECTERN_TEST_SOAK,
// all ratings into a real store.
func TestSQLiteEndToEnd(t *testing.T) {
	testData(t)
	ctx := context.Background()
	store := openStore(t, t.TempDir())
	defer store.Close()
	svc := serviceOf(store)
	for range 2 {
		shipped(t, svc, ingest.Courses, "coursera-2019.yaml", "coursera-2019/courses.csv.gz")
		shipped(t, svc, ingest.Courses, "coursera-2021.yaml", "coursera-2021/courses.csv.gz")
		shipped(t, svc, ingest.Reviews, "coursera-reviews.yaml", "coursera-reviews/reviews_en.csv.gz")
	}
	stats, err := store.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Courses != 3529 || stats.Reviews+stats.ParkedReviews != 3768 {
		t.Errorf("%+v", stats)
	}
	if os.Getenv("LECTERN_TEST_SOAK") == "" {
		return
	}
	sum := shipped(t, svc, ingest.Ratings, "coursera-ratings.yaml", "coursera-ratings/ratings.csv.gz")
	if sum.Parked != 32_101 || sum.MissingCourses != 37 || sum.Created+sum.Updated != 1_454_711-32_101 {
		t.Errorf("ratings: %+v", sum)
	}
	t.Logf("ratings: %.1f s", sum.Duration.Seconds())
	if again := shipped(t, svc, ingest.Ratings, "coursera-ratings.yaml", "coursera-ratings/ratings.csv.gz"); again.Unchanged != 1_454_711 {
		t.Errorf("ratings again: %+v", again)
	}
}

// TestSQLiteTwice: the same file twice changes nothing, and a review and its
// twin among the ratings count once.
func TestSQLiteTwice(t *testing.T) {
	b := newBench(t)
	store := openStore(t, b.dir)
	defer store.Close()
	files := map[ingest.Kind]string{
		ingest.Courses:  `{"id":"c","title":"C","level":"beginner","published_at":"2026-01-01","extra":{"k":1}}`,
		ingest.Reviews:  `{"course_id":"c","source":"s","learner_id":"l","stars":5,"text":"good","written_at":"2026-01-02T10:00:00Z"}`,
		ingest.Ratings:  `{"course_id":"c","source":"s","stars":5,"day":"2026-01-02"}` + "\n" + `{"course_id":"c","source":"s","stars":4,"day":"2026-01-02"}`,
		ingest.Learners: `{"id":"l","goal":"nurse","languages":["de"],"weekly_hours":3,"consent":{"personalisation":true,"exploration":false}}`,
		ingest.Events:   `{"id":"e","type":"click","learner_id":"l","course_id":"c","occurred_at":"2026-01-01T00:00:00Z"}`,
	}
	for round := range 2 {
		for _, kind := range ingest.Kinds() {
			path := b.file(string(kind)+".jsonl", files[kind]+"\n")
			sum, err := Run(context.Background(), Options{Kind: kind, Files: []string{path}}, serviceOf(store))
			if err != nil {
				t.Fatal(err)
			}
			fresh := sum.Created + sum.Updated
			if (round == 0 && fresh != sum.Read) || (round == 1 && sum.Unchanged+sum.Duplicate != sum.Read) {
				t.Errorf("round %d: %+v", round, sum)
			}
		}
	}
	patch := b.file("patch.jsonl", `{"id":"l","interests":["care"]}`)
	if _, err := Run(context.Background(), Options{Kind: ingest.Learners, Files: []string{patch}}, serviceOf(store)); err != nil {
		t.Fatal(err)
	}
	l, err := store.Learner(context.Background(), lectern.LearnerRef{ID: "l"})
	if err != nil || l.Goal != "nurse" || len(l.Interests) != 1 || l.Consent == nil || l.Consent.Exploration {
		t.Errorf("%+v, %v", l, err)
	}
	stats, err := store.CourseStats(context.Background(), []string{"c"}, time.Now(), time.Hour)
	if err != nil || len(stats) != 1 || stats[0].RatingCount != 2 || stats[0].RatingMean != 4.5 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// TestImportChild is the process that TestKill kills.
func TestImportChild(t *testing.T) {
	dir := os.Getenv("LECTERN_IMPORT_CHILD")
	if dir == "" {
		t.Skip("run by TestKill")
	}
	store := openStore(t, dir)
	for _, kind := range []ingest.Kind{ingest.Courses, ingest.Ratings} {
		fmt.Println("importing", kind)
		if _, err := Run(context.Background(), Options{
			Kind: kind, Files: []string{filepath.Join(dir, string(kind)+".csv")}, BatchRows: 50, Out: os.Stdout,
			RejectsPath: filepath.Join(dir, "rejects.jsonl"),
		}, serviceOf(store)); err != nil {
			t.Fatal(err)
		}
	}
	store.Close()
}

// TestKill kills an import at random moments: what was acknowledged is there,
// and running it again to the end leaves everything there once.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	const courses, cells, each = 4000, 500, 8
	rounds := 3
	if os.Getenv("LECTERN_TEST_SOAK") != "" {
		rounds = 20
	}
	dir := t.TempDir()
	var c, r strings.Builder
	c.WriteString("id,title,level\n")
	for i := range courses {
		level := "beginner"
		if i%100 == 99 {
			level = "hard" // rejected
		}
		fmt.Fprintf(&c, "c%d,Title %d,%s\n", i, i, level)
	}
	r.WriteString("course_id,day,stars\n")
	for i := range cells * each {
		fmt.Fprintf(&r, "c%d,2026-01-%02d,5\n", i%cells/2*2, 1+i%cells%2)
	}
	for name, s := range map[string]string{"courses.csv": c.String(), "ratings.csv": r.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		acked := killedImport(t, dir, rng)
		store := openStore(t, dir)
		checkAcknowledged(t, store, dir, acked[ingest.Courses])
		store.Close()
	}
	killedImport(t, dir, nil)
	store := openStore(t, dir)
	defer store.Close()
	checkAcknowledged(t, store, dir, courses)
	stats, err := store.CourseStats(context.Background(), nil, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ratings := 0
	for _, s := range stats {
		ratings += s.RatingCount
	}
	// c99, c199 … are odd, hence never among the rated: every rating counts once.
	if ratings != cells*each {
		t.Errorf("%d ratings, want %d", ratings, cells*each)
	}
	if damage, err := store.Check(context.Background()); err != nil || len(damage) > 0 {
		t.Errorf("%v, %v", damage, err)
	}
}

// killedImport runs the import in a process of its own and, given rng, kills it
// somewhere. It returns the last acknowledgement per kind.
func killedImport(t *testing.T, dir string, rng *rand.Rand) map[ingest.Kind]int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestImportChild$")
	cmd.Env = append(os.Environ(), "LECTERN_IMPORT_CHILD="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	left := -1
	if rng != nil {
		left = 1 + rng.IntN(100) // acknowledgements until the kill
	}
	acked := map[ingest.Kind]int{}
	var kind ingest.Kind
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var n int
		if k, ok := strings.CutPrefix(lines.Text(), "importing "); ok {
			kind = ingest.Kind(k)
		} else if _, err := fmt.Sscanf(lines.Text(), "committed %d", &n); err == nil {
			acked[kind] = n
			if left--; left == 0 {
				cmd.Process.Kill() // the loop goes on: what it had printed counts
			}
		}
	}
	err = cmd.Wait()
	if rng == nil && err != nil {
		t.Fatal(err)
	}
	return acked
}

// checkAcknowledged looks for the first n rows in the store or the rejects.
func checkAcknowledged(t *testing.T, store lectern.CourseStore, dir string, n int) {
	t.Helper()
	rejected, _ := os.ReadFile(filepath.Join(dir, "rejects.jsonl"))
	var ids []string
	for i := range n {
		if i%100 != 99 {
			ids = append(ids, fmt.Sprintf("c%d", i))
		} else if !strings.Contains(string(rejected), fmt.Sprintf(`"raw":"c%d,`, i)) {
			t.Errorf("row %d was acknowledged and is not among the rejects", i+1)
		}
	}
	found, err := store.Courses(context.Background(), ids)
	if err != nil || len(found) != len(ids) {
		t.Errorf("%d of %d acknowledged rows are there: %v", len(found), len(ids), err)
	}
}
