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

// Names returns what the courses of the catalogue are told apart by in rules.
func (c *Catalog) Names() rerank.Names {
	out := rerank.Names{Providers: map[string]bool{}, Categories: map[string]bool{}, Skills: map[string]bool{}}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, e := range c.byID {
		out.Providers[e.facts.Provider] = true
		for _, name := range e.facts.Categories {
			out.Categories[name] = true
		}
		for _, name := range e.facts.Skills {
			out.Skills[name] = true
		}
	}
	return out
}
