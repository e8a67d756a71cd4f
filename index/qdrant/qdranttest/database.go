package qdranttest

import (
	"sync"

	"github.com/qdrant/go-client/qdrant"
)

// database is everything that a server keeps.
type database struct {
	mu          sync.RWMutex
	collections map[string]*collection
	aliases     map[string]string // alias → collection
}

func newDatabase() *database {
	return &database{collections: map[string]*collection{}, aliases: map[string]string{}}
}

// find returns a collection by its name or an alias.
func (d *database) find(name string) (*collection, error) {
	if target, ok := d.aliases[name]; ok {
		name = target
	}
	c, ok := d.collections[name]
	if !ok {
		return nil, notFound("Collection `%s` doesn't exist!", name)
	}
	return c, nil
}

// core is what the services share during one run of the server.
type core struct {
	db  *database
	run *run
}

// read calls f with the database held against writes.
func (c *core) read(f func(*database) error) error {
	c.db.mu.RLock()
	defer c.db.mu.RUnlock()
	if c.run.dead {
		return errKilled()
	}
	return f(c.db)
}

// write calls f with the database to itself.
func (c *core) write(f func(*database) error) error {
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	if c.run.dead {
		return errKilled()
	}
	return f(c.db)
}

// collection is one collection. Points are replaced, never changed in place.
type collection struct {
	name   string
	config *qdrant.CollectionConfig
	dense  map[string]denseSpace
	sparse map[string]sparseSpace
	schema map[string]*qdrant.PayloadSchemaInfo

	points    []*point
	at        map[pointID]int // index in points
	operation uint64          // of the last write
}

// denseSpace is a named vector. The name is empty for a collection with one.
type denseSpace struct {
	size     int
	distance qdrant.Distance
}

// sparseSpace is a named sparse vector.
type sparseSpace struct {
	idf bool
}

// point is one stored point.
type point struct {
	id      pointID
	tie     uint64 // order among equal scores
	payload map[string]any
	dense   map[string][]float32
	sparse  map[string]sparseVector
	version uint64 // operation that wrote it
	sealed  bool   // in a sealed segment; see Server.Seal

	// stale is what the word index still holds of deleted sparse vectors; see
	// DeleteVectors.
	stale map[string]sparseVector
}

// sparseVector has rising indices.
type sparseVector struct {
	indices []uint32
	values  []float32
}

func (c *collection) get(id pointID) *point {
	i, ok := c.at[id]
	if !ok {
		return nil
	}
	return c.points[i]
}

func (c *collection) put(p *point) {
	p.version = c.operation
	p.sealed = false
	if i, ok := c.at[p.id]; ok {
		p.stale = c.points[i].leftBehind(p)
		c.points[i] = p
		return
	}
	c.at[p.id] = len(c.points)
	c.points = append(c.points, p)
}

func (c *collection) remove(id pointID) {
	i, ok := c.at[id]
	if !ok {
		return
	}
	last := len(c.points) - 1
	c.points[i] = c.points[last]
	c.at[c.points[i].id] = i
	c.points[last] = nil
	c.points = c.points[:last]
	delete(c.at, id)
}

// clone copies a point for a change.
func (p *point) clone() *point {
	q := *p
	q.payload = cloneMap(p.payload)
	q.dense = cloneMap(p.dense)
	q.sparse = cloneMap(p.sparse)
	return &q
}

func cloneMap[V any](in map[string]V) map[string]V {
	out := make(map[string]V, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}
