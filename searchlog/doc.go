// Package searchlog keeps what people search for and makes use of it.
//
// Log queues searches for the store without making a request wait. Phrases reads
// back what people searched for and then opened, so that it may be offered to
// others while they type. Sealer signs what was suggested, Citations stores it
// once an event cites it. Report says what an administrator should know.
//
// Nothing of it shows who searched for what: phrases need several people who
// opened something, leave out what looks like personal data, and the log itself
// loses its learners after a time.
package searchlog
