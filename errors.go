package lectern

import (
	"errors"
	"fmt"
	"strings"
)

// Code names a kind of failure. It is stable: clients may switch on it.
type Code string

// The codes that any part of Lectern may return. The table that turns them into
// HTTP statuses is in package api.
const (
	CodeInvalid         Code = "invalid_argument"    // a value is not acceptable
	CodeUnknownField    Code = "unknown_field"       // a field or parameter we do not know
	CodeNotFound        Code = "not_found"           // the thing asked for is not there
	CodeConflict        Code = "conflict"            // contradicts what is stored
	CodePrecondition    Code = "precondition_failed" // a stated precondition does not hold
	CodeUnauthenticated Code = "unauthenticated"     // no or unusable credentials
	CodeForbidden       Code = "forbidden"           // credentials without the right
	CodeTooLarge        Code = "too_large"           // over a configured limit
	CodeUnavailable     Code = "unavailable"         // a part is not ready; try again
	CodeDeadline        Code = "deadline_exceeded"   // ran out of its time budget
	CodeCursorMismatch  Code = "cursor_mismatch"     // a cursor made for another request
	CodeCursorExpired   Code = "cursor_expired"      // the list behind a cursor is gone
	CodeRefused         Code = "refused"             // a safety limit said no
	CodeInternal        Code = "internal"            // our fault; details are in the log
)

// Error is the one error type whose message is safe to show to a caller.
type Error struct {
	Code    Code
	Message string
	Fields  []FieldError // which inputs are wrong; may be empty
	Err     error        // cause, for the log only; may be nil
}

// FieldError says what is wrong with one input.
type FieldError struct {
	Field   string `json:"field"`             // dotted path or parameter name
	Value   string `json:"value,omitempty"`   // what was given, cut to a safe length
	Reason  string `json:"reason"`            // what is wrong, as a phrase
	Allowed string `json:"allowed,omitempty"` // what would be accepted
}

// maxShownValue bounds, in bytes, how much of a bad value is echoed back.
const maxShownValue = 120

// NewFieldError makes a FieldError, printing value with %v and cutting it.
func NewFieldError(field string, value any, reason, allowed string) FieldError {
	shown := strings.ToValidUTF8(fmt.Sprint(value), "\uFFFD")
	if len(shown) > maxShownValue {
		shown = strings.ToValidUTF8(shown[:maxShownValue], "") + "…"
	}
	return FieldError{Field: field, Value: shown, Reason: reason, Allowed: allowed}
}

// Error implements the error interface.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	b.WriteString(": ")
	b.WriteString(e.Message)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Field, f.Reason)
	}
	if e.Err != nil && !strings.Contains(e.Message, e.Err.Error()) { // Errorf's message has it already
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an *Error without fields. A %w verb is kept as the cause.
func Errorf(code Code, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: wrapped.Error(), Err: errors.Unwrap(wrapped)}
}

// Invalid returns a CodeInvalid error that names the fields at fault.
func Invalid(message string, fields ...FieldError) *Error {
	return &Error{Code: CodeInvalid, Message: message, Fields: fields}
}

// ErrorCode returns the code of the first *Error in err's chain, CodeInternal
// for any other error, and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
