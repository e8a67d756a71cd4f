package eval_test

import (
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
)

// dataDir is the folder of real catalogues; tests that need it skip without.
func dataDir(t testing.TB) string {
	dir := os.Getenv("LECTERN_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "coursera-2021")); err != nil {
		t.Skip("no test data: set LECTERN_TEST_DATA")
	}
	return dir
}

// readRows reads a gzipped CSV file into rows by heading.
func readRows(t testing.TB, file string) []map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	r.LazyQuotes = true
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]map[string]string, 0, len(all)-1)
	for _, record := range all[1:] {
		row := make(map[string]string, len(record))
		for i, v := range record {
			row[all[0][i]] = strings.TrimSpace(v)
		}
		rows = append(rows, row)
	}
	return rows
}

// languages are the names in the 2019 catalogue.
var languages = map[string]string{
	"English": "en", "Spanish": "es", "French": "fr", "Russian": "ru", "Portuguese (Brazilian)": "pt-BR", "Turkish": "tr",
	"Chinese (Simplified)": "zh-Hans", "Chinese (Traditional)": "zh-Hant", "Arabic": "ar", "Hebrew": "he", "Ukrainian": "uk", "Swedish": "sv",
}

var quoted = regexp.MustCompile(`'([^']*)'|"([^"]*)"`)

// courseraCourses are both catalogues merged by id, the later one patching the
// earlier where it has a value, as importing one after the other does.
func courseraCourses(t testing.TB) []lectern.Course {
	dir := dataDir(t)
	courses := make(map[string]lectern.Course)
	patch := func(c lectern.Course) {
		p := lectern.CoursePatch{Course: c}
		for field, set := range map[lectern.CourseField]bool{
			lectern.FieldTitle: c.Title != "", lectern.FieldDescription: c.Description != "", lectern.FieldLanguage: c.Language != "",
			lectern.FieldProvider: c.Provider != "", lectern.FieldInstructors: len(c.Instructors) > 0,
			lectern.FieldCategories: len(c.Categories) > 0, lectern.FieldSkills: len(c.Skills) > 0, lectern.FieldSyllabus: len(c.Syllabus) > 0,
		} {
			if set {
				p.Fields = append(p.Fields, field)
			}
		}
		courses[c.ID] = p.Apply(courses[c.ID])
	}
	for _, r := range readRows(t, filepath.Join(dir, "coursera-2019", "courses.csv.gz")) {
		patch(lectern.Course{
			ID: r["course_id"], Title: r["title"], Description: r["about"], Language: languages[r["language"]],
			Instructors: list(r["instructors"]), Categories: list(r["breadcrumbs"]), Skills: list(r["skills"]), Syllabus: list(r["syllabus"]),
		})
	}
	for _, r := range readRows(t, filepath.Join(dir, "coursera-2021", "courses.csv.gz")) {
		var skills []string
		for _, m := range quoted.FindAllStringSubmatch(r["skill"], -1) {
			skills = append(skills, cmp.Or(m[1], m[2]))
		}
		patch(lectern.Course{
			ID: path.Base(r["link"]), Title: r["title"], Description: r["description"], Provider: r["provider"],
			Categories: slices.DeleteFunc([]string{r["category"], r["subcategory"]}, func(s string) bool { return s == "" }), Skills: skills,
		})
	}
	all := make([]lectern.Course, 0, len(courses))
	for _, c := range courses {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b lectern.Course) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// list splits a column whose items are parted by bars.
func list(s string) []string {
	return slices.DeleteFunc(strings.Split(s, "|"), func(x string) bool { return strings.TrimSpace(x) == "" })
}
