package lens

import "slices"

// blockCache keeps the blocks read last.
type blockCache struct {
	ids     []int64
	entries map[int64][]entry
}

const cachedBlocks = 12

func (c *blockCache) get(id int64) ([]entry, bool) {
	entries, ok := c.entries[id]
	return entries, ok
}

func (c *blockCache) put(id int64, entries []entry) {
	if _, ok := c.entries[id]; ok {
		return
	}
	if c.entries == nil {
		c.entries = map[int64][]entry{}
	}
	if len(c.ids) == cachedBlocks {
		delete(c.entries, c.ids[0])
		c.ids = c.ids[1:]
	}
	c.ids, c.entries[id] = append(c.ids, id), entries
}

func (c *blockCache) drop(id int64) {
	delete(c.entries, id)
	c.ids = slices.DeleteFunc(c.ids, func(other int64) bool { return other == id })
}
