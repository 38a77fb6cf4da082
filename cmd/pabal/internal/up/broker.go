package up

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/cluster"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/embedded"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/twmb/franz-go/pkg/kerr"
)

// startBroker starts the one in process, or looks whether the cluster is there.
func (s *session) startBroker(ctx context.Context) error {
	if !s.embedded() {
		return s.reachCluster(ctx)
	}
	c, err := s.brokerConfig()
	if err != nil {
		return err
	}
	c, s.cluster, err = embedded.Admit(c)
	if err != nil {
		return err
	}
	s.cluster.Prefix, s.cluster.ClientID, s.cluster.Logger = s.o.Config.Kafka.Prefix, clientID, s.log
	switch s.broker, err = broker.Start(ctx, c); {
	case errors.Is(err, kerr.InvalidConfig):
		return fmt.Errorf("%w: broker.settings: %w", config.ErrWrong, err)
	case errors.Is(err, broker.ErrConfig):
		return fmt.Errorf("%w: %w", config.ErrWrong, err)
	case err != nil:
		return err
	}
	s.onStop(s.broker.Stop)
	return nil
}

// clientID names this process in the brokers' logs.
const clientID = "pabal-console"

func (s *session) reachCluster(ctx context.Context) error {
	c := s.o.Config.Kafka
	s.cluster = kafka.Config{
		Brokers: c.Brokers, Prefix: c.Prefix, ClientID: clientID, TLS: s.files.kafkaTLS, Logger: s.log,
		SASL: kafka.SASL{Mechanism: c.SASL.Mechanism, User: c.SASL.User, Password: s.files.kafkaPassword},
	}
	if err := cluster.Check(ctx, s.cluster); err != nil {
		return fmt.Errorf("%w; start it, name others with --kafka, or leave that out for a broker in this process", err)
	}
	return nil
}

// brokerConfig is what the settings say.
func (s *session) brokerConfig() (broker.Config, error) {
	b := s.o.Config.Broker
	c := broker.Config{
		Addr: s.kafkaAt, Advertised: b.Advertised, Durability: broker.Durability(s.o.Config.Durability()),
		Partitions: int(b.Partitions), NoAutoCreate: !b.AutoCreate,
		TLS: s.files.brokerTLS, Users: s.files.brokerUsers, ACLs: b.ACLs, InsecureListen: b.InsecureListen,
		MaxRequestBytes: int(b.MaxRequestBytes), MaxBufferBytes: int64(b.MaxBufferBytes),
		MaxConnections: int(b.MaxConnections), MaxPartitions: int(b.MaxPartitions), Logger: s.log,
	}
	if c.Durability != broker.Memory {
		c.DataDir = s.folder("broker")
	}
	var err error
	if c.SuperUsers, err = b.Principals(); err != nil {
		return c, fmt.Errorf("%w: broker.super-users: %w", config.ErrWrong, err)
	}
	if c.Settings, err = b.Properties(); err != nil {
		return c, fmt.Errorf("%w: broker.settings: %w", config.ErrWrong, err)
	}
	return c, nil
}

// brokerTLS is nil where the broker has no certificate.
func brokerTLS(b config.Broker) (*tls.Config, error) {
	c, err := certificate("broker.tls", b.TLSCert, b.TLSKey)
	if err != nil || c == nil || b.TLSClientCA == "" {
		return c, err
	}
	if c.ClientCAs, err = Authorities(b.TLSClientCA); err != nil {
		return nil, fmt.Errorf("broker.tls.client-ca: %w", err)
	}
	c.ClientAuth = tls.RequireAndVerifyClientCert
	return c, nil
}

// readBrokerFiles reads what the settings of the broker name.
func (f *files) readBrokerFiles(c *config.Settings) (err error) {
	if len(c.Kafka.Brokers) > 0 {
		return nil
	}
	if f.brokerTLS, err = brokerTLS(c.Broker); err != nil {
		return err
	}
	if c.Broker.Users != "" {
		if f.brokerUsers, err = embedded.ReadUsers(c.Broker.Users); err != nil {
			return fmt.Errorf("broker.users: %w", err)
		}
	}
	return nil
}

// reporter is the broker in this process, nil where there is none.
func (s *session) reporter() embedded.Reporter {
	if s.broker == nil {
		return nil
	}
	return s.broker
}

// writeMetrics are those of what runs in this process beside the console.
func (s *session) writeMetrics(w io.Writer) {
	if b := s.reporter(); b != nil {
		embedded.WriteMetrics(w, b.Report(), time.Now())
	}
	if s.connect != nil {
		s.connect.WriteMetrics(w)
	}
}
