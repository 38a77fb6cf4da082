package kafka_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kfake"
)

// TestTLSAndSASL: every mechanism works, also over TLS, and a wrong password is
// refused soon, by name and without being printed.
func TestTLSAndSASL(t *testing.T) {
	server, roots := certificate(t)
	for _, c := range []struct {
		mechanism string
		tls       *tls.Config
	}{
		{"PLAIN", nil}, {"SCRAM-SHA-256", nil}, {"SCRAM-SHA-512", nil},
		{"PLAIN", &tls.Config{RootCAs: roots}}, {"SCRAM-SHA-512", &tls.Config{RootCAs: roots}},
	} {
		opts := []kfake.Opt{kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser(c.mechanism, "courier", "horse")}
		if c.tls != nil {
			opts = append(opts, kfake.TLS(server))
		}
		cluster, err := kfake.NewCluster(opts...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cluster.Close)
		config := kafka.Config{Brokers: cluster.ListenAddrs(), TLS: c.tls, SASL: kafka.SASL{Mechanism: c.mechanism, User: "courier", Password: "horse"}}
		if _, err := kafka.ClusterID(t.Context(), client(t, config), config); err != nil {
			t.Errorf("%s, TLS %v: %v", c.mechanism, c.tls != nil, err)
		}

		config.SASL.Password = "donkey"
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err = kafka.ClusterID(ctx, client(t, config), config)
		if err == nil || ctx.Err() != nil || strings.Contains(err.Error(), "donkey") {
			t.Errorf("%s, TLS %v: a wrong password: got %v", c.mechanism, c.tls != nil, err)
		}
		cancel()
	}
}

// certificate makes one for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}
