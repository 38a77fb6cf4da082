package mongodb

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// relayDocument is the state of the relay.
type relayDocument struct {
	Outbox       string       `bson:"outbox"`
	BoundSystem  string       `bson:"boundSystem"`
	BoundCluster string       `bson:"boundCluster"`
	LeaseToken   int64        `bson:"leaseToken"`
	LastReplay   int64        `bson:"lastReplay"`
	Position     *bson.Binary `bson:"position"`
	ChangedAt    time.Time    `bson:"changedAt"` // the server's clock, for rows changed with it
}

func (db *DB) relayState(ctx context.Context) (state relayDocument, err error) {
	err = db.ask(ctx, "read the outbox's state", func(ctx context.Context) error {
		return db.state.FindOne(ctx, byID(relayState)).Decode(&state)
	})
	return state, err
}

// Identity implements outbox.Store. System is the UUID that the server gave the
// collection of the outbox's state, which a dump and its restoration, or a new
// collection of that name, do not share, and the id of the replica set, where the user
// may read it (replSetGetConfig, of the role clusterMonitor): a copy of the servers'
// files has the same UUID.
func (db *DB) Identity(ctx context.Context) (outbox.Identity, error) {
	state, err := db.relayState(ctx)
	if err != nil {
		return outbox.Identity{}, err
	}
	id := outbox.Identity{Outbox: state.Outbox, BoundSystem: state.BoundSystem, BoundCluster: state.BoundCluster}
	if state.Position != nil {
		id.Position = append([]byte{}, state.Position.Data...)
	}
	id.System, err = db.system(ctx)
	return id, err
}

func (db *DB) system(ctx context.Context) (string, error) {
	found, err := db.database.ListCollectionSpecifications(ctx, bson.D{{Key: "name", Value: db.state.Name()}})
	if err != nil {
		return "", failed("read the id of collection "+db.state.Name(), err)
	}
	if len(found) != 1 || found[0].UUID == nil {
		return "", nil
	}
	set, err := db.replicaSetID(ctx)
	return hex.EncodeToString(found[0].UUID.Data) + set, err
}

func (db *DB) replicaSetID(ctx context.Context) (string, error) {
	var reply struct {
		Config struct {
			Settings struct {
				ReplicaSetID bson.ObjectID `bson:"replicaSetId"`
			} `bson:"settings"`
		} `bson:"config"`
	}
	err := db.client.Database("admin").RunCommand(ctx, bson.D{{Key: "replSetGetConfig", Value: 1}}).Decode(&reply)
	switch {
	case hasCode(err, unauthorized, commandNotFound, commandNotSupported):
		db.warning.Do(func() {
			db.log.Warn("mongodb: a copy of the servers' files cannot be told from the original; grant the role clusterMonitor", "error", err)
		})
		return "", nil
	case err != nil:
		return "", failed("read the replica set's id", err)
	}
	return "-" + reply.Config.Settings.ReplicaSetID.Hex(), nil
}

// Answers of a mongos.
const (
	commandNotFound     = 59
	commandNotSupported = 115
)

// Bind implements outbox.Store.
func (db *DB) Bind(ctx context.Context, lease outbox.Lease, system, cluster string) error {
	_, err := db.underLease(ctx, lease, bson.D{{Key: "boundSystem", Value: literal(system)}, {Key: "boundCluster", Value: literal(cluster)}})
	return err
}

// Renew implements outbox.Store.
func (db *DB) Renew(ctx context.Context) error {
	fields := bson.D{{Key: "outbox", Value: event.NewID()}, {Key: "position", Value: nil}}
	return db.ask(ctx, "renew the outbox's identity", func(ctx context.Context) error {
		_, err := db.state.UpdateByID(ctx, relayState, bson.D{{Key: "$set", Value: fields}})
		return err
	})
}

// AcquireLease implements outbox.Store.
func (db *DB) AcquireLease(ctx context.Context, holder string, ttl time.Duration) (outbox.Lease, bool, error) {
	if holder == "" {
		return outbox.Lease{}, false, errors.New("mongodb: the holder of a lease needs a name")
	}
	free := bson.D{{Key: "$or", Value: bson.A{
		bson.D{{Key: "leaseHolder", Value: holder}},
		bson.D{{Key: "$expr", Value: bson.D{{Key: "$lte", Value: bson.A{"$leaseUntil", "$$NOW"}}}}},
	}}}
	state, err := db.changeState(ctx, free, bson.D{
		{Key: "leaseHolder", Value: literal(holder)}, {Key: "leaseUntil", Value: fromNow(ttl)},
		{Key: "leaseToken", Value: bson.D{{Key: "$add", Value: bson.A{"$leaseToken", int64(1)}}}},
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return outbox.Lease{}, false, nil
	}
	if err != nil {
		return outbox.Lease{}, false, failed("acquire the relay's lease", err)
	}
	return outbox.Lease{Holder: holder, Token: state.LeaseToken}, true, nil
}

// ExtendLease implements outbox.Store.
func (db *DB) ExtendLease(ctx context.Context, lease outbox.Lease, ttl time.Duration) error {
	_, err := db.underLease(ctx, lease, bson.D{{Key: "leaseUntil", Value: fromNow(ttl)}})
	return err
}

// ReleaseLease implements outbox.Store.
func (db *DB) ReleaseLease(ctx context.Context, lease outbox.Lease) error {
	_, err := db.underLease(ctx, lease, bson.D{{Key: "leaseHolder", Value: ""}, {Key: "leaseUntil", Value: time.Unix(0, 0)}})
	if errors.Is(err, outbox.ErrLeaseLost) {
		return nil
	}
	return err
}

// underLease sets fields of the state where the lease is still that one, and returns
// the server's time.
func (db *DB) underLease(ctx context.Context, lease outbox.Lease, set bson.D) (time.Time, error) {
	held := bson.D{{Key: "leaseToken", Value: lease.Token}, {Key: "leaseHolder", Value: lease.Holder}}
	state, err := db.changeState(ctx, held, set)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return time.Time{}, outbox.ErrLeaseLost
	}
	return state.ChangedAt, failed("write under the relay's lease", err)
}

// changeState sets fields to the values of expressions, and returns what is stored then.
func (db *DB) changeState(ctx context.Context, where, set bson.D) (state relayDocument, err error) {
	set = append(set, bson.E{Key: "changedAt", Value: "$$NOW"})
	err = db.state.FindOneAndUpdate(ctx, append(byID(relayState), where...), mongo.Pipeline{{{Key: "$set", Value: set}}},
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&state)
	return state, err
}

// literal is a value within an expression.
func literal(value any) bson.D { return bson.D{{Key: "$literal", Value: value}} }

func fromNow(ttl time.Duration) bson.D {
	return bson.D{{Key: "$add", Value: bson.A{"$$NOW", ttl.Milliseconds()}}}
}
