// Package migrations holds the schema of the relational stores, in both SQL
// dialects. A number stands for the same step in both: what sqlite/0003 adds,
// postgres/0003 adds too. The job queue brings its own migrations and is not
// part of these files.
package migrations

import "embed"

// FS holds sqlite/*.sql and postgres/*.sql in goose's format.
//
//go:embed sqlite/*.sql postgres/*.sql
var FS embed.FS
