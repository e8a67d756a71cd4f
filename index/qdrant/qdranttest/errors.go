package qdranttest

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The first words of each message are those of a real server.

func notFound(format string, args ...any) error {
	return status.Errorf(codes.NotFound, "Not found: "+format, args...)
}

func alreadyExists(format string, args ...any) error {
	return status.Errorf(codes.AlreadyExists, "Wrong input: "+format, args...)
}

// wrongInput is what the storage refuses.
func wrongInput(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, "Wrong input: "+format, args...)
}

// invalid is a request whose fields break a rule.
func invalid(field, format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, "Validation error in body: ["+field+": "+format+"]", args...)
}

// malformed is a request that cannot be read at all.
func malformed(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

func errEmptyUpdate() error {
	return status.Error(codes.InvalidArgument, "Bad request: Empty update request")
}

func errKilled() error {
	return status.Error(codes.Unavailable, "server killed")
}
