package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka"
)

// papers are certificates of an authority: the broker's is for a name that nobody knows here.
type papers struct {
	folder    string
	authority *x509.Certificate
	key       *ecdsa.PrivateKey
}

func newPapers(t *testing.T) *papers {
	t.Helper()
	p := &papers{folder: t.TempDir()}
	p.authority, p.key = p.issue(t, "authority")
	return p
}

func (p *papers) path(name string) string { return filepath.Join(p.folder, name) }

// issue writes NAME.pem and NAME.key; the first one issues itself.
func (p *papers) issue(t *testing.T, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name + ".invalid"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	issuer, signer := p.authority, p.key
	if issuer == nil {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
		issuer, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: raw}, name + ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(p.path(file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// client is one of the broker's, by the name that its certificate is for.
func (p *papers) client(at string, certificate string, s kafka.SASL) kafka.Config {
	pool := x509.NewCertPool()
	pool.AddCert(p.authority)
	c := kafka.Config{Brokers: []string{"broker.invalid:9092"}, SASL: s, Logger: slog.New(slog.DiscardHandler), TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(p.path(certificate+".pem"), p.path(certificate+".key"))
		if err != nil {
			panic(err)
		}
		c.TLS.Certificates = []tls.Certificate{pair}
	}
	c.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, at)
	}
	return c
}

// ask lists the topics with a client that gives up at once.
func ask(t *testing.T, c kafka.Config) ([]string, error) {
	t.Helper()
	client, err := kafka.NewClient(c, kgo.RequestRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	topics, err := kadm.NewClient(client).ListTopics(ctx)
	return topics.Names(), err
}

// TestUpForOthers: with TLS, users, certificates and access rules console, connectors and
// registry work by themselves, clients get in by their papers, and others do not.
func TestUpForOthers(t *testing.T) {
	t.Parallel()
	p := newPapers(t)
	p.issue(t, "broker")
	p.issue(t, "orders")
	users := p.path("users")
	if err := os.WriteFile(users, []byte("# people\nann:correct horse\nbob:battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := testservers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free)
	folder := filepath.Join(t.TempDir(), "data")
	args := []string{"--broker=0.0.0.0:" + port, "--broker-advertised=broker.invalid:9092", "--broker-tls-cert=" + p.path("broker.pem"), "--broker-tls-key=" + p.path("broker.key"),
		"--broker-tls-client-ca=" + p.path("authority.pem"), "--broker-users=" + users, "--broker-acls", "--broker-super-users=User:ann", "--data-dir=" + folder, "--connect=127.0.0.1:0", "--registry=127.0.0.1:0"}
	for start := range 2 {
		r := startUp(t, args...)
		has(t, "the banner", r.banner, "broker.invalid:9092, a broker in this process; TLS; clients show a certificate; clients log in, users are in "+users, "on the disk")
		r.good(t, "topics", "create", "kept", "--if-missing")
		r.good(t, "produce", "kept", "hello")
		if got := r.good(t, "consume", "kept", "--from=earliest"); strings.Count(got, "hello") != start+1 {
			t.Errorf("start %d: %q", start, got)
		}
		at := "127.0.0.1:" + port
		ann := kafka.SASL{Mechanism: "SCRAM-SHA-512", User: "ann", Password: "correct horse"}
		if topics, err := ask(t, p.client(at, "orders", ann)); err != nil || !strings.Contains(strings.Join(topics, " "), "kept") {
			t.Errorf("a super user: %v, %v", topics, err)
		}
		bob := kafka.SASL{Mechanism: "PLAIN", User: "bob", Password: "battery staple"}
		if topics, err := ask(t, p.client(at, "orders", bob)); err != nil || len(topics) > 0 {
			t.Errorf("whom no rule allows anything: %v, %v", topics, err)
		}
		for what, c := range map[string]kafka.Config{
			"no certificate":   p.client(at, "", ann),
			"no password":      p.client(at, "orders", kafka.SASL{}),
			"a wrong password": p.client(at, "orders", kafka.SASL{Mechanism: "PLAIN", User: "ann", Password: "wrong"}),
		} {
			if topics, err := ask(t, c); err == nil {
				t.Errorf("%s, and it answers %v", what, topics)
			}
		}
		r.end(t)
	}
}

// TestUpShowsItsBroker on the command line and in the metrics.
func TestUpShowsItsBroker(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	r := startUp(t, "--data-dir="+folder, "--durability=os", "--broker-setting=log.retention.ms=86400000", "--broker-partitions=3", "--broker-auto-create=false")
	has(t, "the banner", r.banner, "but not a power cut")
	r.good(t, "topics", "create", "orders", "--partitions=3")
	r.good(t, "produce", "orders", "hello")
	has(t, "broker", r.good(t, "broker"), "state running", "durability os:", "folder "+filepath.Join(folder, "broker"), "orders")
	has(t, "broker topics", r.good(t, "broker", "topics"), "orders", " 3 3 delete")
	has(t, "broker segments", r.good(t, "broker", "segments", "orders"), "active")
	r.good(t, "broker", "transactions")
	resp, err := http.Get(r.server + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	has(t, "/metrics", string(text), "pabal_broker_failed 0", `pabal_broker_info{durability="os"} 1`, `pabal_broker_topic_bytes{topic="orders"}`, "pabal_broker_connections", "pabal_console_kafka_up 1")
	refusedWith(t, exitUsage, "up", "--broker=127.0.0.1:0", "--console=127.0.0.1:0", "--connect=off", "--registry=off", "--broker-setting=log.retention=5")
	refusedWith(t, exitUsage, "up", "--broker=0.0.0.0:0", "--console=127.0.0.1:0")
}
