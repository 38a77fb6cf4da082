package embedded

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker"
)

// TestAdmitWhereNobodyIsAsked: nothing is added, and the broker is found where it listens.
func TestAdmitWhereNobodyIsAsked(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	c, client, err := Admit(broker.Config{Addr: "0.0.0.0:" + port, Advertised: "kafka.invalid:9092"})
	if err != nil || len(c.Users) > 0 || len(c.SuperUsers) > 0 || c.TLS != nil || client.TLS != nil || client.SASL.User != "" {
		t.Fatalf("%v %+v %+v", err, c, client)
	}
	conn, err := client.Dial(t.Context(), "tcp", "kafka.invalid:9092")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestReachable(t *testing.T) {
	for listen, want := range map[string]string{"127.0.0.1:1": "127.0.0.1:1", "0.0.0.0:1": "127.0.0.1:1", ":1": "127.0.0.1:1", "[::]:1": "[::1]:1", "10.0.0.1:1": "10.0.0.1:1", "kafka:1": "kafka:1"} {
		if got := reachable(listen); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}

// TestAdmitWithPassword: the process is a user of its own, and what was given stays as it is.
func TestAdmitWithPassword(t *testing.T) {
	users := map[string]string{"ann": "a"}
	c, client, err := Admit(broker.Config{Addr: "127.0.0.1:9092", Users: users, SuperUsers: []string{"User:ann"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(users) != 1 || len(c.Users) != 2 || c.Users[client.SASL.User] != client.SASL.Password || len(client.SASL.Password) < 20 {
		t.Errorf("%+v %+v", c.Users, client.SASL)
	}
	if want := []string{"User:ann", "User:" + client.SASL.User}; !slices.Equal(c.SuperUsers, want) {
		t.Errorf("%v, want %v", c.SuperUsers, want)
	}
	_, other, err := Admit(broker.Config{Addr: "127.0.0.1:9092", Users: users})
	if err != nil || other.SASL.Password == client.SASL.Password {
		t.Errorf("%v: the password is the same at each start", err)
	}
}

// TestAdmitWithCertificate: the process gets in with its certificate, though nobody signed it,
// and takes no other program for its broker; strangers stay out.
func TestAdmitWithCertificate(t *testing.T) {
	own, err := newCertificate()
	if err != nil {
		t.Fatal(err)
	}
	given := &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	c, client, err := Admit(broker.Config{Addr: "127.0.0.1:9092", TLS: given})
	if err != nil {
		t.Fatal(err)
	}
	subject, err := handshake(t, c.TLS, client.TLS)
	if err != nil || !slices.Contains(c.SuperUsers, "User:"+subject) {
		t.Errorf("%v: %q is not one of %v", err, subject, c.SuperUsers)
	}
	if _, err := handshake(t, given, client.TLS); err == nil {
		t.Error("what was given lets the process in: it was changed")
	}
	stranger, err := newCertificate()
	if err != nil {
		t.Fatal(err)
	}
	strange := client.TLS.Clone()
	strange.Certificates = []tls.Certificate{stranger}
	if _, err := handshake(t, c.TLS, strange); err == nil {
		t.Error("a stranger gets in")
	}
	if _, err := handshake(t, &tls.Config{Certificates: []tls.Certificate{stranger}, MinVersion: tls.VersionTLS12}, client.TLS); err == nil || !strings.Contains(err.Error(), "another program answers") {
		t.Errorf("another program is taken for the broker: %v", err)
	}
}

// handshake returns the subject of the client's certificate.
func handshake(t *testing.T, server, client *tls.Config) (subject string, err error) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			defer conn.Close()
			err = conn.(*tls.Conn).HandshakeContext(t.Context())
			if certs := conn.(*tls.Conn).ConnectionState().PeerCertificates; len(certs) > 0 {
				subject = certs[0].Subject.String()
			}
		}
		accepted <- err
	}()
	conn, failed := tls.Dial("tcp", l.Addr().String(), client)
	if failed == nil {
		defer conn.Close()
	}
	refused := <-accepted
	return subject, errors.Join(failed, refused)
}
