package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Way is how messages leave an outbox.
type Way string

// The ways out.
const (
	// ByRelay is a Relay's, and where an outbox begins.
	ByRelay Way = "relay"
	// ByCapture is a connector's for change data capture; a Sweeper completes the rows.
	ByCapture Way = "cdc"
	// Waiting is the way of what is enqueued while an outbox is moved from a relay to a connector,
	// and the relay has something to publish: it waits for that.
	Waiting Way = "waiting"
	// ByMessage is a connector's, too, without rows: messages are written to the database's log only, with
	// their transaction. A Sweeper has an outbox that leaves ByCapture leave so; see SweeperConfig.Way.
	ByMessage Way = "cdc-message"
)

// WayStore is a CaptureStore whose outbox knows its way out: how a row leaves is settled when it is
// enqueued, whoever enqueues it, so that none is published twice or by nobody.
type WayStore interface {
	CaptureStore
	// Way is that of what is enqueued now.
	Way(ctx context.Context) (Way, error)
	// Switch changes it when nobody enqueues: writers wait for those before them to end, no longer
	// than hold; then it wraps ErrBusy. Rows that no relay has looked at since the outbox was made
	// go to a connector at once. Where a relay has rows to publish, what is enqueued waits, and
	// ErrBusy is wrapped, too: Switch must be called again, which takes what waits along. So it is
	// ByMessage, where a connector's rows are waited for, too; from a relay that wraps ErrMoved. After
	// another error the way is the old or the new one.
	Switch(ctx context.Context, to Way, hold time.Duration) error
	// Left counts rows by their way: STARTED ones, and FAILED ones. Switch puts a row behind messages
	// that have none, which counts as ByCapture.
	Left(ctx context.Context, way Way) (started, failed int64, err error)
}

// Errors of moving an outbox.
var (
	// ErrFailedRows: rows are FAILED, which only a relay can replay.
	ErrFailedRows = errors.New("outbox: rows are FAILED: replay or remove them first")
	// ErrBusy: writers, or a relay, have not come to an end.
	ErrBusy = errors.New("outbox: it is in use")
	// ErrMoved: who is to publish an outbox, or to sweep it, is not who should.
	ErrMoved = errors.New("outbox: it leaves by another way")
	// ErrSlot: a replication slot is none of a connector that publishes this outbox.
	ErrSlot = errors.New("outbox: this replication slot is not of a connector that publishes the outbox")
)

// MoveConfig says how Move works. Its zero value is good.
type MoveConfig struct {
	// Hold is how long writers wait at most, each time it is tried; 2 s by default.
	Hold time.Duration
	// Look is how long is waited before it is tried, and before rows are counted, again; 200 ms by
	// default.
	Look time.Duration
	// Progress is told what is waited for; nobody where nil.
	Progress func(waiting string)
}

// holdDefault is MoveConfig.Hold's, and that of an outbox that is new.
const holdDefault = 2 * time.Second

// Move has an outbox that is in use leave by another way. A relay publishes all that was enqueued
// before, and a connector all after, or the other way round; nothing is lost or published twice, and
// the rows of each key stay in order. Who publishes now must go on until Move returns. Where Move is
// killed, repeat it.
//
// Writers, relays and connectors need not be stopped for it: rows know how they leave, so that
// connectors leave out a relay's, and a relay does not begin as long as a connector has some. What is
// enqueued while a relay comes to its end is published only after Move has returned; Move back to the
// relay gives up. An outbox without rows (ByMessage) can be moved, too; to have one, move it to a connector
// first and set SweeperConfig.Way.
func Move(ctx context.Context, store WayStore, to Way, config MoveConfig) error {
	switch to {
	case ByRelay, ByCapture:
	case ByMessage:
		return fmt.Errorf("%w: move the outbox to %q, then start its sweepers with %q", ErrConfig, ByCapture, to)
	default:
		return fmt.Errorf("%w: there is no way %q out of an outbox", ErrConfig, to)
	}
	wait := func(waiting string) error {
		if config.Progress != nil {
			config.Progress(waiting)
		}
		if !pause(ctx, cmp.Or(config.Look, 200*time.Millisecond), nil) {
			return fmt.Errorf("%s: %w", waiting, ctx.Err())
		}
		return nil
	}
	if err := switchWay(ctx, store, to, cmp.Or(config.Hold, holdDefault), wait); err != nil || to != ByRelay {
		return err
	}
	for {
		left, _, err := store.Left(ctx, ByCapture)
		if err != nil || left == 0 {
			return err
		}
		if err := wait(fmt.Sprintf("a connector has %d rows to publish, or a sweeper to remove", left)); err != nil {
			return err
		}
	}
}

// switchWay also takes along what is left waiting where the server crashed at the wrong moment.
func switchWay(ctx context.Context, store WayStore, to Way, hold time.Duration, wait func(string) error) error {
	for {
		now, err := store.Way(ctx)
		if err != nil {
			return err
		}
		waiting, _, err := store.Left(ctx, Waiting)
		if err != nil || now == to && waiting == 0 {
			return err
		}
		if err = store.Switch(ctx, to, hold); !errors.Is(err, ErrBusy) {
			return err
		}
		if err := wait(err.Error()); err != nil {
			return err
		}
	}
}

// begin has an outbox that no relay has ever had, or has still something to publish of, leave by change data
// capture; any other must have been moved, but for rows that wait for their sweeper.
func begin(ctx context.Context, store WayStore, to Way) error {
	now, err := store.Way(ctx)
	if err != nil || now == ByMessage && to == now {
		return err
	}
	relays := false
	if now == Waiting || now == ByRelay {
		id, err := store.Identity(ctx)
		if err != nil {
			return err
		}
		relays = id.Position != nil
	}
	if relays && now == Waiting {
		started, failed, err := store.Left(ctx, ByRelay)
		if err != nil {
			return err
		}
		relays = started+failed > 0
	}
	if !relays {
		return switchWay(ctx, store, ByCapture, holdDefault, func(waiting string) error {
			if !pause(ctx, 200*time.Millisecond, nil) {
				return fmt.Errorf("%s: %w", waiting, ctx.Err())
			}
			return nil
		})
	}
	left, _, err := store.Left(ctx, ByCapture)
	if err == nil && left == 0 {
		err = fmt.Errorf("%w: a relay publishes this outbox; to have a connector do so, move it (outbox.Move, pabal outbox move)", ErrMoved)
	}
	return err
}

// relayMay says why a relay may not publish.
func relayMay(ctx context.Context, store Store) error {
	ways, ok := store.(WayStore)
	if !ok {
		return nil
	}
	way, err := ways.Way(ctx)
	if errors.Is(err, ErrNoCapture) {
		return nil
	}
	if err != nil {
		return err
	}
	if way == ByCapture || way == ByMessage {
		return fmt.Errorf("%w: a connector publishes this outbox; to have a relay do so, move it (outbox.Move, pabal outbox move)", ErrMoved)
	}
	left, _, err := ways.Left(ctx, ByCapture)
	if err == nil && left > 0 {
		err = fmt.Errorf("%w: a connector has %d rows to publish, or a sweeper to remove: let both run until they have", ErrMoved, left)
	}
	return err
}
