package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// fewSkills is a graph of two skills and an occupation.
type fewSkills struct {
	query string
	limit int
}

func (f *fewSkills) FindSkills(query string, limit int) []SkillEntry {
	f.query, f.limit = query, limit
	return []SkillEntry{{ID: "knitting", Name: "Knitting", Aliases: []string{"knit"}, Courses: 3}, {ID: "craft", Name: "Craft"}}
}

func (f *fewSkills) Skill(id string) (SkillDetail, bool) {
	return SkillDetail{
		SkillEntry: SkillEntry{ID: "knitting", Name: "Knitting", Courses: 3}, Phrases: []string{"knit a sweater"},
		Broader:     []SkillEntry{{ID: "craft", Name: "Craft"}},
		Occupations: []SkillNeed{{"knitter", "Knitter", 1}},
		Best:        []SkillCourse{{"inhouse", 0.9}, {"socks", 0.8123456}, {"gone", 0.5}},
	}, id == "knitting"
}

func (f *fewSkills) FindOccupations(query string, limit int) []OccupationEntry {
	f.query, f.limit = query, limit
	return []OccupationEntry{{ID: "knitter", Name: "Knitter"}}
}

func (f *fewSkills) Occupation(id string) (OccupationDetail, bool) {
	return OccupationDetail{
		OccupationEntry: OccupationEntry{ID: "knitter", Name: "Knitter"},
		Skills:          []OccupationSkill{{SkillEntry{ID: "knitting", Name: "Knitting", Courses: 3}, 0.9}},
	}, id == "knitter"
}

func (f *fewSkills) CourseSkills(c lectern.Course) []CourseSkill {
	return []CourseSkill{{"knitting", "Knitting", 0.8, []SkillEvidence{{lectern.FieldTitle, c.Title, 1}}}}
}

var _ Skills = (*fewSkills)(nil)

func TestSkills(t *testing.T) {
	graph := &fewSkills{}
	e := newEnv(t, func(d *Deps, _ *Config) { d.Skills = graph })
	e.putCourses("socks")
	e.call(lectern.ScopeServer, "PUT", "/v1/courses/inhouse", `{"title":"Our socks","availability":{"organisations":["acme"]}}`).want(http.StatusCreated, "")

	for target, want := range map[string]string{
		"/v1/skills?q=knit&limit=5": `{"skills":[{"id":"knitting","name":"Knitting","courses":3,"aliases":["knit"]},{"id":"craft","name":"Craft","courses":0,"aliases":[]}]}`,
		"/v1/skills/knitting": `{"id":"knitting","name":"Knitting","courses":3,"aliases":[],"phrases":["knit a sweater"],` +
			`"broader":[{"id":"craft","name":"Craft","courses":0}],"narrower":[],"related":[],"prerequisites":[],` +
			`"occupations":[{"id":"knitter","name":"Knitter","importance":1}],"top_courses":[{"course_id":"socks","title":"Course socks","confidence":0.8123}]}`,
		"/v1/occupations":         `{"occupations":[{"id":"knitter","name":"Knitter","aliases":[]}]}`,
		"/v1/occupations/knitter": `{"id":"knitter","name":"Knitter","aliases":[],"phrases":[],"skills":[{"id":"knitting","name":"Knitting","courses":3,"importance":0.9}]}`,
		"/v1/courses/socks/skills": `{"course_id":"socks","skills":[{"id":"knitting","name":"Knitting","confidence":0.8,` +
			`"evidence":[{"field":"title","name":"Course socks","count":1}]}]}`,
	} {
		a := e.call(lectern.ScopePublic, "GET", target, "").want(http.StatusOK, "")
		if d := cmp.Diff(want, strings.TrimSpace(a.body)); d != "" {
			t.Errorf("%s (-want +got):\n%s", target, d)
		}
	}
	e.call(lectern.ScopePublic, "GET", "/v1/skills?q=knit&limit=5", "")
	if graph.query != "knit" || graph.limit != 5 {
		t.Errorf("asked for %q, %d", graph.query, graph.limit)
	}
	e.call(lectern.ScopePublic, "GET", "/v1/occupations", "")
	if graph.query != "" || graph.limit != defaultEntries {
		t.Errorf("asked for %q, %d", graph.query, graph.limit)
	}
	// Whoever may see what an organisation keeps to itself sees it here, too.
	e.call(lectern.ScopeServer, "GET", "/v1/skills/knitting", "").want(http.StatusOK, "").mentions(`"course_id":"inhouse"`)
}

func TestSkillsRefused(t *testing.T) {
	e := newEnv(t, func(d *Deps, _ *Config) { d.Skills = &fewSkills{} })
	for _, target := range []string{"/v1/skills/falconry", "/v1/occupations/falconer", "/v1/courses/none/skills"} {
		e.call(lectern.ScopePublic, "GET", target, "").want(http.StatusNotFound, lectern.CodeNotFound)
	}
	for _, target := range []string{"/v1/skills?limit=0", "/v1/skills?limit=101", "/v1/occupations?q=" + strings.Repeat("x", 201)} {
		e.call(lectern.ScopePublic, "GET", target, "").want(http.StatusBadRequest, lectern.CodeInvalid)
	}
	e.call(lectern.ScopePublic, "GET", "/v1/skills?querry=x", "").want(http.StatusBadRequest, lectern.CodeUnknownField)
	e.call("", "GET", "/v1/skills", "").want(http.StatusUnauthorized, lectern.CodeUnauthenticated)

	off := newEnv(t)
	off.putCourses("a")
	for _, target := range []string{"/v1/skills", "/v1/skills/knitting", "/v1/occupations", "/v1/occupations/knitter", "/v1/courses/a/skills"} {
		off.call(lectern.ScopePublic, "GET", target, "").want(http.StatusServiceUnavailable, lectern.CodeUnavailable).mentions("skills.enabled")
	}
}
