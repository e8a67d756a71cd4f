// Package postgres is where Lectern's rows live in production: PostgreSQL 15 or
// newer. Its schema has the same migrations, number by number, as the SQLite
// one, and package sqlcgen holds its queries.
package postgres
