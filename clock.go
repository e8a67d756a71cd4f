package lectern

import "time"

// Clock tells the time; tests pass their own.
type Clock func() time.Time

// SystemClock is the wall clock in UTC, truncated as Timestamp does.
func SystemClock() time.Time { return Timestamp(time.Now()) }

// Timestamp returns t in UTC truncated to microseconds, which every store keeps.
func Timestamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
