package browsertest

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

const (
	orderOne = `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"total","type":"int"}]}`
	orderTwo = `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"total","type":"long"},{"name":"note","type":["null","string"],"default":null}]}`
)

// schemaRegistry has two versions of a subject, and a topic with records of the second one.
func schemaRegistry(t *testing.T, k kafka.Config) string {
	t.Helper()
	k.Logger = logger(t)
	r, err := registry.Open(t.Context(), registry.Config{Kafka: k, Logger: k.Logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	server := httptest.NewServer(r.Handler())
	t.Cleanup(server.Close)
	schemas, err := client.New(client.Config{URLs: []string{server.URL}, Logger: k.Logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = schemas.Close() })
	var id int
	for _, text := range []string{orderOne, orderTwo} {
		if id, err = schemas.Register(t.Context(), "orders-value", client.Schema{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := kafka.NewClient(k)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := kafka.EnsureTopics(t.Context(), c, k, kafka.Topic{Name: "orders", Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"\x06o-1\x54\x00", "\x06o-2\x56\x02\x0asoon!", "\x06o"} {
		value = string([]byte{0, 0, 0, 0, byte(id)}) + value
		if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Key: []byte("k"), Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return server.URL
}

// TestSchemasJourney reads decoded records, goes from one to its schema, compares versions, checks
// a change that breaks, and sets a level.
func TestSchemasJourney(t *testing.T) {
	browser := chromium(t)
	cluster := kafkatest.Start(t).Config
	url := startConsole(t, console.Config{Kafka: cluster, Listen: "127.0.0.1:0", Version: "of a test", Logger: logger(t), RegistryURL: schemaRegistry(t, cluster)})
	b := newTab(t, browser, url)
	b.open("/")
	b.keys("gr")
	b.sees("orders-value", "BACKWARD")
	b.open("/topics/orders")
	b.sees(`"note":"soon!"`)
	b.press(".message summary", "o-2")
	b.sees("orders-value, version 2")
	b.picture("schemas-message")
	b.press("main .message[open] a", "orders-value, version 2")
	b.sees("Version 2", "Delete")
	b.press("main .tabs a", "Check a change")
	b.sees("Nothing is registered")
	b.fill("textarea[name=text]", `{"type":"record","name":"Order","fields":[{"name":"id","type":"bytes"},{"name":"total","type":"string"}]}`)
	b.press("main button", "Check it")
	b.sees("It would be refused", "breaks BACKWARD")
	b.picture("schemas-check")
	b.press("main .tabs a", "Settings")
	b.press("main button", "Set it")
	b.press("#confirm button", "Do it")
	b.sees("follows the others again")
	for _, path := range []string{"/schemas", "/schemas/orders-value", "/schemas/orders-value?tab=diff", "/schemas/orders-value?tab=use"} {
		for _, look := range []struct {
			scheme        string
			width, height int64
		}{{"dark", 360, 740}, {"light", 1280, 900}, {"dark", 1280, 900}} {
			b.scheme(look.scheme)
			b.size(look.width, look.height)
			b.open(path)
			b.legible(path, look.scheme)
			b.fits(path, look.width)
			b.picture(fmt.Sprintf("schemas%d-%s-%d", len(path), look.scheme, look.width))
		}
	}
	b.seesAt("/schemas/orders-value?tab=use", "3 of 3 records")
	b.seesAt("/schemas/orders-value?tab=diff", "null or string, default null")
}
