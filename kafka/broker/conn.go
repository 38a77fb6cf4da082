package broker

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// guardedConn hands kfake whole, checked requests. kfake asks for the size,
// then for the whole rest, so a request is read into kfake's own buffer and
// checked there, without a copy. One goroutine reads, one writes.
type guardedConn struct {
	net.Conn
	guard *guard

	head    [headLength]byte
	unread  []byte      // checked, not yet handed on
	size    int         // of the request whose rest is still to come; 0 between requests
	isLarge atomic.Bool // holds a place in guard.large
	known   bool        // a request has come, so this is a Kafka client

	edits edits
}

func (c *guardedConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(c.unread) == 0 && c.size == 0 {
		if err := c.begin(); err != nil {
			return 0, c.report(err)
		}
	}
	if len(c.unread) == 0 {
		n, err := c.rest(p)
		return n, c.report(err)
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// begin waits for a request and reads its head.
func (c *guardedConn) begin() error {
	c.leaveLarge()
	if err := c.SetReadDeadline(time.Now().Add(c.guard.limits.idle)); err != nil {
		return err
	}
	n, err := io.ReadAtLeast(c.Conn, c.head[:], 4)
	if err != nil {
		return err
	}
	if name := otherProtocol(c.head[:]); !c.known && name != "" {
		return strangers(name)
	}
	if err := c.SetReadDeadline(time.Now().Add(c.guard.limits.request)); err != nil {
		return err
	}
	if _, err := io.ReadFull(c.Conn, c.head[n:]); err != nil {
		return err
	}
	h, err := parseHead(&c.head, c.guard.maxRequest)
	if err != nil {
		return err
	}
	c.known = true
	c.size, c.unread = h.size, c.head[:4]
	return c.enterLarge()
}

// rest reads what follows the size, into p where it fits, and checks it.
func (c *guardedConn) rest(p []byte) (int, error) {
	request := p
	if len(p) < c.size {
		request = make([]byte, c.size)
	}
	request = request[:c.size]
	n := copy(request, c.head[4:])
	if _, err := io.ReadFull(c.Conn, request[n:]); err != nil {
		return 0, err
	}
	c.size = 0
	if err := c.check(request); err != nil {
		return 0, err
	}
	if len(p) >= len(request) {
		return len(request), nil
	}
	n = copy(p, request)
	c.unread = request[n:]
	return n, nil
}

// report logs why a client is not served; its connection ends with that.
func (c *guardedConn) report(err error) error {
	if err == nil {
		return nil
	}
	c.leaveLarge()
	var r refusal
	if errors.As(err, &r) {
		c.guard.log.Warn("connection closed: "+string(r), "client", c.RemoteAddr().String())
	}
	return err
}

// enterLarge waits for a place among the large requests.
func (c *guardedConn) enterLarge() error {
	if c.size < largeRequest {
		return nil
	}
	select {
	case c.guard.large <- struct{}{}:
		c.isLarge.Store(true)
	case <-c.guard.ended:
		return net.ErrClosed
	}
	return c.SetReadDeadline(time.Now().Add(c.guard.limits.request))
}

func (c *guardedConn) leaveLarge() {
	if c.isLarge.CompareAndSwap(true, false) {
		<-c.guard.large
	}
}

// Write sends an answer, which kfake hands over whole. Who does not read it is
// given up, so that answers do not pile up in memory.
func (c *guardedConn) Write(answer []byte) (int, error) {
	out := c.edits.apply(answer)
	for len(out) > 0 {
		if err := c.SetWriteDeadline(time.Now().Add(c.guard.limits.answer)); err != nil {
			return 0, err
		}
		n, err := c.Conn.Write(out[:min(len(out), answerChunk)])
		if err != nil {
			return 0, err
		}
		out = out[n:]
	}
	return len(answer), nil
}

func (c *guardedConn) Close() error {
	c.guard.forget(c)
	c.leaveLarge()
	return c.Conn.Close()
}
