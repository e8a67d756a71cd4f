package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSkillsCommand(t *testing.T) {
	command := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"skills"}, args...), &out, &errs)
		return code, out.String() + errs.String()
	}
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own := write("own.yaml", "version: acme-1\nskills:\n  - {id: acme-crm, name: Acme CRM, broader: [business]}\n")
	german := write("german.yaml", "extend:\n  - {id: nursing, aliases: [Krankenpflege], phrases: [kranke Menschen pflegen]}\n")
	bad := write("bad.yaml", "skills:\n  - id: acme-crm\n    nam: Acme CRM\n")
	esco := filepath.Join("..", "..", "skills", "testdata", "esco", "skills_en.csv")
	made := filepath.Join(dir, "esco.yaml")
	for _, tt := range []struct {
		args     []string
		code     int
		mentions string
	}{
		{[]string{"show", "machine-learning"}, 0, "Machine learning (skill machine-learning)"},
		{[]string{"show", "data-analyst"}, 0, "(occupation data-analyst)"},
		{[]string{"show", "acme-crm"}, 1, "there is no skill or occupation"},
		{[]string{"show", "acme-crm", "--skills.override", own}, 0, "Acme CRM"},
		{[]string{"show"}, 2, "takes ID"},
		{[]string{"find", "machne", "lerning"}, 0, "asks for    machine-learning"},
		{[]string{"find", "data", "ana"}, 0, "occupation  data-analyst"},
		{[]string{"tag", "--text", "Learn Python and pandas."}, 0, `description "Python" ×1`},
		{[]string{"tag"}, 2, "--text"},
		{[]string{"find", "krankenpflege", "--skills.override", german}, 0, `nursing                          1.00 by alias "Krankenpflege"`},
		{[]string{"find", "kranke", "menschen", "pflegen", "--skills.override", german}, 0, `by phrase "kranke Menschen pflegen"`},
		{[]string{"check", own}, 0, "(+1)"},
		{[]string{"check", bad}, 1, "line 3"},
		{[]string{"check", filepath.Join(dir, "none.yaml")}, 1, "is not there"},
		{[]string{"import-esco", "--skills", esco, "--out", made}, 0, "added"},
		{[]string{"check", made}, 0, "is right"},
		{[]string{"import-esco", "--skills", esco, "--out", made}, 1, "exists"},
		{[]string{"import-onet", "--out", made}, 2, "--occupations"},
	} {
		if code, out := command(tt.args...); code != tt.code || !strings.Contains(out, tt.mentions) {
			t.Errorf("skills %s: exit %d, want %d with %q:\n%s", strings.Join(tt.args, " "), code, tt.code, tt.mentions, out)
		}
	}
}

// The server tags what it is given, forgets what is retired or deleted, and says
// at the start what is wrong with an override.
func TestSkillsFollowTheCatalogue(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, func(t *testing.T, d *deployment) {
		key := d.key("server")
		s := d.start()
		top := func() []string {
			var out struct {
				TopCourses []struct {
					CourseID string `json:"course_id"`
				} `json:"top_courses"`
			}
			s.get("/v1/skills/knitting", key, &out)
			ids := []string{}
			for _, c := range out.TopCourses {
				ids = append(ids, c.CourseID)
			}
			return ids
		}
		shows := func(want ...string) func() bool {
			return func() bool { return slices.Equal(top(), append([]string{}, want...)) }
		}
		eventually(t, time.Minute, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
		s.must(http.MethodPut, "/v1/courses/socks", key, `{"title":"Knitting socks"}`)
		eventually(t, 2*time.Second, "the course under its skill", shows("socks"))
		s.must(http.MethodPut, "/v1/courses/socks", key, `{"title":"Pottery","description":"After knitting, clay."}`)
		s.must(http.MethodPut, "/v1/courses/hats", key, `{"title":"Knitting hats"}`)
		eventually(t, 2*time.Second, "the new text's confidence", shows("hats", "socks"))
		s.must(http.MethodPut, "/v1/courses/socks", key, `{"title":"Knitting socks","availability":{"status":"retired"}}`)
		eventually(t, 2*time.Second, "the retired course to go", shows("hats"))
		s.must(http.MethodDelete, "/v1/courses/hats", key, "")
		eventually(t, 2*time.Second, "the deleted course to go", shows())
	})
}
