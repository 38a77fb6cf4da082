package replication_test

import (
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pabal-dev/pabal/connect/postgres/internal/replication"
)

// TestMessageInTwoParts: a message whose second part comes after a deadline is received all the
// same, though the deadline was that of an earlier wait.
func TestMessageInTwoParts(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	rest := make(chan struct{})
	served := make(chan error, 1)
	go func() { served <- serve(listener, rest) }()

	config, err := pgconn.ParseConfig("postgres://u:p@" + listener.Addr().String() + "/d?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	c, err := replication.Connect(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if err := c.Start(t.Context(), "slot", 0); err != nil {
		t.Fatal(err)
	}
	for !c.Buffered() { // until a part is there
		if m, err := c.Receive(time.Now().Add(10 * time.Millisecond)); err != nil || m.Kind != replication.Quiet {
			t.Fatalf("half a message is %+v, %v", m, err)
		}
	}
	if m, err := c.Receive(time.Now().Add(20 * time.Millisecond)); err != nil || m.Kind != replication.Quiet {
		t.Fatalf("half a message is %+v, %v", m, err)
	}
	close(rest)
	m, err := c.Receive(time.Now().Add(time.Minute))
	if err != nil || m.Kind != replication.Data || string(m.Data) != "hello" || m.At != 7 {
		t.Errorf("got %+v, %v", m, err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// serve one connection, up to a message in two parts.
func serve(l net.Listener, rest <-chan struct{}) error {
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	b := pgproto3.NewBackend(conn, conn)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return err
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if err := b.Flush(); err != nil {
		return err
	}
	if _, err := b.Receive(); err != nil {
		return err
	}
	b.Send(&pgproto3.CopyBothResponse{})
	if err := b.Flush(); err != nil {
		return err
	}
	message := binary.BigEndian.AppendUint64([]byte{'w'}, 7)
	message = append(message, make([]byte, 16)...)
	data := pgproto3.CopyData{Data: append(message, "hello"...)}
	encoded, err := data.Encode(nil)
	if err != nil {
		return err
	}
	if _, err := conn.Write(encoded[:12]); err != nil {
		return err
	}
	<-rest
	_, err = conn.Write(encoded[12:])
	return err
}
