package run

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
)

// line to a broker that a test cuts, or on which nothing gets through for a while.
type line struct {
	mu     sync.Mutex
	op     string
	after  bool
	times  int
	frozen chan struct{} // closed when it goes on; nil: it does
	proxy  *wire.Proxy
}

func newLine(t testing.TB, k kafka.Config) (*line, kafka.Config) {
	t.Helper()
	l := &line{}
	var err error
	if l.proxy, err = wire.Listen(k.Brokers[0], wire.Kafka, l.pass); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.thaw(); l.proxy.Close() })
	k.Brokers = []string{l.proxy.Addr()}
	return l, k
}

func (l *line) pass(p wire.Point) bool {
	l.mu.Lock()
	frozen := l.frozen
	cut := l.times > 0 && p.Op == l.op && p.Answered == l.after
	if cut {
		l.times--
	}
	l.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
	return !cut
}

func (l *line) cut(op string, after bool, times int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.op, l.after, l.times = op, after, times
}

func (l *line) left() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.times
}

func (l *line) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frozen = make(chan struct{})
}

func (l *line) thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frozen != nil {
		close(l.frozen)
		l.frozen = nil
	}
}

// TestLineIsCutAtEveryRequest also makes commits whose outcome nobody knows.
func TestLineIsCutAtEveryRequest(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 2, "in", "out")
		l, through := newLine(t, k)
		cfg := configure(t, through)
		cfg.Logger = configure(t, k).Logger
		in, out := client(t, k), newOutput(t, k)
		begin(t, cfg)
		var total int64
		cuts := map[string]int{"Produce": 1, "TxnOffsetCommit": 2, "EndTxn": 2, "Fetch": 1, "Heartbeat": 1}
		for op := range cuts {
			for _, after := range []bool{false, true} {
				for _, times := range []int{1, 3}[:cuts[op]] {
					l.cut(op, after, times)
					testenv.Wait(t, op+" is cut", 60*time.Second, func() bool {
						feed(t, k, in, 50)
						total += 50
						return l.left() == 0
					})
					out.await(t, total)
				}
			}
		}
	})
}

// TestFrozenProcessIsFenced: one that comes back after others have its tasks commits nothing.
func TestFrozenProcessIsFenced(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 2, "in", "out")
		l, through := newLine(t, k)
		cfg := configure(t, through)
		in, out := client(t, k), newOutput(t, k)
		zombie := begin(t, cfg)
		awaitRunning(t, zombie)
		feed(t, k, in, 100)
		out.await(t, 100)
		heir := another(t, cfg)
		heir.Kafka = k
		l.freeze()
		feed(t, k, in, 100)
		next := begin(t, heir)
		testenv.Wait(t, "all tasks at the heir", 60*time.Second, func() bool {
			return len(next.tasks.stats()) == 2 && next.State() == Running
		})
		feed(t, k, in, 100)
		out.await(t, 300)
		l.thaw()
		feed(t, k, in, 100)
		out.await(t, 400)
		awaitRunning(t, zombie, next)
		feed(t, k, in, 100)
		out.await(t, 500)
	})
}

// TestTwoProcessesOfOneInstanceID: the group knows one; the other ends and says why.
func TestTwoProcessesOfOneInstanceID(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 2, "in", "out")
		cfg := configure(t, k)
		cfg.InstanceID = "one"
		in, out := client(t, k), newOutput(t, k)
		first := begin(t, cfg)
		awaitRunning(t, first)
		feed(t, k, in, 100)
		out.await(t, 100)
		second := begin(t, another(t, cfg))
		feed(t, k, in, 100)
		select {
		case <-first.Done():
		case <-deadline(t).Done():
			t.Fatal("both go on")
		}
		if err := first.Err(); err == nil || !strings.Contains(err.Error(), `instance "one"`) {
			t.Errorf("it says %v", err)
		}
		feed(t, k, in, 100)
		out.await(t, 300)
		if err := second.Err(); err != nil {
			t.Error(err)
		}
	})
}

// TestTransactionThatTakesTooLong is aborted by the broker, and done again.
func TestTransactionThatTakesTooLong(t *testing.T) {
	slowBrokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 1, "in", "out")
		cfg := configure(t, k)
		cfg.TransactionTimeout = time.Second
		var slow sync.Once
		cfg.Fault = func(p Point) error {
			if p == BeforeEnd {
				slow.Do(func() { awaitNoTransaction(t, k) })
			}
			return nil
		}
		in, out := client(t, k), newOutput(t, k)
		r := begin(t, cfg)
		feed(t, k, in, 100)
		out.await(t, 100)
		if r.meter.aborts.Load() == 0 {
			t.Error("no transaction was given up")
		}
	})
}

// awaitNoTransaction returns when the broker has aborted whatever is open.
func awaitNoTransaction(t testing.TB, k kafka.Config) {
	admin := kadm.NewClient(client(t, k))
	testenv.Wait(t, "no transaction is open", 60*time.Second, func() bool {
		all, err := admin.ListTransactions(deadline(t), nil, []string{"Ongoing", "PrepareAbort"})
		for _, id := range all.TransactionalIDs() {
			if strings.HasPrefix(id, k.Prefix) {
				return false
			}
		}
		return err == nil
	})
}
