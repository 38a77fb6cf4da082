package log

import (
	"errors"
	"fmt"
	"io"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// scanBuffer is how much is read at once, and the memory of a scan unless one batch is larger.
const scanBuffer = 1 << 20

// scanner streams through the batches of a file.
type scanner struct {
	f        vfs.File
	pos, end int64 // of the next batch, and of what is looked at
	verify   bool  // CRCs too, not headers alone
	buf      []byte
	mem      []byte
}

func newScanner(f vfs.File, from, end int64, verify bool) *scanner {
	return &scanner{f: f, pos: from, end: end, verify: verify}
}

// next returns the next batch; b is valid until the next call, and whole where verify
// is set. It returns io.EOF at the end, and errBad where the bytes are no batch, with
// pos at them; other errors are those of reading.
func (s *scanner) next() (h batch.Header, b []byte, err error) {
	if s.pos >= s.end {
		return h, nil, io.EOF
	}
	if err := s.fill(min(batch.HeaderSize, s.end-s.pos)); err != nil {
		return h, nil, err
	}
	h, err = batch.Parse(s.buf)
	if err == nil && (h.Size > maxBatch || int64(h.Size) > s.end-s.pos) {
		err = fmt.Errorf("%w: %d bytes, and %d are left", batch.ErrShort, h.Size, s.end-s.pos)
	}
	if err != nil {
		return h, nil, fmt.Errorf("%w: %w", errBad, err)
	}
	if s.verify {
		if err := s.fill(int64(h.Size)); err != nil {
			return h, nil, err
		}
		if _, err := batch.Verify(s.buf); err != nil {
			return h, nil, fmt.Errorf("%w: %w", errBad, err)
		}
		b = s.buf[:h.Size:h.Size]
	}
	s.skip(int64(h.Size))
	return h, b, nil
}

// errBad says that what is at a position is no batch.
var errBad = errors.New("no batch")

func (s *scanner) skip(n int64) {
	s.pos += n
	if n < int64(len(s.buf)) {
		s.buf = s.buf[n:]
	} else {
		s.buf = nil
	}
}

// fill has at least n bytes from pos in buf, which are there.
func (s *scanner) fill(n int64) error {
	if int64(len(s.buf)) >= n {
		return nil
	}
	size := min(max(n, scanBuffer), s.end-s.pos)
	if int64(cap(s.mem)) < size {
		s.mem = make([]byte, size)
	}
	got, err := s.f.ReadAt(s.mem[:size], s.pos)
	s.buf = s.mem[:got]
	if int64(got) >= n {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
