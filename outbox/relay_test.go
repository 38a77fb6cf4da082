package outbox

import (
	"fmt"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

func TestRelayPublishesInOrderAndRemoves(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	var want []Message
	for i := range 300 {
		m := message("orders", fmt.Sprint("k", i%7), i)
		want = append(want, m)
		store.enqueue(m)
	}
	config := fast()
	config.BatchRows, config.Metrics = 40, metrics.NewSet()
	r := startRelay(t, store, cluster, config)
	readTopics(t, cluster, "orders").expect(t, want...)
	eventually(t, "empty outbox", func() bool { return store.started() == 0 })
	if s := r.Stats(); s.Published != 300 || s.State != Active || r.Health() != nil {
		t.Errorf("stats %+v, health %v", s, r.Health())
	}
	var text strings.Builder
	config.Metrics.WritePrometheus(&text)
	if !strings.Contains(text.String(), `pabal_outbox_published_total{outbox="outbox"} 300`) {
		t.Errorf("metrics:\n%s", text.String())
	}
	if _, err := NewRelay(store, cluster, config); err != nil { // takes the metrics over
		t.Error(err)
	}
	late := message("orders", "k1", 1000)
	store.enqueue(late)
	readTopics(t, cluster, "orders").expect(t, append(want, late)...)
}

func TestRelayFinishesWhatIsUnderWay(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	r := startRelay(t, store, cluster, fast())
	var want []Message
	for i := range 50 {
		want = append(want, message("orders", "k", i))
	}
	store.enqueue(want...)
	eventually(t, "something published", func() bool { return r.Stats().Published > 0 })
	stopRelay(t, r)
	if n := store.started(); n != 0 {
		t.Errorf("%d published rows not removed", n)
	}
	if store.held {
		t.Error("the lease was not given up")
	}
	readTopics(t, cluster, "orders").expect(t, want...)
}

func TestOversizedRowWaitsWithItsKeyOnly(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	var want []Message
	for i := range 60 {
		m := message("orders", fmt.Sprint("k", i%5), i)
		if i == 22 { // of key k2
			m = Message{Topic: "orders", Event: m.Event}
			m.Payload = []byte(`"` + strings.Repeat("x", 2<<20) + `"`)
		} else {
			want = append(want, m)
		}
		store.enqueue(m)
	}
	r := startRelay(t, store, cluster, fast())
	readTopics(t, cluster, "orders").expect(t, want...)
	letters := readTopics(t, cluster, "outbox.dead-letters")
	eventually(t, "a dead letter", func() bool { return letters.count() == 1 })
	eventually(t, "FAILED", func() bool { b, _ := store.Backlog(t.Context()); return b.Failed == 1 && b.Started == 0 })
	records, events := letters.all()
	if e := events[0]; e.Headers[HeaderTopic] != "orders" || e.Headers[HeaderAttempts] != "5" || e.Headers[HeaderRow] != "23" ||
		e.Headers[HeaderLeftOut] != "value" || len(e.Payload) != 0 || e.Key != "k2" || !strings.Contains(e.Headers[HeaderError], "MESSAGE_TOO_LARGE") {
		t.Errorf("dead letter %+v of %v", e.Headers, records[0].Key)
	}
	if s := r.Stats(); s.Refused != 5 || s.Failed != 1 {
		t.Errorf("stats %+v", s)
	}
}
