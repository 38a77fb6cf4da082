package mongodb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

const (
	conflictMinWait = time.Millisecond
	conflictMaxWait = 100 * time.Millisecond
	abortTimeout    = 2 * time.Second
	// commitPatience is how long a commit without an answer is asked for again.
	commitPatience = 10 * time.Second
	// lostCommits is after how many tries in a row whose transaction is gone at its
	// commit, though no operation had failed visibly, the closure is to blame.
	lostCommits = 3
)

// errSwallowed: the server rolls a transaction back at the first error of any of its
// operations, and says so only at the commit.
var errSwallowed = errors.New("mongodb: nothing was committed, because the transaction was over before its end: " +
	"an error of one of its operations was not returned, or it took longer than transactionLifetimeLimitSeconds")

// transact repeats try while MongoDB asks for it. The context that fn gets has the
// transaction in it.
func (db *DB) transact(ctx context.Context, fn func(context.Context) error) error {
	deadline := time.Now().Add(db.config.ConflictPatience)
	wait, gone := conflictMinWait, 0
	for {
		if err := ctx.Err(); err != nil {
			return failed("begin", err)
		}
		err := db.try(ctx, fn)
		if err == nil || ctx.Err() != nil || !repeatable(err) {
			return err
		}
		if lost := (*commitError)(nil); errors.As(err, &lost) && lost.gone() {
			gone++
		} else {
			gone = 0
		}
		switch {
		case gone >= lostCommits:
			return fmt.Errorf("%w (%v)", errSwallowed, err)
		case time.Now().After(deadline):
			return lost(fmt.Sprintf("transaction given up after %s of conflicts", db.config.ConflictPatience), err)
		}
		db.repeats.Add(1)
		if !pause(ctx, wait/2+rand.N(wait)) {
			return err
		}
		wait = min(2*wait, conflictMaxWait)
	}
}

func transactionOptions() *options.TransactionOptionsBuilder {
	return options.Transaction().SetReadConcern(readconcern.Snapshot()).SetWriteConcern(writeconcern.Majority()).
		SetReadPreference(readpref.Primary())
}

// try runs one transaction, and ends it also where fn panics.
func (db *DB) try(ctx context.Context, fn func(context.Context) error) error {
	session, err := db.session()
	if err != nil {
		return failed("begin", err)
	}
	defer db.end(ctx, session)
	if err := session.StartTransaction(transactionOptions()); err != nil {
		return failed("begin", err)
	}
	ended := false
	defer func() {
		if !ended {
			db.abort(ctx, session, nil)
		}
	}()
	err = fn(mongo.NewSessionContext(ctx, session))
	ended = true
	if err == nil {
		err = failed("commit", ctx.Err())
	}
	if err != nil {
		db.abort(ctx, session, err)
		return err
	}
	return commit(ctx, session)
}

// abort frees what others may wait for, also where ctx has ended. An operation that was
// given up may reach the server after the abort and begin the transaction once more; the
// next transaction of the session makes the server refuse it, and end what it began.
func (db *DB) abort(ctx context.Context, session *mongo.Session, why error) {
	givenUp := ctx.Err() != nil || hasLabel(why, networkError)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	_ = session.AbortTransaction(ctx)
	if !givenUp || session.StartTransaction(transactionOptions()) != nil {
		return
	}
	_ = db.state.FindOne(mongo.NewSessionContext(ctx, session), byID(relayState)).Err()
	_ = session.AbortTransaction(ctx)
}

// commit asks again where the answer was lost: a commit may be repeated. It does not end
// with ctx at once: a commit that was never sent would leave the transaction open on the
// server, in the way of others, for transactionLifetimeLimitSeconds.
func commit(ctx context.Context, session *mongo.Session) error {
	deadline := time.Now().Add(commitPatience)
	detached, cancel := outlasting(ctx, abortTimeout)
	defer cancel()
	wait := conflictMinWait
	for {
		err := session.CommitTransaction(detached)
		if err == nil {
			return nil
		}
		if !hasLabel(err, unknownCommit) || time.Now().After(deadline) || !pause(detached, wait) {
			return &commitError{err}
		}
		wait = min(2*wait, conflictMaxWait)
	}
}

// outlasting ends so much later than ctx.
func outlasting(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	detached, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		pause(detached, grace)
		cancel()
	})
	return detached, func() {
		stop()
		cancel()
	}
}

// pause returns false where ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
