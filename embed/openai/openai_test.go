package openai_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/embed/embedtest"
	"github.com/lectern-dev/lectern/embed/openai"
	"github.com/lectern-dev/lectern/embed/openai/openaitest"
)

const dim = 16

// config reaches a stub server by openaitest.Server.Client.
func config() openai.Config {
	c := openai.DefaultConfig()
	c.BaseURL, c.Model, c.Dimensions = "http://stub/v1", "stub-embed", dim
	return c
}

// embedder asks a stub server.
func embedder(t *testing.T, s *openaitest.Server, change func(*openai.Config)) *openai.Embedder {
	t.Helper()
	c := config()
	if change != nil {
		change(&c)
	}
	e, err := openai.New(openai.Options{Config: c, Logger: slog.New(slog.DiscardHandler), HTTPClient: s.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func stub() *openaitest.Server { return openaitest.New(openaitest.Options{Dim: dim}) }

func documents(t *testing.T, e lectern.Embedder, texts ...string) [][]float32 {
	t.Helper()
	out, err := e.Embed(t.Context(), lectern.EmbedDocument, texts)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// unit is what the stub's vector becomes.
func unit(text string) []float32 {
	v := openaitest.Vector(text, dim)
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(sum))
	}
	return v
}

func TestConformance(t *testing.T) {
	s := stub()
	base, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := config()
	c.BaseURL, c.Dimensions, c.BatchTexts = base, 0, 2
	c.QueryTimeout = time.Minute // a busy machine is not what is tested
	e, err := openai.Connect(t.Context(), openai.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if e.Dim() != dim {
		t.Errorf("dimension %d found, the model has %d", e.Dim(), dim)
	}
	embedtest.Run(t, embedtest.Subject{
		Embedder: e,
		Known:    []string{"python for beginners", "bread\nrecipe", "guitar chords", "机器学习"},
		Unknown:  []string{"", " \t\n", "\x00"},
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	c := config()
	c.BaseURL = server.URL + "/v1"
	e, err := openai.New(openai.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Embed(t.Context(), lectern.EmbedDocument, []string{"private"}); openai.OutcomeOf(err) != openai.OutcomeRefused || asked {
		t.Errorf("error %v, followed: %v", err, asked)
	}
}

func TestNearTextsAreNear(t *testing.T) {
	v := documents(t, embedder(t, stub(), nil), "baking bread at home", "bake bread", "statistical mechanics")
	dot := func(a, b []float32) (sum float32) {
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}
	if near, far := dot(v[0], v[1]), dot(v[0], v[2]); near <= far {
		t.Errorf("the stub puts two texts on bread at %v and one on mechanics at %v", near, far)
	}
}

func TestNewSendsNothing(t *testing.T) {
	s := stub()
	s.Always(openaitest.Drop())
	e := embedder(t, s, nil)
	if e.Dim() != dim || e.Fingerprint() == "" || len(s.Requests()) != 0 {
		t.Errorf("dimension %d, fingerprint %q after %d requests", e.Dim(), e.Fingerprint(), len(s.Requests()))
	}
	c := config()
	c.Dimensions = 0
	if _, err := openai.New(openai.Options{Config: c, Logger: slog.New(slog.DiscardHandler)}); lectern.ErrorCode(err) != lectern.CodeInvalid {
		t.Errorf("without a dimension: %v", err)
	}
}

func TestConnectReportsAServerThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub()
		s.Always(openaitest.Drop())
		c := config()
		c.Dimensions = 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := openai.Connect(ctx, openai.Options{Config: c, Logger: slog.New(slog.DiscardHandler), HTTPClient: s.Client()})
		if lectern.ErrorCode(err) != lectern.CodeUnavailable || !strings.Contains(err.Error(), "base_url") {
			t.Errorf("error = %v", err)
		}
	})
}

func TestBatches(t *testing.T) {
	s := stub()
	e := embedder(t, s, func(c *openai.Config) {
		c.BatchTexts, c.MaxTextTokens, c.BatchTokens, c.Concurrency = 3, 16, 30, 1
	})
	long := strings.Repeat("word ", 12) // 14 estimated tokens with the special ones
	texts := []string{"a", "b", "c", "d", "", long, long, long, " "}
	got := documents(t, e, texts...)
	for i, text := range texts {
		want := unit(strings.TrimSpace(text))
		if strings.TrimSpace(text) == "" {
			want = nil
		}
		if diff := cmp.Diff(want, got[i]); diff != "" {
			t.Errorf("text %d (-want +got):\n%s", i, diff)
		}
	}
	var sizes []int
	for _, r := range s.Requests() {
		sizes = append(sizes, len(r.Texts))
	}
	// a b c are three texts; d and one long text have 3+14 tokens, with another
	// one 31; two long ones have 28.
	if diff := cmp.Diff([]int{3, 2, 2}, sizes); diff != "" {
		t.Errorf("batch sizes (-want +got):\n%s", diff)
	}
}

func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openaitest.New(openaitest.Options{Dim: dim, Latency: time.Second})
		e := embedder(t, s, func(c *openai.Config) { c.BatchTexts, c.Concurrency, c.QueryTimeout = 1, 3, 2*time.Second })
		start := time.Now()
		done := make(chan error, 2)
		for range 2 { // two callers share the limit
			go func() {
				_, err := e.Embed(t.Context(), lectern.EmbedDocument, strings.Fields("a b c d e f"))
				done <- err
			}()
		}
		time.Sleep(100 * time.Millisecond)
		if _, err := e.Embed(t.Context(), lectern.EmbedQuery, []string{"now"}); err != nil {
			t.Errorf("a query beside documents: %v", err)
		}
		if d := time.Since(start); d > 1100*time.Millisecond {
			t.Errorf("the query took until %v: it waited for documents", d)
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if d := time.Since(start); d != 4*time.Second || s.MostAtATime() != 4 {
			t.Errorf("12 requests of a second each took %v, with %d at a time (3 and the query)", d, s.MostAtATime())
		}
	})
}

func TestPrefixesAndDimensionsAreSent(t *testing.T) {
	s := openaitest.New(openaitest.Options{Dim: 64, Shortens: true})
	e := embedder(t, s, func(c *openai.Config) {
		c.QueryPrefix, c.DocumentPrefix, c.SendDimensions = "query: ", "passage: ", true
		c.Headers, c.Organisation, c.APIKey = map[string]string{"x-gateway": "blue"}, "org-1", "key-1"
		c.QueryTimeout = time.Minute // a busy machine is not what is tested
	})
	documents(t, e, " bread\x00\n")
	if _, err := e.Embed(t.Context(), lectern.EmbedQuery, []string{"bread"}); err != nil {
		t.Fatal(err)
	}
	r := s.Requests()
	type sent struct {
		Text, Gateway, Org, Auth string
		Dimensions               int
	}
	var got []sent
	for _, q := range r {
		got = append(got, sent{q.Texts[0], q.Header.Get("X-Gateway"), q.Header.Get("OpenAI-Organization"), q.Header.Get("Authorization"), q.Dimensions})
	}
	want := []sent{
		{"passage: bread", "blue", "org-1", "Bearer key-1", dim},
		{"query: bread", "blue", "org-1", "Bearer key-1", dim},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestTooLongTextsAreCut(t *testing.T) {
	s := stub()
	e := embedder(t, s, func(c *openai.Config) { c.MaxTextTokens, c.DocumentPrefix = 16, "p " })
	documents(t, e, strings.Repeat("word ", 100), "short")
	want := []string{"p" + strings.Repeat(" word", 13), "p short"} // 16 less 2 special tokens
	if diff := cmp.Diff(want, s.Requests()[0].Texts); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if n := e.Stats().CutTexts; n != 1 {
		t.Errorf("%d texts counted as cut", n)
	}
}

func TestTooLargeBatchesAreHalved(t *testing.T) {
	for name, o := range map[string]openaitest.Options{
		"texts in a request": {Dim: dim, MaxTexts: 3},
		"tokens in a text":   {Dim: dim, MaxWords: 30},
	} {
		t.Run(name, func(t *testing.T) {
			e := embedder(t, openaitest.New(o), nil)
			texts := []string{"a", "b", "c", strings.Repeat("d ", 50), "e", "f", "g"}
			got := documents(t, e, texts...)
			for _, i := range []int{0, 1, 2, 4, 5, 6} {
				if diff := cmp.Diff(unit(texts[i]), got[i]); diff != "" {
					t.Errorf("text %d (-want +got):\n%s", i, diff)
				}
			}
			st := e.Stats()
			if got[3] == nil || st.HalvedBatches == 0 || st.Retries != 0 || st.Requests[openai.OutcomeTooLarge] == 0 {
				t.Errorf("stats %+v", st)
			}
			if want := uint64(min(o.MaxWords, 1)); st.CutTexts != want {
				t.Errorf("%d texts cut, want %d", st.CutTexts, want)
			}
		})
	}
	s := stub()
	s.Always(openaitest.Status(413))
	_, err := embedder(t, s, nil).Embed(t.Context(), lectern.EmbedDocument, []string{strings.Repeat("d ", 50)})
	if lectern.ErrorCode(err) != lectern.CodeUnavailable || len(s.Requests()) > 4 {
		t.Errorf("a server that takes nothing: %v after %d requests", err, len(s.Requests()))
	}
}

// TestWordsOfServers holds how servers refuse, in their own forms of errors.
func TestWordsOfServers(t *testing.T) {
	for _, tt := range []struct {
		server string
		status int
		body   string
		want   openai.Outcome
	}{
		{"OpenAI, one text", 400, `{"error":{"message":"This model's maximum context length is 8192 tokens, however you requested 9000 tokens","type":"invalid_request_error","param":null,"code":null}}`, openai.OutcomeTooLarge},
		{"OpenAI, all texts", 400, `{"error":{"message":"Requested 346134 tokens, max 300000 tokens per request","type":"max_tokens_per_request","param":null,"code":"max_tokens_per_request"}}`, openai.OutcomeTooLarge},
		{"OpenAI, no model", 404, `{"error":{"message":"The model x does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}`, openai.OutcomeNotFound},
		{"OpenAI, no money", 429, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`, openai.OutcomeUnauthorised},
		{"vLLM", 400, `{"object":"error","message":"This model's maximum context length is 512 tokens. However, you requested 1451 tokens","type":"BadRequestError","code":400}`, openai.OutcomeTooLarge},
		{"vLLM, dimensions", 400, `{"object":"error","message":"Model does not support matryoshka representation, changing output dimensions will lead to poor results.","type":"BadRequestError","code":400}`, openai.OutcomeRefused},
		{"Ollama", 400, `{"error":{"message":"the input length exceeds the context length","type":"invalid_request_error","param":null,"code":null}}`, openai.OutcomeTooLarge},
		{"Ollama, no model", 404, `{"error":{"message":"model \"x\" not found, try pulling it first","type":"api_error","param":null,"code":null}}`, openai.OutcomeNotFound},
		{"Ollama, NaN", 500, `{"error":{"message":"failed to encode response: json: unsupported value: NaN","type":"api_error","param":null,"code":null}}`, openai.OutcomeServerError},
		{"TEI, many texts", 422, `{"error":"batch size 33 > maximum allowed batch size 32","error_type":"Validation"}`, openai.OutcomeTooLarge},
		{"TEI, one text", 413, "{\"error\":\"Input validation error: `inputs` must have less than 512 tokens. Given: 600\",\"error_type\":\"Validation\"}", openai.OutcomeTooLarge},
		{"TEI, busy", 429, `{"error":"Model is overloaded","error_type":"Overloaded"}`, openai.OutcomeRateLimited},
		{"llama.cpp", 500, `{"error":{"code":500,"message":"input is too large to process. increase the physical batch size","type":"server_error"}}`, openai.OutcomeTooLarge},
		{"a proxy", 502, `<html>Bad gateway</html>`, openai.OutcomeServerError},
	} {
		s := stub()
		s.Always(openaitest.Raw(tt.status, tt.body))
		e := embedder(t, s, func(c *openai.Config) { c.Retries = 0 })
		if _, err := e.Embed(t.Context(), lectern.EmbedDocument, []string{"x"}); openai.OutcomeOf(err) != tt.want {
			t.Errorf("%s: outcome %q, want %q: %v", tt.server, openai.OutcomeOf(err), tt.want, err)
		}
	}
}

func TestStatsCountTokensAndCost(t *testing.T) {
	e := embedder(t, stub(), func(c *openai.Config) { c.PricePerMillionTokens, c.QueryTimeout = 20_000, time.Minute })
	documents(t, e, "two words", "", "and three words")
	if _, err := e.Embed(t.Context(), lectern.EmbedQuery, []string{"query"}); err != nil {
		t.Fatal(err)
	}
	got := e.Stats()
	if got.Busy <= 0 {
		t.Errorf("no time counted: %v", got.Busy)
	}
	got.Busy = 0
	want := openai.Stats{
		Requests:  map[openai.Outcome]uint64{openai.OutcomeOK: 2},
		Documents: 2, Queries: 1, Tokens: 6, Cost: 0.12, Breaker: "closed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestKeysAreNeverShown(t *testing.T) {
	const key, header = "sk-secret-0123456789", "gateway-password"
	s := openaitest.New(openaitest.Options{Dim: dim, Key: "another"})
	s.Script(nil, openaitest.Refusal(500, "your X-Pass is "+header+", your key "+key[:9]+"*****"))
	var logged bytes.Buffer
	c := config()
	c.APIKey, c.Headers = key, map[string]string{"X-Pass": header}
	e, err := openai.New(openai.Options{Config: c, Logger: slog.New(slog.NewTextHandler(&logged, nil)), HTTPClient: s.Client()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the server quotes the key in its refusal
		_, err = e.Embed(t.Context(), lectern.EmbedDocument, []string{"x"})
		logged.WriteString(err.Error())
		for cause := err; cause != nil; cause = errors.Unwrap(cause) {
			logged.WriteString(cause.Error())
		}
	}
	logged.Write(e.Describe())
	for _, secret := range []string{key, header, key[:9]} {
		if strings.Contains(logged.String(), secret) {
			t.Errorf("%q shows in %s", secret, logged.String())
		}
	}
	if !strings.Contains(err.Error(), "embed.openai.api_key") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}
