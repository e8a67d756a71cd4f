// Package synonyms keeps the admin's synonym rules: in the store, as versions of
// an artefact of which one is in use, and in memory, ready for queries. Every
// process looks for a newer version once a second.
package synonyms
