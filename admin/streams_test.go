package admin_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testenv/countservice"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestStreamsOfAService asks two instances over HTTP, each of which has a part.
func TestStreamsOfAService(t *testing.T) {
	cluster := kafkatest.Start(t).Config
	countservice.MakeTopics(t, cluster)
	noon := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	for n := range 10 {
		countservice.Visit(t, cluster, fmt.Sprintf("page/%d", n), n+1, noon)
	}
	countservice.Title(t, cluster, "page/1", "One")
	one := countservice.Start(t, cluster, "one", t.TempDir(), true)
	one.Await("page/9", 10)
	two := countservice.Start(t, cluster, "two", t.TempDir(), true)
	first, second := client(t, admin.ClientConfig{URL: one.URL}), client(t, admin.ClientConfig{URL: two.URL})
	testenv.Wait(t, "both to have tasks", countservice.Timeout, func() bool {
		return runningTasks(t, first) > 0 && runningTasks(t, second) > 0 && runningTasks(t, first)+runningTasks(t, second) == 2*countservice.Partitions
	})
	for n := range 10 { // whoever has it
		one.Await(fmt.Sprintf("page/%d", n), int64(n+1))
		two.Await(fmt.Sprintf("page/%d", n), int64(n+1))
	}
	checkStreamsStatus(t, first)
	checkStreamsTopology(t, second)
	checkStoreQueries(t, first, noon)
	checkPause(t, first, second)
}

func streamsOf(t *testing.T, c *admin.Client) admin.StreamsStatus {
	t.Helper()
	s, err := c.Status(t.Context())
	if err != nil || len(s.Streams) != 1 {
		t.Fatalf("%+v, %v", s.Streams, err)
	}
	return s.Streams[0]
}

func runningTasks(t *testing.T, c *admin.Client) (n int) {
	t.Helper()
	for _, task := range streamsOf(t, c).Tasks {
		if task.State == "running" {
			n++
		}
	}
	return n
}

func checkStreamsStatus(t *testing.T, c *admin.Client) {
	t.Helper()
	s := streamsOf(t, c)
	if s.Application != countservice.Application || s.State != "RUNNING" || s.Problem != "" || s.Workers != 1 || s.Records == 0 || s.Commits == 0 || s.MemoryLimit == 0 {
		t.Errorf("%+v", s)
	}
	if len(s.Globals) != 1 || s.Globals[0].Store != countservice.Pages || s.Globals[0].Keys != 1 {
		t.Errorf("globals: %+v", s.Globals)
	}
	stores := 0
	for _, task := range s.Tasks {
		if stores += len(task.Stores); len(task.Inputs) == 0 || task.Lag != 0 {
			t.Errorf("%+v", task)
		}
	}
	if stores == 0 || len(s.Nodes) == 0 {
		t.Errorf("%d stores, nodes %+v", stores, s.Nodes)
	}
}

func checkStreamsTopology(t *testing.T, c *admin.Client) {
	t.Helper()
	topology, err := c.StreamsTopology(t.Context(), countservice.Application)
	if err != nil || !strings.Contains(topology.Description, "Sub-topology: 1") || len(topology.Graph.Stores) != 3 || len(topology.Stores) != 3 {
		t.Fatalf("%+v, %v", topology, err)
	}
	for _, s := range topology.Stores {
		if want := map[bool]int{false: countservice.Partitions, true: 1}[s.Global]; len(s.Places) != want || s.Places[0].Active == nil {
			t.Errorf("%+v", s)
		}
	}
	if _, err := c.StreamsTopology(t.Context(), "other"); !errors.Is(err, admin.ErrNotFound) || !strings.Contains(err.Error(), `"other"`) {
		t.Errorf("other: %v", err)
	}
}

func checkStoreQueries(t *testing.T, c *admin.Client, noon time.Time) {
	t.Helper()
	ask := func(store string, q admin.StoreQuery) (admin.StorePage, error) {
		q.Application, q.Store = countservice.Application, store
		return c.QueryStore(t.Context(), q)
	}
	key := func(s string) *string { return &s }
	for _, tt := range []struct {
		store string
		q     admin.StoreQuery
		want  string
	}{
		{countservice.Totals, admin.StoreQuery{Key: key("page/3")}, `"page/3"=4`},
		{countservice.Pages, admin.StoreQuery{Key: key("page/1")}, `"page/1"="One"`},
		{countservice.Minutes, admin.StoreQuery{Key: key("page/3")}, `"page/3"=4@12:00-12:01`},
		{countservice.Minutes, admin.StoreQuery{Key: key("page/3"), TimeFrom: noon.Format(time.RFC3339)}, ``},
		{countservice.Minutes, admin.StoreQuery{Key: key("page/3"), TimeTo: "1"}, ``},
	} {
		if page, err := ask(tt.store, tt.q); err != nil || entriesOf(page) != tt.want || page.Next != "" {
			t.Errorf("%s %+v: %s, %v, want %s", tt.store, tt.q, entriesOf(page), err, tt.want)
		}
	}
	seen, q := map[string]bool{}, admin.StoreQuery{Prefix: "page/", Limit: 3}
	for more := true; more; more = q.Cursor != "" {
		page, err := ask(countservice.Totals, q)
		if err != nil || len(page.Entries) > 3 {
			t.Fatalf("%+v, %v", page, err)
		}
		for _, e := range page.Entries {
			seen[string(e.Key)] = true
		}
		q.Cursor = page.Next
	}
	if len(seen) != 10 {
		t.Errorf("pages of three: %v", seen)
	}
	if page, err := ask(countservice.Totals, admin.StoreQuery{From: "page/4", To: "page/5"}); err != nil || len(page.Entries) != 2 {
		t.Errorf("from 4 to 5: %s, %v", entriesOf(page), err)
	}
	for _, tt := range []struct {
		store string
		q     admin.StoreQuery
		want  error
		says  string
	}{
		{"nothing", admin.StoreQuery{Key: key("a")}, admin.ErrNotFound, "nothing"},
		{countservice.Totals, admin.StoreQuery{Key: key("a")}, admin.ErrNotFound, `no key "a"`},
		{countservice.Totals, admin.StoreQuery{Key: key("..")}, admin.ErrNotFound, `no key ".."`},
		{countservice.Totals, admin.StoreQuery{Key: key("")}, admin.ErrInvalid, "empty"},
		{countservice.Totals, admin.StoreQuery{Key: key("a"), Prefix: "a"}, admin.ErrInvalid, "either"},
		{countservice.Totals, admin.StoreQuery{From: "a", Prefix: "a"}, admin.ErrInvalid, "either"},
		{countservice.Totals, admin.StoreQuery{Limit: 1001}, admin.ErrInvalid, "1001"},
		{countservice.Totals, admin.StoreQuery{Cursor: "???"}, admin.ErrInvalid, "cursor"},
		{countservice.Minutes, admin.StoreQuery{TimeFrom: "noon"}, admin.ErrInvalid, "noon"},
		{"", admin.StoreQuery{}, admin.ErrInvalid, "store"},
	} {
		if _, err := ask(tt.store, tt.q); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s %+v: %v, want %v and %q", tt.store, tt.q, err, tt.want, tt.says)
		}
	}
}

func entriesOf(p admin.StorePage) string {
	var all []string
	for _, e := range p.Entries {
		text := fmt.Sprintf("%s=%s", e.Key, e.Value)
		if e.WindowStart != nil {
			text += "@" + time.UnixMilli(*e.WindowStart).UTC().Format("15:04") + "-" + time.UnixMilli(*e.WindowEnd).UTC().Format("15:04")
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func checkPause(t *testing.T, first, second *admin.Client) {
	t.Helper()
	if err := first.PauseStreams(t.Context(), countservice.Application); err != nil {
		t.Fatal(err)
	}
	if a, b := streamsOf(t, first).Paused, streamsOf(t, second).Paused; !a || b {
		t.Errorf("paused: %v and %v", a, b)
	}
	if err := first.ResumeStreams(t.Context(), countservice.Application); err != nil || streamsOf(t, first).Paused {
		t.Errorf("resumed: %v", err)
	}
	if err := first.PauseStreams(t.Context(), "other"); !errors.Is(err, admin.ErrNotFound) {
		t.Errorf("other: %v", err)
	}
}

// TestWithoutStreams: a service without applications says so.
func TestWithoutStreams(t *testing.T) {
	c := client(t, admin.ClientConfig{URL: serve(t, whole(), admin.HandlerConfig{})})
	if _, err := c.QueryStore(t.Context(), admin.StoreQuery{Application: "a", Store: "s"}); !errors.Is(err, admin.ErrNotFound) || !strings.Contains(err.Error(), "no stream processing") {
		t.Errorf("%v", err)
	}
}
