package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// Broker is a broker in the same process that tells more of itself than Kafka's protocol does.
type Broker interface {
	// Report says how it is now. Of its counts and sums only those are needed that do not
	// follow from the logs and transactions in it. It may be called at any time.
	Report() api.BrokerReport
}

const (
	// reportAge is how old a report may be: making one looks at every segment.
	reportAge = 500 * time.Millisecond
	// longTransaction is when somebody should look at an open transaction: by default clients
	// have theirs aborted after 40 to 60 s.
	longTransaction = 30 * time.Second
	// largestTopics that a state names.
	largestTopics = 5
)

// brokerEngine is api.LocalBroker over the reports of a broker.
type brokerEngine struct {
	broker Broker
	clock  func() time.Time

	mu   sync.Mutex
	at   time.Time
	last api.BrokerReport
}

func newBrokerEngine(b Broker) *brokerEngine { return &brokerEngine{broker: b, clock: time.Now} }

// report is shared by all who want one within a moment; nobody changes it.
func (e *brokerEngine) report() api.BrokerReport {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock()
	if age := now.Sub(e.at); !e.at.IsZero() && age >= 0 && age < reportAge {
		return e.last
	}
	e.at, e.last = now, summed(e.broker.Report(), now)
	return e.last
}

// summed sorts a report and adds what follows from its parts.
func summed(r api.BrokerReport, now time.Time) api.BrokerReport {
	r.Topics, r.Partitions, r.Segments, r.FailedPartitions = len(r.Logs), 0, 0, 0
	r.Logs, r.Open = slices.Clone(r.Logs), slices.Clone(r.Open)
	for i := range r.Logs {
		t := &r.Logs[i]
		r.FailedPartitions += sumTopic(t)
		r.Partitions, r.Segments = r.Partitions+t.Partitions, r.Segments+t.Segments
	}
	slices.SortFunc(r.Logs, func(a, b api.BrokerTopicLog) int { return cmp.Compare(a.Name, b.Name) })
	r.Largest = largestOf(r.Logs)
	r.Transactions, r.LongTransactions = len(r.Open), 0
	for i := range r.Open {
		if r.Open[i].Long = now.Sub(r.Open[i].Started) >= longTransaction; r.Open[i].Long {
			r.LongTransactions++
		}
	}
	slices.SortFunc(r.Open, func(a, b api.BrokerTransaction) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	})
	if len(r.Open) > 0 {
		r.OldestTransaction = r.Open[0].Started
	}
	return r
}

// sumTopic returns how many partitions failed.
func sumTopic(t *api.BrokerTopicLog) (failed int) {
	t.Partitions, t.Segments, t.Bytes, t.Dirty, t.OpenTransactions = len(t.Parts), 0, 0, 0, 0
	for _, p := range t.Parts {
		t.Segments, t.Bytes, t.Dirty = t.Segments+len(p.Segments), t.Bytes+p.Bytes, t.Dirty+p.Dirty
		t.OpenTransactions += p.OpenTransactions
		if p.Problem != "" {
			if failed++; t.Problem == "" {
				t.Problem = fmt.Sprintf("partition %d: %s", p.Partition, p.Problem)
			}
		}
	}
	return failed
}

func largestOf(logs []api.BrokerTopicLog) []api.BrokerTopic {
	all := make([]api.BrokerTopic, len(logs))
	for i, t := range logs {
		all[i] = t.BrokerTopic
	}
	slices.SortStableFunc(all, func(a, b api.BrokerTopic) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return all[:min(len(all), largestTopics)]
}

// BrokerState implements api.LocalBroker.
func (e *brokerEngine) BrokerState(context.Context) (api.BrokerState, error) {
	return e.report().BrokerState, nil
}

// BrokerTopics implements api.LocalBroker.
func (e *brokerEngine) BrokerTopics(_ context.Context, q api.TopicQuery) (api.Page[api.BrokerTopic], error) {
	all := []api.BrokerTopic{}
	for _, t := range e.report().Logs {
		if (q.Internal || !t.Internal) && containsFold(t.Name, q.Search) {
			all = append(all, t.BrokerTopic)
		}
	}
	return pageAfter(all, q.PageQuery, func(t api.BrokerTopic) string { return t.Name }, func(t api.BrokerTopic) bool { return t.Name > q.Cursor })
}

// BrokerTopic implements api.LocalBroker.
func (e *brokerEngine) BrokerTopic(_ context.Context, name string) (api.BrokerTopicLog, error) {
	for _, t := range e.report().Logs {
		if t.Name == name {
			return t, nil
		}
	}
	return api.BrokerTopicLog{}, fmt.Errorf("%w: the broker has no topic %.200q", api.ErrNotFound, name)
}

// BrokerTransactions implements api.LocalBroker. A cursor is when the last one of the page
// began, and its id.
func (e *brokerEngine) BrokerTransactions(_ context.Context, q api.PageQuery) (api.Page[api.BrokerTransaction], error) {
	all := []api.BrokerTransaction{}
	for _, t := range e.report().Open {
		if containsFold(t.ID, q.Search) {
			all = append(all, t)
		}
	}
	key := func(t api.BrokerTransaction) string { return fmt.Sprintf("%020d %s", t.Started.UnixNano(), t.ID) }
	return pageAfter(all, q, key, func(t api.BrokerTransaction) bool { return key(t) > q.Cursor })
}

func containsFold(name, part string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(part))
}

// Limits of a page.
const (
	defaultPage = 50
	maxPage     = 500
)

// pageAfter cuts a page out of a sorted list: it begins with the first that is after the cursor.
func pageAfter[T any](all []T, q api.PageQuery, key func(T) string, after func(T) bool) (api.Page[T], error) {
	if q.Limit < 0 || q.Limit > maxPage {
		return api.Page[T]{}, fmt.Errorf("%w: limit is %d, it goes from 1 to %d", api.ErrInvalid, q.Limit, maxPage)
	}
	page := api.Page[T]{Items: all, Total: int64(len(all))}
	if q.Cursor != "" {
		begin := slices.IndexFunc(all, after)
		if begin < 0 {
			begin = len(all)
		}
		page.Items = all[begin:]
	}
	if most := cmp.Or(q.Limit, defaultPage); len(page.Items) > most {
		page.Items = page.Items[:most]
		page.Next = key(page.Items[most-1])
	}
	return page, nil
}
