package openaitest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Answer is what a server sends; its numbers may be anything that JSON can hold.
type Answer struct {
	Object string  `json:"object"`
	Data   []Datum `json:"data"`
	Model  string  `json:"model"`
	Usage  struct {
		PromptTokens int `json:"prompt_tokens"`
		TotalTokens  int `json:"total_tokens"`
	} `json:"usage"`
}

// Datum is one vector of an Answer.
type Datum struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding []any  `json:"embedding"`
}

// Fault answers a request wrongly. It gets what a healthy server would send.
type Fault func(w http.ResponseWriter, r *http.Request, a Answer)

// Status refuses with an HTTP status.
func Status(code int) Fault {
	return Refusal(code, http.StatusText(code))
}

// Refusal refuses with an HTTP status and a message.
func Refusal(code int, message string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ Answer) { refuse(w, code, message) }
}

// Raw answers with a status and a body of any kind.
func Raw(code int, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ Answer) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// RateLimited refuses with 429 and a Retry-After header, unless that is empty.
func RateLimited(retryAfter string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ Answer) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		refuse(w, http.StatusTooManyRequests, "Rate limit reached")
	}
}

// Dimension answers with vectors of another dimension.
func Dimension(dim int) Fault {
	return changed(func(a *Answer) {
		for i := range a.Data {
			a.Data[i].Embedding = numbers(Vector("any", dim))
		}
	})
}

// Number puts a value in place of a number of the last vector: nil for a NaN
// that a server could not write, "NaN", or 1e300.
func Number(v any) Fault {
	return changed(func(a *Answer) { a.Data[len(a.Data)-1].Embedding[0] = v })
}

// Zero answers with a vector of zeros for the last text.
func Zero() Fault {
	return changed(func(a *Answer) {
		last := a.Data[len(a.Data)-1].Embedding
		for i := range last {
			last[i] = 0
		}
	})
}

// Half answers with the first half of the vectors.
func Half() Fault {
	return changed(func(a *Answer) { a.Data = a.Data[:len(a.Data)/2] })
}

// Twice answers with the first vector twice and without the last.
func Twice() Fault {
	return changed(func(a *Answer) { a.Data[len(a.Data)-1] = a.Data[0] })
}

// Reordered answers rightly, with the last vector first.
func Reordered() Fault {
	return changed(func(a *Answer) { slices.Reverse(a.Data) })
}

// Garbage answers with what is not JSON.
func Garbage() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ Answer) {
		fmt.Fprint(w, "<html>It works!</html>")
	}
}

// BreakOff ends the connection within the answer.
func BreakOff() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ Answer) {
		w.Header().Set("Content-Length", "100000")
		fmt.Fprint(w, `{"object":"list","data":[{"object":"embedding","embedding":[0.1,`)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
}

// Drop ends the connection without an answer.
func Drop() Fault {
	return func(http.ResponseWriter, *http.Request, Answer) { panic(http.ErrAbortHandler) }
}

// Hang never answers.
func Hang() Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ Answer) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// Slow answers rightly, after a while.
func Slow(d time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, a Answer) {
		if pause(r, d) {
			write(w, http.StatusOK, a)
		}
	}
}

// changed is a fault in an answer that is well-formed.
func changed(change func(*Answer)) Fault {
	return func(w http.ResponseWriter, _ *http.Request, a Answer) {
		change(&a)
		write(w, http.StatusOK, a)
	}
}
