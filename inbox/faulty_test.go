package inbox_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// watched is a store that asks a test before each step, and may be told to
// fail it.
type watched struct {
	storage.DB
	// step is called before each; "commit" also after the handlers, "done"
	// after the commit: an error there is a commit of unknown outcome.
	step func(ctx context.Context, name string) error
}

// errInjected is transient.
var errInjected = errors.New("injected: connection lost")

func (w watched) Transient(err error) bool { return errors.Is(err, errInjected) || w.DB.Transient(err) }

func (w watched) Update(ctx context.Context, fn func(storage.Tx) error) error {
	if err := w.step(ctx, "begin"); err != nil {
		return err
	}
	err := w.DB.Update(ctx, func(tx storage.Tx) error {
		if err := fn(watchedTx{tx, w.step}); err != nil {
			return err
		}
		return w.step(ctx, "commit")
	})
	if err != nil {
		return err
	}
	return w.step(ctx, "done")
}

func (w watched) Claim(ctx context.Context, consumer string, p inbox.Partition, lanes int) (inbox.Claim, error) {
	if err := w.step(ctx, "claim"); err != nil {
		return inbox.Claim{}, err
	}
	return w.DB.Claim(ctx, consumer, p, lanes)
}

func (w watched) WaitingKeys(ctx context.Context, claim inbox.Claim) ([]inbox.Waiting, error) {
	if err := w.step(ctx, "waiting keys"); err != nil {
		return nil, err
	}
	return w.DB.WaitingKeys(ctx, claim)
}

func (w watched) LoadWaiting(ctx context.Context, claim inbox.Claim, offset int64) (inbox.Waiting, bool, error) {
	if err := w.step(ctx, "load waiting"); err != nil {
		return inbox.Waiting{}, false, err
	}
	return w.DB.LoadWaiting(ctx, claim, offset)
}

type watchedTx struct {
	storage.Tx
	step func(ctx context.Context, name string) error
}

func (tx watchedTx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := tx.step(ctx, "exec"); err != nil {
		return 0, fmt.Errorf("handler: %w", err)
	}
	return tx.Tx.Exec(ctx, query, args...)
}

func (tx watchedTx) AdvanceInbox(ctx context.Context, claim inbox.Claim, lane int, next int64) error {
	name := "advance"
	if next < 0 {
		name = "check"
	}
	if err := tx.step(ctx, name); err != nil {
		return err
	}
	return tx.Tx.AdvanceInbox(ctx, claim, lane, next)
}

func (tx watchedTx) MarkInbox(ctx context.Context, consumer string, marks []inbox.Mark) ([]bool, error) {
	if err := tx.step(ctx, "mark"); err != nil {
		return nil, err
	}
	return tx.Tx.MarkInbox(ctx, consumer, marks)
}

func (tx watchedTx) PutWaiting(ctx context.Context, claim inbox.Claim, rows []inbox.Waiting) error {
	if err := tx.step(ctx, "put waiting"); err != nil {
		return err
	}
	return tx.Tx.PutWaiting(ctx, claim, rows)
}

func (tx watchedTx) DeleteWaiting(ctx context.Context, claim inbox.Claim, offset int64) (bool, error) {
	if err := tx.step(ctx, "delete waiting"); err != nil {
		return false, err
	}
	return tx.Tx.DeleteWaiting(ctx, claim, offset)
}

func (tx watchedTx) InsertOutbox(ctx context.Context, messages []outbox.Message) error {
	if err := tx.step(ctx, "insert outbox"); err != nil {
		return err
	}
	return tx.Tx.InsertOutbox(ctx, messages)
}
