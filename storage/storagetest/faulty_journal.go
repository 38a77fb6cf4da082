package storagetest

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// The methods of journal.Store and journal.Tx, each of which may fail, but
// Appends.

var _ journal.Placer = (*FaultyDB)(nil)

// AppendGroup implements journal.Store.
func (f *FaultyDB) AppendGroup(ctx context.Context, writes []journal.Write) ([]journal.Result, error) {
	return get(f, "AppendGroup", func() ([]journal.Result, error) { return f.db.AppendGroup(ctx, writes) })
}

// WriteStateGroup implements journal.Store.
func (f *FaultyDB) WriteStateGroup(ctx context.Context, writes []journal.StateWrite) ([]journal.Result, error) {
	return get(f, "WriteStateGroup", func() ([]journal.Result, error) { return f.db.WriteStateGroup(ctx, writes) })
}

// Events implements journal.Loader. Failing After it is failing after the last
// event.
func (f *FaultyDB) Events(ctx context.Context, persistenceID string, from, to int64, fn func(journal.Event) error) error {
	return f.do("Events", func() error { return f.db.Events(ctx, persistenceID, from, to, fn) })
}

// HighestSeqNrs implements journal.Loader.
func (f *FaultyDB) HighestSeqNrs(ctx context.Context, persistenceIDs []string) ([]int64, error) {
	return get(f, "HighestSeqNrs", func() ([]int64, error) { return f.db.HighestSeqNrs(ctx, persistenceIDs) })
}

// DeleteEvents implements journal.Store.
func (f *FaultyDB) DeleteEvents(ctx context.Context, persistenceID string, to int64, forget bool) (int64, error) {
	return get(f, "DeleteEvents", func() (int64, error) { return f.db.DeleteEvents(ctx, persistenceID, to, forget) })
}

// PersistenceIDs implements journal.Store.
func (f *FaultyDB) PersistenceIDs(ctx context.Context, entityType, after string, limit int) ([]string, error) {
	return get(f, "PersistenceIDs", func() ([]string, error) { return f.db.PersistenceIDs(ctx, entityType, after, limit) })
}

// LoadSnapshot implements journal.Loader.
func (f *FaultyDB) LoadSnapshot(ctx context.Context, persistenceID string, max int64) (journal.Snapshot, bool, error) {
	return found(f, "LoadSnapshot", func() (journal.Snapshot, bool, error) { return f.db.LoadSnapshot(ctx, persistenceID, max) })
}

// SaveSnapshot implements journal.Store.
func (f *FaultyDB) SaveSnapshot(ctx context.Context, s journal.Snapshot) error {
	return f.do("SaveSnapshot", func() error { return f.db.SaveSnapshot(ctx, s) })
}

// DeleteSnapshot implements journal.Store.
func (f *FaultyDB) DeleteSnapshot(ctx context.Context, persistenceID string, max int64) error {
	return f.do("DeleteSnapshot", func() error { return f.db.DeleteSnapshot(ctx, persistenceID, max) })
}

// LoadState implements journal.Loader.
func (f *FaultyDB) LoadState(ctx context.Context, persistenceID string) (journal.Event, bool, error) {
	return found(f, "LoadState", func() (journal.Event, bool, error) { return f.db.LoadState(ctx, persistenceID) })
}

// Page implements journal.Reader.
func (f *FaultyDB) Page(ctx context.Context, q journal.Query) (journal.Page, error) {
	return get(f, "Page", func() (journal.Page, error) { return f.db.Page(ctx, q) })
}

// Now implements journal.Reader.
func (f *FaultyDB) Now(ctx context.Context, k journal.Kind) (journal.Cursor, error) {
	return get(f, "Now", func() (journal.Cursor, error) { return f.db.Now(ctx, k) })
}

// Ahead implements journal.Reader.
func (f *FaultyDB) Ahead(ctx context.Context, q journal.Query, limit int) (int, error) {
	return get(f, "Ahead", func() (int, error) { return f.db.Ahead(ctx, q, limit) })
}

// Appends implements journal.Reader; it never fails.
func (f *FaultyDB) Appends(ctx context.Context) (wake, done <-chan struct{}) {
	return f.db.Appends(ctx)
}

// Time implements journal.Reader.
func (f *FaultyDB) Time(ctx context.Context) (time.Time, error) {
	return get(f, "Time", func() (time.Time, error) { return f.db.Time(ctx) })
}

// Passed implements journal.Placer. A database that is none is read in the order of
// the sequence numbers: the ones before are passed.
func (f *FaultyDB) Passed(ctx context.Context, after journal.Cursor, persistenceIDs []string, upTo []int64) ([]int64, error) {
	return get(f, "Passed", func() ([]int64, error) {
		if placer, ok := f.db.(journal.Placer); ok {
			return placer.Passed(ctx, after, persistenceIDs, upTo)
		}
		passed := make([]int64, len(upTo))
		for i, seqNr := range upTo {
			passed[i] = max(seqNr-1, 0)
		}
		return passed, nil
	})
}

// found is get for a call that may find nothing.
func found[V any](f *FaultyDB, method string, call func() (V, bool, error)) (V, bool, error) {
	var ok bool
	v, err := get(f, method, func() (v V, err error) {
		v, ok, err = call()
		return v, err
	})
	return v, ok && err == nil, err
}

func (x faultyTx) AppendEvents(ctx context.Context, writes []journal.Write) ([]journal.Appended, error) {
	return get(x.f, "Tx.AppendEvents", func() ([]journal.Appended, error) { return x.tx.AppendEvents(ctx, writes) })
}

func (x faultyTx) WriteStates(ctx context.Context, writes []journal.StateWrite) ([]journal.Appended, error) {
	return get(x.f, "Tx.WriteStates", func() ([]journal.Appended, error) { return x.tx.WriteStates(ctx, writes) })
}

func (x faultyTx) SaveSnapshot(ctx context.Context, s journal.Snapshot) error {
	return x.f.do("Tx.SaveSnapshot", func() error { return x.tx.SaveSnapshot(ctx, s) })
}

func (x faultyTx) Events(ctx context.Context, persistenceID string, from, to int64, fn func(journal.Event) error) error {
	return x.f.do("Tx.Events", func() error { return x.tx.Events(ctx, persistenceID, from, to, fn) })
}

func (x faultyTx) HighestSeqNrs(ctx context.Context, persistenceIDs []string) ([]int64, error) {
	return get(x.f, "Tx.HighestSeqNrs", func() ([]int64, error) { return x.tx.HighestSeqNrs(ctx, persistenceIDs) })
}

func (x faultyTx) LoadSnapshot(ctx context.Context, persistenceID string, max int64) (journal.Snapshot, bool, error) {
	return found(x.f, "Tx.LoadSnapshot", func() (journal.Snapshot, bool, error) { return x.tx.LoadSnapshot(ctx, persistenceID, max) })
}

func (x faultyTx) LoadState(ctx context.Context, persistenceID string) (journal.Event, bool, error) {
	return found(x.f, "Tx.LoadState", func() (journal.Event, bool, error) { return x.tx.LoadState(ctx, persistenceID) })
}
