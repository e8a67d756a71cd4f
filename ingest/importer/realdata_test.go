package importer

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/ingesttest"
	"github.com/lectern-dev/lectern/ingest/mapping"
)

// testData returns the folder with the real data sets, or skips.
func testData(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("LECTERN_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "coursera-2019")); err != nil {
		t.Skip("no test data: set LECTERN_TEST_DATA")
	}
	return dir
}

// shipped imports a data set with the mapping that the documentation ships.
func shipped(t testing.TB, svc ingest.Service, kind ingest.Kind, yaml, file string) Summary {
	t.Helper()
	m, err := mapping.Load(filepath.Join("..", "..", "docs", "import", yaml), kind)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sum, err := Run(context.Background(), Options{
		Kind: kind, Files: []string{filepath.Join(testData(t), file)}, Mapping: m, Out: &out,
		RejectsPath: filepath.Join(t.TempDir(), "rejects.jsonl"),
	}, svc)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Logf("%s", bytes.TrimSpace(out.Bytes()[max(0, out.Len()-400):]))
	return sum
}

// share is how many of the courses pass.
func share(m *ingesttest.Memory, pass func(lectern.Course) bool) int {
	n := 0
	for _, c := range m.Catalogue {
		if pass(c) {
			n++
		}
	}
	return n
}

func TestShippedMappings(t *testing.T) {
	testData(t)
	store := ingesttest.New()
	svc := store.Service()

	sum := shipped(t, svc, ingest.Courses, "coursera-2019.yaml", "coursera-2019/courses.csv.gz")
	if sum.Created != 1774 || sum.Rejected != 0 {
		t.Errorf("2019: %+v", sum)
	}
	counts := map[string]int{
		"hours":      share(store, func(c lectern.Course) bool { return c.WorkloadHours != nil }),
		"level":      share(store, func(c lectern.Course) bool { return c.Level != "" }),
		"language":   share(store, func(c lectern.Course) bool { return c.Language != "" }),
		"en":         share(store, func(c lectern.Course) bool { return c.Language == "en" }),
		"zh-Hans":    share(store, func(c lectern.Course) bool { return c.Language == "zh-Hans" }),
		"pt-BR":      share(store, func(c lectern.Course) bool { return c.Language == "pt-BR" }),
		"skills":     share(store, func(c lectern.Course) bool { return len(c.Skills) > 0 }),
		"syllabus":   share(store, func(c lectern.Course) bool { return len(c.Syllabus) > 0 }),
		"categories": share(store, func(c lectern.Course) bool { return len(c.Categories) > 0 }),
		"mean":       share(store, func(c lectern.Course) bool { return c.Stated.RatingMean > 0 }),
		"enrolments": share(store, func(c lectern.Course) bool { return c.Stated.Enrolments > 0 }),
	}
	want := map[string]int{
		"hours": 1770, "level": 749, "language": 1770, "en": 1299, "zh-Hans": 83, "pt-BR": 30,
		"skills": 803, "syllabus": 1770, "categories": 1774, "mean": 1641, "enrolments": 1686,
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("2019 (-want +got):\n%s", diff)
	}

	sum = shipped(t, svc, ingest.Courses, "coursera-2021.yaml", "coursera-2021/courses.csv.gz")
	if sum.Created != 1755 || sum.Updated != 1216 || sum.Rejected != 0 || len(store.Catalogue) != 3529 {
		t.Errorf("2021: %+v, %d courses", sum, len(store.Catalogue))
	}
	c := store.Catalogue["access-control-sscp"]
	hours := 15.0
	if diff := cmp.Diff(lectern.Course{
		ID: "access-control-sscp", Title: "Access Controls", Description: "Welcome to Access Controls!", Provider: "(ISC)²",
		Categories: []string{"Information Technology", "Security"}, Level: lectern.LevelBeginner, WorkloadHours: &hours,
		URL:    "https://www.coursera.org/learn/access-control-sscp",
		Stated: lectern.StatedStats{RatingMean: 4.6, Enrolments: 5966},
	}, func() lectern.Course { c.Extra = nil; return c }()); diff != "" {
		t.Error(diff)
	}
	if garbled := share(store, func(c lectern.Course) bool { return bytes.Contains([]byte(c.Title+c.Description), []byte("‚Ä")) }); garbled > 0 {
		t.Errorf("%d courses still hold garbled text", garbled)
	}

	sum = shipped(t, svc, ingest.Courses, "coursera-2021.yaml", "coursera-2021/courses.csv.gz")
	if sum.Unchanged != 2971 {
		t.Errorf("2021 again: %+v", sum)
	}
	sum = shipped(t, svc, ingest.Reviews, "coursera-reviews.yaml", "coursera-reviews/reviews_en.csv.gz")
	if sum.Accepted() != 3768 || len(store.Reviews) != 3768 || sum.Rejected != 0 {
		t.Errorf("reviews: %+v", sum)
	}
}

func TestShippedRatings(t *testing.T) {
	if testing.Short() {
		t.Skip("1.45 million rows")
	}
	testData(t)
	store := &counting{}
	svc := ingest.Service{Reviews: store}
	sum := shipped(t, svc, ingest.Ratings, "coursera-ratings.yaml", "coursera-ratings/ratings.csv.gz")
	if sum.Created != 1_454_711 || sum.Rejected != 0 || store.highest != 398 {
		t.Errorf("%+v, highest occurrence %d", sum, store.highest)
	}
}

// counting is a store that only counts ratings.
type counting struct{ highest int }

func (c *counting) PutReviews(context.Context, []lectern.Review) ([]lectern.WriteResult, error) {
	return nil, nil
}

func (c *counting) PutRatings(_ context.Context, ratings []lectern.Rating) ([]lectern.WriteResult, error) {
	out := make([]lectern.WriteResult, len(ratings))
	for i, r := range ratings {
		c.highest = max(c.highest, r.Occurrence)
		out[i].Outcome = lectern.OutcomeCreated
	}
	return out, nil
}
