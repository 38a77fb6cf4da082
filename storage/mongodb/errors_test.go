package mongodb_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

func sessionContext(ctx context.Context, session *mongo.Session) context.Context {
	return mongo.NewSessionContext(ctx, session)
}

func TestOpenFails(t *testing.T) {
	for _, x := range []struct {
		url    string
		config mongodb.Config
		want   string
	}{
		{"postgres://h/d", mongodb.Config{}, "expected mongodb://"},
		{"mongodb://user:secret@h:port/d", mongodb.Config{}, "cannot be read"},
		{"mongodb://user:sec/ret@h/d", mongodb.Config{}, "cannot be read"},
		{"mongodb://user:secret@127.0.0.1:1", mongodb.Config{}, "no database"},
		{"mongodb://127.0.0.1:1", mongodb.Config{Database: "a/b"}, "no name"},
		{"mongodb://127.0.0.1:1/d", mongodb.Config{ConflictPatience: -1}, "ConflictPatience"},
		{"mongodb://user:secret@127.0.0.1:1/d?serverSelectionTimeoutMS=100", mongodb.Config{}, "connect"},
	} {
		_, err := mongodb.Open(t.Context(), x.url, x.config)
		if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "sec/ret") {
			t.Errorf("%s: %v, want %q", x.url, err, x.want)
		}
	}
}

// TestConflictsAreRepeated: the closure runs again, for as long as was asked for.
func TestConflictsAreRepeated(t *testing.T) {
	db := openNew(t)
	ctx := t.Context()
	things := db.Database().Collection("things")
	if _, err := things.InsertOne(ctx, bson.M{"_id": 1, "n": 0}); err != nil {
		t.Fatal(err)
	}
	increment := bson.M{"$inc": bson.M{"n": 1}}
	runs := 0
	err := db.Update(ctx, func(tx *mongodb.Tx) error {
		if err := things.FindOne(tx.Context(ctx), bson.M{"_id": 1}).Err(); err != nil {
			return err
		}
		if runs++; runs < 4 { // somebody else is faster
			if _, err := things.UpdateByID(ctx, 1, increment); err != nil {
				return err
			}
		}
		_, err := things.UpdateByID(tx.Context(ctx), 1, increment)
		return err
	})
	if err != nil || runs != 4 || db.Repeats() != 3 {
		t.Errorf("%d runs, %d repeats, %v", runs, db.Repeats(), err)
	}

	hasty := open(t, testenv.MongoDB(t), mongodb.Config{Database: db.Database().Name(), ConflictPatience: time.Nanosecond})
	err = hasty.Update(ctx, func(tx *mongodb.Tx) error {
		mine := tx.Database().Collection("things")
		if err := mine.FindOne(tx.Context(ctx), bson.M{"_id": 1}).Err(); err != nil {
			return err
		}
		if _, err := mine.UpdateByID(ctx, 1, increment); err != nil {
			return err
		}
		_, err := mine.UpdateByID(tx.Context(ctx), 1, increment)
		return err
	})
	if err == nil || !hasty.Transient(err) {
		t.Errorf("without patience: %v", err)
	}
}

// TestSwallowedErrorIsTheClosuresFault: nobody repeats it for ever.
func TestSwallowedErrorIsTheClosuresFault(t *testing.T) {
	db := openNew(t)
	things := db.Database().Collection("things")
	if _, err := things.InsertOne(t.Context(), bson.M{"_id": 1}); err != nil {
		t.Fatal(err)
	}
	runs := 0
	err := db.Update(t.Context(), func(tx *mongodb.Tx) error {
		runs++
		_, _ = things.InsertOne(tx.Context(t.Context()), bson.M{"_id": 1}) // a duplicate key
		return nil
	})
	if err == nil || db.Transient(err) || runs > 5 || !strings.Contains(err.Error(), "was not returned") {
		t.Errorf("%d runs, %v", runs, err)
	}
	if _, err := things.InsertOne(t.Context(), bson.M{"_id": 1}); !db.IsDuplicate(err) || db.Transient(err) {
		t.Errorf("a duplicate key: %v", err)
	}
}

// TestGoneServer: errors are transient, and bounded in time by the context.
func TestGoneServer(t *testing.T) {
	server := testenv.StartMongoDB(t)
	db := open(t, server.URL+"&serverSelectionTimeoutMS=300", mongodb.Config{
		Database: "d", ConflictPatience: 200 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	view := newView(t, db, "v", mongodb.ViewConfig{})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	nothing := func(tx *mongodb.Tx) error {
		_, err := tx.Database().Collection("things").InsertOne(tx.Context(t.Context()), bson.M{"a": 1})
		return err
	}
	if err := db.Update(t.Context(), nothing); !db.Transient(err) {
		t.Errorf("update: %v", err)
	}
	if err := view.Put(t.Context(), "1", 1, bson.M{"a": 1}); !errors.Is(err, projection.ErrUnavailable) {
		t.Errorf("view: %v", err)
	}
	if err := db.Ping(t.Context()); err == nil {
		t.Error("a killed server answered")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Update(ctx, nothing); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who is gone: %v", err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the database answers again", 30*time.Second, func() bool { return db.Update(t.Context(), nothing) == nil })
	if err := view.Put(t.Context(), "1", 1, bson.M{"a": 1}); err != nil {
		t.Errorf("view after the restart: %v", err)
	}
	if db.Transient(nil) || db.Transient(errors.New("x")) || db.Transient(context.DeadlineExceeded) {
		t.Error("what is none of the database's is transient")
	}
}

// TestCancelLeavesNothingOpen: a transaction whose caller goes away at any moment is not in
// the way of others, as it would be for a minute if the server did not hear of it.
func TestCancelLeavesNothingOpen(t *testing.T) {
	random := testenv.Rand(t)
	db := openNew(t)
	things := db.Database().Collection("things")
	if _, err := things.InsertOne(t.Context(), bson.M{"_id": 1, "n": 0}); err != nil {
		t.Fatal(err)
	}
	increment := bson.M{"$inc": bson.M{"n": 1}}
	committed := 0
	for range 150 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(5000))*time.Microsecond)
		err := db.Update(ctx, func(tx *mongodb.Tx) error {
			_, err := things.UpdateByID(tx.Context(ctx), 1, increment)
			return err
		})
		cancel()
		if err == nil {
			committed++
		}
		others, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		if _, err := things.UpdateByID(others, 1, bson.M{"$set": bson.M{"m": 1}}); err != nil {
			t.Fatalf("a write after a transaction whose caller had gone: %v", err)
		}
		cancel()
	}
	if n := counterOf(t, db, "things", 1).N; n < committed {
		t.Errorf("%d transactions were acknowledged, %d are there", committed, n)
	}
}

// TestClosedTwice: and a closed DB fails.
func TestClosedTwice(t *testing.T) {
	db, err := mongodb.Open(t.Context(), testenv.MongoDB(t), mongodb.Config{Database: openNew(t).Database().Name()})
	if err != nil {
		t.Fatal(err)
	}
	wake, done := db.Wakeups(t.Context())
	_ = wake
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Error(err)
	}
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("the wake-ups did not end")
	}
	if err := db.Ping(t.Context()); err == nil {
		t.Error("a closed database answered")
	}
}
