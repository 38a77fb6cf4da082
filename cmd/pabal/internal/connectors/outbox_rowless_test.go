package connectors_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/connectors"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

func (m *moving) way() outbox.Way {
	m.t.Helper()
	way, err := m.db.(outbox.WayStore).Way(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	return way
}

func (m *moving) awaitWay(want outbox.Way) {
	m.t.Helper()
	testenv.Wait(m.t, "the outbox to leave by "+string(want), 2*time.Minute, func() bool { return m.way() == want })
}

// ids is how many rows the outbox has ever had.
func (m *moving) ids() (n int64) {
	m.t.Helper()
	err := m.db.View(m.t.Context(), func(q storage.Querier) error {
		return q.QueryRow(m.t.Context(), "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM shop.pabal_outbox_id").Scan(&n)
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}

// restart ends the worker, and another one takes the connector over.
func (m *moving) restart() {
	m.t.Helper()
	if err := m.server.Stop(context.Background()); err != nil {
		m.t.Fatal(err)
	}
	s, err := connectors.Start(m.t.Context(), connectors.Config{Kafka: m.cluster.Config, Listen: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		m.t.Fatal(err)
	}
	m.server = s
}

// TestOutboxWithoutRows: messages of the log alone are published as rows are, rolled back ones are not,
// and there are no rows.
func TestOutboxWithoutRows(t *testing.T) {
	m := newMoving(t)
	m.run()
	m.sweeperOf(outbox.ByMessage)
	m.awaitWay(outbox.ByMessage)
	events := variousEvents()
	m.enqueue(events[:2]...)
	failed := errors.New("failed")
	err := m.db.Update(t.Context(), func(tx storage.Tx) error {
		return errors.Join(outbox.EnqueueTo(t.Context(), tx, "orders", event.New("placed", "k", 1)), failed)
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	m.enqueue(events[2])
	m.enqueue(events[3])
	m.wantAsOfRelay(events...)
	if n := m.ids(); n != 0 {
		t.Errorf("the outbox has had %d rows", n)
	}
}

// TestRowlessOutboxMoves: an outbox goes from a relay to one without rows, to rows and back, and to the relay,
// while writers write and the connector's connection, its worker and sweepers end. Every message is
// published once, and those of each key are in order.
func TestRowlessOutboxMoves(t *testing.T) {
	m := newMoving(t)
	killRelay := m.relay()
	m.write()
	m.more()
	m.to(outbox.ByCapture)
	m.run()
	killRelay()
	stopSweeper := m.sweeperOf(outbox.ByMessage)
	m.awaitWay(outbox.ByMessage)
	m.more()
	m.cut()
	m.more()
	m.restart()
	m.more()
	stopSweeper()
	stopSweeper = m.sweeper()
	if way := m.way(); way != outbox.ByCapture {
		t.Errorf("with a sweeper of rows the outbox leaves by %s", way)
	}
	m.more()
	stopSweeper()
	stopSweeper = m.sweeperOf(outbox.ByMessage)
	m.awaitWay(outbox.ByMessage)
	m.more()
	m.cut()
	m.to(outbox.ByRelay) // the connector has messages to publish
	m.more()
	stopSweeper()
	killRelay = m.relay()
	m.more()
	m.stop()
	m.writers.Wait()
	testenv.Wait(t, "the outbox to be empty", 2*time.Minute, func() bool { return m.backlog().Started == 0 })
	killRelay()
	m.check()
}

// TestRowlessOutboxNeedsItsSlot: without its replication slot the outbox has rows again, which the
// connector publishes when it is back.
func TestRowlessOutboxNeedsItsSlot(t *testing.T) {
	m := newMoving(t)
	m.run()
	m.sweeperOf(outbox.ByMessage)
	m.awaitWay(outbox.ByMessage)
	m.enqueue(event.New("placed", "0", 0))
	m.records(1)
	if err := m.server.Remove(t.Context(), "shop-outbox"); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the slot to be dropped", 2*time.Minute, func() bool {
		return m.db.Update(t.Context(), func(tx storage.Tx) error {
			_, err := tx.Exec(t.Context(), "SELECT pg_drop_replication_slot($1)", m.config["slot.name"])
			return err
		}) == nil
	})
	m.awaitWay(outbox.ByCapture)
	m.enqueue(event.New("placed", "0", 1))
	if b := m.backlog(); b.Started != 2 { // and what stands behind messages
		t.Errorf("the outbox has %+v", b)
	}
	m.run()
	m.awaitWay(outbox.ByMessage)
	m.enqueue(event.New("placed", "0", 2))
	m.written.Store(3)
	m.records(3)
	m.check()
}
