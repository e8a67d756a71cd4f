package retrieve

import "github.com/lectern-dev/lectern/rerank"

// Facts returns what scoring knows of a course, nil for one that is not in the
// catalogue. They are shared: read only.
func (c *Catalog) Facts(id string) *rerank.Facts {
	e := c.get(id)
	if e == nil {
		return nil
	}
	return &e.facts
}
