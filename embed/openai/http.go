package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	maxAnswer      = 256 << 20 // bytes; 2,048 vectors of 4,096 numbers fit
	maxErrorAnswer = 64 << 10
	dialTimeout    = 5 * time.Second
)

// newHTTPClient keeps a connection for each request under way, and a few for
// queries.
func newHTTPClient(concurrency int) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	t.MaxIdleConnsPerHost = concurrency + 4
	return &http.Client{
		Transport: t,
		// A redirect would carry texts and headers to where nobody sent them.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// exchange is what a request's context brings back beside the answer.
type exchange struct {
	status     int
	retryAfter http.Header
}

type exchangeKey struct{}

func withExchange(ctx context.Context) (context.Context, *exchange) {
	x := &exchange{}
	return context.WithValue(ctx, exchangeKey{}, x), x
}

// errRedirect is an answer that points elsewhere.
type errRedirect struct {
	status int
	to     string
}

func (e errRedirect) Error() string { return fmt.Sprintf("redirected (%d) to %q", e.status, e.to) }

// errBrokeOff is an answer that did not come to its end.
type errBrokeOff struct{ err error }

func (e errBrokeOff) Error() string { return fmt.Sprintf("the answer broke off: %v", e.err) }

// doer sends a request with the extra headers, bounds what is read, and notes
// what go-openai keeps to itself.
type doer struct {
	client *http.Client
	header http.Header
}

// Do implements go-openai's HTTPDoer.
func (d doer) Do(req *http.Request) (*http.Response, error) {
	for name, values := range d.header {
		req.Header[name] = values
	}
	res, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	if x, ok := req.Context().Value(exchangeKey{}).(*exchange); ok {
		x.status, x.retryAfter = res.StatusCode, res.Header
	}
	limit := int64(maxAnswer)
	if res.StatusCode >= http.StatusMultipleChoices {
		limit = maxErrorAnswer
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limit))
	closeErr := res.Body.Close()
	switch {
	case res.StatusCode >= http.StatusBadRequest: // half an error message will do
	case err != nil:
		return nil, errBrokeOff{err}
	case closeErr != nil:
		return nil, closeErr
	case res.StatusCode >= http.StatusMultipleChoices:
		return nil, errRedirect{status: res.StatusCode, to: res.Header.Get("Location")}
	case holdsNull(body):
		return nil, errNull
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// holdsNull tells whether a vector in an answer has a null, which Go would read
// as 0. Most answers have no null anywhere and are not parsed twice.
func holdsNull(body []byte) bool {
	if !bytes.Contains(body, []byte("null")) {
		return false
	}
	var answer struct {
		Data []struct {
			Embedding []*float64 `json:"embedding"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return false // whoever reads it next says what is wrong
	}
	for _, d := range answer.Data {
		for _, x := range d.Embedding {
			if x == nil {
				return true
			}
		}
	}
	return false
}
