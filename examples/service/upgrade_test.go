package service_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/storage"
)

// The first release of what a till says. The second one has no note, says where it was, and calls
// cents amount. It keeps cents for those who read the first one.
type (
	soldFirst struct {
		Item  string `json:"item" avro:"item"`
		Cents int64  `json:"cents" avro:"cents"`
		Note  string `json:"note" avro:"note"`
	}
	soldSecond struct {
		Item   string `json:"item" avro:"item"`
		Amount int64  `json:"cents" avro:"amount"`
		Shop   string `json:"shop" avro:"shop"`
	}
)

const (
	first = `{"type": "record", "name": "Sold", "fields": [{"name": "item", "type": "string"},
		{"name": "cents", "type": "long", "default": -1}, {"name": "note", "type": "string", "default": "none"}]}`
	second = `{"type": "record", "name": "Sold", "fields": [{"name": "item", "type": "string"},
		{"name": "amount", "type": "long", "aliases": ["cents"]}, {"name": "shop", "type": "string", "default": "main"}]}`
	breaking = `{"type": "record", "name": "Sold", "fields": [{"name": "item", "type": "string"},
		{"name": "amount", "type": "long", "aliases": ["cents"]}, {"name": "shop", "type": "string"}]}`
)

// till writes what it is told over REST, books keep what they read of it. sold makes what is written,
// read what is kept.
func shop[T any](schema string, sold func(item string) T, read func(T) string) service.System {
	schemas := map[string]service.Schema{"sold": service.SchemaOf[T](schema)}
	migrations := fstest.MapFS{"0001_sold.sql": {Data: []byte(`CREATE TABLE sold (item TEXT PRIMARY KEY, text TEXT NOT NULL)`)}}
	till := service.Definition{
		System: "shop", Name: "till", Codec: service.CodecAvro, Schemas: schemas, Migrations: migrations, Produces: []string{"sold"},
		Build: func(service.Env) (service.Parts, error) {
			return service.Parts{Routes: func(env service.Env, r *service.Router) {
				r.Handle("POST /sold/{item}", func(ctx context.Context, q *http.Request) (service.Response, error) {
					item := q.PathValue("item")
					err := env.Update(ctx, func(tx storage.Tx) error {
						if _, err := tx.Exec(ctx, `INSERT INTO sold (item, text) VALUES ($1, '')`, item); err != nil {
							return err
						}
						return env.Send(ctx, tx, "sold", env.Event("sold", "till", sold(item)))
					})
					return service.Response{Status: http.StatusCreated}, err
				})
			}}, nil
		},
	}
	books := service.Definition{
		System: "shop", Name: "books", Codec: service.CodecAvro, Schemas: schemas, Migrations: migrations, Consumes: []string{"sold"},
		Build: func(env service.Env) (service.Parts, error) {
			keep := func(ctx context.Context, tx storage.Tx, m inbox.Message) error {
				s, err := service.Payload[T](env, m.Event)
				if err != nil {
					return err
				}
				item, text, _ := strings.Cut(read(s), " ")
				_, err = tx.Exec(ctx, `INSERT INTO sold (item, text) VALUES ($1, $2)`, item, text)
				return err
			}
			return service.Parts{Handlers: map[string]inbox.Handler[storage.Tx]{env.Topic("sold"): keep}, Routes: func(service.Env, *service.Router) {}}, nil
		},
	}
	return service.System{Name: "shop", Definitions: []service.Definition{till, books}}
}

func firstShop() service.System {
	return shop(first, func(item string) soldFirst { return soldFirst{item, 7, "a note"} },
		func(s soldFirst) string { return fmt.Sprintf("%s cents=%d note=%s", s.Item, s.Cents, s.Note) })
}

func secondShop(schema string) service.System {
	return shop(schema, func(item string) soldSecond { return soldSecond{item, 8, "harbour"} },
		func(s soldSecond) string { return fmt.Sprintf("%s amount=%d shop=%s", s.Item, s.Amount, s.Shop) })
}

// TestRollingUpgrade: old and new tills write, in Avro and in JSON, and old and new books read, at the
// same time. A field that was added has its default, one that was removed, too, and one that was
// renamed is found by its alias.
func TestRollingUpgrade(t *testing.T) {
	old := systemtest.New(t, systemtest.Embedded, firstShop())
	at, _ := systemtest.Registry(t, old.Kafka)
	avro, plain := systemtest.Writes(service.CodecAvro, at), systemtest.Writes(service.CodecJSON, at)
	given := systemtest.Backend{Name: "given", Start: func(testing.TB) (kafka.Config, func(string) string) { return old.Kafka, systemtest.Files(t) }}
	next := systemtest.New(t, given, secondShop(second))

	inGroup := func(name string) func(*service.Config) { return func(c *service.Config) { c.Group = name } }
	old.Start("books", plain, inGroup("books-old"))
	next.Start("books", avro, inGroup("books-next"))
	old.Start("till", avro)
	old.Must(201, "POST", "till", "/sold/by-old", nil)
	next.Start("till", avro)
	next.Must(201, "POST", "till", "/sold/by-next", nil)
	old.Must(201, "POST", "till", "/sold/by-old-again", nil)
	old.Stop("till")
	next.Stop("till")
	next.Start("till", plain)
	next.Must(201, "POST", "till", "/sold/in-json", nil)

	for _, want := range []struct {
		s    *systemtest.System
		kept map[string]string
	}{
		{old, map[string]string{
			"by-old": "cents=7 note=a note", "by-old-again": "cents=7 note=a note",
			"by-next": "cents=-1 note=none", // what nobody writes any more
			"in-json": "cents=8 note=",
		}},
		{next, map[string]string{
			"by-old": "amount=7 shop=main", "by-old-again": "amount=7 shop=main",
			"by-next": "amount=8 shop=harbour", "in-json": "amount=8 shop=harbour",
		}},
	} {
		for item, text := range want.kept {
			var got string
			want.s.Wait("the books to have "+item, func() bool { got = kept(t, want.s, item); return got != "" })
			if got != text {
				t.Errorf("%s: %q, want %q", item, got, text)
			}
		}
	}
}

// TestBreakingChange: a schema that would break readers is refused with the reason, where the service
// starts and, without that, where the event is stored: nothing of the transaction is there then.
func TestBreakingChange(t *testing.T) {
	old := systemtest.New(t, systemtest.Embedded, firstShop())
	at, _ := systemtest.Registry(t, old.Kafka)
	old.Start("till", systemtest.Writes(service.CodecAvro, at))
	old.Must(201, "POST", "till", "/sold/before", nil)

	config := service.Config{Listen: "127.0.0.1:0", Database: old.Database("next"), Kafka: old.Kafka, Registry: []string{at}, Logger: systemtest.Log()}
	next, err := secondShop(breaking).New("till", config)
	if err != nil {
		t.Fatal(err)
	}
	if err = next.Start(t.Context()); !errors.Is(err, client.ErrIncompatible) || !strings.Contains(err.Error(), "shop") || !strings.Contains(err.Error(), "sold-value") {
		t.Errorf("a breaking change: %v", err)
	}

	d, err := secondShop(breaking).Find("till")
	if err != nil {
		t.Fatal(err)
	}
	payloads, err := service.NewPayloads(service.PayloadConfig{
		Registry: []string{at}, Codec: service.CodecAvro, Schemas: d.Schemas, Topic: old.Kafka.Topic,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer payloads.Close()
	env := service.Env{DB: old.DB("till"), Payloads: payloads}
	err = env.Update(t.Context(), func(tx storage.Tx) error {
		if _, err := tx.Exec(t.Context(), `INSERT INTO sold (item, text) VALUES ('lost', 'x')`); err != nil {
			return err
		}
		return env.Send(t.Context(), tx, "sold", env.Event("sold", "till", soldSecond{"lost", 1, ""}))
	})
	if !errors.Is(err, event.ErrInvalid) || !errors.Is(err, client.ErrIncompatible) {
		t.Errorf("stored with a breaking schema: %v", err)
	}
	if text := kept(t, old, "lost", "till"); text != "" {
		t.Errorf("the transaction left %q", text)
	}
	old.Must(201, "POST", "till", "/sold/after", nil)
	old.Wait("what the old one sold", func() bool { return len(old.Log("sold")) == 2 })
}

// TestStartWithoutRegistry: a service that knows its schemas from its cache starts and writes Avro; one
// that does not asks again, and says what is missing when its time is up.
func TestStartWithoutRegistry(t *testing.T) {
	s := systemtest.New(t, systemtest.Embedded, firstShop())
	at, stop := systemtest.Registry(t, s.Kafka)
	file := t.TempDir() + "/schemas.json"
	cached := func(c *service.Config) { c.RegistryCache = file }
	s.Start("till", systemtest.Writes(service.CodecAvro, at), cached)
	s.Stop("till")
	stop()
	s.Start("till", systemtest.Writes(service.CodecAvro, at), cached)
	s.Must(201, "POST", "till", "/sold/offline", nil)
	if sold := s.About("sold", "till", 1)[0]; sold.ContentType != "application/vnd.confluent.avro" || len(sold.Payload) == 0 || sold.Payload[0] != 0 {
		t.Errorf("written without the registry: %s %q", sold.ContentType, sold.Payload)
	}
	s.Stop("till")

	ctx, cancel := context.WithCancel(t.Context())
	var asked atomic.Int32
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 2 { // an error that the end of ctx makes would tell nothing of the answer
			cancel()
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer away.Close()
	config := service.Config{Listen: "127.0.0.1:0", Database: s.Database("uncached"), Kafka: s.Kafka, Codec: service.CodecAvro, Registry: []string{away.URL}, Logger: systemtest.Log()}
	uncached, err := firstShop().New("till", config)
	if err != nil {
		t.Fatal(err)
	}
	err = uncached.Start(ctx)
	if err == nil {
		systemtest.Stop(t, uncached)
	}
	if !errors.Is(err, client.ErrUnavailable) || !strings.Contains(err.Error(), "till") || !strings.Contains(err.Error(), "sold-value") || asked.Load() < 2 {
		t.Errorf("without cache and registry, asked %d times: %v", asked.Load(), err)
	}
}

// kept is what a service, the books where none is named, has of an item.
func kept(t *testing.T, s *systemtest.System, item string, name ...string) (text string) {
	t.Helper()
	from := "books"
	for _, from = range name {
	}
	err := s.DB(from).View(t.Context(), func(q storage.Querier) error {
		rows, err := q.Query(t.Context(), `SELECT text FROM sold WHERE item = $1`, item)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&text); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}
