package redrive

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/twmb/franz-go/pkg/kadm"
)

// TestRenewedFailures: too many letters that are given up again stop a redrive, and
// each message has one letter that is open.
func TestRenewedFailures(t *testing.T) {
	e := newEnv(t)
	e.service()
	c := e.start()
	events := e.kill(30, "renewed")
	e.broken.Store(true)
	kind := e.fingerprints()[0]
	job := e.redrive(api.RedriveRequest{Fingerprint: kind.ID, PerSecond: 20, StopAfter: 3})
	stopped := e.waitEnded(job.ID)
	// Portions are of four letters, and the next one waits for what became of them.
	if stopped.State != "stopped" || stopped.Renewed < 3 || stopped.Sent > 16 || !strings.Contains(stopped.Problem, "given up again") {
		t.Errorf("%+v", stopped)
	}
	e.wait("an outcome of all that was sent", func() bool { r, err := c.RedriveByID(e.admin(), job.ID); return err == nil && r.Renewed == r.Sent })
	e.waitLetters("open", 30)
	renewed := e.waitLetters("renewed", int(stopped.Sent))
	for _, l := range e.letters("open") {
		if again := l.Offset >= 0 && l.Failures == 2; again != (l.Failures > 1) {
			t.Errorf("%+v", l)
		}
	}
	kind = e.fingerprints()[0]
	if kind.Open != 30 || kind.Renewed != stopped.Sent || kind.Redriven != 0 {
		t.Errorf("%+v", kind)
	}
	if _, err := c.Redrive(e.admin(), api.RedriveRequest{IDs: []string{renewed[0].ID}}); err != nil {
		t.Fatal(err)
	}
	e.wait("the older letter to be skipped", func() bool {
		page, err := c.Redrives(e.admin(), api.PageQuery{Limit: 1})
		return err == nil && page.Items[0].State == "done" && page.Items[0].Skipped == 1 && page.Items[0].Sent == 0
	})

	e.broken.Store(false)
	done := e.waitEnded(e.redrive(api.RedriveRequest{Fingerprint: kind.ID, PerSecond: 1000}).ID)
	if done.State != "done" || done.Handled != 30 || done.Renewed != 0 {
		t.Errorf("%+v", done)
	}
	e.once(events)
	if left := e.letters("open"); len(left) != 0 {
		t.Errorf("open: %+v", left)
	}
}

// TestAnotherErrorTheSecondTime: the renewed failure is in another fingerprint.
func TestAnotherErrorTheSecondTime(t *testing.T) {
	e := newEnv(t)
	e.failing = func(m inbox.Message) error {
		return inbox.Permanent(fmt.Errorf("offset %d is bad %s", m.Offset, strings.Repeat("!", min(1, int(m.Offset)))))
	}
	e.service()
	e.start()
	event := e.send(1, "changing")[0]
	first := e.waitLetters("open", 1)[0]
	e.waitEnded(e.redrive(api.RedriveRequest{IDs: []string{first.ID}}).ID)
	e.waitLetters("renewed", 1)
	second := e.waitLetters("open", 1)[0]
	if second.Fingerprint == first.Fingerprint || second.Failures != 2 || second.Event.ID != event.ID || len(e.fingerprints()) != 2 {
		t.Errorf("%+v\n%+v", first, second)
	}
}

func TestEditedPayload(t *testing.T) {
	e := newEnv(t)
	e.failing = func(m inbox.Message) error {
		if strings.Contains(string(m.Payload), `"n":0`) {
			return inbox.Permanent(errBoom)
		}
		return nil
	}
	e.service()
	c := e.start()
	sent := e.send(1, "edited")
	id := e.waitLetters("open", 1)[0].ID

	bad, good := `{"n":`, `{"n": 7}`
	if _, err := c.Redrive(e.admin(), api.RedriveRequest{IDs: []string{id}, Value: &bad}); !errors.Is(err, api.ErrInvalid) {
		t.Errorf("broken JSON: %v", err)
	}
	dry := e.redrive(api.RedriveRequest{IDs: []string{id}, Value: &good, DryRun: true})
	if len(dry.Preview) != 1 || dry.Preview[0].Message == nil || dry.Preview[0].Message.Value.Text != good || dry.Preview[0].Message.Topic != "orders" {
		t.Errorf("dry run: %+v", dry)
	}
	job := e.redrive(api.RedriveRequest{IDs: []string{id}, Value: &good, Reason: "n was wrong"})
	if job.Request.Value == nil || *job.Request.Value == good {
		t.Errorf("the redrive shows %v", job.Request.Value)
	}
	if done := e.waitEnded(job.ID); done.Handled != 1 {
		t.Errorf("%+v", done)
	}
	e.once(sent)
	if got := e.payload(sent[0].ID); got != good {
		t.Errorf("the handler got %s", got)
	}
	page, err := e.audit.Entries(t.Context(), api.PageQuery{})
	if err != nil || strings.Contains(fmt.Sprint(page), good) || !strings.Contains(fmt.Sprint(page), "editedBytes") {
		t.Errorf("audit: %+v, %v", page, err)
	}
}

func (e *env) payload(id string) (payload string) {
	e.Helper()
	err := e.db.Update(context.Background(), func(tx *sqlite.Tx) error {
		return tx.QueryRow(context.Background(), "SELECT payload FROM effect WHERE id = $1", id).Scan(&payload)
	})
	if err != nil {
		e.Fatal(err)
	}
	return payload
}

// TestRowOfAnOutbox: what Kafka refused is replayed by its row, and fails again
// until the cause is mended.
func TestRowOfAnOutbox(t *testing.T) {
	e := newEnv(t)
	e.topic("small", map[string]string{"max.message.bytes": "2000"})
	e.service()
	c := e.start()
	big := event.New("small", "k", strings.Repeat("x", 5000))
	err := e.db.Update(t.Context(), func(tx *sqlite.Tx) error {
		return outbox.EnqueueMessages(t.Context(), tx, outbox.Message{Topic: "small", Event: big})
	})
	if err != nil {
		t.Fatal(err)
	}
	letter := e.waitLetters("open", 1)[0]
	kind := e.fingerprints()[0]
	if kind.Outbox != "shop" || letter.Outbox != "shop" || letter.Row == 0 || letter.Offset != -1 || letter.Topic != "small" || letter.Obstacle != "" {
		t.Errorf("%+v\n%+v", letter, kind)
	}
	value := "shorter"
	if _, err := c.Redrive(e.admin(), api.RedriveRequest{IDs: []string{letter.ID}, Value: &value}); !errors.Is(err, api.ErrInvalid) {
		t.Errorf("an edited row: %v", err)
	}

	again := e.waitEnded(e.redrive(api.RedriveRequest{Fingerprint: kind.ID}).ID)
	if again.State != "done" || again.Sent != 1 || again.Renewed != 1 {
		t.Errorf("%+v", again)
	}
	if l := e.waitLetters("open", 1)[0]; l.Failures != 2 || l.Row != letter.Row {
		t.Errorf("%+v", l)
	}

	limit := "100000"
	change := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}
	if _, err := kadm.NewClient(e.client).AlterTopicConfigs(t.Context(), change, "small"); err != nil {
		t.Fatal(err)
	}
	for e.redriveUntilHandled(kind.ID) != "handled" {
	}
	rows, err := e.db.Rows(t.Context(), outbox.RowQuery{EventIDs: []string{big.ID}})
	if err != nil || len(rows) != 1 || rows[0].Status != outbox.Completed {
		t.Errorf("%+v, %v", rows, err)
	}
}

// redriveUntilHandled redrives once; the relay learns of a topic's new limit when
// it next asks.
func (e *env) redriveUntilHandled(fingerprint string) string {
	e.Helper()
	done := e.waitEnded(e.redrive(api.RedriveRequest{Fingerprint: fingerprint}).ID)
	if done.Handled == 1 {
		return "handled"
	}
	e.waitLetters("open", 1)
	return "renewed"
}

// TestReplayedByOthers: the centre sees what became of letters that it did not send.
func TestReplayedByOthers(t *testing.T) {
	e := newEnv(t)
	e.topic("small", map[string]string{"max.message.bytes": "2000"})
	e.service()
	e.start()
	err := e.db.Update(t.Context(), func(tx *sqlite.Tx) error {
		return outbox.EnqueueMessages(t.Context(), tx, outbox.Message{Topic: "small", Event: event.New("small", "k", strings.Repeat("x", 5000))})
	})
	if err != nil {
		t.Fatal(err)
	}
	e.waitLetters("open", 1)
	limit := "100000"
	change := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}
	if _, err := kadm.NewClient(e.client).AlterTopicConfigs(t.Context(), change, "small"); err != nil {
		t.Fatal(err)
	}
	e.wait("handled", func() bool {
		if _, err := e.db.Replay(t.Context()); err != nil {
			t.Fatal(err)
		}
		return len(e.letters("open"))+len(e.letters("redriven")) == 0 && len(e.letters("handled")) == 1
	})
}

// TestServiceAway: what cannot be watched is not sent, and goes when it can.
func TestServiceAway(t *testing.T) {
	e := newEnv(t)
	e.service()
	c := e.start()
	events := e.kill(5, "away")
	e.services.setAway(true)
	e.wait("an obstacle", func() bool { return strings.Contains(e.letters("open")[0].Obstacle, "away: [shop]") })
	skipped := e.waitEnded(e.redrive(api.RedriveRequest{Fingerprint: e.fingerprints()[0].ID}).ID)
	if skipped.State != "done" || skipped.Skipped != 5 || skipped.Sent != 0 || len(e.letters("open")) != 5 {
		t.Errorf("%+v", skipped)
	}
	e.services.setAway(false)
	e.wait("no obstacle", func() bool { return e.letters("open")[0].Obstacle == "" })
	if done := e.waitEnded(e.redrive(api.RedriveRequest{Fingerprint: e.fingerprints()[0].ID}).ID); done.Handled != 5 {
		t.Errorf("%+v", done)
	}
	e.once(events)
	_ = c
}

// TestUnwatchedTopic: a forged letter cannot have anything sent to a topic that its
// consumer does not read.
func TestUnwatchedTopic(t *testing.T) {
	e := newEnv(t)
	e.service()
	e.start()
	e.topic("secrets", nil)
	forged := event.New("order-placed", "k", 1)
	forged.Source = "/forged"
	forged.Headers = map[string]string{inbox.HeaderConsumer: "payment", inbox.HeaderTopic: "secrets", inbox.HeaderPartition: "0", inbox.HeaderOffset: "0",
		inbox.HeaderAttempts: "5", inbox.HeaderError: "x", inbox.HeaderTime: time.Now().UTC().Format(time.RFC3339Nano)}
	e.put("payment.dead-letters", forged)
	if l := e.waitLetters("open", 1)[0]; !strings.Contains(l.Obstacle, "does not read topic secrets") {
		t.Errorf("%+v", l)
	}
}

// fakeClock is moved by hand.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After moves the clock on, so that every wait is over at once.
func (c *fakeClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	done := make(chan time.Time, 1)
	done <- c.now
	return done
}

func TestRate(t *testing.T) {
	e := newEnv(t)
	e.service()
	clock := &fakeClock{now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	e.start(func(c *Center) { c.config.Clock, c.config.OutcomeWait = clock, time.Nanosecond })
	e.kill(41, "rate")
	job := e.redrive(api.RedriveRequest{Fingerprint: e.fingerprints()[0].ID, PerSecond: 5})
	done := e.waitEnded(job.ID)
	// One at a time, the first at once: the 41st goes after eight seconds.
	if took := done.Ended.Sub(done.Begun); done.Sent != 41 || took < 8*time.Second || took > 10*time.Second {
		t.Errorf("%d letters in %s", done.Sent, took)
	}
}

func TestBucket(t *testing.T) {
	begin := time.Unix(1000, 0)
	b := newBucket(10, 2, begin)
	for i, step := range []struct {
		after time.Duration
		n     int
		want  time.Duration
	}{
		{0, 2, 0}, {0, 1, 100 * time.Millisecond}, {100 * time.Millisecond, 2, 200 * time.Millisecond},
		{200 * time.Millisecond, 0, 0}, {time.Hour, 2, 0}, {0, 2, 200 * time.Millisecond}, {-time.Hour, 0, 200 * time.Millisecond},
	} {
		begin = begin.Add(step.after)
		if got := b.take(step.n, begin); (got - step.want).Abs() > time.Microsecond {
			t.Errorf("step %d: wait %s, want %s", i, got, step.want)
		}
	}
	for rate, want := range map[float64]int{0.01: 1, 1: 1, 5: 1, 100: 20, 10_000: 500} {
		if got := portionSize(rate); got != want {
			t.Errorf("rate %v: portions of %d, want %d", rate, got, want)
		}
	}
}

func TestRowOutcome(t *testing.T) {
	for _, tt := range []struct {
		row         outbox.Status
		state, want string
		age         time.Duration
	}{
		{outbox.Failed, stateOpen, stateOpen, time.Hour}, {outbox.Failed, stateRedriven, stateRedriven, time.Second},
		{outbox.Failed, stateRedriven, stateOpen, time.Minute}, {outbox.Started, stateOpen, stateOpen, time.Hour},
		{outbox.Started, stateRedriven, stateRedriven, time.Hour}, {outbox.Completed, stateOpen, stateHandled, 0},
		{outbox.Completed, stateRedriven, stateHandled, 0}, {"", stateRedriven, stateHandled, 0},
	} {
		if got := rowOutcome(tt.row, tt.state, tt.age); got != tt.want {
			t.Errorf("row %s, %s for %s: %s, want %s", tt.row, tt.state, tt.age, got, tt.want)
		}
	}
}
