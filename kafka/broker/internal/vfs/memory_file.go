package vfs

import (
	"fmt"
	"io"
	"sync"
)

// blockSize is what a file in memory grows by, so that growing copies nothing.
const blockSize = 64 << 10

// memoryFile is blocks, of which those never written are nil.
type memoryFile struct {
	mu     sync.RWMutex
	blocks [][]byte
	size   int64
}

func (f *memoryFile) ReadAt(p []byte, off int64) (int, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if off < 0 {
		return 0, fmt.Errorf("read at %d: negative position", off)
	}
	if off >= f.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > f.size-off
	if short {
		p = p[:f.size-off]
	}
	for n := 0; n < len(p); {
		at := off + int64(n)
		end := min(len(p), n+int(blockSize-at%blockSize))
		if block := f.blocks[at/blockSize]; block != nil {
			copy(p[n:end], block[at%blockSize:])
		} else {
			clear(p[n:end])
		}
		n = end
	}
	if short {
		return len(p), io.EOF
	}
	return len(p), nil
}

func (f *memoryFile) WriteAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if off < 0 {
		return 0, fmt.Errorf("write at %d: negative position", off)
	}
	f.resize(max(f.size, off+int64(len(p))))
	for n := 0; n < len(p); {
		at := off + int64(n)
		i := at / blockSize
		if f.blocks[i] == nil {
			f.blocks[i] = make([]byte, blockSize)
		}
		n += copy(f.blocks[i][at%blockSize:], p[n:])
	}
	return len(p), nil
}

func (f *memoryFile) resize(size int64) {
	want := int((size + blockSize - 1) / blockSize)
	for len(f.blocks) < want {
		f.blocks = append(f.blocks, nil)
	}
	clear(f.blocks[want:])
	f.blocks = f.blocks[:want]
	if rest := size % blockSize; size < f.size && rest > 0 && f.blocks[want-1] != nil {
		clear(f.blocks[want-1][rest:])
	}
	f.size = size
}

func (f *memoryFile) Truncate(size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resize(size)
	return nil
}

func (f *memoryFile) Size() (int64, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.size, nil
}

func (f *memoryFile) Sync() error  { return nil }
func (f *memoryFile) Close() error { return nil }
