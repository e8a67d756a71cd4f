package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	goopenai "github.com/sashabaranov/go-openai"

	"github.com/lectern-dev/lectern"
)

// Outcome says how a request ended.
type Outcome string

// The outcomes of a request. OutcomeSpared is none: nothing was sent.
const (
	OutcomeOK           Outcome = "ok"
	OutcomeRateLimited  Outcome = "rate_limited"    // 429: retried
	OutcomeServerError  Outcome = "server_error"    // 5xx, 408: retried
	OutcomeConnection   Outcome = "connection"      // no answer or half of one: retried
	OutcomeTimeout      Outcome = "timeout"         // no answer in time: retried
	OutcomeBadAnswer    Outcome = "bad_answer"      // garbage, NaN, zero vectors, half a batch: retried
	OutcomeDimension    Outcome = "wrong_dimension" // not retried
	OutcomeTooLarge     Outcome = "too_large"       // sent again in halves
	OutcomeUnauthorised Outcome = "unauthorised"    // 401, 403, an empty account: not retried
	OutcomeNotFound     Outcome = "not_found"       // 404: not retried
	OutcomeRefused      Outcome = "refused"         // any other 4xx, and redirects: not retried
	OutcomeCancelled    Outcome = "cancelled"       // the caller went away
	OutcomeSpared       Outcome = "spared"          // the breaker is open
)

// OutcomeOf returns how the request behind an error of this package ended, and
// "" for any other error.
func OutcomeOf(err error) Outcome {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.outcome
	}
	return ""
}

// failure is a request that did not bring vectors.
type failure struct {
	outcome Outcome
	code    lectern.Code
	message string        // what is wrong and what to do; safe to show
	cause   error         // without secrets
	retry   bool          // another attempt may succeed
	blame   bool          // the breaker counts it
	after   time.Duration // the wait that the server asks for, or 0
}

// Error is the cause, or the outcome where there is none; the message is in the
// *lectern.Error around it.
func (f *failure) Error() string {
	if f.cause == nil {
		return string(f.outcome)
	}
	return f.cause.Error()
}

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.cause }

// asError makes the error that callers see.
func asError(err error) error {
	if f, ok := errors.AsType[*failure](err); ok {
		return &lectern.Error{Code: f.code, Message: f.message, Err: f}
	}
	return &lectern.Error{Code: lectern.CodeUnavailable, Message: "the text could not be embedded", Err: err}
}

// ended is the failure of a caller whose context has ended.
func ended(err error) *failure {
	return &failure{outcome: OutcomeCancelled, code: lectern.CodeDeadline, message: "embedding was cut short", cause: err}
}

// spare is the failure of a request that the breaker did not let through.
func (e *Embedder) spare() *failure {
	f := &failure{outcome: OutcomeSpared, code: lectern.CodeUnavailable,
		message: fmt.Sprintf("the embedding server failed %d times in a row and is left alone for up to %v", e.cfg.Breaker.Failures, e.cfg.Breaker.Open)}
	if last := e.blamed.Load(); last != nil {
		f.message += "; " + last.message
		f.cause = errors.New(last.Error()) // its text only: this request had no such outcome
	}
	return f
}

// fairTry is how long a caller must have given a server before its deadline is held
// against the server.
const fairTry = 50 * time.Millisecond

// given is how long the caller of a request that took so long allowed for it. A busy
// machine notices late that the time is up, which says nothing about the server.
func given(caller context.Context, took time.Duration) time.Duration {
	if end, ok := caller.Deadline(); ok {
		return min(took, took+time.Until(end))
	}
	return took
}

// classify says what a request's error means. caller is the context that the
// request was made for, ctx the one it was sent with.
func (e *Embedder) classify(caller, ctx context.Context, x *exchange, err error, took time.Duration) *failure {
	f := &failure{code: lectern.CodeUnavailable, cause: errors.New(e.scrub.clean(err.Error())), retry: true, blame: true}
	say := func(o Outcome, format string, args ...any) *failure {
		f.outcome, f.message = o, fmt.Sprintf(format, args...)
		return f
	}
	switch callerErr := caller.Err(); {
	case errors.Is(callerErr, context.Canceled):
		return ended(callerErr)
	case callerErr != nil || ctx.Err() != nil:
		f.code, f.cause = lectern.CodeDeadline, context.DeadlineExceeded
		f.retry, f.blame = callerErr == nil, callerErr == nil || given(caller, took) >= fairTry
		return say(OutcomeTimeout, "the embedding server did not answer within %v", took.Round(time.Millisecond))
	}
	if wrong, ok := errors.AsType[errDimension](err); ok {
		f.retry = false
		return say(OutcomeDimension, "the model %s answers with %d dimensions where %d are expected: "+
			"restore the model, or set embed.openai.dimensions to %d and reindex", e.cfg.Model, wrong.got, wrong.want, wrong.got)
	}
	if to, ok := errors.AsType[errRedirect](err); ok {
		f.retry, f.blame = false, false
		return say(OutcomeRefused, "the embedding server redirects (%d): set embed.openai.base_url to where the API is", to.status)
	}
	_, brokeOff := errors.AsType[errBrokeOff](err)
	switch {
	case x.status >= http.StatusBadRequest:
		e.classifyStatus(f, x, err)
		return f
	case x.status == 0 || brokeOff:
		return say(OutcomeConnection, "the embedding server cannot be reached or hung up: is it running, and is embed.openai.base_url right?")
	}
	return say(OutcomeBadAnswer, "the embedding server's answer is not usable: %v", f.cause)
}

// classifyStatus says what an HTTP status means.
func (e *Embedder) classifyStatus(f *failure, x *exchange, err error) {
	said := serverText(err)
	f.cause = fmt.Errorf("status %d: %s", x.status, e.scrub.clean(said))
	f.retry, f.blame = false, false // the server is there and knows what it does not want
	say := func(o Outcome, format string, args ...any) { f.outcome, f.message = o, fmt.Sprintf(format, args...) }
	switch {
	case x.status == http.StatusTooManyRequests && strings.Contains(said, "insufficient_quota"):
		say(OutcomeUnauthorised, "the account at the embedding server has no quota left (429): see to its billing")
	case x.status == http.StatusTooManyRequests:
		f.retry, f.after = true, e.retryAfter(x.retryAfter)
		say(OutcomeRateLimited, "the embedding server limits the rate (429)%s: lower embed.openai.concurrency if this stays", asks(f.after))
	case tooLarge(x.status, said):
		say(OutcomeTooLarge, "a text is too long for the model %s: lower embed.openai.max_text_tokens (%d)", e.cfg.Model, x.status)
	case x.status >= http.StatusInternalServerError, x.status == http.StatusRequestTimeout:
		f.retry, f.blame, f.after = true, true, e.retryAfter(x.retryAfter)
		say(OutcomeServerError, "the embedding server failed (%d)%s", x.status, asks(f.after))
	case x.status == http.StatusUnauthorized:
		say(OutcomeUnauthorised, "the embedding server does not accept the key (401): set embed.openai.api_key or api_key_file")
	case x.status == http.StatusForbidden:
		say(OutcomeUnauthorised, "the embedding server denies access (403): the key may not be allowed to use the model %s", e.cfg.Model)
	case x.status == http.StatusNotFound:
		say(OutcomeNotFound, "the embedding server has no model %s or no such path (404): check embed.openai.model, "+
			"and that embed.openai.base_url ends with the API's version, such as /v1", e.cfg.Model)
	default:
		say(OutcomeRefused, "the embedding server refused the request (%d): check embed.openai.model, dimensions and send_dimensions", x.status)
	}
}

func asks(wait time.Duration) string {
	if wait == 0 {
		return ""
	}
	return fmt.Sprintf(" and asks to wait %v", wait.Round(time.Second/10))
}

// largeWords are how OpenAI, vLLM, Ollama, TEI and llama.cpp say that there is too
// much text or there are too many texts.
var largeWords = regexp.MustCompile(`(?i)context[ _]length|tokens[ _]per[ _]request|batch size|too (long|large|many (tokens|inputs))|` +
	`(less|more) than \d+ (tokens|inputs)|tokens exceed|maximum (array|input) length`)

// tooLarge tells whether a refused request may pass in halves. llama.cpp, alone or
// within Ollama, calls that its own failure.
func tooLarge(status int, said string) bool {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return true
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return largeWords.MatchString(said)
	case http.StatusInternalServerError:
		return strings.Contains(said, "too large to process")
	}
	return false
}

// serverText is what a server said about an error, with its code.
func serverText(err error) string {
	if raw, ok := errors.AsType[*goopenai.RequestError](err); ok { // first: it may hold an empty APIError
		return string(raw.Body)
	}
	if api, ok := errors.AsType[*goopenai.APIError](err); ok {
		return strings.TrimSpace(fmt.Sprint(api.Message, " ", orEmpty(api.Code)))
	}
	return err.Error()
}

func orEmpty(code any) any {
	if code == nil {
		return ""
	}
	return code
}

// scrubber takes secrets out of what servers and clients say.
type scrubber struct{ secrets []string }

func newScrubber(key string, headers map[string]string) scrubber {
	s := scrubber{}
	for _, v := range headers {
		s.add(v)
	}
	s.add(key)
	return s
}

func (s *scrubber) add(secret string) {
	if len(secret) >= 4 { // shorter ones would tear holes into any text
		s.secrets = append(s.secrets, secret)
	}
}

// keyShapes are keys of OpenAI's form, whole or with a part hidden.
var keyShapes = regexp.MustCompile(`\b(?:sk|pk)-[A-Za-z0-9_*.-]{4,}`)

// maxSaid bounds what is kept of a server's words, in bytes.
const maxSaid = 300

// clean returns s in one line, cut, without secrets.
func (s scrubber) clean(said string) string {
	for _, secret := range s.secrets {
		said = strings.ReplaceAll(said, secret, "[secret]")
	}
	said = keyShapes.ReplaceAllString(said, "[secret]")
	said = strings.Join(strings.Fields(strings.ToValidUTF8(said, "\uFFFD")), " ")
	if len(said) > maxSaid {
		said = strings.ToValidUTF8(said[:maxSaid], "") + "…"
	}
	return said
}
