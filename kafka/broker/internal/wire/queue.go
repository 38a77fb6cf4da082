package wire

import (
	"net"
	"runtime/debug"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// pending is a request that came and is not answered yet.
type pending struct {
	conn        *Conn
	correlation int32
	produce     bool
	size        int // of a Produce request
	// kept is set while who read the request may send its answer.
	kept bool

	plain   bool // is to be handled by who writes
	token   bool // a message of SASL's
	req     kmsg.Request
	client  string
	handled func()
	decoded int64 // bytes that are counted until the answer was sent

	answered bool
	answer   Answer
}

// queue is the requests of a connection in their order: any number of Produce requests
// that are handled, within bounds, then at most one other.
type queue struct {
	mu    sync.Mutex
	items []*pending
	bytes int // of Produce requests
	plain int
	left  bool // nothing more comes
	gone  bool // answers are not sent any more

	wake chan struct{} // for who writes
	room chan struct{} // for who reads
}

func (q *queue) init() { q.wake, q.room = make(chan struct{}, 1), make(chan struct{}, 1) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// turn waits until a request may be read.
func (q *queue) turn(c *Conn, h head) error {
	for !q.free(c.server.limits, h) {
		select {
		case <-q.room:
		case <-c.dead:
			return net.ErrClosed
		case <-c.ctx.Done():
			return c.whyEnded(net.ErrClosed)
		}
	}
	return nil
}

func (q *queue) free(l Limits, h head) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !isProduce(h) || len(q.items) == 0 || q.plain > 0 {
		return q.plain == 0
	}
	return len(q.items) < l.Pipelined && q.bytes+h.size <= l.PipelinedBytes
}

func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) == 0
}

func (q *queue) push(p *pending) {
	q.mu.Lock()
	q.items = append(q.items, p)
	q.bytes += p.size
	now := p.plain && len(q.items) == 1
	if p.plain {
		q.plain++
	}
	q.mu.Unlock()
	if now {
		signal(q.wake)
	}
}

func (q *queue) readerLeft() {
	q.mu.Lock()
	q.left = true
	q.mu.Unlock()
	signal(q.wake)
}

// next waits for the first request that is to be handled now, or for answers to send,
// of which it adds all that are ready in their order to batch. Both are nil at the end.
func (q *queue) next(c *Conn, batch []*pending) (*pending, []*pending) {
	for {
		select {
		case <-c.dead:
			return nil, nil
		default:
		}
		p, ready, end := q.look(batch)
		if end || p != nil || len(ready) > 0 {
			return p, ready
		}
		select {
		case <-q.wake:
		case <-c.dead:
		}
	}
}

func (q *queue) look(batch []*pending) (p *pending, ready []*pending, end bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return nil, nil, q.left
	}
	if first := q.items[0]; first.plain {
		first.plain = false
		return first, nil, false
	}
	for _, p := range q.items {
		if !p.answered || p.kept {
			break
		}
		batch = append(batch, p)
	}
	return nil, batch, false
}

// claim has who read a request send its answer, where that is there already and nothing else
// is to be sent: nobody has to be woken for it. Else it is left to who writes.
func (q *queue) claim(p *pending) bool {
	q.mu.Lock()
	if p.answered && len(q.items) == 1 {
		q.mu.Unlock()
		return true
	}
	p.kept = false
	next := p.answered && q.items[0] == p
	q.mu.Unlock()
	if next {
		signal(q.wake)
	}
	return false
}

// sent takes out the first n requests, whose answers were sent.
func (q *queue) sent(n int) {
	q.mu.Lock()
	for _, p := range q.items[:n] {
		p.uncount()
		q.bytes -= p.size
		if !p.produce {
			q.plain--
		}
		p.answer = nil
	}
	left := copy(q.items, q.items[n:])
	clear(q.items[left:])
	q.items = q.items[:left]
	q.mu.Unlock()
	signal(q.room)
}

// drop gives up what is not sent, and what will be answered later.
func (q *queue) drop() {
	q.mu.Lock()
	q.gone = true
	items := q.items
	q.items = nil
	q.mu.Unlock()
	for _, p := range items {
		p.uncount()
		if p.answered {
			release(p.answer)
		}
		if p.plain && p.handled != nil {
			p.handled()
		}
	}
}

// uncount gives back the memory of what was decoded, on which that of the answer depends.
func (p *pending) uncount() {
	if p.decoded > 0 {
		p.conn.server.decoded.Give(p.decoded)
		p.decoded = 0
	}
}

// handle has the handler answer the request.
func (p *pending) handle(req kmsg.Request) {
	c := p.conn
	defer func() {
		if r := recover(); r != nil {
			c.server.config.Logger.Error("a request failed", "panic", r, "request", kmsg.NameForKey(req.Key()),
				"version", req.GetVersion(), "client", c.Remote.String(), "stack", string(debug.Stack()))
			p.reply(nil)
		}
	}()
	c.server.config.Handler.Handle(c.ctx, c, req, p.reply)
}

// handlePlain is handle for all but Produce requests.
func (p *pending) handlePlain() {
	p.conn.ClientID = p.client
	defer p.handled()
	if p.req == nil {
		p.reply(p.conn.server.apiVersions(p.conn, nil))
		return
	}
	if req, ok := p.req.(*kmsg.ApiVersionsRequest); ok {
		p.reply(p.conn.server.apiVersions(p.conn, req))
		return
	}
	req := p.req
	p.req = nil
	p.handle(req)
}

// reply is the handler's to call, once.
func (p *pending) reply(a Answer) {
	q := &p.conn.queue
	q.mu.Lock()
	if p.answered || q.gone {
		q.mu.Unlock()
		release(a)
		return
	}
	p.answered, p.answer = true, a
	first := q.items[0] == p && !p.kept
	q.mu.Unlock()
	if first {
		signal(q.wake)
	}
}
