package outboxrelay

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// The two that are compared.
const (
	pabal     = "pabal"
	watermill = "watermill"
)

// keys is how many different keys the messages have.
const keys = 1000

// drained is how a backlog went.
type drained struct {
	// Rows moved within Took: those after the first look that saw any.
	Rows int
	Took time.Duration
	// RSS is the process's largest resident memory, in MB.
	RSS float64
}

func (d drained) perSecond() float64 { return float64(d.Rows) / d.Took.Seconds() }

// drain fills an outbox and has it emptied by a process of its own.
func (s *stage) drain(ctx context.Context, who string, rows, bytes int, apache bool) (drained, error) {
	p, remove, err := s.newPlace(ctx, apache)
	if err != nil {
		return drained{}, err
	}
	defer remove()
	fill := fillOutbox
	if who == watermill {
		fill = fillWatermill
	}
	if err := fill(ctx, p, rows, bytes); err != nil {
		return drained{}, fmt.Errorf("fill: %w", err)
	}
	if err := s.settle(ctx, p); err != nil {
		return drained{}, err
	}
	done, err := spawn(ctx, who, task{Place: p, Rows: rows})
	if err != nil {
		return drained{}, err
	}
	return done, verify(ctx, p, rows, who == pabal)
}

// settle lets PostgreSQL finish what filling has left, for both alike.
func (s *stage) settle(ctx context.Context, p place) error {
	db, err := sql.Open("pgx", p.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// fillBatch is how many rows a filling transaction has.
const fillBatch = 5000

func fillOutbox(ctx context.Context, p place, rows, bytes int) error {
	db, err := postgres.Open(ctx, p.Database, postgres.Config{Logger: quiet})
	if err != nil {
		return err
	}
	defer db.Close()
	for from := 0; from < rows; from += fillBatch {
		events := make([]event.Event, min(fillBatch, rows-from))
		for i := range events {
			events[i] = newEvent(from+i, bytes)
		}
		if err := db.Update(ctx, func(tx *postgres.Tx) error { return outbox.Enqueue(ctx, tx, events...) }); err != nil {
			return err
		}
	}
	return nil
}

// newEvent is the n-th message; a key's messages ascend.
func newEvent(n, bytes int) event.Event {
	e := event.New(topic, fmt.Sprint("key-", n%keys), nil)
	e.Payload = payload(n, bytes)
	return e
}

// payload is a JSON number in so many bytes, padded with spaces.
func payload(n, bytes int) []byte { return fmt.Appendf(nil, "%-*d", bytes, n) }
