package wire_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// certificate is one that signs itself.
func certificate(t *testing.T, name pkix.Name) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: name, NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"broker"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLS(t *testing.T) {
	own := certificate(t, pkix.Name{CommonName: "broker"})
	theirs := certificate(t, pkix.Name{CommonName: "alice", Organization: []string{"Shop"}})
	principals := make(chan string, 4)
	w := start(t, func(_ context.Context, c *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		principals <- c.Principal
		reply(req.ResponseKind())
	}, func(c *wire.Config) {
		c.TLS = &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert}
	}, limits(func(l *wire.Limits) { l.Unknown = 3 * time.Second }))

	silent, plain := w.dial(), w.dial()
	plain.write(frame(1, heartbeat()))
	for want, certificates := range map[string][]tls.Certificate{
		"User:CN=alice,O=Shop": {theirs}, "User:ANONYMOUS": nil,
	} {
		c := w.dial()
		c.Conn = tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true, Certificates: certificates}) //nolint:gosec // it signs itself
		c.ask(heartbeat())
		if got := <-principals; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		c.ask(produceOf(100 << 10))
		<-principals
	}
	plain.wantEnd()
	silent.wantEnd() // others were served meanwhile
	w.wantLogged("no TLS")
}

// TestCloseOverTLS says goodbye.
func TestCloseOverTLS(t *testing.T) {
	own := certificate(t, pkix.Name{CommonName: "broker"})
	w := start(t, answerEmpty, func(c *wire.Config) { c.TLS = &tls.Config{Certificates: []tls.Certificate{own}} })
	c := w.dial()
	c.Conn = tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // it signs itself
	c.ask(heartbeat())
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.receive(); err == nil || err.Error() != "EOF" {
		t.Errorf("%v, want EOF", err)
	}
}
