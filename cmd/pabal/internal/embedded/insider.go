// Package embedded is about the broker in this process: how the process itself gets in where
// others must show who they are, and what it tells the console of it.
package embedded

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// insiderName is the user that this process is to its own broker. It is the same at each
// start, for a broker with a folder remembers users.
const insiderName = "__pabal"

// Admit makes the process itself a super user of the broker that it is going to start: with
// a password that is new at each start where c has Users, and a certificate that is where c
// asks clients for one. client is how the process connects: to where the broker listens,
// whatever it advertises, and to no other than this broker.
func Admit(c broker.Config) (admitted broker.Config, client kafka.Config, err error) {
	client = kafka.Config{Brokers: []string{c.Addr}, Dial: dialHere(c.Addr)}
	if c.TLS != nil {
		c.TLS, client.TLS = c.TLS.Clone(), trusting(c.TLS)
	}
	if c.TLS != nil && c.TLS.ClientAuth != tls.NoClientCert {
		pair, err := newCertificate()
		if err != nil {
			return c, client, err
		}
		c.TLS.ClientCAs = c.TLS.ClientCAs.Clone()
		c.TLS.ClientCAs.AddCert(pair.Leaf)
		client.TLS.Certificates = []tls.Certificate{pair}
		c.SuperUsers = append(slices.Clone(c.SuperUsers), "User:"+pair.Leaf.Subject.String())
	}
	if len(c.Users) > 0 {
		client.SASL = kafka.SASL{Mechanism: "SCRAM-SHA-256", User: insiderName, Password: rand.Text()}
		c.Users = maps.Clone(c.Users)
		c.Users[insiderName] = client.SASL.Password
		c.SuperUsers = append(slices.Clone(c.SuperUsers), "User:"+insiderName)
	}
	return c, client, nil
}

// dialHere connects to where the broker listens.
func dialHere(listen string) func(ctx context.Context, network, _ string) (net.Conn, error) {
	at := reachable(listen)
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, at)
	}
}

// reachable is an address of this machine for one that stands for all of them.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	switch ip := net.ParseIP(host); {
	case host == "", ip != nil && ip.IsUnspecified() && ip.To4() != nil:
		return net.JoinHostPort("127.0.0.1", port)
	case ip != nil && ip.IsUnspecified():
		return net.JoinHostPort("::1", port)
	}
	return listen
}

// trusting accepts the very certificate that the broker has, whatever name and time it is for.
func trusting(c *tls.Config) *tls.Config {
	var own []byte
	if len(c.Certificates) > 0 && len(c.Certificates[0].Certificate) > 0 {
		own = c.Certificates[0].Certificate[0]
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection is stricter
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, own) {
				return errors.New("another program answers with another certificate than the broker's in this process")
			}
			return nil
		},
	}
}

// newCertificate is one that nobody else has, for as long as the process may run.
func newCertificate() (tls.Certificate, error) {
	fail := func(err error) (tls.Certificate, error) {
		return tls.Certificate{}, fmt.Errorf("a certificate for the process itself: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return fail(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: insiderName + "-" + rand.Text()},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.AddDate(20, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fail(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		return fail(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}, nil
}
