// Package slab makes many small values in one piece of memory each, which costs the allocator and
// the collector of garbage less than one by one.
package slab

// Slab hands out parts of larger pieces; its zero value is ready for use by one goroutine. A piece
// lives as long as any of its parts: parts should be gone at about the same time.
type Slab[T any] struct{ free []T }

// pieces have so many parts of one.
const piece = 32

// One that is zero.
func (s *Slab[T]) One() *T { return &s.Take(1)[0] }

// Take so many next to each other, which are zero.
func (s *Slab[T]) Take(n int) []T {
	if n > len(s.free) {
		s.free = make([]T, max(piece, piece*n))
	}
	taken := s.free[:n:n]
	s.free = s.free[n:]
	return taken
}
