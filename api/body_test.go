package api

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/document"
	"github.com/lectern-dev/lectern/preview"
)

// Whatever is wrong with a body, one answer names it all.
func TestEveryFieldAtFault(t *testing.T) {
	feedbackDeps := withFeedback(t)
	e := newEnv(t, func(d *Deps, c *Config) {
		feedbackDeps(d, c)
		previews, err := preview.New(nil, nil, preview.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		d.Previews = previews
	})
	e.listed()
	const rule, feedback, previewing = "/v1/admin/reports/go-1/rule", "/v1/learners/ada/feedback", rerankPath + "/preview"
	for _, c := range []struct {
		path, body string
		code       lectern.Code
		want       map[string]string // field → what is allowed
	}{
		{rule, `{"action":"bury","until":"2026-12-31"}`, lectern.CodeInvalid, map[string]string{"until": document.AllowedTime}},
		{rule, `{"action":"fry","until":"soon","strength":"much"}`, lectern.CodeInvalid, map[string]string{
			"until": document.AllowedTime, "action": "bury, hide", "strength": "null or number",
		}},
		{feedback, `{"reason":"bad","position":-1,"comment":5}`, lectern.CodeInvalid, map[string]string{
			"comment": "string", "kind": "more_like_this, less_like_this, not_now, know_it, report", "course_id": "the id of a course",
			"position": "only with ranking_id", "reason": "only with kind report",
		}},
		{feedback, `{"kind":"know_it","course_id":"go-1","coment":"x"}`, lectern.CodeUnknownField, map[string]string{
			"coment": "id, kind, course_id, ranking_id, position, days, reason, comment",
		}},
		{previewing, `{"surface":"hom","k":99,"draft":{"weights":{"home":{"qualty":1}}},"patch":{"weights":{"home":{"trendy":1}}},"sample":5000}`, lectern.CodeInvalid, map[string]string{
			"surface": "home, search, similar, next, trending", "k": "at most 50", "draft": "", "draft.weights.home.qualty": "", "patch.weights.home.trendy": "",
			"sample": "0 to 2000",
		}},
		{previewing, `{"patch":{"weights":{"home":{"trendy":1}}},"sample":5000,"seed":1.5e300}`, lectern.CodeInvalid, map[string]string{
			"patch.weights.home.trendy": "", "sample": "0 to 2000", "seed": "a whole number of at least 0",
		}},
		{"/v1/learners/ada/profile", `{"preferences":{"long":{"more":2}}}`, lectern.CodeUnknownField, map[string]string{"preferences.long": ""}},
	} {
		method := http.MethodPost
		if c.path == "/v1/learners/ada/profile" {
			method = http.MethodPatch
		}
		p := e.call(lectern.ScopeAdmin, method, c.path, c.body).want(http.StatusBadRequest, c.code).problem()
		got := map[string]string{}
		for _, f := range p.Errors {
			if _, twice := got[f.Field]; twice {
				t.Errorf("%s: %s is named twice", c.body, f.Field)
			}
			got[f.Field] = f.Allowed
			if want, ok := c.want[f.Field]; ok && want == "" {
				if f.Allowed == "" {
					t.Errorf("%s: what %s may be is not said", c.body, f.Field)
				}
				got[f.Field] = ""
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.body, diff)
		}
	}
}
