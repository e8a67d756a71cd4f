package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

func TestInsights(t *testing.T) {
	var days, limit int
	e := newEnv(t, func(d *Deps, _ *Config) {
		d.Insights = func(_ context.Context, askedDays, askedLimit int) (SearchInsights, error) {
			days, limit = askedDays, askedLimit
			return SearchInsights{
				From: testNow().AddDate(0, 0, -askedDays), To: testNow(), Searches: 8, Queries: 2, Zero: 2, Opened: 4,
				Top:         []lectern.SearchCount{{Query: "Python", Folded: "python", Searches: 6, Opened: 4, Openers: 3, Position: 1.5, Results: 12, Last: testNow()}},
				ZeroResults: []lectern.SearchCount{{Query: "quilting", Searches: 2, Zero: 2, Last: testNow()}},
				Trending:    []lectern.SearchCount{{Query: "Python", Searches: 6, Before: 1, Last: testNow()}},
				Corrections: []lectern.Reformulation{{From: "pyhton", To: "python", Count: 3, Learners: 2, Opened: 2, FromZero: 3}},
			}, nil
		}
	})
	a := e.call(lectern.ScopeAdmin, "GET", "/v1/admin/search/insights?days=7&limit=2", "").want(http.StatusOK, "")
	const want = `{"from":"2026-01-24T12:00:00Z","to":"2026-01-31T12:00:00Z",` +
		`"totals":{"searches":8,"queries":2,"zero":2,"opened":4,"zero_share":0.25,"open_rate":0.5,"partial":false},` +
		`"top":[{"query":"Python","searches":6,"zero":0,"opened":4,"openers":3,"open_rate":0.6666666666666666,"mean_position":1.5,"results":12,"last":"2026-01-31T12:00:00Z"}],` +
		`"zero_results":[{"query":"quilting","searches":2,"zero":2,"opened":0,"openers":0,"open_rate":0,"mean_position":null,"results":0,"last":"2026-01-31T12:00:00Z"}],` +
		`"low_click":[],` +
		`"trending":[{"query":"Python","searches":6,"zero":0,"opened":0,"openers":0,"open_rate":0,"mean_position":null,"results":0,"before":1,"last":"2026-01-31T12:00:00Z"}],` +
		`"corrections":[{"from":"pyhton","to":"python","times":3,"learners":2,"opened":2,"from_zero":3}]}`
	if d := cmp.Diff(want, strings.TrimSpace(a.body)); d != "" || days != 7 || limit != 2 {
		t.Errorf("%d days, limit %d: %s", days, limit, d)
	}
	e.call(lectern.ScopeAdmin, "GET", "/v1/admin/search/insights", "").want(http.StatusOK, "")
	if days != 30 || limit != 50 {
		t.Errorf("%d days, limit %d when not given", days, limit)
	}
	for _, target := range []string{"days=0", "days=366", "days=x", "days=1.5", "limit=0", "limit=501"} {
		e.call(lectern.ScopeAdmin, "GET", "/v1/admin/search/insights?"+target, "").want(http.StatusBadRequest, lectern.CodeInvalid)
	}
	e.call(lectern.ScopeAdmin, "GET", "/v1/admin/search/insights?day=1", "").want(http.StatusBadRequest, lectern.CodeUnknownField)
	newEnv(t).call(lectern.ScopeAdmin, "GET", "/v1/admin/search/insights", "").want(http.StatusServiceUnavailable, lectern.CodeUnavailable)
}
