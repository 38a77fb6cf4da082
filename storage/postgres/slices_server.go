package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pabal-dev/pabal/journal"
)

// servers remembers who the server processes are that connections were made to.
// The key is when one began: behind one address there may be another after a
// failover.
type servers struct {
	mu  sync.Mutex
	met map[serverKey]string
}

type serverKey struct {
	started time.Time
	kind    journal.Kind
}

func (s *servers) known(started time.Time, kind journal.Kind) (server string, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server, known = s.met[serverKey{started, kind}]
	return server, known
}

func (s *servers) remember(started time.Time, kind journal.Kind, server string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.met == nil {
		s.met = map[serverKey]string{}
	}
	s.met[serverKey{started, kind}] = server
}

// unknownServer stands for one that does not let the user ask.
const unknownServer = "unknown"

// meetServer asks a server who it is, and takes the numbers off rows that came from
// another one by a dump: they would be those of transactions to come. Such rows are
// read by their time, as those from before the column.
func (db *DB) meetServer(ctx context.Context, conn *pgxpool.Conn, started time.Time, kind journal.Kind) error {
	server, err := db.serverOf(ctx, conn.Conn())
	if err != nil {
		return err
	}
	var foreign bool
	if err := conn.QueryRow(ctx, db.names.sql(slicesForeign[kind])).Scan(&foreign); err != nil {
		return err
	}
	if foreign {
		db.log.Warn("postgres: the journal has rows that another server wrote, restored from a dump; they are marked as such", "server", server)
		err := locked(ctx, conn.Conn(), "adopt "+db.schema, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, db.names.sql(slicesAdopt[kind]))
			return err
		})
		if err != nil {
			return fmt.Errorf("mark the rows of a dump: %w", err)
		}
	}
	db.servers.remember(started, kind, server)
	return nil
}

// serverOf tells server, timeline and database of a connection: what the numbers of
// transactions are of.
func (db *DB) serverOf(ctx context.Context, conn pgxConn) (string, error) {
	server, err := db.system(ctx, conn)
	if server == "" {
		server = unknownServer
	}
	return server, err
}

// trusted is the cursor, or where its numbers cannot be relied on one from a time,
// and why.
func (c cursor) trusted(server string, sees snapshot) (cursor, string) {
	switch {
	case c.Server == "": // has no numbers
		return c, ""
	case c.Server != server:
		return cursor{From: c.safe()}, fmt.Sprintf("the cursor is of another server, timeline or database (%s): after a failover, a restore or a copy", c.Server)
	case c.XID > sees.next:
		return cursor{From: c.safe()}, fmt.Sprintf("the server's transaction numbers went back: the cursor is at %d, the server at %d", c.XID, sees.next)
	}
	return c, ""
}
