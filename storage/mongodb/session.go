package mongodb

import (
	"context"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// seen is the latest operation this DB knows of. All its sessions begin after it, so
// that no read goes back behind an earlier one, not even over a change of the
// primary.
type seen struct {
	mu        sync.Mutex
	operation *bson.Timestamp
	cluster   bson.Raw
}

func (db *DB) session() (*mongo.Session, error) {
	session, err := db.client.StartSession(options.Session().SetCausalConsistency(true))
	if err != nil {
		return nil, err
	}
	db.seen.mu.Lock()
	defer db.seen.mu.Unlock()
	if db.seen.operation != nil {
		if err = session.AdvanceOperationTime(db.seen.operation); err == nil {
			err = session.AdvanceClusterTime(db.seen.cluster)
		}
	}
	if err != nil {
		session.EndSession(context.Background())
		return nil, err
	}
	return session, nil
}

func (db *DB) end(ctx context.Context, session *mongo.Session) {
	if at, cluster := session.OperationTime(), session.ClusterTime(); at != nil && cluster != nil {
		db.seen.mu.Lock()
		if db.seen.operation == nil || at.After(*db.seen.operation) {
			db.seen.operation, db.seen.cluster = at, cluster
		}
		db.seen.mu.Unlock()
	}
	session.EndSession(ctx)
}

// ask runs fn with a session that sees what was seen before.
func (db *DB) ask(ctx context.Context, what string, fn func(context.Context) error) error {
	session, err := db.session()
	if err == nil {
		defer db.end(ctx, session)
		err = fn(mongo.NewSessionContext(ctx, session))
	}
	return failed(what, err)
}
