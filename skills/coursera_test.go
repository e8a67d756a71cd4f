package skills_test

import (
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/skills"
)

// courseraCourses reads the 2021 catalogue, of which the graph's authors have seen
// no skill tag.
func courseraCourses(t testing.TB) []lectern.Course {
	t.Helper()
	dir := os.Getenv("LECTERN_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(dir, "coursera-2021", "courses.csv.gz"))
	if err != nil {
		t.Skip("no test data: set LECTERN_TEST_DATA")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	r.LazyQuotes = true
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	column := make(map[string]int)
	for i, name := range rows[0] {
		column[name] = i
	}
	quoted := regexp.MustCompile(`'([^']*)'|"([^"]*)"`)
	var out []lectern.Course
	for _, row := range rows[1:] {
		c := lectern.Course{ID: path.Base(row[column["link"]]), Title: row[column["title"]], Description: row[column["description"]]}
		for _, m := range quoted.FindAllStringSubmatch(row[column["skill"]], -1) {
			c.Skills = append(c.Skills, cmp.Or(m[1], m[2]))
		}
		out = append(out, c)
	}
	return out
}

// TestOverlapWithCoursera reports how far tags from texts agree with the skill
// tags of a real platform. Nothing is tuned on it: it holds only what a graph that
// is of any use cannot fall short of.
func TestOverlapWithCoursera(t *testing.T) {
	courses := courseraCourses(t)
	m := skills.NewMatcher(shippedGraph(t))
	tagged := 0
	tags := 0
	start := time.Now()
	for _, c := range courses {
		n := len(m.Tag(c))
		tags += n
		if n > 0 {
			tagged++
		}
	}
	took := time.Since(start)
	t.Logf("%d of %d courses have tags, %.1f each; %.0f courses/s", tagged, len(courses), float64(tags)/float64(len(courses)), float64(len(courses))/took.Seconds())
	for _, confidence := range []float64{skills.MinConfidence, 0.4, 0.6, 0.8} {
		o := m.Overlap(courses, confidence)
		if confidence == skills.MinConfidence {
			t.Logf("%d courses with skill tags: %d tags, of which the graph has %.1f %%; %d different ones, of which it has %d",
				o.Courses, o.Tags, 100*o.Coverage(), o.Distinct, o.DistinctIn)
		}
		t.Logf("confidence ≥ %.1f: %d found, precision %.3f (%.3f with neighbours), recall %.3f",
			confidence, o.Found, o.Precision(), o.NearPrecision(), o.Recall())
	}
	if o := m.Overlap(courses, skills.MinConfidence); tagged*10 < len(courses)*8 || o.Coverage() < 0.25 {
		t.Errorf("%d of %d courses are tagged, and %.2f of the platform's tags are known", tagged, len(courses), o.Coverage())
	}
}
