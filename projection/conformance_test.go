package projection_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
)

// The facts of Pekko's TimestampOffsetProjectionSpec, in each mode: exactly-once,
// grouped, and at-least-once (its flows are at-least-once, too).

func TestOnMemory(t *testing.T) { conformance(t, onMemory) }

func conformance[T projection.Tx](t *testing.T, open func(*testing.T) backend[T]) {
	for _, m := range []string{"exactly once", "grouped", "outside"} {
		for name, test := range map[string]func(*testing.T, *lab[T]){
			"all events and the offset":               testAll[T],
			"skip":                                    testSkip[T],
			"skip the last":                           testSkipLast[T],
			"skip with a dead letter":                 testDeadLetter[T],
			"retry and skip":                          testRetryAndSkip[T],
			"retry and fail":                          testRetryAndFail[T],
			"fail and go on later":                    testFailAndGoOn[T],
			"fail once":                               testFailOnce[T],
			"panic":                                   testPanic[T],
			"duplicates":                              testDuplicates[T],
			"gaps":                                    testGaps[T],
			"events that adapters leave out":          testFiltered[T],
			"start in the middle":                     testStartInTheMiddle[T],
			"deleted and forgotten":                   testDeletedAndForgotten[T],
			"reset":                                   testReset[T],
			"an unknown type stops its own":           testUnknownType[T],
			"durable state":                           testStates[T],
			"only tagged ones":                        testTagged[T],
			"pause and resume":                        testPause[T],
			"two claims: the last one wins":           testFenced[T],
			"a long run in small pages and batches":   testLong[T],
			"offsets are found after being forgotten": testRestart[T],
		} {
			t.Run(m+"/"+name, func(t *testing.T) {
				test(t, &lab[T]{T: t, backend: open(t), journal: newMemJournal(), mode: m, config: config[T]()})
			})
		}
	}
}

// lab is one case: a projection that adds the text of each event to its entity's.
type lab[T projection.Tx] struct {
	*testing.T
	backend[T]
	journal *memJournal
	mode    string
	config  projection.Config[T]
	// fails is asked before an event is handled.
	fails func(e projection.Envelope) error

	mu     sync.Mutex
	groups []int
	last   *projection.Projection[T]
}

func (l *lab[T]) start() *projection.Projection[T] {
	l.Helper()
	one := func(ctx context.Context, tx T, e projection.Envelope) error {
		if l.fails != nil {
			if err := l.fails(e); err != nil {
				return err
			}
		}
		text := string(e.Payload.Data)
		if e.Deleted {
			text = "deleted"
		}
		return l.concat(ctx, tx, e.PersistenceID, text)
	}
	group := func(ctx context.Context, tx T, es []projection.Envelope) error {
		for _, e := range es {
			if err := one(ctx, tx, e); err != nil {
				return err
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.groups = append(l.groups, len(es))
		return nil
	}
	c := l.config
	switch l.mode {
	case "exactly once":
		c.Handler = one
	case "grouped":
		c.Grouped = group
	case "outside":
		c.Outside = func(ctx context.Context, es []projection.Envelope) error {
			return l.store.Update(ctx, func(tx T) error { return group(ctx, tx, es) })
		}
	}
	l.last = start(l, l.store, l.journal, c)
	return l.last
}

// reads waits for the texts, and for the last sequence numbers to be stored.
func (l *lab[T]) reads(want map[string]string, numbers string) {
	l.Helper()
	var ids []string
	for _, one := range strings.Fields(numbers) {
		id, _, _ := strings.Cut(one, ":")
		ids = append(ids, id)
	}
	defer func() {
		if l.Failed() {
			for id := range want {
				l.Logf("%s: %q", id, l.text(id))
			}
			l.Logf("offsets %s, health %v, stats %+v", seqNrs(l.T, l.store, l.config.Name, ids...), l.last.Health(), l.last.Stats())
			stored, err := l.store.Projections(context.Background(), l.config.Name)
			l.Logf("stored %+v, %v", stored, err)
		}
	}()
	wait(l, fmt.Sprintf("%v, offsets %s", want, numbers), func() bool {
		for id, text := range want {
			if l.text(id) != text {
				return false
			}
		}
		return seqNrs(l.T, l.store, l.config.Name, ids...) == numbers
	})
}

func testAll[T projection.Tx](t *testing.T, l *lab[T]) {
	l.config.GroupSize, l.config.GroupWindow = 3, time.Minute
	l.journal.deliver(evs("p1", 6)...)
	p := l.start()
	l.reads(map[string]string{"p1": "e1|e2|e3|e4|e5|e6"}, "p1:6")
	if l.mode != "exactly once" && fmt.Sprint(l.groups) != "[3 3]" {
		t.Errorf("groups of %v, want two of 3", l.groups)
	}
	if s := p.Stats(); s.Handled != 6 || s.Failed != 0 || s.Source != "events" {
		t.Errorf("stats %+v", s)
	}
	if err := p.Health(); err != nil {
		t.Error(err)
	}
}

var errBoom = errors.New("boom")

func failAt(seqNr int64) func(projection.Envelope) error {
	return func(e projection.Envelope) error {
		if e.SeqNr == seqNr {
			return errBoom
		}
		return nil
	}
}

func testSkip[T projection.Tx](t *testing.T, l *lab[T]) {
	l.config.OnFailure, l.fails = projection.Skip, failAt(4)
	l.journal.deliver(evs("p1", 6)...)
	p := l.start()
	l.reads(map[string]string{"p1": "e1|e2|e3|e5|e6"}, "p1:6")
	if s := p.Stats(); s.Skipped != 1 || s.Failed != 1 || s.Handled != 5 {
		t.Errorf("stats %+v", s)
	}
	if len(l.dead()) != 0 {
		t.Error("a dead letter though no topic is set")
	}
}

func testSkipLast[T projection.Tx](t *testing.T, l *lab[T]) {
	l.config.OnFailure, l.fails = projection.Skip, failAt(6)
	l.journal.deliver(evs("p1", 6)...)
	l.start()
	l.reads(map[string]string{"p1": "e1|e2|e3|e4|e5"}, "p1:6")
}

func testDeadLetter[T projection.Tx](t *testing.T, l *lab[T]) {
	l.config.OnFailure, l.config.Retries, l.fails = projection.RetryAndSkip, 1, failAt(2)
	l.config.DeadLetterTopic = "view.dead-letters"
	l.journal.deliver(evs("p1", 3)...)
	l.start()
	l.reads(map[string]string{"p1": "e1|e3"}, "p1:3")
	letters := l.dead()
	if len(letters) != 1 {
		t.Fatalf("%d dead letters", len(letters))
	}
	dead := letters[0]
	for header, want := range map[string]string{
		inbox.HeaderError: "boom", inbox.HeaderConsumer: l.config.Name, inbox.HeaderAttempts: "2",
		projection.HeaderPersistenceID: "p1", projection.HeaderSeqNr: "2", projection.HeaderSerializer: "20",
	} {
		if dead.Headers[header] != want {
			t.Errorf("header %s is %q, want %q", header, dead.Headers[header], want)
		}
	}
	if dead.Topic != l.config.DeadLetterTopic || dead.Key != "p1" || string(dead.Payload) != "e2" {
		t.Errorf("dead letter %+v", dead)
	}
	if _, err := inbox.Redrive(dead.Event); !errors.Is(err, inbox.ErrNotRedrivable) {
		t.Errorf("it can be sent to a topic it never came from: %v", err)
	}
}

// dead letters of the case.
func (l *lab[T]) dead() (all []outbox.Message) {
	for _, m := range l.letters() {
		if m.Headers[inbox.HeaderConsumer] == l.config.Name {
			all = append(all, m)
		}
	}
	return all
}

// failCounting lets an event fail, and notes its highest attempt.
func (l *lab[T]) failCounting(seqNr int64, highest *atomic.Int64) {
	l.fails = func(e projection.Envelope) error {
		if e.SeqNr != seqNr {
			return nil
		}
		highest.Store(max(highest.Load(), int64(e.Attempt)))
		return errBoom
	}
}

func testRetryAndSkip[T projection.Tx](t *testing.T, l *lab[T]) {
	var attempts atomic.Int64
	l.config.OnFailure, l.config.Retries = projection.RetryAndSkip, 3
	l.failCounting(4, &attempts)
	l.journal.deliver(evs("p1", 6)...)
	p := l.start()
	l.reads(map[string]string{"p1": "e1|e2|e3|e5|e6"}, "p1:6")
	if attempts.Load() != 1+3 || p.Stats().Retried != 3 {
		t.Errorf("%d attempts, %d retries; want the first and 3", attempts.Load(), p.Stats().Retried)
	}
}

func testRetryAndFail[T projection.Tx](t *testing.T, l *lab[T]) {
	var attempts atomic.Int64
	l.config.OnFailure, l.config.Retries, l.config.Restart = projection.RetryAndFail, 3, time.Hour
	l.failCounting(4, &attempts)
	l.journal.deliver(evs("p1", 6)...)
	p := l.start()
	wait(l, "the event to stop its range", func() bool { return p.Stats().Failed == 1 && p.Health() != nil })
	l.reads(map[string]string{"p1": "e1|e2|e3"}, "p1:3")
	var stuck *projection.EventError
	if err := p.Health(); !errors.As(err, &stuck) || !errors.Is(err, errBoom) {
		t.Fatalf("health %v", err)
	}
	if stuck.PersistenceID != "p1" || stuck.SeqNr != 4 || stuck.Type != "(serializer 20)" || stuck.Attempts != 4 || attempts.Load() != 4 {
		t.Errorf("%+v after %d attempts", stuck, attempts.Load())
	}
	wait(l, "the lag to be shown", func() bool {
		s := p.Stats()
		return len(s.Ranges) == 1 && s.Ranges[0].State == projection.StateStopped && s.LagEvents == 3
	})
}

func testFailAndGoOn[T projection.Tx](t *testing.T, l *lab[T]) {
	var mended atomic.Bool
	l.fails = func(e projection.Envelope) error {
		if e.SeqNr == 4 && !mended.Load() {
			return errBoom
		}
		return nil
	}
	l.journal.deliver(evs("p1", 6)...)
	p := l.start()
	wait(l, "the failure", func() bool { return p.Health() != nil })
	l.reads(map[string]string{"p1": "e1|e2|e3"}, "p1:3")
	mended.Store(true)
	l.reads(map[string]string{"p1": "e1|e2|e3|e4|e5|e6"}, "p1:6")
	wait(l, "health", func() bool { return p.Health() == nil })
}

func testFailOnce[T projection.Tx](t *testing.T, l *lab[T]) {
	var failed atomic.Int64
	l.config.OnFailure, l.config.Retries, l.config.BatchSize, l.config.GroupSize = projection.RetryAndSkip, 2, 1, 1
	l.fails = func(e projection.Envelope) error {
		if e.SeqNr == 4 && failed.Add(1) == 1 {
			return errBoom
		}
		return nil
	}
	l.journal.deliver(evs("p1", 6)...)
	p := l.start()
	l.reads(map[string]string{"p1": "e1|e2|e3|e4|e5|e6"}, "p1:6")
	if s := p.Stats(); s.Skipped != 0 || failed.Load() != 2 {
		t.Errorf("%d calls for the event that failed once, stats %+v", failed.Load(), s)
	}
}

func testPanic[T projection.Tx](t *testing.T, l *lab[T]) {
	l.config.OnFailure = projection.Skip
	l.fails = func(e projection.Envelope) error {
		if e.SeqNr == 2 {
			panic("oh")
		}
		return nil
	}
	l.journal.deliver(evs("p1", 3)...)
	l.start()
	l.reads(map[string]string{"p1": "e1|e3"}, "p1:3")
}

func testDuplicates[T projection.Tx](t *testing.T, l *lab[T]) {
	l.journal.pageSize = 2
	l.journal.deliver(
		ev("p1", 1, 0, "e1-1"), ev("p1", 2, 1, "e1-2"), ev("p2", 1, 2, "e2-1"), ev("p1", 3, 4, "e1-3"),
		// again, with the one of p2 that came late
		ev("p1", 1, 0, "e1-1"), ev("p1", 2, 1, "e1-2"), ev("p2", 1, 2, "e2-1"), ev("p2", 2, 3, "e2-2"), ev("p1", 3, 4, "e1-3"),
		ev("p1", 4, 5, "e1-4"), ev("p2", 3, 6, "e2-3"))
	p := l.start()
	l.reads(map[string]string{"p1": "e1-1|e1-2|e1-3|e1-4", "p2": "e2-1|e2-2|e2-3"}, "p1:4 p2:3")
	if got := p.Stats().Duplicates; got != 4 {
		t.Errorf("%d duplicates, want 4", got)
	}
}

func testGaps[T projection.Tx](t *testing.T, l *lab[T]) {
	missing := []journal.Event{ev("p2", 2, 3, "e2-2"), ev("p1", 4, 6, "e1-4")}
	l.journal.add(missing...)
	l.journal.deliver(
		ev("p1", 1, 0, "e1-1"), ev("p1", 2, 1, "e1-2"), ev("p2", 1, 2, "e2-1"),
		ev("p2", 3, 4, "e2-3"), // before 2
		ev("p1", 3, 5, "e1-3"),
		ev("p1", 5, 7, "e1-5")) // before 4
	p := l.start()
	l.reads(map[string]string{"p1": "e1-1|e1-2|e1-3|e1-4|e1-5", "p2": "e2-1|e2-2|e2-3"}, "p1:5 p2:3")
	if got := p.Stats().GapsFilled; got != 2 {
		t.Errorf("%d events fetched into gaps, want 2", got)
	}
	l.journal.deliver(missing...) // what comes late was handled
	l.journal.deliver(ev("p2", 4, 8, "e2-4"), ev("p1", 6, 9, "e1-6"))
	l.reads(map[string]string{"p1": "e1-1|e1-2|e1-3|e1-4|e1-5|e1-6", "p2": "e2-1|e2-2|e2-3|e2-4"}, "p1:6 p2:4")
	// an entity that is first met in the middle of its events
	l.journal.add(evs("p3", 3)...)
	l.journal.deliver(ev("p3", 4, 10, "e4"))
	l.reads(map[string]string{"p3": "e1|e2|e3|e4"}, "p3:4")
}
