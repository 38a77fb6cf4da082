package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Conn is a client's connection, as handlers see it. Fields that are not the handler's
// are for reading, in Handle.
type Conn struct {
	Remote   net.Addr
	Host     string // without the port
	ClientID string // of the request
	Software string // name and version, where the client has said
	// Principal is who the client is: "User:ANONYMOUS", or the subject of its
	// certificate, until somebody else. The handler sets it.
	Principal string
	// State is the handler's.
	State any

	server  *Server
	raw     net.Conn // below TLS
	net     net.Conn
	in      *bufio.Reader
	ctx     context.Context // handlers wait no longer than this
	unwait  context.CancelFunc
	dead    chan struct{} // closed when the connection is
	ended   sync.Once
	known   atomic.Bool // has authenticated, or need not
	spoken  bool        // a request has come, so this is a Kafka client
	tokens  atomic.Bool // come instead of requests
	since   time.Time
	produce *kmsg.ProduceRequest // used again
	client  string               // of the last request

	leaving atomic.Bool // no further request is read
	queue   queue
}

// readAhead is enough for most requests but Produce to be read at once.
const readAhead = 1 << 10

var (
	errLeaving = errors.New("the server is closing")
	errIdle    = errors.New("nothing came for too long")
)

func newConn(s *Server, nc net.Conn) *Conn {
	c := &Conn{
		Remote: nc.RemoteAddr(), Principal: "User:ANONYMOUS",
		server: s, raw: nc, net: nc, dead: make(chan struct{}), since: time.Now(),
	}
	if s.config.TLS != nil {
		c.net = tls.Server(nc, s.config.TLS)
	}
	c.in = bufio.NewReaderSize(c.net, readAhead)
	c.Host, _, _ = net.SplitHostPort(c.Remote.String())
	c.ctx, c.unwait = context.WithCancel(s.ctx)
	c.known.Store(!s.config.Authenticate)
	c.queue.init()
	return c
}

// Authenticated says that the client may stay, and send larger requests.
func (c *Conn) Authenticated() {
	c.known.Store(true)
	c.tokens.Store(false)
}

// Close ends the connection, though not what handles its requests.
func (c *Conn) Close() { c.end(net.ErrClosed) }

// serve is the connection's goroutine: it reads, while another one writes.
func (c *Conn) serve() {
	defer c.server.forget(c)
	defer c.unwait()
	if err := c.handshake(); err != nil {
		c.complain(err)
		c.end(err)
		return
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	err := c.read()
	c.complain(err)
	if errors.Is(err, errLeaving) {
		c.queue.readerLeft()
		<-written
		c.goodbye()
	}
	c.end(err)
	<-written
	c.queue.drop()
	c.server.config.Handler.Closed(c)
}

// handshake is TLS's, and says who the client is.
func (c *Conn) handshake() error {
	t, ok := c.net.(*tls.Conn)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.server.limits.Unknown)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		if c.ctx.Err() != nil {
			return errLeaving
		}
		return refuse("no TLS: %v", err)
	}
	if certs := t.ConnectionState().PeerCertificates; len(certs) > 0 {
		c.Principal = "User:" + certs[0].Subject.String()
	}
	return nil
}

// end closes the connection. What waits for it or reads from it ends soon.
func (c *Conn) end(error) {
	c.ended.Do(func() {
		close(c.dead)
		c.unwait()
		c.raw.Close() // TLS would wait for who does not read
	})
}

// goodbye says that no more comes, so that the client knows it for no cut.
func (c *Conn) goodbye() {
	if t, ok := c.net.(*tls.Conn); ok {
		c.raw.SetWriteDeadline(time.Now().Add(time.Second))
		t.CloseWrite()
	}
}

// drain ends the connection when its requests under way are answered.
func (c *Conn) drain() {
	c.leaving.Store(true)
	c.unwait()
	_ = c.net.SetReadDeadline(time.Unix(1, 0))
}

// complain logs why a client is not served any more, where it is to blame.
func (c *Conn) complain(err error) {
	var r refusal
	if errors.As(err, &r) {
		c.server.counts.refused.Add(1)
		c.server.logger.warn("connection closed: "+string(r), "client", c.Remote.String())
	}
}

// read reads requests, each after the one before has its answer or may wait for it.
func (c *Conn) read() error {
	for {
		h, err := c.readHead()
		if err != nil {
			return err
		}
		if err := c.queue.turn(c, h); err != nil {
			return err
		}
		switch {
		case h.token:
			err = c.readToken(h)
		case isProduce(h):
			err = c.readProduce(h)
		default:
			err = c.readPlain(h)
		}
		if err != nil {
			return err
		}
	}
}

func (c *Conn) readHead() (head, error) {
	if err := c.awaitBegin(); err != nil {
		return head{}, err
	}
	if err := c.allow(4); err != nil {
		return head{}, err
	}
	begin, err := c.in.Peek(4)
	if err != nil {
		return head{}, c.cutShort(err)
	}
	if name := otherProtocol(begin); !c.spoken && name != "" {
		return head{}, refuse("this is a Kafka port, and %s request came", name)
	}
	size := uint32(begin[0])<<24 | uint32(begin[1])<<16 | uint32(begin[2])<<8 | uint32(begin[3])
	if c.tokens.Load() {
		return c.tokenHead(size)
	}
	if err := checkSize(size, max(c.server.limits.RequestBytes, 4*c.server.limits.PlainBytes)); err != nil {
		return head{}, err
	}
	if err := c.allow(int(size)); err != nil {
		return head{}, err
	}
	if begin, err = c.in.Peek(headLength); err != nil {
		return head{}, c.cutShort(err)
	}
	h := parseHead(begin)
	c.in.Discard(headLength)
	if err := c.server.checkAPI(h); err != nil {
		return head{}, err
	}
	most := c.server.limits.bytesOf(h.key)
	if !c.known.Load() {
		most = min(most, unknownBytes)
	}
	c.spoken = true
	return h, checkSize(size, most)
}

// awaitBegin waits for a request to begin. A connection is not idle while it waits for
// an answer.
func (c *Conn) awaitBegin() error {
	for c.in.Buffered() == 0 {
		if err := c.allowIdle(); err != nil {
			return err
		}
		_, err := c.in.Peek(1)
		switch {
		case err == nil:
		case c.leaving.Load():
			return errLeaving
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case c.known.Load() && c.queue.empty():
			return errIdle
		}
	}
	return nil
}

// allowIdle gives the client time until its next request.
func (c *Conn) allowIdle() error { return c.allowFor(c.server.limits.Idle) }

// allowFor gives the client time, though none after that in which it has to authenticate.
func (c *Conn) allowFor(d time.Duration) error {
	now := time.Now()
	deadline := now.Add(d)
	if until := c.since.Add(c.server.limits.Unknown); !c.known.Load() && until.Before(deadline) {
		if now.After(until) {
			return refuse("it has not authenticated in %s", c.server.limits.Unknown)
		}
		deadline = until
	}
	c.net.SetReadDeadline(deadline)
	if c.leaving.Load() {
		return errLeaving
	}
	return nil
}

// allow gives the client time to send the rest of a request of so many bytes.
func (c *Conn) allow(rest int) error {
	if c.in.Buffered() >= rest {
		return nil
	}
	return c.allowFor(c.server.limits.Request * time.Duration(1+rest/requestChunk))
}

// cutShort is why a request that began did not end.
func (c *Conn) cutShort(err error) error {
	switch {
	case c.leaving.Load():
		return errLeaving
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse("a request did not come to its end")
	}
	return err
}

// claim takes memory for a request of the shared, and returns how to give it back.
func (c *Conn) claim(h head) (func(), error) {
	n := int64(h.size)
	if n <= smallRequest {
		return func() {}, nil
	}
	if n >= largeRequest {
		if err := c.server.large.Take(c.ctx, n); err != nil {
			return nil, c.whyEnded(err)
		}
	}
	if err := c.server.buffers.Take(c.ctx, n); err != nil {
		if n >= largeRequest {
			c.server.large.Give(n)
		}
		return nil, c.whyEnded(err)
	}
	return func() {
		if n >= largeRequest {
			c.server.large.Give(n)
		}
		c.server.buffers.Give(n)
	}, nil
}

func (c *Conn) whyEnded(err error) error {
	if c.leaving.Load() {
		return errLeaving
	}
	return err
}

// readBody reads what follows the head of a request.
func (c *Conn) readBody(b []byte) error {
	if err := c.allow(len(b)); err != nil {
		return err
	}
	if _, err := io.ReadFull(c.in, b); err != nil {
		return c.cutShort(err)
	}
	return nil
}

// readProduce reads and handles a request. It sends the answer, too, where that is there.
func (c *Conn) readProduce(h head) error {
	p, err := c.handleProduce(h)
	if err == nil && c.queue.claim(p) && !c.finish([]*pending{p}) {
		return net.ErrClosed
	}
	return err
}

func (c *Conn) handleProduce(h head) (*pending, error) {
	giveBack, err := c.claim(h)
	if err != nil {
		return nil, err
	}
	defer giveBack()
	b := GetBuffer(h.size)
	defer b.Put()
	if err := c.readBody(b.B); err != nil {
		return nil, err
	}
	if c.produce == nil {
		c.produce = kmsg.NewPtrProduceRequest()
	}
	d, err := decode(h, b.B, c.produce, nil)
	if err != nil {
		return nil, err
	}
	c.server.count(h)
	p := &pending{conn: c, correlation: h.correlation, produce: true, size: h.size + d.memory, kept: true}
	c.queue.push(p)
	c.nameClient(d.client)
	c.ClientID = c.client
	p.handle(d.req)
	forget(c.produce)
	return p, nil
}

func (c *Conn) readPlain(h head) error {
	giveBack, err := c.claim(h)
	if err != nil {
		return err
	}
	p := &pending{conn: c, correlation: h.correlation, plain: true, handled: giveBack}
	if err := c.decodePlain(h, p); err != nil {
		p.handled()
		p.uncount()
		return err
	}
	c.server.count(h)
	c.queue.push(p)
	return nil
}

// decodePlain reads a request that is independent of the buffer it came in, which is
// its own where it has bytes that kmsg does not copy.
func (c *Conn) decodePlain(h head, p *pending) error {
	b := GetBuffer(h.size)
	if l, err := layoutOf(h.key, min(max(h.version, 0), c.server.apis[h.key].Max)); err != nil || l.bytes {
		b.Put()
		b = &Buffer{B: make([]byte, h.size)}
	}
	defer b.Put()
	if err := c.readBody(b.B); err != nil {
		return err
	}
	d, err := decode(h, b.B, nil, func(memory int) error { return c.claimDecoded(p, memory) })
	if err != nil {
		return err
	}
	c.nameClient(d.client)
	p.req, p.client = d.req, c.client
	return nil
}

// smallDecoded and below is not counted.
const smallDecoded = 32 << 10

// claimDecoded takes memory for what a request becomes when it is decoded.
func (c *Conn) claimDecoded(p *pending, memory int) error {
	if memory <= smallDecoded {
		return nil
	}
	if err := c.server.decoded.Take(c.ctx, int64(memory)); err != nil {
		return c.whyEnded(err)
	}
	p.decoded = int64(memory)
	return nil
}

func (c *Conn) nameClient(client []byte) {
	if string(client) != c.client {
		c.client = string(client)
	}
}

func (c *Conn) String() string { return fmt.Sprintf("%s of %s", c.ClientID, c.Remote) }
