package outbox

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka"
)

// load is what every failure below is tried on: batches of several keys, a row
// that Kafka refuses, a transaction that commits late, and rows that come while
// the relay runs.
type load struct {
	store *memStore
	want  []Message
	late  []Message
	first int64
}

func newLoad() *load {
	l := &load{store: newMemStore()}
	add := func(n int) (batch []Message) {
		for range n {
			batch = append(batch, message("orders", fmt.Sprint("k", len(l.want)%4), len(l.want)))
			l.want = append(l.want, batch[len(batch)-1])
		}
		return batch
	}
	l.store.enqueue(add(6)...)
	l.first = l.store.take("late", 1)
	l.late = []Message{message("orders", "late", 1)}
	l.store.enqueue(add(5)...)
	big := message("orders", "k1", -1)
	big.Payload = []byte(`"` + strings.Repeat("x", 2<<20) + `"`)
	l.store.enqueue(big)
	l.store.enqueue(add(4)...)
	return l
}

// finish commits what is late, waits until nothing is pending and checks the log.
func (l *load) finish(t *testing.T, cluster kafka.Config) {
	t.Helper()
	l.store.commit("late", l.first, l.late...)
	seen, letters := readTopics(t, cluster, "orders"), readTopics(t, cluster, "outbox.dead-letters")
	seen.expect(t, append(l.want, l.late...)...)
	eventually(t, "nothing pending", func() bool { return l.store.started() == 0 })
	seen.once(t)
	eventually(t, "a dead letter", func() bool { return letters.count() > 0 })
	letters.once(t)
	if b, _ := l.store.Backlog(t.Context()); b.Failed != 1 {
		t.Errorf("%d rows FAILED, want 1", b.Failed)
	}
}

func faulty() RelayConfig {
	c := fast()
	c.BatchRows, c.MaxAttempts = 4, 2
	return c
}

// run starts a relay, again and again where Start fails because of a failure.
func run(t *testing.T, store Store, cluster kafka.Config, config RelayConfig, line *cutter) *Relay {
	t.Helper()
	var r *Relay
	eventually(t, "the relay starts", func() bool {
		var err error
		if r, err = NewRelay(store, cluster, config); err != nil {
			t.Fatal(err)
		}
		if line != nil {
			r.extra = line.options()
		}
		err = r.Start(testContext(t))
		if NeedsChoice(err) {
			t.Fatal(err)
		}
		return err == nil
	})
	t.Cleanup(func() { stopRelay(t, r) })
	return r
}

// TestEveryStoreCallFails fails the i-th call of the store, before or after it
// took effect, for every i that is reached.
func TestEveryStoreCallFails(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after=%v", after), func(t *testing.T) {
			var reached atomic.Bool
			reached.Store(true)
			for i := int64(1); reached.Load(); i++ {
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					_, cluster := startKafka(t, "orders")
					l := newLoad()
					var calls atomic.Int64
					fail := func(op string) error {
						if calls.Add(1) == i {
							return fmt.Errorf("%s: %w", op, errInjected)
						}
						return nil
					}
					if after {
						l.store.after = fail
					} else {
						l.store.before = fail
					}
					run(t, l.store, cluster, faulty(), nil)
					l.finish(t, cluster)
					reached.Store(calls.Load() >= i && i < 60)
				})
				if t.Failed() {
					return
				}
			}
		})
	}
}

// TestEveryRequestIsCut cuts the line to Kafka at the i-th request, before it
// or after it was carried out, for every i that is reached.
func TestEveryRequestIsCut(t *testing.T) {
	for _, answered := range []bool{false, true} {
		t.Run(fmt.Sprintf("answered=%v", answered), func(t *testing.T) {
			for i, reached := 1, true; reached && i < 90; i++ {
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					_, cluster := startKafka(t, "orders")
					l := newLoad()
					line := &cutter{at: i, answered: answered, key: -1}
					run(t, l.store, cluster, faulty(), line)
					l.finish(t, cluster)
					reached = line.done()
				})
				if t.Failed() {
					return
				}
			}
		})
	}
}

// TestManyFailures fails store calls at random, before or after they took
// effect, and cuts the line to Kafka again and again, so that failures meet
// what earlier ones left behind.
func TestManyFailures(t *testing.T) {
	for range 12 {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			random := &lockedRand{r: rand.New(rand.NewPCG(seed, 0))}
			_, cluster := startKafka(t, "orders")
			l := newLoad()
			fail := func(op string) error {
				if random.IntN(40) == 0 {
					return fmt.Errorf("%s: %w", op, errInjected)
				}
				return nil
			}
			l.store.before, l.store.after = fail, fail
			line := &cutter{key: -1, chance: func() bool { return random.IntN(80) == 0 }, answered: true}
			run(t, l.store, cluster, faulty(), line)
			for i := range 40 {
				m := message("orders", fmt.Sprint("k", i%4), 100+i)
				l.want = append(l.want, m)
				l.store.enqueue(m)
				if i%5 == 0 {
					time.Sleep(20 * time.Millisecond)
				}
			}
			l.finish(t, cluster)
		})
	}
}

type lockedRand struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (l *lockedRand) IntN(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.IntN(n)
}
