package openai_test

import (
	"log/slog"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed/openai"
	"github.com/lectern-dev/lectern/embed/openai/openaitest"
)

// FuzzAnswer holds that whatever a server answers, a caller gets vectors of the
// right number, dimension and length, or an error with a code.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,0]}],"usage":{"prompt_tokens":3}}`,
		`{"data":[{"index":0,"embedding":[null,1]},{"index":1,"embedding":[1,0]}]}`,
		`{"data":[{"index":-1,"embedding":[1,1]},{"index":9,"embedding":[1,0]}],"usage":{"prompt_tokens":-3}}`,
		`{"data":[{"index":0,"embedding":[1e38,1e38]},{"index":1,"embedding":[1e-45,0]}]}`,
		`{"data":null}`, `[]`, `null`, ``, `{"error":{"message":"x"}}`,
	} {
		f.Add(200, seed)
		f.Add(400, seed)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			t.Skip("not a final status")
		}
		s := stub()
		s.Always(openaitest.Raw(status, body))
		e := embedder(t, s, func(c *openai.Config) { c.Retries, c.Dimensions = 0, 2 })
		got, err := e.Embed(t.Context(), lectern.EmbedDocument, []string{"one", "two"})
		if err != nil {
			if got != nil || lectern.ErrorCode(err) != lectern.CodeUnavailable {
				t.Errorf("got %v, error %v", got, err)
			}
			return
		}
		if len(got) != 2 {
			t.Fatalf("%d vectors", len(got))
		}
		for _, v := range got {
			if len(v) != 2 || !(math.Abs(math.Hypot(float64(v[0]), float64(v[1]))-1) < 1e-5) {
				t.Errorf("vector %v", v)
			}
		}
	})
}

// FuzzOpen holds that a description is refused or describes itself.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"kind":"openai","version":1,"base_url":"http://stub/v1","model":"m","dimensions":4,"max_text_tokens":512}`))
	f.Add([]byte(`{"kind":"openai"`))
	f.Add([]byte("LECTEMB2"))
	f.Fuzz(func(t *testing.T, body []byte) {
		o := openai.Options{Config: openai.DefaultConfig(), Logger: slog.New(slog.DiscardHandler)}
		first, err := openai.Open(body, o)
		if err != nil {
			if lectern.ErrorCode(err) != lectern.CodeInvalid {
				t.Errorf("error = %v", err)
			}
			return
		}
		second, err := openai.Open(first.Describe(), o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.Describe(), second.Describe()); diff != "" || first.Fingerprint() != second.Fingerprint() {
			t.Errorf("descriptions differ:\n%s", diff)
		}
	})
}
