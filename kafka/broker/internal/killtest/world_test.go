package killtest

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/twmb/franz-go/pkg/kgo"
)

// workload is clients that write and read while the broker is killed, with a book of what
// they were told.
type workload interface {
	name() string
	// topics are made before it runs.
	topics() []kafka.Topic
	// run goes on until the world quits, then ends what is open. Its error is one that no
	// client should see.
	run(ctx context.Context) error
	// check compares what there is with the book. It may be called several times, after run.
	check(ctx context.Context, f *findings) error
	// did tells how much was done, and fails where it was too little to show anything. It may
	// be called meanwhile.
	did() (string, error)
}

// world is one broker on one folder, and its clients.
type world struct {
	t         *testing.T
	random    *rand.Rand
	config    childConfig
	full      bool // the disk may be, of which the broker may complain
	broker    *process
	findings  findings
	quit      chan struct{} // closed when the clients are to end
	workloads []workload
	running   sync.WaitGroup
	mu        sync.Mutex
	unended   map[string]bool // workloads that run
	lives     map[string]int  // how many ended in which way
	took      time.Duration   // the last start
}

func newWorld(t *testing.T, durability broker.Durability, dir string) *world {
	t.Helper()
	addr, err := testservers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return &world{
		t: t, random: testenv.Rand(t), quit: make(chan struct{}), lives: map[string]int{}, unended: map[string]bool{},
		config: childConfig{Addr: addr, DataDir: dir, Durability: durability, Settings: map[string]string{"log.retention.check.interval.ms": "50"}},
	}
}

// fork makes random numbers for another goroutine.
func (w *world) fork() *rand.Rand { return rand.New(rand.NewPCG(w.random.Uint64(), 0)) }

// kafka is how clients connect.
func (w *world) kafka() kafka.Config {
	c := kafka.Config{Brokers: []string{w.config.Addr}, Logger: slog.New(slog.DiscardHandler)}
	if w.config.ACLs {
		c.SASL = kafka.SASL{Mechanism: "PLAIN", User: admin, Password: password}
	}
	return c
}

// patience is for clients: they try for as long as the broker is away, and soon again.
func patience() []kgo.Opt {
	return []kgo.Opt{
		kgo.Dialer(dial),
		kgo.AlwaysRetryEOF(), // a broker that is killed is no broker that wants SASL
		kgo.RetryBackoffFn(func(n int) time.Duration {
			return min(time.Duration(5<<min(n, 10))*time.Millisecond, 80*time.Millisecond)
		}),
		kgo.RequestRetries(math.MaxInt32),
		kgo.RetryTimeout(startTimeout),
		kgo.RecordRetries(math.MaxInt32),
		kgo.UnknownTopicRetries(-1),
		kgo.MetadataMinAge(20 * time.Millisecond),
		kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.ConcurrentTransactionsBackoff(5 * time.Millisecond),
		kgo.DisableClientMetrics(),
	}
}

// dial says of a refused connection what clients take for a reason to try again.
func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: startTimeout}).DialContext(ctx, network, addr)
	var refused *os.SyscallError
	if errors.As(err, &refused) {
		return nil, refused
	}
	return conn, err
}

func (w *world) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kafka.NewClient(w.kafka(), append(patience(), opts...)...)
}

// over says that the clients are to end.
func (w *world) over() bool {
	select {
	case <-w.quit:
		return true
	default:
		return false
	}
}

// pace has a client wait up to most, so that processors are left to others.
func (w *world) pace(random *rand.Rand, most time.Duration) {
	select {
	case <-w.quit:
	case <-time.After(time.Duration(random.Int64N(int64(most)))):
	}
}

// begin starts the broker, makes the topics and lets the clients run.
func (w *world) begin(ctx context.Context, workloads ...workload) {
	w.t.Helper()
	w.workloads = workloads
	w.start()
	if err := w.makeTopics(ctx); err != nil {
		w.t.Fatal(err)
	}
	for _, l := range workloads {
		w.unended[l.name()] = true
		w.running.Go(func() {
			if err := l.run(ctx); err != nil {
				w.findings.add(wrong, "%s: %v", l.name(), err)
			}
			w.mu.Lock()
			delete(w.unended, l.name())
			w.mu.Unlock()
		})
	}
}

func (w *world) makeTopics(ctx context.Context) error {
	client, err := w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	for _, l := range w.workloads {
		if err := kafka.EnsureTopics(ctx, client, w.kafka(), l.topics()...); err != nil {
			return err
		}
	}
	return nil
}

// start launches the broker and waits until it serves.
func (w *world) start() {
	w.t.Helper()
	began := time.Now()
	w.broker = launch(w.t, w.config)
	if err := w.broker.await(); err != nil {
		w.t.Fatal(err)
	}
	w.took = time.Since(began)
}

// settle lets the clients end what is open.
func (w *world) settle() {
	w.t.Helper()
	close(w.quit)
	ended := make(chan struct{})
	go func() { w.running.Wait(); close(ended) }()
	select {
	case <-ended:
		return
	case <-time.After(startTimeout):
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.broker.child.Signal(syscall.SIGQUIT)
	<-w.broker.child.Done()
	w.t.Fatalf("%v do not end; found %v\n%s", w.unended, &w.findings, &w.broker.said)
}

// finish lets the clients end, and compares their books with what there is, after each kind of
// end of the broker.
func (w *world) finish(ctx context.Context) {
	w.t.Helper()
	testenv.Wait(w.t, "all clients to have done something", 30*time.Second, func() bool {
		return !slices.ContainsFunc(w.workloads, func(l workload) bool {
			_, err := l.did()
			return err != nil && w.findings.total() == 0
		})
	})
	w.settle()
	w.restart("SIGKILL")
	w.verify(ctx, "after a kill")
	w.restart("SIGTERM")
	w.verify(ctx, "after a stop")
	w.tell()
}

// verify compares all books with what a fresh client reads.
func (w *world) verify(ctx context.Context, when string) {
	w.t.Helper()
	for _, l := range w.workloads {
		var f findings
		if err := l.check(ctx, &f); err != nil {
			w.t.Errorf("%s, %s: %v", l.name(), when, err)
		}
		if f.total() > 0 {
			w.t.Errorf("%s, %s:", l.name(), when)
			f.report(w.t)
		}
	}
}

// tell logs what was done, and fails where that was too little.
func (w *world) tell() {
	w.t.Helper()
	w.t.Logf("lives that ended by %v", w.lives)
	for _, l := range w.workloads {
		text, err := l.did()
		if err != nil {
			w.t.Errorf("%s shows nothing: %v (%s)", l.name(), err, text)
		}
		w.t.Logf("%s: %s", l.name(), strings.TrimSpace(text))
	}
	w.findings.report(w.t)
}
