// Package mongodb keeps outbox, inbox, sagas and read models in a MongoDB replica set,
// version 5 or later, beside the user's own collections.
//
// DB.Update is a transaction: what its closure writes through Tx.Context, the
// messages it enqueues and the inbox marks commit together. A read model that an
// inbox.Consumer keeps this way sees each message of a topic exactly once. View is for a
// projection whose offsets are in another database: at least once, and idempotent by
// version; see there.
//
// # Write conflicts
//
// MongoDB does not wait for another transaction's lock: the later one fails at once
// and has to be done again. Update does so by itself. A closure may therefore run
// more than once and must begin anew each time.
//
// The server does not notice that a client is gone. What a process that was killed had
// open stays in the way of others (a claim of its partition, a relay's lease, ids of the
// outbox) for transactionLifetimeLimitSeconds, a minute unless it is set lower: 10 s
// suit a database whose transactions are those of this package.
//
// So it is with sagas: one that another transaction has loaded is waited for by repeating,
// and timers that another one fires are passed over. A saga.Manager runs on a DB as on an
// SQL database; its definitions' functions may run more than once for one decision.
//
// # Ids of the outbox
//
// A writer only inserts, so that writers of one outbox never conflict with each
// other because of it. Ids are given afterwards, by whoever reads the outbox, in the
// order of a stamp of the server's logical clock: of two transactions of which the
// second saw what the first had written, the second has the higher id. A counter
// incremented by each writer would fail all transactions but one of those that are
// open at the same time.
package mongodb

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// Config of a database; the zero value is usable where the URL names one.
type Config struct {
	// Database has Pabal's collections and, for transactions, the user's. Default: the
	// URL's. It is made by the first write.
	Database string
	// ConflictPatience is for how long Update repeats what conflicts with others
	// before it gives up with an error that is Transient; 10 s.
	ConflictPatience time.Duration
	// Source is the CloudEvents source of enqueued events that have none. A relay fills in
	// its own where it is empty; what change data capture publishes is the document as it is.
	Source string
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// DB is one database of a replica set. It is safe for concurrent use.
type DB struct {
	client   *mongo.Client
	database *mongo.Database
	config   Config
	log      *slog.Logger
	wakeups  wakeups
	warning  sync.Once // about an unreadable replica set id
	seen     seen
	repeats  atomic.Int64

	outbox, history, marks, lanes, waiting, state *mongo.Collection
	sagas, entries                                *mongo.Collection
}

var (
	_ outbox.Store     = (*DB)(nil)
	_ outbox.Inspector = (*DB)(nil)
	_ inbox.Store[*Tx] = (*DB)(nil)
	_ inbox.Inspector  = (*DB)(nil)
	_ saga.Store[*Tx]  = (*DB)(nil)
)

// Update runs fn in a transaction (snapshot reads, majority writes): commit where it
// returns nil, rollback otherwise. Its error wraps fn's. Where MongoDB asks for it,
// because of a write conflict or a new primary, fn is run again, for ConflictPatience;
// so fn must not rely on what an earlier run left in memory. A transaction that takes
// longer than the server's transactionLifetimeLimitSeconds (60 s) fails.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	var enqueued bool
	passed := &taken{db: db}
	err := db.transact(ctx, func(ctx context.Context) error {
		tx := &Tx{db: db, session: mongo.SessionFromContext(ctx), taken: passed}
		err := fn(tx)
		enqueued = tx.enqueued
		return err
	})
	if err == nil && enqueued {
		db.Wake()
	}
	return err
}

// Database is for the user's own collections, outside of transactions.
func (db *DB) Database() *mongo.Database { return db.database }

// Repeats counts how often Update ran a closure again.
func (db *DB) Repeats() int64 { return db.repeats.Load() }

// Ping checks that the primary answers.
func (db *DB) Ping(ctx context.Context) error {
	err := db.database.RunCommand(ctx, bson.D{{Key: "ping", Value: 1}}).Err()
	return failed("ping", err)
}

// closeTimeout bounds the good-bye to the servers.
const closeTimeout = 5 * time.Second

// Close ends the listeners of Wakeups and closes the connections. Closing twice does
// nothing.
func (db *DB) Close() error {
	if !db.wakeups.close() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return failed("close", db.client.Disconnect(ctx))
}
