package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/pgtest"
)

func benchEvent(r *rand.Rand, n int64) lectern.EventWrite {
	e := click(fmt.Sprint("event-", n), fmt.Sprint("learner-", r.IntN(5000)), fmt.Sprint("course-", r.IntN(1000)))
	e.Event.OccurredAt = e.Event.OccurredAt.Add(time.Duration(r.IntN(90*24)) * time.Hour)
	e.Event.SessionID = fmt.Sprint("session-", r.IntN(10000))
	return e
}

func BenchmarkAppendEvents(b *testing.B) {
	b.Run("batch1000", func(b *testing.B) {
		s := open(b, pgtest.Start(b).DSN(b))
		if err := s.MaintainPartitions(b.Context(), noon); err != nil {
			b.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 2))
		var n int64
		b.ReportAllocs()
		for b.Loop() {
			batch := make([]lectern.EventWrite, 1000)
			for i := range batch {
				n++
				batch[i] = benchEvent(r, n)
			}
			if _, err := s.AppendEvents(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, "events", n)
	})
	for _, writers := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("single/writers%d", writers), func(b *testing.B) {
			s := open(b, pgtest.Start(b).DSN(b))
			if err := s.MaintainPartitions(b.Context(), noon); err != nil {
				b.Fatal(err)
			}
			var n, seed atomic.Int64
			b.SetParallelism(max(1, writers/runtime.GOMAXPROCS(0)))
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				r := rand.New(rand.NewPCG(1, uint64(seed.Add(1))))
				for pb.Next() {
					if _, err := s.AppendEvents(b.Context(), []lectern.EventWrite{benchEvent(r, n.Add(1))}); err != nil {
						b.Error(err)
						return
					}
				}
			})
			perSecond(b, "events", n.Load())
		})
	}
}

func BenchmarkPutVectors(b *testing.B) {
	s := open(b, pgtest.Start(b).DSN(b))
	batch := make(map[lectern.ContentHash][]float32, 2000)
	hashes := make([]lectern.ContentHash, 2000)
	for i := range hashes {
		hashes[i] = lectern.HashContent(fmt.Sprint(i))
		batch[hashes[i]] = make([]float32, 384)
	}
	b.Run("put", func(b *testing.B) {
		for b.Loop() {
			if err := s.PutVectors(b.Context(), "f", batch); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, "vectors", int64(b.N)*2000)
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if got, err := s.VectorsByHash(b.Context(), "f", hashes); err != nil || len(got) != len(hashes) {
				b.Fatal(len(got), err)
			}
		}
		perSecond(b, "vectors", int64(b.N)*2000)
	})
}
