package outbox

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// cutter is the line between a relay and Kafka: it cuts the connection at one
// request, before Kafka gets it or after it was answered.
type cutter struct {
	mu       sync.Mutex
	requests int
	at       int         // cut at this request, counted from 1; 0 never
	key      int16       // count only requests of this API key; -1 all
	answered bool        // let Kafka answer, and swallow that
	down     bool        // refuse everything
	chance   func() bool // cut at random
	cut      int
}

var errCut = errors.New("connection cut by the test")

func (c *cutter) options() []kgo.Opt {
	return []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, host string) (net.Conn, error) {
		c.mu.Lock()
		down := c.down
		c.mu.Unlock()
		if down {
			return nil, &net.OpError{Op: "dial", Net: network, Err: errCut}
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, host)
		if err != nil {
			return nil, err
		}
		return &cutConn{Conn: conn, cutter: c}, nil
	})}
}

func (c *cutter) setDown(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

func (c *cutter) done() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut > 0
}

type cutConn struct {
	net.Conn
	cutter  *cutter
	swallow bool
	mu      sync.Mutex
}

// Write gets one whole request.
func (c *cutConn) Write(b []byte) (int, error) {
	if c.cutter.isNext(b) {
		if !c.cutter.answered {
			c.Conn.Close()
			return 0, errCut
		}
		c.mu.Lock()
		c.swallow = true
		c.mu.Unlock()
	}
	return c.Conn.Write(b)
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.swallow {
		c.Conn.Close()
		return 0, errCut
	}
	return n, err
}

func (c *cutter) isNext(request []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		c.cut++
		return true
	}
	if len(request) < 6 || c.key >= 0 && int16(binary.BigEndian.Uint16(request[4:])) != c.key {
		return false
	}
	c.requests++
	if c.requests == c.at || c.chance != nil && c.chance() {
		c.cut++
		return true
	}
	return false
}
