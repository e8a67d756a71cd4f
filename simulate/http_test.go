package simulate

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// backend answers as a server does; it holds what courses it was told of.
func backend(t *testing.T, holds []lectern.Course, refuse string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/{kind}/batch", func(w http.ResponseWriter, r *http.Request) {
		rows := bufio.NewScanner(r.Body)
		rows.Buffer(nil, 1<<20)
		for n := 1; rows.Scan(); n++ {
			if n == 2 && r.PathValue("kind") == refuse {
				fmt.Fprintf(w, `{"line":%d,"outcome":"rejected","status":422,"code":"invalid","detail":"too bad"}`+"\n", n)
				continue
			}
			fmt.Fprintf(w, `{"line":%d,"outcome":"created","status":201}`+"\n", n)
		}
	})
	mux.HandleFunc("GET /v1/courses", func(w http.ResponseWriter, _ *http.Request) {
		type course struct {
			ID          string `json:"id"`
			Title       string `json:"title"`
			Description string `json:"description"`
		}
		out := struct {
			Courses []course `json:"courses"`
			Next    *string  `json:"next_cursor"`
		}{}
		for _, c := range holds {
			out.Courses = append(out.Courses, course{c.ID, c.Title, c.Description})
		}
		_ = json.NewEncoder(w).Encode(out)
	})
	mux.HandleFunc("GET /v1/recommendations", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"ranking_id":"r","items":[{"course_id":"c","position":0}]}`)
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer right" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestFillServer(t *testing.T) {
	w := smallWorld(t)
	other := w.Courses[3]
	other.Description = "of another seed"
	for name, c := range map[string]struct {
		holds       []lectern.Course
		refuse, key string
		away        bool
		want        string
	}{
		"empty":         {key: "right"},
		"the same seed": {key: "right", holds: []lectern.Course{w.Courses[3], w.New[0]}},
		"another seed":  {key: "right", holds: []lectern.Course{other}, want: "not of this platform"},
		"other courses": {key: "right", holds: []lectern.Course{{ID: "x"}}, want: "not of this platform"},
		"a refused row": {key: "right", refuse: "events", want: "too bad"},
		"a wrong key":   {key: "wrong", want: "scope server"},
		"no server":     {key: "right", away: true, want: "no server answers at"},
	} {
		t.Run(name, func(t *testing.T) {
			b := backend(t, c.holds, c.refuse)
			if c.away {
				b.Close()
			}
			err := (&HTTPSite{URL: b.URL, Key: c.key, Client: b.Client()}).Fill(t.Context(), w)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// TestVisitedTwice: a server takes what is told by the ids of events, and a second visit is
// not the first one told again.
func TestVisitedTwice(t *testing.T) {
	ids := map[string]bool{}
	for i := range 2 {
		w := smallWorld(t)
		w.Start = w.Start.Add(time.Duration(i) * time.Minute)
		s, _, _ := play(t, w, func(o *Options) { o.Days, o.KeepsTime = 2, func() time.Time { return w.Start } })
		if len(s.events) == 0 {
			t.Fatal("nothing was told")
		}
		for _, e := range s.events {
			if ids[e.ID] {
				t.Fatalf("the event %s is told twice", e.ID)
			}
			ids[e.ID] = true
		}
	}
}
