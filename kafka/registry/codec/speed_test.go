package codec_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

type item struct {
	ProductID string `json:"productId" avro:"productId"`
	Quantity  int64  `json:"quantity" avro:"quantity"`
}

type changed struct {
	OrderID    string    `json:"orderId" avro:"orderId"`
	CustomerID string    `json:"customerId" avro:"customerId"`
	Items      []item    `json:"items" avro:"items"`
	Price      int64     `json:"price" avro:"price"`
	Status     string    `json:"status" avro:"status"`
	Reason     string    `json:"reason,omitempty" avro:"reason"`
	ChangedAt  time.Time `json:"changedAt" avro:"changedAt,timestamp-micros"`
}

func anOrder() changed {
	const id = "0199f0c2-6a3e-7c11-9f5c-3a5be1d2c4e8"
	return changed{id, id, []item{{id, 2}, {id, 1}}, 12_50, "PENDING", "", time.UnixMicro(1_700_000_000_123_456).UTC()}
}

// orders is a codec that has written one already.
func orders(t testing.TB) (*codec.Codec[changed], []byte) {
	s := must[*codec.Codec[changed]](t)(codec.Avro[changed](codec.Config{Registry: fake(t, nil, client.Registered{})})).Schema()
	known := client.Registered{Subject: "orders-value", Version: 1, ID: 1, Schema: s}
	c := must[*codec.Codec[changed]](t)(codec.Avro[changed](codec.Config{Registry: fake(t, map[int]client.Schema{1: s}, known)}))
	return c, must[[]byte](t)(c.Encode(t.Context(), "orders", anOrder()))
}

// TestAllocations: little is allocated but what the value, or its bytes, need, which is one and four
// times. The race detector lets a part of what is to be used again go.
func TestAllocations(t *testing.T) {
	c, b := orders(t)
	v := anOrder()
	for name, test := range map[string]struct {
		most float64
		do   func() error
	}{
		"encode": {4, func() error { _, err := c.Encode(t.Context(), "orders", v); return err }},
		"decode": {8, func() error { _, err := c.Decode(t.Context(), b); return err }},
	} {
		got := testing.AllocsPerRun(1000, func() {
			if err := test.do(); err != nil {
				t.Fatal(err)
			}
		})
		if got > test.most {
			t.Errorf("%s: %v allocations, want at most %v", name, got, test.most)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	c, _ := orders(b)
	v := anOrder()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Encode(b.Context(), "orders", v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	c, data := orders(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Decode(b.Context(), data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeJSON(b *testing.B) {
	v := anOrder()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(&v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeJSON(b *testing.B) {
	data := must[[]byte](b)(json.Marshal(anOrder()))
	b.ReportAllocs()
	for b.Loop() {
		var v changed
		if err := json.Unmarshal(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}
