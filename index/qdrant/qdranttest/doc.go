// Package qdranttest is a Qdrant server for tests: the gRPC services of
// go-client, served on a loopback port and kept in memory.
//
// It is written from Qdrant's documented behaviour and shares no code with the
// in-process index, so that what agrees with both is not one bug seen twice.
// It is strict in two ways. What a real server refuses it refuses, with the
// same gRPC code and a similar message. And what it does not implement it
// refuses too, with Unimplemented and the name of the field: a request is never
// answered as if a part of it were not there.
//
// Points of equal score come in an order that follows neither the ids nor the
// writes, since a real server promises none.
//
// For tests of crashes and faults a Server can be killed and restarted on its
// address, and told to fail or delay calls.
package qdranttest
