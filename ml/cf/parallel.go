package cf

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls work for every i below n on all processors and returns when all
// calls have. Calls must not depend on each other. It starts none after ctx is
// over and returns its error then.
func parallel(ctx context.Context, n int, work func(i int)) error {
	workers := min(runtime.GOMAXPROCS(0), n)
	var next atomic.Int64
	run := func() {
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			work(i)
		}
	}
	if workers <= 1 {
		run()
		return ctx.Err()
	}
	var all sync.WaitGroup
	for range workers {
		all.Go(run)
	}
	all.Wait()
	return ctx.Err()
}
