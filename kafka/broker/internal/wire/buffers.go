package wire

import (
	"math/bits"
	"sync"
)

// Buffers are kept by size, four sizes to each power of two, so that at most a fifth
// of one is unused.
const (
	leastBuffer = 4 << 10
	mostBuffer  = 32 << 20
)

var pools [4 * 16]sync.Pool

// Buffer is memory that is used again.
type Buffer struct {
	B    []byte
	pool *sync.Pool
}

// GetBuffer returns a buffer of n bytes, with what it held before.
func GetBuffer(n int) *Buffer {
	if n > mostBuffer {
		return &Buffer{B: make([]byte, n)}
	}
	class, size := sizeClass(max(n, leastBuffer))
	pool := &pools[class]
	b, ok := pool.Get().(*Buffer)
	if !ok {
		b = &Buffer{B: make([]byte, size), pool: pool}
	}
	b.B = b.B[:n]
	return b
}

// Put gives a buffer back.
func (b *Buffer) Put() {
	if b != nil && b.pool != nil {
		b.B = b.B[:cap(b.B)]
		b.pool.Put(b)
	}
}

// sizeClass returns the class of n bytes, at least leastBuffer, and its size.
func sizeClass(n int) (class, size int) {
	power := bits.Len(uint(n-1)) - 1 // 2^power < n <= 2^(power+1)
	quarter := 1 << (power - 2)
	step := (n - 1 - 1<<power) / quarter // 0 to 3
	size = 1<<power + (step+1)*quarter
	return (power-11)*4 + step, size
}
