package lens

import (
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

func searchFor(text string) api.TraceQuery {
	return api.TraceQuery{PageQuery: api.PageQuery{Search: text}}
}

func TestSearch(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "orders")
	client := cluster.Client(t)
	l, _ := run(t, cluster.Config, Config{})
	first := event.New("placed", "order-1", 1)
	produce(t, client, "orders", first, event.New("paid", "order-1", 1).CausedBy(first).WithHeader("ce_subject", "invoice-7"))
	var all []event.Event
	for range 5 {
		e := event.New("placed", "order-2", 1)
		all = append(all, e)
		produce(t, client, "orders", e)
	}
	await(t, "the events", func() bool { return l.events(t) == 7 })
	for text, want := range map[string]int{
		"": 6, first.ID: 1, first.ID[:30]: 1, "order-1": 1, "order-": 6, "invoice-7": 1, "invoice": 1, "nothing": 0, "order-2": 5,
	} {
		page, err := l.Search(t.Context(), searchFor(text))
		if err != nil || len(page.Items) < min(want, 1) || len(page.Items) > want || text != first.ID[:30] && len(page.Items) != want {
			t.Errorf("%q: %d transactions, want %d: %v", text, len(page.Items), want, err)
		}
	}
	page, err := l.Search(t.Context(), searchFor("order-1"))
	if err != nil || len(page.Items) != 1 {
		t.Fatal(page, err)
	}
	if s := page.Items[0]; s.CorrelationID != first.ID || s.Key != "order-1" || s.First != "placed" || s.Last != "paid" || s.Events != 2 || s.Begin.IsZero() || s.End.Before(s.Begin) {
		t.Errorf("summary %+v", s)
	}
	trace, err := l.Trace(t.Context(), "order-2")
	if err != nil || trace.CorrelationID != all[4].ID {
		t.Errorf("a key finds %s, %v; want its newest transaction %s", trace.CorrelationID, err, all[4].ID)
	}
}

func TestSearchPages(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "orders")
	l, _ := run(t, cluster.Config, Config{})
	produce(t, cluster.Client(t), "orders", fresh(25)...)
	await(t, "the events", func() bool { return l.events(t) == 25 })
	seen := map[string]bool{}
	q := api.TraceQuery{PageQuery: api.PageQuery{Limit: 10}}
	for pages := 0; ; pages++ {
		page, err := l.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Items {
			seen[s.CorrelationID] = true
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			if pages != 2 || len(seen) != 25 {
				t.Errorf("%d pages, %d transactions", pages+1, len(seen))
			}
			return
		}
	}
}

func TestBadQuestions(t *testing.T) {
	cluster := kafkatest.Start(t)
	l, _ := run(t, cluster.Config, Config{})
	for _, q := range []api.PageQuery{{Limit: -1}, {Limit: 501}, {Cursor: "x"}, {Cursor: "LTE"}, {Search: strings.Repeat("x", 2000)}} {
		if _, err := l.Search(t.Context(), api.TraceQuery{PageQuery: q}); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	for id, want := range map[string]error{"": api.ErrInvalid, strings.Repeat("x", 2000): api.ErrInvalid, "unknown": api.ErrNotFound} {
		if _, err := l.Trace(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", id, err, want)
		}
	}
	if _, err := New(cluster.Config, Config{Topics: Topics{Include: []string{"["}}}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "Topics.Include") {
		t.Errorf("bad pattern: %v", err)
	}
	if _, err := New(cluster.Config, Config{Window: -1}); !errors.Is(err, ErrConfig) {
		t.Errorf("bad window: %v", err)
	}
}
