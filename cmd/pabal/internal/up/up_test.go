package up

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/interrupt"
)

func load(t *testing.T, flags map[string]string) *config.Loaded {
	t.Helper()
	l, err := config.Load(config.Input{Flags: flags, ReadFile: func(string) ([]byte, error) { return nil, os.ErrNotExist }})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestSecondInterruptEndsAtOnce, also while it starts.
func TestSecondInterruptEndsAtOnce(t *testing.T) {
	interrupts := make(chan struct{}, 2)
	interrupts <- struct{}{}
	interrupts <- struct{}{}
	err := Run(t.Context(), Options{
		Config: load(t, map[string]string{"kafka": "192.0.2.1:9092", "console": "127.0.0.1:0"}), // answers nobody
		Stdout: io.Discard, Stderr: io.Discard, Interrupts: interrupts,
	})
	if !errors.Is(err, interrupt.ErrAborted) {
		t.Fatal(err)
	}
}

// TestFiles: what settings name is read, and what cannot be is named.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert := write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	keys := write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	password, empty, missing := write("password", "opensesame\r\nmore"), write("empty", ""), filepath.Join(dir, "missing")

	good, err := readFiles(&config.Settings{
		Kafka:    config.Kafka{TLS: config.KafkaTLS{CA: cert, Cert: cert, Key: keys}, SASL: config.SASL{PasswordFile: password}},
		Console:  config.Console{TLSCert: cert, TLSKey: keys},
		Services: config.Services{Token: "given"},
	})
	if err != nil || good.kafkaPassword != "opensesame" || good.servicesToken != "given" || good.kafkaTLS.RootCAs == nil ||
		len(good.kafkaTLS.Certificates) != 1 || good.consoleTLS == nil || good.users != nil {
		t.Errorf("%v %+v", err, good)
	}
	for want, c := range map[string]config.Settings{
		"kafka.tls.ca: " + password + " has no certificate": {Kafka: config.Kafka{TLS: config.KafkaTLS{CA: password}}},
		"kafka.tls: ":                {Kafka: config.Kafka{TLS: config.KafkaTLS{Cert: keys, Key: cert}}},
		"console.tls: ":              {Console: config.Console{TLSCert: missing, TLSKey: keys}},
		"kafka.sasl.password-file: ": {Kafka: config.Kafka{SASL: config.SASL{PasswordFile: missing}}},
		"services.token-file: the first line of " + empty: {Services: config.Services{TokenFile: empty}},
		"console.users: ": {Console: config.Console{Users: missing}},
	} {
		if _, err := readFiles(&c); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v does not begin with %q", err, want)
		}
	}
}
