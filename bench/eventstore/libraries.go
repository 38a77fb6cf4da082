package eventstore

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hallgren/eventsourcing/core"
	hallgrensql "github.com/hallgren/eventsourcing/eventstore/sql"
	_ "github.com/jackc/pgx/v5/stdlib" // hallgren's store takes any driver
	goesstore "github.com/modernice/goes/backend/postgres"
	goesevent "github.com/modernice/goes/event"
)

// goes is modernice/goes. Its encoding passes the bytes through.
type goes struct {
	store *goesstore.EventStore
	ids   []uuid.UUID
}

type raw struct{}

func (raw) Marshal(v any) ([]byte, error)                { return v.([]byte), nil }
func (raw) Unmarshal(data []byte, _ string) (any, error) { return data, nil }

func openGoes(ctx context.Context, where string, a appending) (store, error) {
	u, err := url.Parse(where)
	if err != nil {
		return nil, err
	}
	query := u.Query()
	query.Set("pool_max_conns", strconv.Itoa(a.connections))
	u.RawQuery = query.Encode()
	g := &goes{store: goesstore.NewEventStore(raw{}, goesstore.URL(u.String()), goesstore.Database(strings.TrimPrefix(u.Path, "/")))}
	for range a.entities {
		g.ids = append(g.ids, uuid.New())
	}
	return g, g.store.Connect(ctx)
}

func (g *goes) append(ctx context.Context, entity int, seqNr int64, payload []byte) error {
	e := goesevent.New[any]("added", payload, goesevent.Aggregate(g.ids[entity], "cart", int(seqNr)))
	return g.store.Insert(ctx, e.Any())
}

func (g *goes) count(ctx context.Context) (n int64, err error) {
	err = g.store.Pool().QueryRow(ctx, "SELECT count(*) FROM events").Scan(&n)
	return n, err
}

func (g *goes) close() error {
	g.store.Pool().Close()
	return nil
}

// hallgren is hallgren/eventsourcing.
type hallgren struct {
	db    *sql.DB
	store *hallgrensql.Postgres
}

func openHallgren(_ context.Context, where string, a appending) (store, error) {
	db, err := sql.Open("pgx", where)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(a.connections)
	db.SetMaxIdleConns(a.connections)
	s, err := hallgrensql.NewPostgres(db)
	return &hallgren{db, s}, err
}

func (h *hallgren) append(_ context.Context, entity int, seqNr int64, payload []byte) error {
	return h.store.Save([]core.Event{{
		AggregateID: fmt.Sprint(entity), AggregateType: "cart", Version: core.Version(seqNr), Timestamp: time.Now(), Reason: "added", Data: payload,
	}})
}

func (h *hallgren) count(ctx context.Context) (n int64, err error) {
	err = h.db.QueryRowContext(ctx, "SELECT count(*) FROM events").Scan(&n)
	return n, err
}

func (h *hallgren) close() error { return h.db.Close() }
