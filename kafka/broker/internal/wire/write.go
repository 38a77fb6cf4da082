package wire

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// write handles requests and sends answers, in order, until the connection ends.
func (c *Conn) write() {
	var batch []*pending
	for {
		p, ready := c.queue.next(c, batch[:0])
		if p != nil {
			p.handlePlain()
			continue
		}
		if len(ready) == 0 {
			return
		}
		if !c.finish(ready) {
			return
		}
		clear(ready)
		batch = ready
	}
}

// finish sends answers and takes their requests out of the queue. It is false where the
// connection has ended for it.
func (c *Conn) finish(ready []*pending) bool {
	err := c.send(ready)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = refuse("it does not read its answers")
		}
		c.complain(err)
		c.end(err)
	}
	c.queue.sent(len(ready))
	return err == nil
}

// send writes answers, several small ones at once, and releases them.
func (c *Conn) send(ready []*pending) (err error) {
	out := outgoing{conn: c, encoded: encoded.Get().(*[]byte)}
	defer out.done()
	for i, p := range ready {
		if err = out.add(p); err != nil {
			for _, p := range ready[i+1:] {
				release(p.answer)
			}
			break
		}
	}
	return errors.Join(out.flush(), err)
}

var encoded = sync.Pool{New: func() any { return new([]byte) }}

// mostEncoded is the largest buffer that is kept.
const mostEncoded = 256 << 10

// outgoing is answers on their way out.
type outgoing struct {
	conn    *Conn
	encoded *[]byte
}

func (o *outgoing) done() {
	if cap(*o.encoded) <= mostEncoded {
		*o.encoded = (*o.encoded)[:0]
		encoded.Put(o.encoded)
	}
}

var errUnanswered = errors.New("the request has no answer")

// add takes an answer, which it sends and releases or encodes.
func (o *outgoing) add(p *pending) error {
	if p.answer == NoAnswer {
		return nil
	}
	if o.conn.server.cutNow() {
		o.conn.server.CutConnections()
	}
	if p.token {
		return o.addToken(p.answer)
	}
	switch a := p.answer.(type) {
	case nil:
		return errUnanswered
	case *Spliced:
		defer release(a)
		o.begin(p)
		binary.BigEndian.PutUint32((*o.encoded)[o.start(p):], uint32(headerSize(p.answer)-4+size(a.Parts)))
		return o.flush(a.Parts...)
	default:
		begin := len(*o.encoded)
		o.begin(p)
		*o.encoded = a.AppendTo(*o.encoded)
		binary.BigEndian.PutUint32((*o.encoded)[begin:], uint32(len(*o.encoded)-begin-4))
		if len(*o.encoded) < encodedAtOnce {
			return nil
		}
		return o.flush()
	}
}

// begin writes the header of a response, without its size.
func (o *outgoing) begin(p *pending) {
	b := append(*o.encoded, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(p.correlation))
	if hasTags(p.answer) {
		b = append(b, 0)
	}
	*o.encoded = b
}

func (o *outgoing) start(p *pending) int { return len(*o.encoded) - headerSize(p.answer) }

func headerSize(a Answer) int {
	if hasTags(a) {
		return 9
	}
	return 8
}

// hasTags says whether the header of a response does. That of ApiVersions never does.
func hasTags(a Answer) bool {
	_, versions := a.(*kmsg.ApiVersionsResponse)
	return a.IsFlexible() && !versions
}

func size(parts net.Buffers) (n int) {
	for _, p := range parts {
		n += len(p)
	}
	return n
}

// flush writes what is encoded, and parts after it.
func (o *outgoing) flush(parts ...[]byte) error {
	buffers := make(net.Buffers, 0, 1+len(parts))
	if len(*o.encoded) > 0 {
		buffers = append(buffers, *o.encoded)
	}
	buffers = append(buffers, parts...)
	for len(buffers) > 0 {
		if err := o.conn.writeSome(&buffers); err != nil {
			*o.encoded = (*o.encoded)[:0]
			return err
		}
	}
	*o.encoded = (*o.encoded)[:0]
	return nil
}

// writeSome writes the first answerChunk bytes.
func (c *Conn) writeSome(buffers *net.Buffers) error {
	chunk, rest := split(*buffers, answerChunk)
	if err := c.net.SetWriteDeadline(time.Now().Add(c.server.limits.Answer)); err != nil {
		return err
	}
	var n int64
	var err error
	if len(chunk) == 1 {
		var written int
		written, err = c.net.Write(chunk[0])
		n = int64(written)
	} else {
		n, err = chunk.WriteTo(c.net)
	}
	c.server.counts.out.Add(uint64(n))
	*buffers = rest
	return err
}

// split cuts buffers after n bytes.
func split(buffers net.Buffers, n int) (net.Buffers, net.Buffers) {
	for i, b := range buffers {
		if n > len(b) {
			n -= len(b)
			continue
		}
		if n == len(b) {
			return buffers[: i+1 : i+1], buffers[i+1:]
		}
		head := append(append(net.Buffers{}, buffers[:i]...), b[:n])
		rest := append(net.Buffers{b[n:]}, buffers[i+1:]...)
		return head, rest
	}
	return buffers, nil
}
