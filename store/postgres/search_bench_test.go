package postgres_test

import (
	"testing"
	"time"

	"github.com/lectern-dev/lectern/internal/pgtest"
	"github.com/lectern-dev/lectern/store/storetest"
)

func BenchmarkSearches(b *testing.B) {
	s := open(b, pgtest.Start(b).DSN(b))
	for _, month := range []time.Month{time.January, time.March} { // of the log, and some before it
		if err := s.MaintainPartitions(b.Context(), time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC)); err != nil {
			b.Fatal(err)
		}
	}
	storetest.BenchmarkSearches(b, s)
}
