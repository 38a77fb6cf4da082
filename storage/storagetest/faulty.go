package storagetest

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// ErrFault is what a Faulty database returns by default; it is transient.
var ErrFault = errors.New("storagetest: fault on purpose")

// Fault says which call fails.
type Fault struct {
	// At is the call, counted from 1: those of the database's own methods, of
	// Update's and View's too, and those of the transaction's. 0 is none.
	At int
	// After lets the call do its work before it fails: what was done is there,
	// but the caller cannot know. For Update that is a commit whose answer was
	// lost.
	After bool
	// Err is returned; nil is ErrFault.
	Err error
	// Only counts calls of that method; "" counts all. Methods of the
	// transaction have the prefix "Tx.".
	Only string
}

// FaultyDB fails one call. To try every place, raise At until Happened is
// false.
type FaultyDB struct {
	db    storage.DB
	fault Fault

	mu    sync.Mutex
	calls int
	where string
}

var _ storage.DB = (*FaultyDB)(nil)

// Faulty wraps a database.
func Faulty(db storage.DB, fault Fault) *FaultyDB {
	if fault.Err == nil {
		fault.Err = ErrFault
	}
	return &FaultyDB{db: db, fault: fault}
}

// Calls is how many were counted.
func (f *FaultyDB) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Happened says whether the fault happened, and in which method.
func (f *FaultyDB) Happened() (method string, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.where, f.where != ""
}

// due counts a call and says whether it is the one to fail.
func (f *FaultyDB) due(method string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault.Only != "" && f.fault.Only != method {
		return false
	}
	f.calls++
	if f.calls != f.fault.At {
		return false
	}
	f.where = method
	return true
}

// do runs a call, or fails before or after it.
func (f *FaultyDB) do(method string, call func() error) error {
	if !f.due(method) {
		return call()
	}
	if f.fault.After {
		if err := call(); err != nil {
			return err
		}
	}
	return f.fault.Err
}

// get is do for a call with a result, which is lost with the fault.
func get[V any](f *FaultyDB, method string, call func() (V, error)) (V, error) {
	var out, none V
	err := f.do(method, func() (err error) {
		out, err = call()
		return err
	})
	if err != nil {
		return none, err
	}
	return out, nil
}

// Update implements storage.DB.
func (f *FaultyDB) Update(ctx context.Context, fn func(storage.Tx) error) error {
	return f.do("Update", func() error {
		return f.db.Update(ctx, func(tx storage.Tx) error { return fn(faultyTx{tx, f}) })
	})
}

// View implements storage.Backend.
func (f *FaultyDB) View(ctx context.Context, fn func(storage.Querier) error) error {
	return f.do("View", func() error { return f.db.View(ctx, fn) })
}

// Transient implements inbox.Admin.
func (f *FaultyDB) Transient(err error) bool { return errors.Is(err, ErrFault) || f.db.Transient(err) }

// IsDuplicate implements storage.Backend.
func (f *FaultyDB) IsDuplicate(err error) bool { return f.db.IsDuplicate(err) }

// Migrate implements storage.Backend.
func (f *FaultyDB) Migrate(ctx context.Context, name string, files fs.FS) error {
	return f.do("Migrate", func() error { return f.db.Migrate(ctx, name, files) })
}

// Ping implements storage.Backend.
func (f *FaultyDB) Ping(ctx context.Context) error {
	return f.do("Ping", func() error { return f.db.Ping(ctx) })
}

// Close closes the database that was wrapped; it never fails on purpose.
func (f *FaultyDB) Close() error { return f.db.Close() }

// Wakeups implements outbox.Store; it never fails.
func (f *FaultyDB) Wakeups(ctx context.Context) (wake, done <-chan struct{}) {
	return f.db.Wakeups(ctx)
}

// Claim implements inbox.Admin.
func (f *FaultyDB) Claim(ctx context.Context, consumer string, p inbox.Partition, lanes int) (inbox.Claim, error) {
	return get(f, "Claim", func() (inbox.Claim, error) { return f.db.Claim(ctx, consumer, p, lanes) })
}

// WaitingKeys implements inbox.Admin.
func (f *FaultyDB) WaitingKeys(ctx context.Context, claim inbox.Claim) ([]inbox.Waiting, error) {
	return get(f, "WaitingKeys", func() ([]inbox.Waiting, error) { return f.db.WaitingKeys(ctx, claim) })
}

// LoadWaiting implements inbox.Admin.
func (f *FaultyDB) LoadWaiting(ctx context.Context, claim inbox.Claim, offset int64) (w inbox.Waiting, ok bool, err error) {
	w, err = get(f, "LoadWaiting", func() (w inbox.Waiting, err error) {
		w, ok, err = f.db.LoadWaiting(ctx, claim, offset)
		return w, err
	})
	return w, ok && err == nil, err
}

// Release implements inbox.Admin.
func (f *FaultyDB) Release(ctx context.Context, consumer, topic, key string) (int64, error) {
	return get(f, "Release", func() (int64, error) { return f.db.Release(ctx, consumer, topic, key) })
}

// StartReplay implements inbox.Admin.
func (f *FaultyDB) StartReplay(ctx context.Context, consumer string, p inbox.Partition, from int64) (inbox.Replay, error) {
	return get(f, "StartReplay", func() (inbox.Replay, error) { return f.db.StartReplay(ctx, consumer, p, from) })
}

// TrimInbox implements inbox.Admin.
func (f *FaultyDB) TrimInbox(ctx context.Context, before time.Time, limit int) (int64, error) {
	return get(f, "TrimInbox", func() (int64, error) { return f.db.TrimInbox(ctx, before, limit) })
}

// faultyTx counts the calls of a transaction.
type faultyTx struct {
	tx storage.Tx
	f  *FaultyDB
}

func (x faultyTx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return get(x.f, "Tx.Exec", func() (int64, error) { return x.tx.Exec(ctx, query, args...) })
}

func (x faultyTx) Query(ctx context.Context, query string, args ...any) (storage.Rows, error) {
	if x.f.due("Tx.Query") {
		return nil, x.f.fault.Err
	}
	return x.tx.Query(ctx, query, args...)
}

func (x faultyTx) QueryRow(ctx context.Context, query string, args ...any) storage.Row {
	if x.f.due("Tx.QueryRow") {
		return faultyRow{x.f.fault.Err}
	}
	return x.tx.QueryRow(ctx, query, args...)
}

type faultyRow struct{ err error }

func (r faultyRow) Scan(...any) error { return r.err }

func (x faultyTx) InsertOutbox(ctx context.Context, messages []outbox.Message) error {
	return x.f.do("Tx.InsertOutbox", func() error { return x.tx.InsertOutbox(ctx, messages) })
}

func (x faultyTx) AdvanceInbox(ctx context.Context, claim inbox.Claim, lane int, next int64) error {
	return x.f.do("Tx.AdvanceInbox", func() error { return x.tx.AdvanceInbox(ctx, claim, lane, next) })
}

func (x faultyTx) MarkInbox(ctx context.Context, consumer string, marks []inbox.Mark) ([]bool, error) {
	return get(x.f, "Tx.MarkInbox", func() ([]bool, error) { return x.tx.MarkInbox(ctx, consumer, marks) })
}

func (x faultyTx) PutWaiting(ctx context.Context, claim inbox.Claim, rows []inbox.Waiting) error {
	return x.f.do("Tx.PutWaiting", func() error { return x.tx.PutWaiting(ctx, claim, rows) })
}

func (x faultyTx) DeleteWaiting(ctx context.Context, claim inbox.Claim, offset int64) (bool, error) {
	return get(x.f, "Tx.DeleteWaiting", func() (bool, error) { return x.tx.DeleteWaiting(ctx, claim, offset) })
}
