package mongodb

import (
	"context"
	"errors"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/saga"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// Tx is a transaction: one of DB.Update, or the user's own that was joined. It is
// valid as long as the transaction is, and for one goroutine at a time.
type Tx struct {
	db       *DB
	session  *mongo.Session
	enqueued bool
	taken    *taken // nil where joined
}

var (
	_ inbox.Tx = (*Tx)(nil)
	_ saga.Tx  = (*Tx)(nil)
)

// Context makes operations of the driver part of the transaction: pass what it returns
// to each of them. An operation with another context is none of the transaction's, and waits
// for its end where both write one document.
func (tx *Tx) Context(ctx context.Context) context.Context {
	return mongo.NewSessionContext(ctx, tx.session)
}

// Database has the user's collections.
func (tx *Tx) Database() *mongo.Database { return tx.db.database }

// ErrNoTransaction is returned by Join.
var ErrNoTransaction = errors.New("mongodb: the context carries no session with a transaction of this client")

// Join lets the user's own transaction on DB.Database's client take outgoing messages,
// inbox marks and sagas: ctx is the one its session is in. Who began the transaction ends it, and
// calls DB.Wake after the commit. Ids of the outbox are in commit order only where the
// transaction reads snapshots (readconcern.Snapshot).
func (db *DB) Join(ctx context.Context) (*Tx, error) {
	session := mongo.SessionFromContext(ctx)
	if session == nil || session.Client() != db.client || !session.TransactionRunning() {
		return nil, ErrNoTransaction
	}
	return &Tx{db: db, session: session}, nil
}
