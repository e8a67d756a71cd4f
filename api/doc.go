// Package api is Lectern's HTTP interface: JSON under /v1, described by the
// OpenAPI file that it serves, and validated against that same file.
//
// One table (routes) says which routes there are, who may call them and what
// bodies they take; one table (problemTable) turns error codes into statuses.
// Everything behind the handlers is an interface, so the package knows neither
// stores nor indexes.
package api
