package retrieve

import "github.com/lectern-dev/lectern"

// Allows lets tests hold the matcher against an index.
func Allows(f lectern.Filter, c lectern.Course) bool {
	p := lectern.PayloadOf(c)
	return newMatcher(f).allows(c.ID, &p)
}

// EncodeCursor and DecodeCursor let tests make and read cursors.
func EncodeCursor(ranking string, offset int, req lectern.ListRequest, key []byte) string {
	return encodeCursor(cursor{ranking, offset, hashRequest(req)}, key)
}

func DecodeCursor(s string, key []byte) (ranking string, offset int, err error) {
	c, err := decodeCursor(s, key)
	return c.ranking, c.offset, err
}
