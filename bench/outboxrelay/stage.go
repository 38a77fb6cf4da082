package outboxrelay

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of Watermill's side
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// topic is where every run publishes, under a prefix of its own.
const topic = "bench-orders"

var quiet = slog.New(slog.DiscardHandler)

// stage is the servers of a benchmark.
type stage struct {
	postgres, apache *testservers.Server
	inProcess        *broker.Broker
}

func openStage(ctx context.Context, w io.Writer) (*stage, error) {
	s := &stage{}
	// What is committed is on disk, as in production.
	var errs [3]error
	s.postgres, errs[0] = testservers.StartPostgres(ctx, "", "fsync = on", "synchronous_commit = on", "full_page_writes = on", "max_wal_size = 4GB")
	s.apache, errs[1] = testservers.StartKafka(ctx, "")
	s.inProcess, errs[2] = broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: quiet})
	if err := errors.Join(errs[:]...); err != nil {
		s.close()
		return nil, fmt.Errorf("%w (scripts/install-test-servers gets the servers)", err)
	}
	fmt.Fprintf(w, "%s, %s, in-process broker\n", s.postgres.Name, s.apache.Name)
	return s, nil
}

func (s *stage) close() {
	for _, server := range []*testservers.Server{s.postgres, s.apache} {
		if server != nil {
			_ = server.Close()
		}
	}
	if s.inProcess != nil {
		_ = s.inProcess.Stop(context.Background())
	}
}

// place is where one run happens: a fresh database and fresh topics.
type place struct {
	Database string
	Brokers  []string
	Prefix   string
}

func (p place) kafka() kafka.Config {
	return kafka.Config{Brokers: p.Brokers, Prefix: p.Prefix, Logger: quiet}
}

// newPlace makes one; remove drops it.
func (s *stage) newPlace(ctx context.Context, apache bool) (p place, remove func(), err error) {
	name := "bench_" + strings.ToLower(rand.Text()[:10])
	if err := s.execute(ctx, "CREATE DATABASE "+name); err != nil {
		return place{}, nil, err
	}
	where, err := url.Parse(s.postgres.URL)
	if err != nil {
		return place{}, nil, err
	}
	where.Path = "/" + name
	p = place{Database: where.String(), Brokers: []string{s.inProcess.Addr()}, Prefix: name + "."}
	if apache {
		p.Brokers = []string{s.apache.Addr}
	}
	client, err := kafka.NewClient(p.kafka())
	if err != nil {
		return place{}, nil, err
	}
	defer client.Close()
	remove = func() {
		ctx := context.WithoutCancel(ctx)
		_ = s.execute(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		_ = dropTopics(ctx, p)
	}
	return p, remove, kafka.EnsureTopics(ctx, client, p.kafka(), kafka.Topic{Name: topic})
}

func (s *stage) execute(ctx context.Context, statement string) error {
	db, err := sql.Open("pgx", s.postgres.URL)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}
