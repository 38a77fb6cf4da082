package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/cluster"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// startBroker starts the one in this process, or one as a child that is killed with the
// services, or looks whether the cluster is there.
func (s *session) startBroker(ctx context.Context) (err error) {
	switch {
	case !s.o.embedded():
		s.cluster = kafka.Config{Brokers: s.o.Kafka, Prefix: "demo-" + s.folder.manifest.Run + ".", Logger: s.log}
		return cluster.Check(ctx, s.cluster)
	case s.brokerIsChild():
		err = s.startBrokerChild(ctx)
	default:
		err = s.startBrokerHere(ctx)
	}
	s.cluster = kafka.Config{Brokers: []string{s.addresses.kafka}, Logger: s.log}
	return err
}

// brokerIsChild says that the broker is killed, too: where it keeps what it acknowledged.
func (s *session) brokerIsChild() bool { return s.o.embedded() && s.o.Chaos && !s.folder.temporary }

// brokerConfig is in memory in a temporary folder, which nobody uses again; else every
// record is on the disk before it is acknowledged.
func brokerConfig(address, folder string, log *slog.Logger) broker.Config {
	return broker.Config{Addr: address, DataDir: folder, Logger: log}
}

func (s *session) startBrokerHere(ctx context.Context) (err error) {
	folder := ""
	if !s.folder.temporary {
		if folder, err = s.folder.file(brokerFolder); err != nil {
			return err
		}
	}
	b, err := broker.Start(ctx, brokerConfig(s.addresses.kafka, folder, s.log))
	switch {
	case errors.Is(err, broker.ErrAddr):
		return fmt.Errorf("%w; choose another port with --kafka-port", err)
	case err != nil:
		return err
	}
	s.onClose(b.Stop)
	s.reporter = b
	return nil
}

const (
	// brokerFolder has its log, in the demo's folder.
	brokerFolder = "kafka"
	// brokerSystem stands for the broker where others are a system of services.
	brokerSystem = "broker"
)

func (s *session) startBrokerChild(ctx context.Context) error {
	folder, err := s.folder.file(brokerFolder)
	if err != nil {
		return err
	}
	one := settings{System: brokerSystem, Name: "broker", Listen: s.addresses.kafka, Folder: folder, LogLevel: s.o.LogLevel}
	if s.broker, err = newChildren([]settings{one}, s.o.Self, s.childLog, s.o.Seed, s.log); err != nil {
		return err
	}
	if err := s.broker.start(ctx); err != nil {
		return err
	}
	s.onClose(s.broker.stop)
	return nil
}

// childLog is where a child process writes.
func (s *session) childLog(name string) (string, error) { return s.folder.file("logs", name+".log") }

// brokerService is the broker in a process of its own.
type brokerService struct {
	config  broker.Config
	running *broker.Broker
}

// Start implements lifecycle.Service.
func (b *brokerService) Start(ctx context.Context) (err error) {
	b.running, err = broker.Start(ctx, b.config)
	return err
}

// Stop implements lifecycle.Service.
func (b *brokerService) Stop(ctx context.Context) error { return b.running.Stop(ctx) }
