package audit

import (
	"bytes"
	"io"
)

const (
	blockSize = 64 << 10
	// maxLine bounds what a line is held in memory; entries are shorter.
	maxLine = 256 << 10
)

// backward reads the lines of a file from its end, in blocks.
type backward struct {
	from io.ReaderAt
	// at is where buf begins in the file; what is behind buf was returned.
	at  int64
	buf []byte
	// long says that the end of the line at hand was dropped: it is too long.
	long bool
}

// line of a file. A broken one has no text.
type line struct {
	text   []byte // valid until the next call
	start  int64
	broken bool
}

// next is the line before; io.EOF at the beginning of the file.
func (b *backward) next() (line, error) {
	for {
		if i := bytes.LastIndexByte(b.buf, '\n'); i >= 0 {
			return b.take(i), nil
		}
		if b.at == 0 {
			if len(b.buf) == 0 && !b.long {
				return line{}, io.EOF
			}
			return b.take(-1), nil
		}
		if err := b.fill(); err != nil {
			return line{}, err
		}
	}
}

// take cuts the line behind index i off.
func (b *backward) take(i int) line {
	l := line{text: b.buf[i+1:], start: b.at + int64(i) + 1, broken: b.long}
	b.buf, b.long = b.buf[:max(i, 0)], false
	if l.broken {
		l.text = nil
	}
	return l
}

func (b *backward) fill() error {
	if len(b.buf) > maxLine {
		b.buf, b.long = nil, true
	}
	n := min(b.at, blockSize)
	buf := make([]byte, n, int(n)+len(b.buf))
	if _, err := b.from.ReadAt(buf, b.at-n); err != nil {
		return err
	}
	b.buf, b.at = append(buf, b.buf...), b.at-n
	return nil
}
