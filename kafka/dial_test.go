package kafka_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/pabal-dev/pabal/kafka"
)

// TestDial: connections go where Dial leads, and TLS on them is for the name asked for.
func TestDial(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		server := httptest.NewTLSServer(nil)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		got := make(chan []byte, 1)
		names := make(chan string, 1)
		settings := server.TLS.Clone()
		settings.NextProtos = nil
		settings.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			names <- hello.ServerName
			return nil, nil
		}
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if encrypted {
				conn = tls.Server(conn, settings)
			}
			first := make([]byte, 8)
			n, _ := conn.Read(first)
			got <- first[:n]
		}()
		c := kafka.Config{
			Brokers: []string{"example.com:9092"},
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				if address != "example.com:9092" {
					t.Errorf("it is asked for %s", address)
				}
				return new(net.Dialer).DialContext(ctx, network, listener.Addr().String())
			},
		}
		if encrypted {
			c.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		}
		client, err := kafka.NewClient(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		pinged := make(chan struct{})
		go func() { defer close(pinged); _ = client.Ping(ctx) }()
		if first := <-got; len(first) < 4 || first[0] != 0 { // the length of a request
			t.Errorf("encrypted %v: the first bytes are % x", encrypted, first)
		}
		if encrypted {
			if name := <-names; name != "example.com" {
				t.Errorf("TLS is for %q", name)
			}
		}
		cancel()
		<-pinged
		client.Close()
		listener.Close()
		server.Close()
	}
}
