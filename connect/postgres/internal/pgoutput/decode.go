package pgoutput

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// Decoder reads one message after the other. It keeps its memory from one to the next.
type Decoder struct{ m Message }

// Decode reads a message, which must be all of b.
func (d *Decoder) Decode(b []byte) (*Message, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrMessage)
	}
	m := &d.m
	m.Kind = Kind(b[0])
	r := &bytesReader{b: b[1:]}
	switch m.Kind {
	case BeginKind:
		m.Begin = Begin{Final: r.lsn(), Time: r.time(), XID: r.uint32()}
	case CommitKind:
		r.byte() // flags, unused
		m.Commit = Commit{At: r.lsn(), End: r.lsn(), Time: r.time()}
	case OriginKind:
		m.Origin = Origin{Commit: r.lsn(), Name: r.text()}
	case RelationKind:
		m.Relation = r.relation()
	case TypeKind:
		m.Type = Type{ID: r.uint32(), Namespace: r.text(), Name: r.text()}
	case InsertKind, UpdateKind, DeleteKind:
		r.change(m.Kind, &m.Change)
	case TruncateKind:
		r.truncate(&m.Truncate)
	case MessageKind:
		m.Logical = Logical{Transactional: r.byte()&1 != 0, At: r.lsn(), Prefix: r.text(), Content: r.bytes(int(r.uint32()))}
	default:
		return nil, fmt.Errorf("%w: its kind is %q", ErrMessage, b[0])
	}
	if r.failed || len(r.b) > 0 {
		return nil, fmt.Errorf("%w: a message %q of %d bytes is not as long as it says", ErrMessage, b[0], len(b))
	}
	return m, nil
}

// bytesReader takes from the front of b; once too little is left, it has failed and gives zeros.
type bytesReader struct {
	b      []byte
	failed bool
}

func (r *bytesReader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.failed, r.b = true, nil
		return nil
	}
	taken := r.b[:n:n]
	r.b = r.b[n:]
	return taken
}

func (r *bytesReader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *bytesReader) uint16() uint16 {
	if b := r.bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *bytesReader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *bytesReader) uint64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *bytesReader) lsn() LSN { return LSN(r.uint64()) }

// epoch of PostgreSQL's times, which are microseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func (r *bytesReader) time() time.Time { return time.UnixMicro(epoch + int64(r.uint64())).UTC() }

// text ends with a zero byte.
func (r *bytesReader) text() string {
	n := bytes.IndexByte(r.b, 0)
	if n < 0 {
		r.failed, r.b = true, nil
		return ""
	}
	text := string(r.b[:n])
	r.b = r.b[n+1:]
	return text
}

func (r *bytesReader) relation() *Relation {
	t := &Relation{ID: r.uint32(), Namespace: r.text(), Name: r.text(), Identity: r.byte()}
	for range r.uint16() {
		c := Column{Key: r.byte()&1 != 0, Name: r.text(), Type: r.uint32(), Modifier: int32(r.uint32())}
		if r.failed {
			return nil
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}

func (r *bytesReader) change(kind Kind, c *Change) {
	c.Relation, c.OldKind, c.Old, c.New = r.uint32(), 0, c.Old[:0], c.New[:0]
	part := r.byte()
	if kind != InsertKind && (part == 'K' || part == 'O') {
		c.OldKind = part
		c.Old = r.tuple(c.Old)
		if kind == DeleteKind {
			return
		}
		part = r.byte()
	}
	if kind == DeleteKind || part != 'N' {
		r.failed = true
		return
	}
	c.New = r.tuple(c.New)
}

func (r *bytesReader) tuple(into []Value) []Value {
	for range r.uint16() {
		v := Value{Kind: r.byte()}
		switch v.Kind {
		case 'n', 'u':
		case 't', 'b':
			v.Data = r.bytes(int(int32(r.uint32())))
		default:
			r.failed, r.b = true, nil
		}
		if r.failed {
			break
		}
		into = append(into, v)
	}
	return into
}

func (r *bytesReader) truncate(t *Truncate) {
	n := r.uint32()
	options := r.byte()
	*t = Truncate{Cascade: options&1 != 0, RestartIdentity: options&2 != 0, Relations: t.Relations[:0]}
	for range n {
		id := r.uint32()
		if r.failed {
			return
		}
		t.Relations = append(t.Relations, id)
	}
}
