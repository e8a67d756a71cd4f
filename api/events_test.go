package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

type eventAnswer struct {
	Results []outcomeDTO `json:"results"`
}

func anEvent(id, extra string) string {
	return fmt.Sprintf(`{"id":%q,"type":"click","course_id":"a","occurred_at":"2026-01-31T10:00:00Z",%s}`, id, extra)
}

func TestEvents(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	post := func(body string) eventAnswer {
		t.Helper()
		var out eventAnswer
		e.call(lectern.ScopeServer, "POST", "/v1/events", body).want(http.StatusAccepted, "").into(&out)
		return out
	}
	outcomes := func(a eventAnswer) (out []string) {
		for _, r := range a.Results {
			out = append(out, fmt.Sprintf("%d %s %d", *r.Index, r.Outcome, r.Status))
		}
		return out
	}
	one := anEvent("e1", `"learner_id":"ada"`)
	check := func(body string, want ...string) {
		t.Helper()
		if d := cmp.Diff(want, outcomes(post(body))); d != "" {
			t.Error(d)
		}
	}
	check(one, "0 created 201")
	check(one, "0 duplicate 200")
	check("["+one+","+anEvent("e2", `"learner_id":"ada"`)+"]", "0 duplicate 200", "1 created 201")
	unknown := strings.Replace(anEvent("e3", `"learner_id":"ada"`), `"a"`, `"not yet"`, 1)
	bad := strings.Replace(anEvent("e4", `"learner_id":"ada"`), "click", "clack", 1)
	got := post("[" + unknown + "," + bad + "," + anEvent("e5", `"anonymous_id":"v"`) + ",{}]")
	if d := cmp.Diff([]string{"0 parked 202", "1 rejected 400", "2 created 201", "3 rejected 400"}, outcomes(got)); d != "" {
		t.Error(d)
	}
	if r := got.Results[1]; r.Code != lectern.CodeInvalid || len(r.Errors) != 1 || r.Errors[0].Field != "type" || !strings.Contains(r.Errors[0].Allowed, "dismiss") {
		t.Errorf("%+v", r)
	}
	// A single bad event is a problem.
	e.call(lectern.ScopeServer, "POST", "/v1/events", bad).want(400, lectern.CodeInvalid).mentions(`"field":"type"`, "clack")
	e.call(lectern.ScopeServer, "POST", "/v1/events", anEvent("e6", `"colour":1,"learner_id":"ada"`)).want(400, lectern.CodeUnknownField)
	e.call(lectern.ScopeServer, "POST", "/v1/events", anEvent("e7", `"value":3,"learner_id":"ada"`)).want(400, lectern.CodeInvalid).mentions("value")
	e.call(lectern.ScopeServer, "POST", "/v1/events", `[]`).want(400, lectern.CodeInvalid)
	e.call(lectern.ScopeServer, "POST", "/v1/events", "["+one+",").want(400, lectern.CodeInvalid)
	e.call(lectern.ScopeServer, "POST", "/v1/events", `"x"`).want(400, lectern.CodeInvalid)
	e.call(lectern.ScopeServer, "POST", "/v1/events", "["+strings.Repeat("{},", 1000)+"{}]").want(413, lectern.CodeTooLarge).mentions("at most 1000")

	st, err := e.store.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.Events != 4 && st.Events+st.ParkedEvents != 4 {
		t.Errorf("%d events, %d parked", st.Events, st.ParkedEvents)
	}
}

// Whatever stands in an array, only that element is refused, as a line is.
func TestEventsThatAreNoObjects(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	var got eventAnswer
	e.call(lectern.ScopeServer, "POST", "/v1/events", `["x",`+anEvent("e1", `"learner_id":"ada"`)+`,1,null,[],true,{}]`).
		want(http.StatusAccepted, "").into(&got)
	var outcomes []string
	for _, r := range got.Results {
		outcomes = append(outcomes, fmt.Sprintf("%d %s %d", *r.Index, r.Outcome, r.Status))
	}
	want := []string{"0 rejected 400", "1 created 201", "2 rejected 400", "3 rejected 400", "4 rejected 400", "5 rejected 400", "6 rejected 400"}
	if d := cmp.Diff(want, outcomes); d != "" {
		t.Error(d)
	}
	if r := got.Results[0]; r.Code != lectern.CodeInvalid || !strings.Contains(r.Detail, "must be a JSON object") {
		t.Errorf("%+v", r)
	}
	e.call(lectern.ScopeServer, "POST", "/v1/events", `["x"]`).want(http.StatusAccepted, "")
}

func TestWhoMaySendEvents(t *testing.T) {
	e := newEnv(t)
	e.putCourses("a")
	own, other := header{"X-Learner-Token", e.token("ada")}, header{"X-Learner-Token", e.token("bob")}
	tests := []struct {
		name    string
		scope   lectern.Scope
		ids     string
		headers []header
		want    int
	}{
		{"visitor", lectern.ScopePublic, `"anonymous_id":"v"`, nil, 202},
		{"learner without token", lectern.ScopePublic, `"learner_id":"ada"`, nil, 403},
		{"learner with token", lectern.ScopePublic, `"learner_id":"ada"`, []header{own}, 202},
		{"learner with another's token", lectern.ScopePublic, `"learner_id":"ada"`, []header{other}, 403},
		{"signing in without token", lectern.ScopePublic, `"learner_id":"ada","anonymous_id":"v"`, nil, 403},
		{"signing in with token", lectern.ScopePublic, `"learner_id":"ada","anonymous_id":"v"`, []header{own}, 202},
		{"creator for a learner", lectern.ScopeCreator, `"learner_id":"ada"`, nil, 403},
		{"server for a learner", lectern.ScopeServer, `"learner_id":"ada"`, nil, 202},
		{"admin for a learner", lectern.ScopeAdmin, `"learner_id":"ada"`, nil, 202},
		{"for nobody", lectern.ScopeServer, `"surface":"home"`, nil, 400},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := e.on(t)
			body := anEvent(fmt.Sprintf("w%d", i), tt.ids)
			if a := e.call(tt.scope, "POST", "/v1/events", body, tt.headers...); a.status != tt.want {
				t.Errorf("%d, want %d: %s", a.status, tt.want, a.body)
			}
			if tt.want == 403 { // in an array only that one is refused
				body = "[" + anEvent(fmt.Sprintf("x%d", i), tt.ids) + "," + anEvent(fmt.Sprintf("y%d", i), `"anonymous_id":"u"`) + "]"
				var out eventAnswer
				e.call(tt.scope, "POST", "/v1/events", body, tt.headers...).want(202, "").into(&out)
				if out.Results[0].Status != 403 || out.Results[0].Code != lectern.CodeForbidden || out.Results[1].Status != 201 {
					t.Errorf("%+v", out)
				}
			}
		})
	}
}

func TestBatches(t *testing.T) {
	e := newEnv(t)
	ndjson := header{"Content-Type", "application/x-ndjson"}
	send := func(kind, body string) []outcomeDTO {
		t.Helper()
		a := e.call(lectern.ScopeServer, "POST", "/v1/"+kind+"/batch", body, ndjson).want(http.StatusOK, "")
		var out []outcomeDTO
		for _, l := range strings.Split(strings.TrimSpace(a.body), "\n") {
			var r outcomeDTO
			if err := json.Unmarshal([]byte(l), &r); err != nil {
				t.Fatal(err, l)
			}
			out = append(out, r)
		}
		return out
	}
	brief := func(in []outcomeDTO) (out []string) {
		for _, r := range in {
			out = append(out, fmt.Sprintf("%d %d %s %s", r.Line, r.Status, r.Outcome, r.ID))
		}
		return out
	}
	tests := []struct {
		name, kind, body string
		want             []string
	}{
		{"courses", "courses", `{"id":"a","title":"A"}` + "\n\n" + `{"id":"b","title":"B","levle":"x"}` + "\n" + "{broken\n\xff\n" + `{"id":"a","level":"mixed"}`,
			[]string{"1 201 created a", "3 400 rejected b", "4 400 rejected ", "5 400 rejected ", "6 200 updated a"}},
		{"duplicate ids in one batch", "courses", `{"id":"d","title":"1"}` + "\n" + `{"id":"d","title":"2"}` + "\n" + `{"id":"d","title":"2"}`,
			[]string{"1 201 created d", "2 200 updated d", "3 200 unchanged d"}},
		{"reviews", "reviews", `{"id":"r","course_id":"a","text":"x"}` + "\n" + `{"id":"q","course_id":"later","text":"x"}`,
			[]string{"1 201 created r", "2 202 parked q"}},
		{"ratings", "ratings", strings.Repeat(`{"course_id":"a","day":"2025-01-01","stars":5}`+"\n", 2),
			[]string{"1 201 created ", "2 201 created "}},
		{"the same ratings", "ratings", strings.Repeat(`{"course_id":"a","day":"2025-01-01","stars":5}`+"\n", 2),
			[]string{"1 200 unchanged ", "2 200 unchanged "}},
		{"learners", "learners", `{"id":"ada","goal":"x"}` + "\n" + `{"id":"bob","weekly_hours":500}`,
			[]string{"1 201 created ada", "2 400 rejected bob"}},
		{"events", "events", anEvent("e", `"learner_id":"ada"`) + "\n" + anEvent("e", `"learner_id":"ada"`),
			[]string{"1 201 created e", "2 200 duplicate e"}},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, brief(send(tt.kind, tt.body))); d != "" {
			t.Errorf("%s:\n%s", tt.name, d)
		}
	}
	got := send("courses", `{"id":"b","title":"B","levle":"x"}`)[0]
	if got.Code != lectern.CodeUnknownField || len(got.Errors) != 1 || !strings.Contains(got.Errors[0].Reason, `"level"`) {
		t.Errorf("%+v", got)
	}
	tooMany := strings.Repeat("{}\n", DefaultConfig().MaxBatchRows+1)
	e.call(lectern.ScopeServer, "POST", "/v1/courses/batch", tooMany, ndjson).want(413, lectern.CodeTooLarge)
}
