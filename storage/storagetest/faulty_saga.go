package storagetest

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

// NextDue implements saga.Admin.
func (f *FaultyDB) NextDue(ctx context.Context, name string) (time.Time, error) {
	return get(f, "NextDue", func() (time.Time, error) { return f.db.NextDue(ctx, name) })
}

// Sagas implements saga.Admin.
func (f *FaultyDB) Sagas(ctx context.Context, q saga.Query) ([]saga.Record, error) {
	return get(f, "Sagas", func() ([]saga.Record, error) { return f.db.Sagas(ctx, q) })
}

// Saga implements saga.Admin.
func (f *FaultyDB) Saga(ctx context.Context, name, id string) (r saga.Record, entries []saga.Entry, err error) {
	r, err = get(f, "Saga", func() (r saga.Record, err error) {
		r, entries, err = f.db.Saga(ctx, name, id)
		return r, err
	})
	if err != nil {
		return saga.Record{}, nil, err
	}
	return r, entries, nil
}

// SagaCounts implements saga.Admin.
func (f *FaultyDB) SagaCounts(ctx context.Context) ([]saga.Count, error) {
	return get(f, "SagaCounts", func() ([]saga.Count, error) { return f.db.SagaCounts(ctx) })
}

// TrimSagas implements saga.Admin.
func (f *FaultyDB) TrimSagas(ctx context.Context, name string, before time.Time, limit int) (int64, error) {
	return get(f, "TrimSagas", func() (int64, error) { return f.db.TrimSagas(ctx, name, before, limit) })
}

func (x faultyTx) LoadSagas(ctx context.Context, name string, ids []string) ([]saga.Record, error) {
	return get(x.f, "Tx.LoadSagas", func() ([]saga.Record, error) { return x.tx.LoadSagas(ctx, name, ids) })
}

func (x faultyTx) InsertSagas(ctx context.Context, records []saga.Record) ([]bool, error) {
	return get(x.f, "Tx.InsertSagas", func() ([]bool, error) { return x.tx.InsertSagas(ctx, records) })
}

func (x faultyTx) SaveSagas(ctx context.Context, records []saga.Record) error {
	return x.f.do("Tx.SaveSagas", func() error { return x.tx.SaveSagas(ctx, records) })
}

func (x faultyTx) DueSagas(ctx context.Context, name string, now time.Time, limit int) ([]saga.Record, error) {
	return get(x.f, "Tx.DueSagas", func() ([]saga.Record, error) { return x.tx.DueSagas(ctx, name, now, limit) })
}
