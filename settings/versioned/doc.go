// Package versioned keeps settings as versions of one document: it checks a change as
// a whole, stores it, and puts it to use on every process within two seconds, in one
// step for each request.
package versioned
