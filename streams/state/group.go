package state

import "slices"

// group has the cells of one key in the order of their times, and knows from when on they
// are all there are.
type group[T any] struct {
	key   string
	cells []*cell[T]
	// from is the first time for which what is not here is not on disk either.
	from int64
	// busy counts the dirty and waiting cells and the iterations that keep the group in memory.
	busy int
	used bool
}

// search returns where a cell is or belongs.
func (g *group[T]) search(a, b int64) (int, bool) {
	n := len(g.cells)
	if n > 0 && g.cells[n-1].before(a, b) { // most often it is a new one
		return n, false
	}
	low, high := 0, n
	for low < high {
		mid := int(uint(low+high) / 2)
		if g.cells[mid].before(a, b) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < n && g.cells[low].a == a && g.cells[low].b == b
}

func (g *group[T]) insert(i int, c *cell[T]) {
	c.group = g
	c.key = g.key
	g.cells = slices.Insert(g.cells, i, c)
}

// remove takes a cell out and returns its bytes.
func (g *group[T]) remove(c *cell[T]) int64 {
	i, ok := g.search(c.a, c.b)
	if !ok || g.cells[i] != c {
		return 0
	}
	g.cells = slices.Delete(g.cells, i, i+1)
	return int64(c.size)
}

// trim drops the clean cells before a time and returns their bytes.
func (g *group[T]) trim(before int64) (bytes int64) {
	n := 0
	for n < len(g.cells) && g.cells[n].a < before && !g.cells[n].is(dirty) && g.cells[n].waiting == nil {
		bytes += int64(g.cells[n].size)
		n++
	}
	if n > 0 {
		g.cells = slices.Delete(g.cells, 0, n)
	}
	return bytes
}

// within are the cells of a span of times.
func (g *group[T]) within(from, to int64) []*cell[T] {
	low, _ := g.search(from, 0)
	high := len(g.cells)
	if high > 0 && g.cells[high-1].a > to {
		high, _ = g.search(to+1, 0) // there is a later one: to is not the end of time
	}
	return g.cells[low:max(low, high)]
}

// forWalk are the cells for a walk during which their group changes.
func forWalk[T any](cells []*cell[T], reverse bool) []*cell[T] {
	out := slices.Clone(cells)
	if reverse {
		slices.Reverse(out)
	}
	return out
}
