// Package kafka is what Pabal adds to franz-go: configuration under the names
// people know, a tenant's prefix, events as records, topics. There is no
// abstraction over the client: what it returns is a *kgo.Client.
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Config says which cluster to talk to and how. Only Brokers is required.
type Config struct {
	// Brokers are host:port addresses to begin with; a missing port is 9092.
	Brokers []string
	// ClientID names this client in the brokers' logs; "pabal" by default.
	ClientID string
	// Prefix stands before every topic, group and transactional id, so that
	// tenants and tests share a cluster. Empty by default.
	Prefix string
	// TLS, where not nil, encrypts the connections.
	TLS *tls.Config
	// SASL, where its Mechanism is not empty, authenticates them.
	SASL SASL
	// Dial, where not nil, makes the connections to the brokers' addresses, such as one
	// that reaches them another way. TLS comes on top.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// RequestTimeout bounds one request; 10 s by default.
	RequestTimeout time.Duration
	// Logger receives what the client reports from warnings up; slog.Default()
	// where nil.
	Logger *slog.Logger
}

// SASL are the credentials of a client.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
	Mechanism string
	User      string
	Password  string
}

// ErrConfig is wrapped by every error about a configuration value.
var ErrConfig = errors.New("kafka configuration")

// Validate reports the first setting that cannot work, naming it.
func (c Config) Validate() error {
	if len(c.Brokers) == 0 {
		return fmt.Errorf("%w: no brokers given", ErrConfig)
	}
	for _, b := range c.Brokers {
		if err := checkAddress(b); err != nil {
			return err
		}
	}
	if err := CheckTopicName(c.Prefix); c.Prefix != "" && err != nil {
		return fmt.Errorf("%w: prefix %q: %w", ErrConfig, c.Prefix, err)
	}
	_, err := c.SASL.mechanism()
	return err
}

func checkAddress(b string) error {
	if b == "" || strings.Contains(b, "://") || strings.ContainsAny(b, " ,/") {
		return fmt.Errorf("%w: broker %q is not host:port", ErrConfig, b)
	}
	if _, _, err := net.SplitHostPort(b); err != nil && strings.Contains(b, ":") {
		return fmt.Errorf("%w: broker %q is not host:port", ErrConfig, b)
	}
	return nil
}

// Topic is the full name of a topic, with the prefix.
func (c Config) Topic(name string) string { return c.Prefix + name }

// Local is a topic's name without the prefix.
func (c Config) Local(topic string) string { return strings.TrimPrefix(topic, c.Prefix) }

// Group is the full name of a consumer group, with the prefix.
func (c Config) Group(name string) string { return c.Prefix + name }

// TransactionalID is the full name of a transactional id, with the prefix.
func (c Config) TransactionalID(name string) string { return c.Prefix + name }

// NewClient returns a client for that cluster; opts come last and win. It does
// not connect yet: Ping does. The caller closes it.
//
// As a producer it is idempotent with acks=all and tries a record again 20
// times, with back-off, before it gives it up: nearly a minute where brokers
// refuse, longer where they do not answer.
func NewClient(c Config, opts ...kgo.Opt) (*kgo.Client, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	base, err := c.options()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(base, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return client, nil
}

const produceRetries = 20

func (c Config) options() ([]kgo.Opt, error) {
	id, timeout := c.ClientID, c.RequestTimeout
	if id == "" {
		id = "pabal"
	}
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID(id),
		kgo.RequestTimeoutOverhead(timeout),
		kgo.DialTimeout(timeout),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		// Not RecordDeliveryTimeout: that counts from the record's timestamp,
		// which is the event's.
		kgo.RecordRetries(produceRetries),
		kgo.WithLogger(newClientLogger(c.Logger)),
	}
	switch {
	case c.Dial != nil:
		opts = append(opts, kgo.Dialer(c.dial))
	case c.TLS != nil:
		opts = append(opts, kgo.DialTLSConfig(c.TLS))
	}
	mechanism, err := c.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	if mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	return opts, nil
}

// dial puts TLS on what Dial makes, for the name in the address.
func (c Config) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := c.Dial(ctx, network, address)
	if err != nil || c.TLS == nil {
		return conn, err
	}
	settings := c.TLS.Clone()
	if settings.ServerName == "" {
		if settings.ServerName, _, err = net.SplitHostPort(address); err != nil {
			settings.ServerName = address
		}
	}
	encrypted := tls.Client(conn, settings)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return encrypted, nil
}
