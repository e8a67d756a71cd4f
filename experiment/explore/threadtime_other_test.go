//go:build !linux

package explore

import "time"

// threadTime is not known here.
func threadTime() time.Duration { return 0 }
