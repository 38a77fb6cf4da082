package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const patience = 30 * time.Second

// recorder remembers points, and cuts at one.
type recorder struct {
	mu  sync.Mutex
	all []wire.Point
	cut wire.Point
}

func (r *recorder) watch(p wire.Point) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, p)
	if p != r.cut {
		return true
	}
	r.cut = wire.Point{}
	return false
}

func (r *recorder) count(p wire.Point) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range r.all {
		if p == q {
			n++
		}
	}
	return n
}

func (r *recorder) cutAt(p wire.Point) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = p
}

func point(server, op string, answered bool) wire.Point {
	return wire.Point{Server: server, Op: op, Answered: answered}
}

func listen(t *testing.T, target string, protocol func(string) wire.Protocol, r *recorder) string {
	t.Helper()
	p, err := wire.Listen(target, protocol, r.watch)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p.Addr()
}

// TestKafkaSeesEveryRequest: a transaction through the proxy, whose client
// never learns the broker's own address.
func TestKafkaSeesEveryRequest(t *testing.T) {
	for name, target := range map[string]func(*testing.T) string{
		"in process": func(t *testing.T) string { return kafkatest.Start(t).Addr() },
		"Apache":     func(t *testing.T) string { return testenv.Kafka(t)[0] },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var r recorder
			addr, prefix := listen(t, target(t), wire.Kafka, &r), testenv.Prefix(t)
			client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.MetadataMinAge(100*time.Millisecond),
				kgo.TransactionalID(prefix+"t"), kgo.DefaultProduceTopic(prefix+"topic"))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if _, err := kadm.NewClient(client).CreateTopic(ctx, 1, 1, nil, prefix+"topic"); err != nil {
				t.Fatal(err)
			}
			if err := client.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			r.cutAt(point("kafka", "Produce", true)) // the client produces again
			if err := client.ProduceSync(ctx, kgo.StringRecord("x")).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if err := client.EndTransaction(ctx, kgo.TryCommit); err != nil {
				t.Fatal(err)
			}
			brokers, err := kadm.NewClient(client).ListBrokers(ctx)
			if err != nil || len(brokers) != 1 || addr != brokers[0].Host+":"+fmt.Sprint(brokers[0].Port) {
				t.Errorf("brokers are %+v (%v), want %s", brokers, err, addr)
			}
			for op, want := range map[string]int{"Produce": 2, "EndTxn": 1, "CreateTopics": 1} {
				before, after := r.count(point("kafka", op, false)), r.count(point("kafka", op, true))
				if before != want || after != want {
					t.Errorf("%s: %d requests and %d answers, want %d", op, before, after, want)
				}
			}
		})
	}
}

// TestPostgresCommitIsCut: before the commit nothing was stored, after it all
// was, and neither time does the client know.
func TestPostgresCommitIsCut(t *testing.T) {
	where := testenv.Postgres(t)
	u, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	var r recorder
	u.Host = listen(t, u.Host, wire.Postgres, &r)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	execute := func(sql string) error {
		conn, err := pgx.Connect(ctx, u.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, sql)
			return err
		})
	}
	if err := execute("CREATE TABLE t (n int)"); err != nil {
		t.Fatal(err)
	}
	for stored, answered := range []bool{false, true} {
		r.cutAt(point("postgres", "commit", answered))
		if err := execute("INSERT INTO t VALUES (1)"); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("answered %v: %v, want a lost connection", answered, err)
		}
		conn, err := pgx.Connect(ctx, u.String())
		if err != nil {
			t.Fatal(err)
		}
		var n int
		// Prepared, and so a batch.
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM t WHERE n = $1", 1).Scan(&n); err != nil || n != stored {
			t.Errorf("answered %v: %d rows (%v), want %d", answered, n, err, stored)
		}
		conn.Close(ctx)
	}
	if begun, batches := r.count(point("postgres", "begin", true)), r.count(point("postgres", "batch", true)); begun != 3 || batches == 0 {
		t.Errorf("%d transactions begun, %d batches: %v", begun, batches, r.all)
	}
}

// TestHeldBack: as long as Watch does not return, the request does not arrive;
// Cut ends a connection from outside.
func TestHeldBack(t *testing.T) {
	cluster := kafkatest.Start(t)
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	proxy, err := wire.Listen(cluster.Addr(), wire.Kafka, func(p wire.Point) bool {
		if p == point("kafka", "CreateTopics", false) {
			once.Do(func() { close(held); <-release })
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(proxy.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	created := make(chan error, 1)
	go func() {
		_, err := kadm.NewClient(client).CreateTopic(ctx, 1, 1, nil, "late")
		created <- err
	}()
	<-held
	direct := func() (kadm.TopicDetails, error) { return kadm.NewClient(cluster.Client(t)).ListTopics(ctx) }
	if topics, err := direct(); err != nil || topics.Has("late") {
		t.Errorf("while it is held back the topics are %v (%v)", topics.Names(), err)
	}
	close(release)
	if err := <-created; err != nil {
		t.Fatal(err)
	}
	if topics, err := direct(); err != nil || !topics.Has("late") {
		t.Errorf("afterwards the topics are %v (%v)", topics.Names(), err)
	}
	proxy.Cut()
	if err := client.Ping(ctx); err != nil {
		t.Errorf("after a cut the client does not connect again: %v", err)
	}
}
