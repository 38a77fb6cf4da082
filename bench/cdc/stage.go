package cdc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// The sides that are measured.
const (
	inProcess = "Pabal, own broker" // our broker, which runs in the benchmark's process
	ours      = "Pabal"
	tuned     = "Debezium, tuned"
	standard  = "Debezium"
)

// The virtual machines of Kafka, and of Kafka Connect as its own script has it.
const (
	brokerJVM  = "-Xms1g -Xmx1g -XX:+UseG1GC"
	connectJVM = "-Xms256m -Xmx2g -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35"
)

// stage is the brokers and the workers.
type stage struct {
	apache *testservers.Server
	own    *broker.Broker
	sides  map[string]*worker
	dir    string
}

func openStage(ctx context.Context, program string, sides []string) (_ *stage, err error) {
	s := &stage{sides: map[string]*worker{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "pabal-cdc-"); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(sides, func(side string) bool { return side != inProcess }) {
		if err := withJVM(brokerJVM, func() error { s.apache, err = testservers.StartKafka(ctx, ""); return err }); err != nil {
			return nil, fmt.Errorf("%w (scripts/install-test-servers gets it)", err)
		}
	}
	if err := s.startOurs(ctx, program, sides); err != nil {
		return nil, err
	}
	if slices.Contains(sides, tuned) || slices.Contains(sides, standard) {
		return s, s.startDebezium(ctx)
	}
	return s, nil
}

// withJVM starts a server in Java with these options, unless PABAL_TEST_JVM has others.
func withJVM(options string, start func() error) error {
	const name = "PABAL_TEST_JVM"
	if os.Getenv(name) == "" {
		_ = os.Setenv(name, options)
		defer os.Unsetenv(name)
	}
	return start()
}

func (s *stage) startOurs(ctx context.Context, program string, sides []string) (err error) {
	if program == "" && (slices.Contains(sides, inProcess) || slices.Contains(sides, ours)) {
		program = filepath.Join(s.dir, "pabal")
		if err := measure.Build(ctx, program); err != nil {
			return err
		}
	}
	if slices.Contains(sides, inProcess) {
		if s.own, err = broker.Start(ctx, broker.Config{Addr: "127.0.0.1:0", Logger: measure.Quiet}); err != nil {
			return err
		}
		if err := s.startPabal(ctx, inProcess, program, s.own.Addr()); err != nil {
			return err
		}
	}
	if slices.Contains(sides, ours) {
		return s.startPabal(ctx, ours, program, s.apache.Addr)
	}
	return nil
}

func (s *stage) startPabal(ctx context.Context, side, program, kafka string) error {
	w, err := startPabal(ctx, program, kafka)
	if err == nil {
		s.sides[side] = w
	}
	return err
}

// startDebezium starts one worker for both configurations: they run one after the other.
func (s *stage) startDebezium(ctx context.Context) error {
	return withJVM(connectJVM, func() error {
		server, err := testservers.StartDebezium(ctx, []string{s.apache.Addr}, "offset.flush.interval.ms=60000", "exactly.once.source.support=disabled")
		if err != nil {
			return fmt.Errorf("%w (scripts/install-test-servers gets it)", err)
		}
		w := &worker{url: server.URL, pid: server.PID(), broker: s.apache.Addr, stop: server.Close}
		s.sides[standard] = w
		better := *w
		better.settings, better.stop = tuning, func() error { return nil }
		s.sides[tuned] = &better
		return nil
	})
}

// tuning of Debezium for throughput: larger batches and queue, and a producer that sends large
// requests.
var tuning = map[string]string{
	"max.batch.size": "5000", "max.queue.size": "20000", "poll.interval.ms": "50",
	"producer.override.batch.size": "1048576", "producer.override.linger.ms": "10", "producer.override.buffer.memory": "67108864",
	"producer.override.max.request.size": "4194304", "producer.override.compression.type": "lz4",
}

func (s *stage) close() error {
	var all []error
	for _, w := range s.sides {
		all = append(all, w.stop())
	}
	if s.apache != nil {
		all = append(all, s.apache.Close())
	}
	if s.own != nil {
		all = append(all, s.own.Stop(context.Background()))
	}
	return errors.Join(append(all, os.RemoveAll(s.dir))...)
}

func (s *stage) title() string {
	var all []string
	if s.apache != nil {
		all = append(all, s.apache.Name)
	}
	if folder, err := testservers.FindDebezium(); err == nil && s.sides[tuned] != nil {
		all = append(all, testservers.DebeziumName(folder))
	}
	return strings.Join(append(all, "in-process broker"), ", ")
}

// unique is a name that nothing else has.
func unique(prefix string) string { return prefix + strings.ToLower(rand.Text()[:8]) }
