// Package document reads, writes, merges, compares and describes settings documents:
// structs whose json tags name the members of a JSON object. It is strict: a member
// that nobody knows, one that is given twice, and every value that may not be are
// named, all at once.
package document
