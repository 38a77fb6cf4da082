package console

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// reporter is a broker that counts how often it is asked.
type reporter struct {
	report api.BrokerReport
	asked  int
}

func (r *reporter) Report() api.BrokerReport {
	r.asked++
	return r.report
}

func topicLog(name string, bytes int64, more ...api.BrokerPartition) api.BrokerTopicLog {
	p := api.BrokerPartition{Bytes: bytes, Dirty: bytes / 2, OpenTransactions: 1, Segments: []api.BrokerSegment{{Next: 5, Bytes: bytes}}}
	return api.BrokerTopicLog{BrokerTopic: api.BrokerTopic{Name: name}, Parts: append([]api.BrokerPartition{p}, more...)}
}

// TestBrokerSums: what follows from the parts is added up, and the report is left as it was.
func TestBrokerSums(t *testing.T) {
	r := &reporter{report: api.BrokerReport{
		BrokerState: api.BrokerState{Durability: "fsync", Bytes: 60},
		Logs: []api.BrokerTopicLog{topicLog("b", 10), topicLog("a", 50, api.BrokerPartition{Partition: 1, Problem: "disk full", Bytes: 1}),
			topicLog("c", 1), topicLog("d", 2), topicLog("e", 3), topicLog("f", 4)},
		Open: []api.BrokerTransaction{{ID: "young", Started: at0.Add(-longTransaction + 1)}, {ID: "old", Started: at0.Add(-longTransaction)}},
	}}
	r.report.Logs[2].Internal = true
	e := newBrokerEngine(r)
	now := at0
	e.clock = func() time.Time { return now }
	s, err := e.BrokerState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Durability != "fsync" || s.Bytes != 60 || s.Topics != 6 || s.Partitions != 7 || s.Segments != 6 || s.FailedPartitions != 1 || s.Transactions != 2 || s.LongTransactions != 1 || !s.OldestTransaction.Equal(at0.Add(-longTransaction)) {
		t.Errorf("%+v", s)
	}
	var largest []string
	for _, l := range s.Largest {
		largest = append(largest, l.Name)
	}
	if want := []string{"a", "b", "f", "e", "d"}; !slices.Equal(largest, want) {
		t.Errorf("the largest are %v, want %v", largest, want)
	}
	a, err := e.BrokerTopic(t.Context(), "a")
	if err != nil || a.Bytes != 51 || a.Dirty != 25 || a.BrokerTopic.Partitions != 2 || a.BrokerTopic.Segments != 1 || a.OpenTransactions != 1 || a.Problem != "partition 1: disk full" {
		t.Errorf("%v %+v", err, a)
	}
	if _, err := e.BrokerTopic(t.Context(), "z"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if r.asked != 1 || r.report.Logs[0].Name != "b" || r.report.Logs[0].Bytes != 0 || r.report.Open[0].ID != "young" {
		t.Errorf("asked %d times, and the report is %+v now", r.asked, r.report)
	}
	now = now.Add(reportAge)
	if s, err = e.BrokerState(t.Context()); err != nil || r.asked != 2 || s.LongTransactions != 2 {
		t.Errorf("%v: asked %d times: %+v", err, r.asked, s)
	}
}

// TestBrokerPages: every topic and transaction comes once, page by page.
func TestBrokerPages(t *testing.T) {
	r := &reporter{}
	for i := range 120 {
		r.report.Logs = append(r.report.Logs, topicLog(fmt.Sprintf("topic-%03d", i), 1))
		r.report.Open = append(r.report.Open, api.BrokerTransaction{ID: fmt.Sprintf("tx %03d", i), Started: at0.Add(time.Duration(i/3) * time.Second)})
	}
	r.report.Logs = append(r.report.Logs, api.BrokerTopicLog{BrokerTopic: api.BrokerTopic{Name: "__internal", Internal: true}})
	e := newBrokerEngine(r)
	for _, tt := range []struct {
		what string
		want int
		ask  func(api.PageQuery) (n int, total int64, next string, names []string, err error)
	}{
		{"topics", 120, func(q api.PageQuery) (int, int64, string, []string, error) {
			p, err := e.BrokerTopics(t.Context(), api.TopicQuery{PageQuery: q})
			return len(p.Items), p.Total, p.Next, namesOf(p.Items, func(t api.BrokerTopic) string { return t.Name }), err
		}},
		{"topics with internal ones", 121, func(q api.PageQuery) (int, int64, string, []string, error) {
			p, err := e.BrokerTopics(t.Context(), api.TopicQuery{PageQuery: q, Internal: true})
			return len(p.Items), p.Total, p.Next, namesOf(p.Items, func(t api.BrokerTopic) string { return t.Name }), err
		}},
		{"transactions", 120, func(q api.PageQuery) (int, int64, string, []string, error) {
			p, err := e.BrokerTransactions(t.Context(), q)
			return len(p.Items), p.Total, p.Next, namesOf(p.Items, func(t api.BrokerTransaction) string { return t.ID }), err
		}},
	} {
		seen := map[string]bool{}
		q := api.PageQuery{Limit: 7}
		for {
			n, total, next, names, err := tt.ask(q)
			if err != nil || total != int64(tt.want) || n > 7 {
				t.Fatalf("%s: %v, %d of %d", tt.what, err, n, total)
			}
			for _, name := range names {
				if seen[name] {
					t.Errorf("%s: %s comes twice", tt.what, name)
				}
				seen[name] = true
			}
			if q.Cursor = next; next == "" {
				break
			}
		}
		if len(seen) != tt.want {
			t.Errorf("%s: %d came, want %d", tt.what, len(seen), tt.want)
		}
		if n, total, _, _, err := tt.ask(api.PageQuery{Search: "07"}); err != nil || n != 12 || total != int64(n) {
			t.Errorf("%s with 07: %d of %d, %v", tt.what, n, total, err)
		}
		if n, _, next, _, err := tt.ask(api.PageQuery{Cursor: "zzz"}); err != nil || n != 0 || next != "" {
			t.Errorf("%s after the end: %d, %q, %v", tt.what, n, next, err)
		}
		if n, _, _, _, err := tt.ask(api.PageQuery{}); err != nil || n != defaultPage {
			t.Errorf("%s: %d without a limit, %v", tt.what, n, err)
		}
		for _, bad := range []int{-1, maxPage + 1} {
			if _, _, _, _, err := tt.ask(api.PageQuery{Limit: bad}); !errors.Is(err, api.ErrInvalid) {
				t.Errorf("%s with the limit %d: %v", tt.what, bad, err)
			}
		}
	}
}

func namesOf[T any](items []T, name func(T) string) (names []string) {
	for _, item := range items {
		names = append(names, name(item))
	}
	return names
}

// TestNoBroker: where it is elsewhere, the API says so.
func TestNoBroker(t *testing.T) {
	s := newSite(t, false)
	s.console.engines.Broker = nil
	for _, path := range []string{"broker", "broker/topics", "broker/topics/orders", "broker/transactions"} {
		if a := s.get(t, apiRoot+path); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		} else if p := a.problem(t); p.Detail == "" {
			t.Errorf("%s: %+v", path, p)
		}
	}
}
