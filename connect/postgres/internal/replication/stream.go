// Package replication speaks PostgreSQL's streaming replication protocol for logical slots
// (https://www.postgresql.org/docs/current/protocol-replication.html), on a connection of pgconn.
package replication

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// readBuffer is large enough that a busy stream costs few reads.
const readBuffer = 256 << 10

// Conn is a connection in replication mode. One goroutine uses it at a time.
type Conn struct {
	pg          *pgconn.PgConn
	in          *bufio.Reader
	interrupted atomic.Bool
	// deadline of reads, as Receive has set it last; zero where it is to be set anew.
	deadline time.Time
}

// Connect with a configuration of pgconn, which is changed for replication.
func Connect(ctx context.Context, config *pgconn.Config) (*Conn, error) {
	config = config.Copy()
	config.RuntimeParams["replication"] = "database"
	// A connection that exports a snapshot is idle in a transaction for as long as that is read.
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	c := &Conn{}
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		c.in = bufio.NewReaderSize(r, readBuffer)
		return pgproto3.NewFrontend(c.in, w)
	}
	pg, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	c.pg = pg
	return c, nil
}

// Close says goodbye and closes the connection.
func (c *Conn) Close(ctx context.Context) error { return c.pg.Close(ctx) }

// Interrupt makes a Receive under way, and the next one, return Quiet at once. It may be called
// from other goroutines.
func (c *Conn) Interrupt() {
	c.interrupted.Store(true)
	_ = c.pg.Conn().SetReadDeadline(time.Now().Add(-time.Second))
}

// Options of a new slot.
type Options struct {
	Temporary, Failover bool
}

// Slot that was created.
type Slot struct {
	// At is its consistent point: it has all transactions that commit after it.
	At pgoutput.LSN
	// Snapshot is the name of an exported snapshot of all transactions before it. It lives until
	// the connection is used for something else.
	Snapshot string
}

// CreateSlot with the plugin pgoutput. Failover needs PostgreSQL 17.
func (c *Conn) CreateSlot(ctx context.Context, name string, o Options) (Slot, error) {
	results, err := c.pg.Exec(ctx, createSlot(name, o)).ReadAll()
	if err != nil {
		return Slot{}, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) < 3 {
		return Slot{}, errors.New("replication: CREATE_REPLICATION_SLOT answered nothing")
	}
	row := results[0].Rows[0]
	at, err := pgoutput.ParseLSN(string(row[1]))
	return Slot{At: at, Snapshot: string(row[2])}, err
}

// createSlot is the command. Options in parentheses are for PostgreSQL 15 and later.
func createSlot(name string, o Options) string {
	command := "CREATE_REPLICATION_SLOT " + quote(name)
	if o.Temporary {
		command += " TEMPORARY"
	}
	command += " LOGICAL pgoutput"
	if o.Failover {
		return command + " (SNAPSHOT 'export', FAILOVER true)"
	}
	return command + " EXPORT_SNAPSHOT"
}

// DropSlot waits until nobody uses it.
func (c *Conn) DropSlot(ctx context.Context, name string) error {
	_, err := c.pg.Exec(ctx, "DROP_REPLICATION_SLOT "+quote(name)+" WAIT").ReadAll()
	return err
}

// Start streaming from a place on; the slot's confirmed position where that is later. options are
// the plugin's, in pairs of name and value.
func (c *Conn) Start(ctx context.Context, slot string, at pgoutput.LSN, options ...string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "START_REPLICATION SLOT %s LOGICAL %s (", quote(slot), at)
	for i := 0; i+1 < len(options); i += 2 {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, `%s '%s'`, quote(options[i]), strings.ReplaceAll(options[i+1], "'", "''"))
	}
	b.WriteByte(')')
	c.deadline = time.Time{}
	c.pg.Frontend().SendQuery(&pgproto3.Query{String: b.String()})
	if err := c.pg.Frontend().Flush(); err != nil {
		return err
	}
	for {
		m, err := c.pg.ReceiveMessage(ctx)
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *pgproto3.ErrorResponse:
			return pgconn.ErrorResponseToPgError(m)
		case *pgproto3.CopyBothResponse:
			return nil
		}
	}
}

// Stop the stream: the connection is ready for another one. What the server has sent is dropped.
func (c *Conn) Stop(ctx context.Context) error {
	if err := c.pg.Conn().SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	c.pg.Frontend().Send(&pgproto3.CopyDone{})
	if err := c.pg.Frontend().Flush(); err != nil {
		return err
	}
	for {
		m, err := c.pg.ReceiveMessage(ctx)
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *pgproto3.ErrorResponse:
			return pgconn.ErrorResponseToPgError(m)
		case *pgproto3.ReadyForQuery:
			return nil
		}
	}
}

// Message of a stream; its kind tells which fields are set.
type Message struct {
	Kind Kind
	// At is where in the log a change is, and 0 for messages that have no place.
	At pgoutput.LSN
	// End is how far the server has sent its log, of a Keepalive.
	End pgoutput.LSN
	// Reply says that a Keepalive wants to be answered soon.
	Reply bool
	// Data is the plugin's message; good until the next Receive.
	Data []byte
}

// Kind of a message.
type Kind byte

// Kinds.
const (
	Data      Kind = 'w'
	Keepalive Kind = 'k'
	// Quiet is that nothing came in time.
	Quiet Kind = 0
)

// Buffered says whether a Receive would return without waiting for the server.
func (c *Conn) Buffered() bool { return c.in.Buffered()+c.pg.Frontend().ReadBufferLen() > 0 }

// Receive the next message of a stream, or Quiet once the time is up.
func (c *Conn) Receive(until time.Time) (Message, error) {
	if !until.Equal(c.deadline) {
		if err := c.pg.Conn().SetReadDeadline(until); err != nil {
			return Message{}, err
		}
		c.deadline = until
	}
	if c.interrupted.Swap(false) { // after the deadline was set, which would undo an interruption
		c.deadline = time.Time{}
		return Message{Kind: Quiet}, nil
	}
	received, err := c.pg.ReceiveMessage(context.Background())
	if isTimeout(err) {
		c.deadline = time.Time{}
		return Message{Kind: Quiet}, nil
	}
	if err != nil {
		return Message{}, err
	}
	switch m := received.(type) {
	case *pgproto3.CopyData:
		return parse(m.Data)
	case *pgproto3.ErrorResponse:
		return Message{}, pgconn.ErrorResponseToPgError(m)
	case *pgproto3.CopyDone, *pgproto3.CommandComplete, *pgproto3.ReadyForQuery:
		return Message{}, fmt.Errorf("replication: the server ended the stream: %w", io.ErrUnexpectedEOF)
	}
	return Message{Kind: Quiet}, nil // a notice, a changed parameter
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

func parse(b []byte) (Message, error) {
	switch {
	case len(b) >= 25 && b[0] == byte(Data):
		return Message{Kind: Data, At: pgoutput.LSN(binary.BigEndian.Uint64(b[1:])), Data: b[25:]}, nil
	case len(b) >= 18 && b[0] == byte(Keepalive):
		return Message{Kind: Keepalive, End: pgoutput.LSN(binary.BigEndian.Uint64(b[1:])), Reply: b[17] != 0}, nil
	}
	return Message{}, fmt.Errorf("replication: a message of %d bytes is neither data nor a keepalive", len(b))
}

// epoch of PostgreSQL's times.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Confirm tells the server that its log up to a place is no longer needed. received is how far it
// was read. With ask, the server sends a Keepalive soon.
func (c *Conn) Confirm(received, flushed pgoutput.LSN, now time.Time, ask bool) error {
	b := make([]byte, 0, 34)
	b = append(b, 'r')
	b = binary.BigEndian.AppendUint64(b, uint64(max(received, flushed)))
	b = binary.BigEndian.AppendUint64(b, uint64(flushed))
	b = binary.BigEndian.AppendUint64(b, uint64(flushed))
	b = binary.BigEndian.AppendUint64(b, uint64(now.Sub(epoch).Microseconds()))
	if b = append(b, 0); ask {
		b[len(b)-1] = 1
	}
	c.pg.Frontend().Send(&pgproto3.CopyData{Data: b})
	if err := c.pg.Conn().SetWriteDeadline(now.Add(writeTimeout)); err != nil {
		return err
	}
	if err := c.pg.Frontend().Flush(); err != nil {
		return err
	}
	return c.pg.Conn().SetWriteDeadline(time.Time{}) // other statements have bounds of their own
}

// writeTimeout is for a server that takes nothing any more.
const writeTimeout = 30 * time.Second

// quote an identifier as the replication grammar has them.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
