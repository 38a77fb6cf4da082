package pages_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/pages"
)

// TestBrokerPage: in plain words what is safe, and what somebody should look at.
func TestBrokerPage(t *testing.T) {
	s := newSite(fake{}, "", false, 0)
	_, body := s.page(t, "/broker", api.Viewer, 200)
	says(t, body, "survives a kill and a power cut", "98,765", "1 for long", "3.0 MiB freed", "9.0 MiB", "opened in 12 ms", "117 bytes at the end were torn", "shop.orders", "/var/lib/pabal/broker", "2 h 0 min",
		`href="/broker/topics/shop.orders"`, `href="/groups"`, "3 refused", "5.0 GiB", "6.0 GiB", "<td>Produce</td><td class=\"num\">56,789</td></tr><tr><td>Fetch</td><td class=\"num\">1,234</td></tr><tr><td>Metadata</td>")
	for durability, text := range map[string]string{"os": "but not a power cut", "memory": "everything is gone when this process ends"} {
		_, body := brokerWith(func(b *api.BrokerState) { b.Durability, b.DataDir = durability, "" }).page(t, "/broker", api.Viewer, 200)
		says(t, body, text, "none: in memory")
	}
}

// brokerWith has the state of the broker be another.
func brokerWith(change func(*api.BrokerState)) site {
	return newSite(fake{change: func(v reflect.Value) reflect.Value {
		if b, ok := v.Interface().(api.BrokerState); ok {
			change(&b)
			return reflect.ValueOf(b)
		}
		return v
	}}, "", false, 0)
}

// TestBrokerFailed: what has stopped is said on its page and on the first one.
func TestBrokerFailed(t *testing.T) {
	s := brokerWith(func(b *api.BrokerState) {
		b.Failed, b.FailedPartitions, b.Compaction.Error = "sync: input/output error", 2, "disk full"
	})
	_, body := s.page(t, "/broker", api.Viewer, 200)
	says(t, body, "Nothing more is acknowledged", "sync: input/output error", "2 partitions failed", "Compaction does not go on", "disk full", "failed</span>")
	_, body = s.page(t, "/", api.Viewer, 200)
	says(t, body, "The broker acknowledges nothing more", "sync: input/output error", "2 partitions failed")
	_, body = brokerWith(func(b *api.BrokerState) { b.Warnings, b.Largest = nil, nil }).page(t, "/broker", api.Viewer, 200)
	says(t, body, "Nothing was torn or damaged", "There is no topic yet")
}

func TestBrokerTopicsPage(t *testing.T) {
	_, body := newSite(fake{}, "", false, 0).page(t, "/broker/topics?search=o&internal=true", api.Viewer, 200)
	says(t, body, "shop.orders", "compact,delete", "3.0 MiB", "1.0 MiB", "no space left on device", "internal</span>", "cursor=more", "2 topics in all")
}

// TestBrokerTopicPage has the segments of the partition that is asked for.
func TestBrokerTopicPage(t *testing.T) {
	s := newSite(fake{}, "", false, 0)
	_, body := s.page(t, "/broker/topics/shop.orders", api.Viewer, 200)
	says(t, body, "Segments of partition 0", "compacted</span>", "active</span>", "4,711", "segment.bytes=1048576", `href="/broker/topics/shop.orders?partition=1"`, `href="/topics/shop.orders?tab=config"`)
	_, body = s.page(t, "/broker/topics/shop.orders?partition=1", api.Viewer, 200)
	says(t, body, "Segments of partition 1")
	if strings.Contains(body, "compacted</span>") {
		t.Error("segments of another partition are shown")
	}
	_, body = s.page(t, "/broker/topics/shop.orders?partition=2", api.Viewer, 200)
	says(t, body, "It has no such partition")
	s.page(t, "/broker/topics/shop.orders?partition=x", api.Viewer, 400)
}

func TestBrokerTransactionsPage(t *testing.T) {
	_, body := newSite(fake{}, "", false, 0).page(t, "/broker/transactions", api.Viewer, 200)
	says(t, body, "shop.relay-1", "1 min 5 s", "shop.orders-0, shop.paid-1", "none yet", "15 min 0 s", "PrepareCommit")
	if strings.Count(body, `class="badge warn"`) != 1 {
		t.Error("the long one is not marked, or others are")
	}
	none := newSite(fake{change: func(v reflect.Value) reflect.Value {
		if _, ok := v.Interface().(api.Page[api.BrokerTransaction]); ok {
			return empty(v)
		}
		return v
	}}, "", false, 0)
	_, body = none.page(t, "/broker/transactions", api.Viewer, 200)
	says(t, body, "No transaction is open")
}

// TestBrokerElsewhere: the pages say so, and what there is of another broker.
func TestBrokerElsewhere(t *testing.T) {
	engines := fake{}.engines()
	engines.Broker = nil
	s := site{pages.New(pages.Config{Engines: engines}), "", true}
	_, body := s.page(t, "/broker", api.Viewer, 200)
	says(t, body, "not in this process", "h:9092", `href="/topics"`, `href="/groups"`)
	for _, path := range []string{"/broker/topics", "/broker/transactions"} {
		_, body := s.page(t, path, api.Viewer, 200)
		says(t, body, "not in this process")
	}
	_, body = s.page(t, "/broker/topics/x", api.Viewer, 404)
	says(t, body, "no part of this process")
}
