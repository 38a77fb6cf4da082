package admin_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/pabal-dev/pabal/storage/storagetest"
	"github.com/twmb/franz-go/pkg/kadm"
)

func openDB(t *testing.T) storage.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Config{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return storage.Any(db)
}

// still is a relay or a consumer that does nothing.
type still struct {
	stats  outbox.Stats
	paused string
	health error
}

func (s *still) Stats() outbox.Stats { return s.stats }
func (s *still) Health() error       { return s.health }
func (s *still) Pause(reason string) { s.paused = reason }
func (s *still) Resume()             { s.paused = "" }

type stillConsumer struct {
	stats  inbox.Stats
	health error
}

func (s *stillConsumer) Stats() inbox.Stats { return s.stats }
func (s *stillConsumer) Health() error      { return s.health }

// local is one over a database.
func local(t *testing.T, db storage.DB, change func(*admin.LocalConfig)) *admin.Local {
	t.Helper()
	c := admin.LocalConfig{
		Name: "payment", Instance: "i-1", Version: "v1", Cluster: "cluster-1", Kafka: kafka.Config{Prefix: "p."},
		Outbox: &admin.LocalOutbox{Name: "payment", Source: "/payment", DeadLetterTopic: "payment.dead", Store: db, Relay: &still{}},
		Consumers: []admin.LocalConsumer{{Name: "g", Topics: []string{"b", "a"}, DeadLetterTopic: "g.dead",
			Answers: map[string][]string{"a": {"c"}}, Store: db, Runner: &stillConsumer{}}},
	}
	if change != nil {
		change(&c)
	}
	l, err := admin.NewLocal(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestStatusOfAService(t *testing.T) {
	db := openDB(t)
	relay := &still{stats: outbox.Stats{State: outbox.Standby, Published: 3}, health: errors.New("connecting")}
	consumer := &stillConsumer{health: errors.New(strings.Repeat("x", 5000)), stats: inbox.Stats{Handled: 9,
		Partitions: []inbox.PartitionStats{{Topic: "b"}, {Topic: "a", Partition: 1}, {Topic: "a"}}}}
	l := local(t, db, func(c *admin.LocalConfig) { c.Outbox.Relay, c.Consumers[0].Runner = relay, consumer })
	enqueue(t, db, event.New("t", "k", 1), event.New("t", "k", 2))
	id, err := db.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "payment" || s.Instance != "i-1" || s.Version != "v1" || s.Cluster != "cluster-1" || s.Prefix != "p." || time.Since(s.Started) > time.Minute {
		t.Errorf("status %+v", s)
	}
	if o := s.Outbox; o.ID != id.Outbox || o.Backlog.Started != 2 || o.Relay.State != outbox.Standby || o.Relay.Reason != "connecting" ||
		o.Relay.Published != 3 || o.Source != "/payment" || o.DeadLetterTopic != "payment.dead" {
		t.Errorf("outbox %+v", o)
	}
	c := s.Consumers[0]
	if c.Stats.Handled != 9 || len(c.Problem) != 2000 || fmt.Sprint(c.Topics, c.Answers) != "[a b] map[a:[c]]" ||
		c.Stats.Partitions[0].Partition != 0 || c.Stats.Partitions[2].Topic != "b" {
		t.Errorf("consumer %+v", c)
	}
	bare, err := admin.NewLocal(admin.LocalConfig{Name: "a", Instance: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := bare.Status(t.Context()); err != nil || s.Outbox != nil || s.Consumers == nil {
		t.Errorf("a service without stores: %+v, %v", s, err)
	}
	if _, err := bare.Rows(t.Context(), outbox.RowQuery{}); !errors.Is(err, admin.ErrNotFound) {
		t.Errorf("rows without an outbox: %v", err)
	}
}

// TestStatusIsNoLoad: a console that asks all the time does not make the
// database count all the time, and one that is away is not waited for.
func TestStatusIsNoLoad(t *testing.T) {
	now := someTime
	db := storagetest.Faulty(openDB(t), storagetest.Fault{Only: "Backlog"})
	relay := &still{}
	l := local(t, db, func(c *admin.LocalConfig) {
		c.Outbox.Store, c.Outbox.Relay, c.Now = db, relay, func() time.Time { return now }
	})
	for range 50 {
		if _, err := l.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := db.Calls(); n != 1 {
		t.Errorf("counted %d times within a second", n)
	}
	now = now.Add(2 * time.Second)
	relay.stats.Backlog, relay.stats.BacklogAt = outbox.Backlog{Started: 5}, now.Add(time.Second)
	s, err := l.Status(t.Context())
	if err != nil || s.Outbox.Backlog.Started != 5 || db.Calls() != 2 {
		t.Errorf("status %+v, %v, counted %d times", s.Outbox, err, db.Calls())
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Second)
	if s, err = l.Status(t.Context()); err != nil || s.Outbox.ID == "" {
		t.Errorf("without a database: %+v, %v", s, err)
	}
	if _, err := l.Rows(t.Context(), outbox.RowQuery{}); !errors.Is(err, admin.ErrUnavailable) {
		t.Errorf("rows without a database: %v", err)
	}
}

func TestRowsPageByPage(t *testing.T) {
	db := openDB(t)
	l := local(t, db, nil)
	var events []event.Event
	for i := range 25 {
		events = append(events, event.New("t", "k", i))
	}
	enqueue(t, db, events...)
	for _, payload := range []bool{false, true} {
		seen, pages := 0, 0
		for q := (outbox.RowQuery{Limit: 10, Payload: payload}); ; pages++ {
			page, err := l.Rows(t.Context(), q)
			if err != nil || pages > 5 {
				t.Fatal(err, pages)
			}
			seen += len(page.Rows)
			if q.After = page.After; q.After == 0 {
				break
			}
		}
		if seen != 25 {
			t.Errorf("saw %d rows", seen)
		}
	}
	if _, err := l.Rows(t.Context(), outbox.RowQuery{Limit: -1}); !errors.Is(err, admin.ErrInvalid) {
		t.Errorf("a negative limit: %v", err)
	}
}

func TestActsOnTheOutbox(t *testing.T) {
	db, relay := openDB(t), &still{}
	l := local(t, db, func(c *admin.LocalConfig) { c.Outbox.Relay = relay })
	enqueue(t, db, event.New("t", "k", 1), event.New("t", "l", 2))
	lease, _, err := db.AcquireLease(t.Context(), "r", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	page, err := l.Rows(t.Context(), outbox.RowQuery{})
	if err != nil {
		t.Fatal(err)
	}
	ids := []int64{page.Rows[0].ID, page.Rows[1].ID}
	if err := db.Fail(t.Context(), lease, ids, 0, nil); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Replay(t.Context(), ids[0]); n != 1 || err != nil {
		t.Errorf("replay one: %d, %v", n, err)
	}
	if n, err := l.Replay(t.Context()); n != 1 || err != nil {
		t.Errorf("replay all: %d, %v", n, err)
	}
	if err := l.PauseRelay(t.Context(), " "); !errors.Is(err, admin.ErrInvalid) || relay.paused != "" {
		t.Errorf("a pause without a reason: %v", err)
	}
	if err := l.PauseRelay(t.Context(), "lunch"); err != nil || relay.paused != "lunch" {
		t.Errorf("pause: %v", err)
	}
	if err := l.ResumeRelay(t.Context()); err != nil || relay.paused != "" {
		t.Errorf("resume: %v", err)
	}
}

func TestWaitingAndRelease(t *testing.T) {
	db := openDB(t)
	l := local(t, db, nil)
	claim := claimed(t, db, "aa", 1)
	update(t, db, func(tx storage.Tx) error {
		return tx.PutWaiting(t.Context(), claim, []inbox.Waiting{{Offset: 1, Key: "k", Attempts: 5, Parked: true, Size: 1, Reason: "no"},
			{Offset: 2, Key: "k", Parked: true, Size: 1, Value: []byte("v")}, {Offset: 3, Key: "l", Attempts: 1, Size: 1}})
	})
	var got []int64
	for q := (inbox.WaitingQuery{Consumer: "g", Limit: 2}); ; {
		page, err := l.Waiting(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range page.Waiting {
			got = append(got, w.Offset)
		}
		if page.Next == nil {
			break
		}
		q = *page.Next
	}
	if fmt.Sprint(got) != "[1 2 3]" {
		t.Errorf("offsets %v", got)
	}
	for _, x := range [][3]string{{"unknown", "a", "k"}, {"g", "", "k"}, {"g", "a", ""}} {
		if _, err := l.Release(t.Context(), x[0], x[1], x[2]); !errors.Is(err, admin.ErrNotFound) && !errors.Is(err, admin.ErrInvalid) {
			t.Errorf("release %q: %v", x, err)
		}
	}
	if n, err := l.Release(t.Context(), "g", "a", "k"); n != 2 || err != nil {
		t.Errorf("release: %d, %v", n, err)
	}
	for what, ask := range map[string]func() error{
		"positions": func() error { _, err := l.Positions(t.Context(), "x"); return err },
		"marks":     func() error { _, err := l.Marks(t.Context(), "x", "i"); return err },
		"waiting":   func() error { _, err := l.Waiting(t.Context(), inbox.WaitingQuery{Consumer: "x"}); return err },
		"replay":    func() error { _, err := l.StartReplay(t.Context(), admin.ReplayRequest{Consumer: "x"}); return err },
	} {
		if err := ask(); !errors.Is(err, admin.ErrNotFound) {
			t.Errorf("%s of an unknown consumer: %v", what, err)
		}
	}
}

func TestReplayGoesBackOnly(t *testing.T) {
	db := openDB(t)
	l := local(t, db, nil)
	claim := claimed(t, db, "aa", 2)
	update(t, db, func(tx storage.Tx) error {
		return errors.Join(tx.AdvanceInbox(t.Context(), claim, 0, 10), tx.AdvanceInbox(t.Context(), claim, 1, 20))
	})
	for _, x := range []struct {
		r    admin.ReplayRequest
		want error
	}{
		{admin.ReplayRequest{Consumer: "g", Topic: "nowhere"}, admin.ErrInvalid},
		{admin.ReplayRequest{Consumer: "g", Topic: "b"}, admin.ErrNotFound},
		{admin.ReplayRequest{Consumer: "g", Topic: "a", Partition: 7}, admin.ErrNotFound},
		{admin.ReplayRequest{Consumer: "g", Topic: "a", Offset: -1}, admin.ErrInvalid},
		{admin.ReplayRequest{Consumer: "g", Topic: "a", Offset: 20}, admin.ErrConflict},
		{admin.ReplayRequest{Consumer: "g", Topic: "a", Offset: 19}, nil},
		{admin.ReplayRequest{Consumer: "g", Topic: "a", Offset: 0}, nil},
	} {
		replay, err := l.StartReplay(t.Context(), x.r)
		if !errors.Is(err, x.want) || x.want == nil && (replay.From > x.r.Offset || replay.To != 20) {
			t.Errorf("%+v: %+v, %v", x.r, replay, err)
		}
	}
	positions, err := l.Positions(t.Context(), "g")
	if err != nil || len(positions) != 1 || positions[0].Lowest() != 0 || positions[0].Replay.Generation != 2 {
		t.Errorf("positions %+v, %v", positions, err)
	}
}

// TestReplayOfATopicMadeAnew is of the topic there is now, which Kafka is asked.
func TestReplayOfATopicMadeAnew(t *testing.T) {
	db, cluster := openDB(t), kafkatest.Start(t)
	cluster.Topics(t, "a")
	details, err := kadm.NewClient(cluster.Client(t)).ListTopics(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	now := fmt.Sprintf("%x", [16]byte(details["a"].ID))
	for _, id := range []string{"old", now} {
		claim := claimed(t, db, id, 1)
		update(t, db, func(tx storage.Tx) error { return tx.AdvanceInbox(t.Context(), claim, 0, 10) })
	}
	l := local(t, db, func(c *admin.LocalConfig) { c.Kafka = cluster.Config })
	if _, err := l.StartReplay(t.Context(), admin.ReplayRequest{Consumer: "g", Topic: "a", Offset: 4}); err != nil {
		t.Fatal(err)
	}
	positions, err := l.Positions(t.Context(), "g")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range positions {
		if want := map[string]int64{"old": 10, now: 4}[p.TopicID]; p.Lowest() != want {
			t.Errorf("topic %s stands at %d, want %d", p.TopicID, p.Lowest(), want)
		}
	}
	away := local(t, db, func(c *admin.LocalConfig) { c.Kafka = kafka.Config{} })
	if _, err := away.StartReplay(t.Context(), admin.ReplayRequest{Consumer: "g", Topic: "a"}); !errors.Is(err, admin.ErrUnavailable) {
		t.Errorf("without Kafka: %v", err)
	}
}

// TestSearchesTakeTurns: a third search waits for one of two, and for no longer
// than its caller.
func TestSearchesTakeTurns(t *testing.T) {
	slow := &slowStore{DB: openDB(t), begun: make(chan struct{}), goOn: make(chan struct{})}
	l := local(t, slow.DB, func(c *admin.LocalConfig) { c.Outbox.Store = slow })
	done := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := l.Rows(t.Context(), outbox.RowQuery{})
			done <- err
		}()
		<-slow.begun
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := l.Rows(ctx, outbox.RowQuery{}); !errors.Is(err, admin.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third search: %v", err)
	}
	close(slow.goOn)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	testenv.Wait(t, "a turn is free", 10*time.Second, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() { <-slow.begun }()
		_, err := l.Rows(ctx, outbox.RowQuery{})
		return err == nil
	})
}

type slowStore struct {
	storage.DB
	begun, goOn chan struct{}
}

func (s *slowStore) Rows(ctx context.Context, q outbox.RowQuery) ([]outbox.StoredRow, error) {
	s.begun <- struct{}{}
	<-s.goOn
	return s.DB.Rows(ctx, q)
}

func TestLocalNeedsNames(t *testing.T) {
	db := openDB(t)
	consumer := admin.LocalConsumer{Name: "g", Store: db, Runner: &stillConsumer{}}
	for _, c := range []admin.LocalConfig{
		{}, {Name: "a"}, {Instance: "b"},
		{Name: "a", Instance: "b", Outbox: &admin.LocalOutbox{Store: db}},
		{Name: "a", Instance: "b", Consumers: []admin.LocalConsumer{{Name: "g"}}},
		{Name: "a", Instance: "b", Consumers: []admin.LocalConsumer{consumer, consumer}},
	} {
		if _, err := admin.NewLocal(c); !errors.Is(err, admin.ErrInvalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func claimed(t *testing.T, db storage.DB, topicID string, lanes int) inbox.Claim {
	t.Helper()
	claim, err := db.Claim(t.Context(), "g", inbox.Partition{Cluster: "cluster-1", TopicID: topicID, Topic: "a"}, lanes)
	if err != nil {
		t.Fatal(err)
	}
	return claim
}

func update(t *testing.T, db storage.DB, fn func(storage.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func enqueue(t *testing.T, db storage.DB, events ...event.Event) {
	t.Helper()
	update(t, db, func(tx storage.Tx) error { return outbox.Enqueue(t.Context(), tx, events...) })
}
