package simulate

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
)

// TestBatchAnswers: a batch is answered with a line for every row, and a row that was
// refused is told with its reasons.
func TestBatchAnswers(t *testing.T) {
	const accepted = `{"line":1,"status":201,"id":"a","outcome":"created"}` + "\n" + `{"line":2,"status":200,"id":"b","outcome":"unchanged"}` + "\n"
	const rejected = `{"line":3,"status":400,"outcome":"rejected","errors":[{"field":"id","reason":"is empty"}]}` + "\n"
	for _, c := range []struct {
		name, answer string
		status       int
		want         string // of the error; "" is none
	}{
		{"accepted", accepted, http.StatusOK, ""},
		{"nothing said", "", http.StatusOK, ""},
		{"refused", accepted + rejected + rejected, http.StatusOK, `refused 2 rows, the first of them: {"line":3,"status":400,"outcome":"rejected","errors":[{"field":"id","reason":"is empty"}]}`},
		{"wrong key", `{"title":"A valid API key is needed"}`, http.StatusUnauthorized, "401 Unauthorized"},
		{"no server of ours", "<html>", http.StatusOK, "is not NDJSON"},
		{"a list", "[1]", http.StatusOK, "is not NDJSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/v1/events/batch" || r.Header.Get("Authorization") != "Bearer lk_x" {
					t.Errorf("asked %s with %q", r.URL.Path, r.Header.Get("Authorization"))
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			}))
			defer server.Close()
			site := &HTTPSite{URL: server.URL + "/", Key: "lk_x", Client: server.Client()}
			err := site.Append(t.Context(), []lectern.Event{{ID: "a"}, {ID: "b"}, {ID: "c"}})
			if got := (err != nil); got != (c.want != "") || got && !strings.Contains(err.Error(), c.want) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
}
