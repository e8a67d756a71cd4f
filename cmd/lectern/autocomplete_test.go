package main

import (
	"net/http"
	"testing"
	"time"
)

// A course that was added is suggested within two seconds, under its new title
// after a change, and no more once it is deleted, whatever happens meanwhile.
func TestAutocompleteFollowsTheCatalogue(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	deployments(t, testAutocomplete)
}

func testAutocomplete(t *testing.T, d *deployment) {
	key := d.key("server")
	s := d.start()
	first := func(q string) string {
		var out struct {
			Groups struct{ Courses []struct{ ID, Text string } }
		}
		s.get("/v1/autocomplete?q="+q, key, &out)
		if len(out.Groups.Courses) == 0 {
			return ""
		}
		return out.Groups.Courses[0].ID + " " + out.Groups.Courses[0].Text
	}
	eventually(t, time.Minute, "readiness", func() bool { return s.send(http.MethodGet, "/readyz", "", "") == http.StatusOK })
	s.must(http.MethodPut, "/v1/courses/bees", key, `{"title":"Keeping Bees"}`)
	eventually(t, 2*time.Second, "a suggestion of the new course", func() bool { return first("keepng+be") == "bees Keeping Bees" })
	s.must(http.MethodPut, "/v1/courses/bees", key, `{"title":"Keeping Wasps"}`)
	eventually(t, 2*time.Second, "the new title", func() bool { return first("wasp") == "bees Keeping Wasps" && first("bees") == "" })
	s.must(http.MethodDelete, "/v1/courses/bees", key, "")
	eventually(t, 2*time.Second, "no suggestion", func() bool { return first("wasp") == "" && first("") == "" })
	s.must(http.MethodPut, "/v1/courses/ants", key, `{"title":"Keeping Ants"}`)
	eventually(t, 2*time.Second, "the next course", func() bool { return first("keeping") == "ants Keeping Ants" })
}
