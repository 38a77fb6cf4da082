package kafka_test

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestTLSAndSASL: every mechanism works, also over TLS, and a wrong password is
// refused soon, by name and without being printed.
func TestTLSAndSASL(t *testing.T) {
	certificate, roots := testenv.Certificate(t)
	server := &tls.Config{Certificates: []tls.Certificate{certificate}}
	for _, c := range []struct {
		mechanism string
		tls       *tls.Config
	}{
		{"PLAIN", nil}, {"SCRAM-SHA-256", nil}, {"SCRAM-SHA-512", nil},
		{"PLAIN", &tls.Config{RootCAs: roots}}, {"SCRAM-SHA-512", &tls.Config{RootCAs: roots}},
	} {
		cluster := kafkatest.Start(t, func(b *broker.Config) {
			b.Users = map[string]string{"courier": "horse"}
			if c.tls != nil {
				b.TLS = server
			}
		})
		config := kafka.Config{Brokers: cluster.Config.Brokers, TLS: c.tls, SASL: kafka.SASL{Mechanism: c.mechanism, User: "courier", Password: "horse"}}
		if _, err := kafka.ClusterID(t.Context(), client(t, config), config); err != nil {
			t.Errorf("%s, TLS %v: %v", c.mechanism, c.tls != nil, err)
		}

		config.SASL.Password = "donkey"
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		_, err := kafka.ClusterID(ctx, client(t, config), config)
		if err == nil || ctx.Err() != nil || strings.Contains(err.Error(), "donkey") {
			t.Errorf("%s, TLS %v: a wrong password: got %v", c.mechanism, c.tls != nil, err)
		}
		cancel()
	}
}
