package outbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// freezer stops a relay like SIGSTOP, at the i-th thing it asks of database or
// Kafka; thaw lets it go on as if nothing had happened.
type freezer struct {
	mu     sync.Mutex
	events int
	at     int
	ice    chan struct{} // closed to thaw it
	frozen chan struct{} // closed when it is frozen
	// patient: only Kafka hangs, the relay's own time-outs work.
	patient bool
}

func newFreezer(at int) *freezer {
	return &freezer{at: at, ice: make(chan struct{}), frozen: make(chan struct{})}
}

func (f *freezer) pass() { f.wait(nil) }

func (f *freezer) wait(given <-chan struct{}) {
	f.mu.Lock()
	f.events++
	if f.events == f.at {
		close(f.frozen)
	}
	wait := f.events >= f.at
	f.mu.Unlock()
	if !wait {
		return
	}
	select {
	case <-f.ice:
	case <-given:
	}
}

func (f *freezer) options() []kgo.Opt {
	return []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, host string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, host)
		return &frozenConn{Conn: conn, f: f, expired: make(chan struct{})}, err
	})}
}

type frozenConn struct {
	net.Conn
	f       *freezer
	once    sync.Once
	expired chan struct{}
}

func (c *frozenConn) Write(b []byte) (int, error) {
	c.f.wait(c.expired)
	return c.Conn.Write(b)
}

func (c *frozenConn) SetDeadline(at time.Time) error {
	return errors.Join(c.SetWriteDeadline(at), c.Conn.SetReadDeadline(at))
}

func (c *frozenConn) SetWriteDeadline(at time.Time) error {
	if c.f.patient && !at.IsZero() && !at.After(time.Now()) {
		c.once.Do(func() { close(c.expired) })
	}
	return c.Conn.SetWriteDeadline(at)
}

// TestStoppedRelayIsFenced stops the active relay at the i-th thing it does,
// lets another one take over and publish, and then lets the first go on.
func TestStoppedRelayIsFenced(t *testing.T) {
	for i, reached := 1, true; reached && i < 100; i++ {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			_, cluster := startKafka(t, "orders")
			l := newLoad()
			f := newFreezer(i)
			first, err := NewRelay(&view{memStore: l.store, before: f.pass}, cluster, faulty())
			if err != nil {
				t.Fatal(err)
			}
			first.extra = f.options()
			started := make(chan error, 1)
			go func() { started <- first.Start(testContext(t)) }()
			stopped := false
			eventually(t, "frozen, or done", func() bool {
				select {
				case <-f.frozen:
					stopped = true
					return true
				default:
					return l.store.started() == 0 && first.Stats().Failed == 1
				}
			})
			reached = stopped
			l.store.expireLease()
			run(t, l.store, cluster, faulty(), nil)
			if stopped {
				eventually(t, "the second relay has published", func() bool { return l.store.started() == 0 })
			}
			more := message("orders", "k1", 1000)
			l.want = append(l.want, more)
			close(f.ice)
			l.store.enqueue(more)
			if err := <-started; err == nil {
				t.Cleanup(func() { stopRelay(t, first) })
			}
			l.finish(t, cluster)
		})
		if t.Failed() {
			return
		}
	}
}
