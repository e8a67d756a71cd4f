package qdrant

import (
	"context"
	"errors"
	"time"

	pb "github.com/qdrant/go-client/qdrant"
	"github.com/sony/gobreaker/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/lectern-dev/lectern"
)

// ErrDropped is in the chain of errors from an index whose collection no longer
// exists: open the version in use, or make a new one.
var ErrDropped = errors.New("the collection no longer exists")

// errNotApplied says that a write was taken but not applied within its time.
var errNotApplied = errors.New("qdrant took the write but has not applied it yet")

// grpcCode returns the status code of a failed call.
func grpcCode(err error) codes.Code {
	if _, ok := errors.AsType[*pb.QdrantResourceExhaustedError](err); ok {
		return codes.ResourceExhausted // the client leaves no status in it
	}
	if errors.Is(err, errNotApplied) {
		return codes.DeadlineExceeded
	}
	return status.Code(err)
}

// retryable reports whether a call that changes nothing when repeated may be
// tried again.
func retryable(err error) bool {
	switch grpcCode(err) {
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Aborted:
		return true
	}
	return false
}

// retryAfter returns how long the server asks to be left alone, 0 if it does not.
func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*pb.QdrantResourceExhaustedError](err); ok {
		return time.Duration(e.RetryAfterS) * time.Second
	}
	return 0
}

// outage reports whether an error says that Qdrant does not work, rather than
// that it refuses this call.
func outage(err error) bool {
	switch grpcCode(err) {
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Aborted,
		codes.Internal, codes.Unknown, codes.DataLoss:
		return true
	}
	return false
}

// wrap turns an error of a call on a collection ("" for none) into one of
// Lectern's. The caller's own cancellation is returned as it is.
func wrap(ctx context.Context, op, collection string, err error) error {
	switch cause := ctx.Err(); {
	case err == nil:
		return nil
	case errors.Is(cause, context.Canceled):
		return cause
	case cause != nil:
		return lectern.Errorf(lectern.CodeDeadline, "Qdrant did not %s in time: %w", op, cause)
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return &lectern.Error{Code: lectern.CodeUnavailable, Message: "Qdrant is away: searches are refused until it answers again", Err: err}
	}
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		return e
	}
	return fromStatus(op, collection, err)
}

func fromStatus(op, collection string, err error) error {
	fail := func(code lectern.Code, message string) error {
		return &lectern.Error{Code: code, Message: message, Err: err}
	}
	switch grpcCode(err) {
	case codes.NotFound:
		if collection == "" {
			return fail(lectern.CodeNotFound, "Qdrant has nothing to "+op)
		}
		return &lectern.Error{
			Code:    lectern.CodeUnavailable,
			Message: "the collection " + collection + " no longer exists in Qdrant: this index was dropped",
			Err:     errors.Join(ErrDropped, err),
		}
	case codes.InvalidArgument, codes.OutOfRange:
		return fail(lectern.CodeInvalid, "Qdrant refuses to "+op+": "+detail(err))
	case codes.AlreadyExists, codes.FailedPrecondition:
		return fail(lectern.CodeConflict, "Qdrant cannot "+op+": "+detail(err))
	case codes.Unauthenticated, codes.PermissionDenied:
		return fail(lectern.CodeInternal, "Qdrant refuses the API key; see index.qdrant.api_key")
	case codes.Unavailable, codes.ResourceExhausted, codes.Aborted:
		return fail(lectern.CodeUnavailable, "Qdrant is not able to "+op+" at the moment")
	case codes.Canceled: // not by the caller, see wrap
		return fail(lectern.CodeUnavailable, "the connection to Qdrant is closed")
	case codes.DeadlineExceeded:
		return fail(lectern.CodeDeadline, "Qdrant did not "+op+" in time")
	case codes.Unimplemented:
		return fail(lectern.CodeInternal, "Qdrant does not know how to "+op+"; is the address its gRPC port?")
	}
	return fail(lectern.CodeInternal, "Qdrant failed to "+op)
}

// detail is the server's own word about a failed call.
func detail(err error) string {
	if s, ok := status.FromError(err); ok || s != nil {
		return s.Message()
	}
	return err.Error()
}
