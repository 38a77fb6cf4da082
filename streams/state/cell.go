package state

// cell is one entry of a store in memory: a change not yet applied, or what the disk has.
type cell[T any] struct {
	value T // decoded, in a store that keeps decoded values
	// data is the value as on disk: always in a store that keeps bytes, else between Log
	// and Apply only. It is replaced, not overwritten, once somebody else may read it.
	data    []byte
	key     string // encoded
	a, b    int64  // window: start and sequence; session: end and start; version: its time
	group   *group[T]
	waiting *waiting[T] // in the record cache
	size    int32       // estimated bytes
	flags   flags
}

type flags uint8

const (
	present  flags = 1 << iota // false: a tombstone, or known not to be there
	dirty                      // to be put into the next batch
	unlogged                   // to be sent to the changelog
	used                       // since the clock's hand passed
	owned                      // data is nobody else's: to be overwritten by the next change
	silent                     // a removal that the changelog does not hear of
	stored                     // the disk is known to have the key
	taken                      // of a slot: it is in use
)

func (c *cell[T]) is(f flags) bool { return c.flags&f != 0 }

// before orders the cells of a group.
func (c *cell[T]) before(a, b int64) bool { return c.a < a || c.a == a && c.b < b }

// slab hands out cells from larger allocations, and those that were given back. It keeps all of
// these: an allocation is not collected as long as one of its cells is in use.
type slab[T any] struct {
	fresh []cell[T]
	free  []*cell[T]
}

func (s *slab[T]) take() *cell[T] {
	if n := len(s.free); n > 0 {
		c := s.free[n-1]
		s.free = s.free[:n-1]
		return c
	}
	if len(s.fresh) == 0 {
		s.fresh = make([]cell[T], 64)
	}
	c := &s.fresh[0]
	s.fresh = s.fresh[1:]
	return c
}

func (s *slab[T]) give(c *cell[T]) {
	*c = cell[T]{}
	s.free = append(s.free, c)
}
