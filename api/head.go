package api

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"
)

// withoutBody answers a HEAD request as handle would answer GET: with the same
// status and headers, the length of the body among them, and without the body.
// The description tells of GET alone, so that is what the handler sees.
func withoutBody(handle echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		head, res := c.Request(), c.Response()
		get := head.Clone(head.Context())
		get.Method = http.MethodGet
		w := &bodyCounter{ResponseWriter: res.Writer}
		res.Writer = w
		c.SetRequest(get)
		defer func() {
			c.SetRequest(head)
			res.Writer = w.ResponseWriter
		}()
		err := handle(c)
		if res.Committed { // else the problem for err is still to be written
			w.finish()
			res.Size = 0 // for log and metrics: nothing was sent
		}
		return err
	}
}

// bodyCounter counts the body instead of sending it, and holds the headers back
// until its length is known.
type bodyCounter struct {
	http.ResponseWriter
	status int
	size   int64
	start  []byte // enough to tell the content type by, as net/http does
}

const sniffedBytes = 512

// WriteHeader implements http.ResponseWriter.
func (w *bodyCounter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *bodyCounter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.size += int64(len(p))
	if room := sniffedBytes - len(w.start); room > 0 {
		w.start = append(w.start, bytes.Clone(p[:min(room, len(p))])...)
	}
	return len(p), nil
}

// finish sends the headers.
func (w *bodyCounter) finish() {
	h := w.Header()
	if w.size > 0 {
		if h.Get(echo.HeaderContentType) == "" {
			h.Set(echo.HeaderContentType, http.DetectContentType(w.start))
		}
		if h.Get(echo.HeaderContentLength) == "" {
			h.Set(echo.HeaderContentLength, strconv.FormatInt(w.size, 10))
		}
	}
	w.ResponseWriter.WriteHeader(max(w.status, http.StatusOK))
}
