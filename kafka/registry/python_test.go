package registry_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry"
)

// TestConfluentPython runs Confluent's client for Python, with its serializers for Avro and JSON,
// as it is.
func TestConfluentPython(t *testing.T) {
	folder := testenv.ConfluentPython(t)
	onBoth(t, func(t *testing.T, cfg kafka.Config) {
		s := start(t, registry.Config{Kafka: cfg})
		topic := cfg.Topic("orders")
		client, err := kafka.NewClient(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := kafka.EnsureTopics(t.Context(), client, cfg, kafka.Topic{Name: "orders", Partitions: 1}); err != nil {
			t.Fatal(err)
		}
		out := testenv.Output(t, "python3", "testdata/confluent.py", folder, s.url, cfg.Brokers[0], topic)
		want := `{
			"header": [0, 0, 0, 0, 1],
			"read": {"id": "6f1f2bd3-1c2e-4a39-9f0a-0a8a5c3c2b11", "total": "12.50", "note": "None", "rank": "7"},
			"latest": 1, "versions": [1, 2], "pinned": [0, 0, 0, 0, 2],
			"incompatible": [409, 409], "compatible": true,
			"person": {"name": "Ada"}, "user": {"home": {"city": "Jeonju"}},
			"referenced": [422, 42206], "config": "FULL_TRANSITIVE",
			"subjects": ["address", "TOPIC-people-value", "TOPIC-value", "users-value"],
			"deleted": [1], "gone": [404, 40401], "missing": [404, 40403]
		}`
		same(t, out, strings.ReplaceAll(want, "TOPIC", topic))
	})
}

func same(t *testing.T, got, want string) {
	t.Helper()
	var a, b map[string]any
	unmarshal(t, got, &a)
	unmarshal(t, want, &b)
	for name := range b {
		x, _ := json.Marshal(a[name])
		y, _ := json.Marshal(b[name])
		if string(x) != string(y) {
			t.Errorf("%s: %s, want %s", name, x, y)
		}
	}
}
