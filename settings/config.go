package settings

import "github.com/lectern-dev/lectern/settings/versioned"

// Config tunes how changes of settings spread.
type Config = versioned.Config

// DefaultConfig returns what holds when nothing is set.
func DefaultConfig() Config { return versioned.DefaultConfig() }
