package lens

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// A block is some thousand entries, in the order they were read: every text once
// (ids as 16 bytes where they are UUIDs), then the entries as references to texts
// and differences of numbers. That is about a quarter of what rows with indexes
// take, and a tenth of their cost to write: the index must be cheap next to the
// services it watches.
const (
	blockEvents  = 4096
	blockVersion = 1
)

// Flags of an entry in a block.
const (
	hasSubject = 1 << iota
	hasRedriven
	hasDeath
	hasSeen
)

var errBlock = errors.New("damaged block")

func encode(entries []entry) []byte {
	w := blockWriter{refs: make(map[string]uint64, len(entries)*2)}
	var last entry
	for i := range entries {
		w.entry(&entries[i], &last)
		last = entries[i]
	}
	out := make([]byte, 0, len(w.texts)+len(w.body)+16)
	out = append(out, blockVersion)
	out = binary.AppendUvarint(out, uint64(len(w.refs)))
	out = append(out, w.texts...)
	out = binary.AppendUvarint(out, uint64(len(entries)))
	return append(out, w.body...)
}

type blockWriter struct {
	refs        map[string]uint64
	texts, body []byte
}

func (w *blockWriter) entry(e, last *entry) {
	flags := 0
	if e.subject != "" {
		flags |= hasSubject
	}
	if e.redriven != "" {
		flags |= hasRedriven
	}
	if e.death != nil {
		flags |= hasDeath
	}
	if e.seen != 0 {
		flags |= hasSeen
	}
	w.body = append(w.body, byte(flags))
	for _, text := range [...]string{e.topic, e.id, e.typ, e.source, e.key, e.correlation, e.causation} {
		w.text(text)
	}
	for _, n := range [...]int64{int64(e.partition), e.offset - last.offset, e.at - last.at, e.time - e.at} {
		w.number(n)
	}
	if e.seen != 0 {
		w.number(e.seen - e.at)
	}
	if e.subject != "" {
		w.text(e.subject)
	}
	if e.redriven != "" {
		w.text(e.redriven)
	}
	if d := e.death; d != nil {
		for _, text := range [...]string{d.consumer, d.outbox, d.topic, d.reason} {
			w.text(text)
		}
		for _, n := range [...]int64{d.row, int64(d.partition), d.offset, int64(d.attempts), d.at} {
			w.number(n)
		}
	}
}

func (w *blockWriter) number(n int64) { w.body = binary.AppendVarint(w.body, n) }

func (w *blockWriter) text(s string) {
	ref, ok := w.refs[s]
	if !ok {
		ref = uint64(len(w.refs))
		w.refs[s] = ref
		if id, ok := parseUUID(s); ok {
			w.texts = append(append(w.texts, 1), id[:]...)
		} else {
			w.texts = append(binary.AppendUvarint(w.texts, uint64(len(s))<<1), s...)
		}
	}
	w.body = binary.AppendUvarint(w.body, ref)
}

// parseUUID takes the canonical form only, so that the text comes back as it was.
func parseUUID(s string) (id [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	n := 0
	for i := 0; i < 36; i++ {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		v := nibble(s[i])
		if v > 15 {
			return id, false
		}
		id[n/2] = id[n/2]<<4 | v
		n++
	}
	return id, true
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 16
}

func formatUUID(id []byte) string {
	var out [36]byte
	hex.Encode(out[:8], id[:4])
	hex.Encode(out[9:13], id[4:6])
	hex.Encode(out[14:18], id[6:8])
	hex.Encode(out[19:23], id[8:10])
	hex.Encode(out[24:], id[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

func decode(data []byte) ([]entry, error) {
	if len(data) == 0 || data[0] != blockVersion {
		return nil, fmt.Errorf("%w: version", errBlock)
	}
	r := blockReader{data: data[1:]}
	r.readTexts()
	count := r.count()
	entries := make([]entry, 0, count)
	var last entry
	for range count {
		e := r.entry(&last)
		if r.err != nil {
			return nil, r.err
		}
		entries, last = append(entries, e), e
	}
	return entries, r.err
}

type blockReader struct {
	data  []byte
	texts []string
	err   error
}

func (r *blockReader) readTexts() {
	n := r.count()
	r.texts = make([]string, 0, n)
	for range n {
		size := r.unsigned()
		uuid := size&1 == 1
		if size >>= 1; uuid {
			size = 16
		}
		b := r.bytes(size)
		if r.err != nil {
			return
		}
		if uuid {
			r.texts = append(r.texts, formatUUID(b))
		} else {
			r.texts = append(r.texts, string(b))
		}
	}
}

func (r *blockReader) entry(last *entry) (e entry) {
	flags := r.byte()
	for _, to := range [...]*string{&e.topic, &e.id, &e.typ, &e.source, &e.key, &e.correlation, &e.causation} {
		*to = r.text()
	}
	e.partition = int32(r.number())
	e.offset = last.offset + r.number()
	e.at = last.at + r.number()
	e.time = e.at + r.number()
	if flags&hasSeen != 0 {
		e.seen = e.at + r.number()
	}
	if flags&hasSubject != 0 {
		e.subject = r.text()
	}
	if flags&hasRedriven != 0 {
		e.redriven = r.text()
	}
	if flags&hasDeath != 0 {
		e.death = r.death()
	}
	return e
}

func (r *blockReader) death() *death {
	d := &death{consumer: r.text(), outbox: r.text(), topic: r.text(), reason: r.text()}
	d.row, d.partition, d.offset = r.number(), int32(r.number()), r.number()
	d.attempts, d.at = int(r.number()), r.number()
	return d
}

func (r *blockReader) text() string {
	ref := r.unsigned()
	if ref >= uint64(len(r.texts)) {
		r.fail("reference")
		return ""
	}
	return r.texts[ref]
}

func (r *blockReader) fail(what string) {
	if r.err == nil {
		r.err, r.data = fmt.Errorf("%w: %s", errBlock, what), nil
	}
}

// count is a number of things that take a byte each at least.
func (r *blockReader) count() uint64 {
	n := r.unsigned()
	if n > uint64(len(r.data)) {
		r.fail("count")
		return 0
	}
	return n
}

func (r *blockReader) unsigned() uint64 {
	n, size := binary.Uvarint(r.data)
	if size <= 0 {
		r.fail("number")
		return 0
	}
	r.data = r.data[size:]
	return n
}

func (r *blockReader) number() int64 {
	n, size := binary.Varint(r.data)
	if size <= 0 {
		r.fail("number")
		return 0
	}
	r.data = r.data[size:]
	return n
}

func (r *blockReader) byte() byte {
	b := r.bytes(1)
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

func (r *blockReader) bytes(n uint64) []byte {
	if n > uint64(len(r.data)) {
		r.fail("length")
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}
