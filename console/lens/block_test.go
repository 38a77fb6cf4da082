package lens

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
)

// randomEntry has odd texts and times, too.
func randomEntry(r *rand.Rand) entry {
	texts := []string{"", "a", "주문", event.NewID(), event.NewID(), "0197A1B2-0000-7000-8000-000000000000", "with\nline", string(make([]byte, 300))}
	text := func() string { return texts[r.IntN(len(texts))] }
	e := entry{
		topic: text(), partition: int32(r.Uint32()), offset: r.Int64(), at: r.Int64() - r.Int64(), id: text(), typ: text(),
		source: text(), key: text(), subject: text(), correlation: text(), causation: text(), time: r.Int64() - r.Int64(), redriven: text(),
	}
	if r.IntN(2) == 0 {
		e.seen = e.at + int64(r.IntN(1000)) + 1
	}
	if r.IntN(3) == 0 {
		e.death = &death{consumer: text(), outbox: text(), row: r.Int64(), topic: text(), partition: 3, offset: -1, attempts: r.IntN(9), at: r.Int64(), reason: text()}
	}
	return e
}

func seeded(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func TestBlockRoundTrip(t *testing.T) {
	r := seeded(t)
	for n := range 50 {
		want := make([]entry, n)
		for i := range want {
			want[i] = randomEntry(r)
		}
		got, err := decode(encode(want))
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("%d entries: got %+v, want %+v", n, got, want)
		}
	}
}

// TestDamagedBlock: an error, never a panic or much memory.
func TestDamagedBlock(t *testing.T) {
	r := seeded(t)
	entries := []entry{randomEntry(r), randomEntry(r), randomEntry(r)}
	whole := encode(entries)
	for i := range whole {
		if _, err := decode(whole[:i]); err == nil {
			t.Fatalf("cut at byte %d: no error", i)
		}
		broken := bytes.Clone(whole)
		broken[i] ^= byte(1 + r.IntN(255))
		_, _ = decode(broken) // may be another valid one
	}
}

func TestBlockIsSmall(t *testing.T) {
	entries := typical(4096)
	perEvent := float64(len(encode(entries))+len(newFilter(entries))) / float64(len(entries))
	if t.Logf("%.1f bytes an event", perEvent); perEvent > entryBytes {
		t.Errorf("an event takes %.1f bytes, more than the %d that are expected", perEvent, entryBytes)
	}
}

// typical are events as the example's services send them: eight of a transaction.
func typical(n int) []entry {
	out := make([]entry, n)
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC).UnixMicro()
	var correlation, key, last string
	for i := range out {
		if i%8 == 0 {
			correlation, key, last = event.NewID(), event.NewID(), ""
		}
		id := event.NewID()
		if i%8 == 0 {
			id = correlation
		}
		at += 80
		out[i] = entry{
			topic: fmt.Sprintf("topic-%d", i%8), partition: int32(i % 4), offset: int64(i * 2), at: at, seen: at + 900,
			id: id, typ: fmt.Sprintf("topic-%d", i%8), source: "/orders/order", key: key, correlation: correlation, causation: last, time: at,
		}
		last = id
	}
	return out
}

func TestFilter(t *testing.T) {
	entries := typical(4096)
	f := newFilter(entries)
	for _, e := range entries {
		if !f.has(e.id) || !f.has(e.key) || !f.has(e.correlation) {
			t.Fatalf("the filter denies %+v", e)
		}
	}
	wrong := 0
	const looks = 20_000
	for range looks {
		if f.has(event.NewID()) {
			wrong++
		}
	}
	if wrong > looks/100 {
		t.Errorf("the filter is wrong %d times of %d", wrong, looks)
	}
	if newFilter(nil).has("x") {
		t.Error("an empty filter has something")
	}
}
