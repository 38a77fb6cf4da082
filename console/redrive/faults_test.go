package redrive

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var errInjected = errors.New("injected")

// faults fail one durable step, or that one and all after it: a crash.
type faults struct {
	mu      sync.Mutex
	armed   bool
	at      int // counts down
	after   bool
	crash   bool
	crashed chan struct{} // closed when the step came
}

func (f *faults) durably(step func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.armed {
		return step()
	}
	if f.at--; f.at > 0 || f.at < 0 && !f.crash {
		return step()
	}
	first := f.at == 0
	if first {
		close(f.crashed)
	}
	if first && f.after {
		if err := step(); err != nil {
			return err
		}
	}
	return errInjected
}

func (f *faults) arm(at int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed, f.at, f.crashed = true, at, make(chan struct{})
}

func (f *faults) disarm() (hit bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = false
	return f.at <= 0
}

// TestEveryDurableStepFails: whatever step fails or is the last one before a crash,
// each letter takes effect once, and the redrive ends with all of them handled.
func TestEveryDurableStepFails(t *testing.T) {
	for _, crash := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("crash=%v,after=%v", crash, after), func(t *testing.T) {
				e := newEnv(t)
				e.service()
				failEachStep(t, e, &faults{crash: crash, after: after}, 3)
			})
		}
	}
}

// TestEachDurableStepFails leaves no step out.
func TestEachDurableStepFails(t *testing.T) {
	testenv.Full(t)
	for _, f := range []*faults{{}, {after: true}, {crash: true}, {crash: true, after: true}} {
		e := newEnv(t)
		e.service()
		failEachStep(t, e, f, 1)
	}
}

// failEachStep begins with one of the first steps.
func failEachStep(t *testing.T, e *env, f *faults, stride int) {
	for at := 1 + testenv.Rand(t).IntN(stride); ; at += stride {
		c := e.start(func(c *Center) { c.durably = f.durably })
		events := e.kill(4, fmt.Sprintf("round %d-", at))
		kind := e.fingerprints()[0]
		f.arm(at)
		job, err := c.Redrive(e.admin(), api.RedriveRequest{Fingerprint: kind.ID, PerSecond: 10})
		if f.crash {
			e.crash(c, f, job.ID)
			f.disarm()
			e.start()
		}
		if err != nil { // it was refused, or nobody knows whether it began
			e.redriveOpen(kind.ID)
		}
		e.wait("all handled", func() bool { return len(e.letters("open"))+len(e.letters("redriven")) == 0 })
		e.once(events)
		e.allEnded(at)
		e.stop(e.center)
		if hit := f.disarm(); !hit {
			t.Logf("there are less than %d steps", at)
			return
		}
		if at > 200 {
			t.Fatal("there is no end to the steps")
		}
	}
}

// kill sends messages that die, waits for the letters, and mends the handler.
func (e *env) kill(n int, key string) []event.Event {
	e.Helper()
	e.broken.Store(true)
	events := e.send(n, key)
	e.waitLetters("open", n)
	e.broken.Store(false)
	return events
}

// crash waits for the step, or the redrive's end, and stops the centre at once.
func (e *env) crash(c *Center, f *faults, id string) {
	e.Helper()
	e.wait("the step, or the end", func() bool {
		select {
		case <-f.crashed:
			return true
		default:
		}
		r, err := c.RedriveByID(e.admin(), id)
		return err == nil && r.State != jobRunning
	})
	now, cancel := context.WithCancel(e.Context())
	cancel()
	if err := c.Stop(now); err != nil && !errors.Is(err, context.Canceled) {
		e.Error(err)
	}
}

// redriveOpen sends what is open still, unless a redrive that nobody heard of does.
func (e *env) redriveOpen(fingerprint string) {
	e.Helper()
	e.wait("a redrive", func() bool {
		_, err := e.center.Redrive(e.admin(), api.RedriveRequest{Fingerprint: fingerprint})
		if err != nil && !errors.Is(err, api.ErrConflict) {
			e.Fatal(err)
		}
		return len(e.letters("open")) == 0
	})
}

func (e *env) allEnded(at int) {
	e.Helper()
	e.wait("the redrives' end", func() bool {
		page, err := e.center.Redrives(e.admin(), api.PageQuery{})
		if err != nil {
			e.Fatal(err)
		}
		for _, r := range page.Items {
			if r.State == jobRunning {
				return false
			}
			if r.Sent+r.Skipped != r.Total || r.Renewed > 0 {
				e.Fatalf("step %d: %+v", at, r)
			}
		}
		return true
	})
}

// TestEveryRecordFails: Kafka refuses or loses the answer of the i-th record.
func TestEveryRecordFails(t *testing.T) {
	e := newEnv(t)
	e.service()
	for i := range 12 {
		n, i := 0, i/2
		lost := i%2 == 1
		c := e.start(func(c *Center) {
			c.produce = func(ctx context.Context, client *kgo.Client, records []*kgo.Record) kgo.ProduceResults {
				var out kgo.ProduceResults
				for _, r := range records {
					fails := n == i
					n++
					if fails && !lost {
						out = append(out, kgo.ProduceResult{Record: r, Err: kgo.ErrRecordRetries})
						continue
					}
					one := client.ProduceSync(ctx, r)
					if fails {
						one[0].Err = kgo.ErrRecordTimeout
					}
					out = append(out, one...)
				}
				return out
			}
		})
		events := e.kill(6, fmt.Sprintf("record %d-", i))
		kind := e.fingerprints()[0]
		job := e.redrive(api.RedriveRequest{Fingerprint: kind.ID, PerSecond: 15})
		if done := e.waitEnded(job.ID); done.State != "done" || done.Sent != 6 || done.Handled != 6 || done.Renewed != 0 || done.Skipped != 0 || done.Problem != "" {
			t.Errorf("record %d, lost %v: %+v", i, lost, done)
		}
		e.once(events)
		e.stop(c)
	}
}

// TestRefusedForGood: what Kafka will not take is skipped, and open again.
func TestRefusedForGood(t *testing.T) {
	e := newEnv(t)
	e.service()
	e.start(func(c *Center) {
		c.produce = func(ctx context.Context, client *kgo.Client, records []*kgo.Record) kgo.ProduceResults {
			out := kgo.ProduceResults{{Record: records[0], Err: kerr.MessageTooLarge}}
			return append(out, client.ProduceSync(ctx, records[1:]...)...)
		}
	})
	e.kill(3, "large")
	done := e.waitEnded(e.redrive(api.RedriveRequest{Fingerprint: e.fingerprints()[0].ID}).ID)
	if done.State != "done" || done.Sent != 2 || done.Skipped != 1 || done.Handled != 2 {
		t.Errorf("%+v", done)
	}
	e.waitLetters("open", 1)
}

// TestStopWhileItRuns: a redrive goes on where it was.
func TestStopWhileItRuns(t *testing.T) {
	e := newEnv(t)
	e.service()
	c := e.start()
	events := e.kill(20, "stop")
	job := e.redrive(api.RedriveRequest{Fingerprint: e.fingerprints()[0].ID, PerSecond: 20})
	for range 3 {
		before, err := c.RedriveByID(e.admin(), job.ID)
		if err != nil {
			t.Fatal(err)
		}
		e.wait("progress", func() bool {
			now, err := c.RedriveByID(e.admin(), job.ID)
			return err == nil && (now.Sent > before.Sent || now.State != jobRunning)
		})
		e.stop(c)
		c = e.start()
	}
	if done := e.waitEnded(job.ID); done.State != "done" || done.Sent != 20 || done.Handled != 20 {
		t.Errorf("%+v", done)
	}
	e.once(events)
}

// TestCancel: the rest stays open.
func TestCancel(t *testing.T) {
	e := newEnv(t)
	e.service()
	c := e.start()
	e.kill(20, "cancel")
	kind := e.fingerprints()[0]
	job := e.redrive(api.RedriveRequest{Fingerprint: kind.ID, PerSecond: 0.001})
	if _, err := c.Redrive(e.admin(), api.RedriveRequest{IDs: []string{e.letters("open")[0].ID}}); !errors.Is(err, api.ErrConflict) {
		t.Errorf("a second one of the same fingerprint: %v", err)
	}
	e.wait("one to be sent", func() bool { r, err := c.RedriveByID(e.admin(), job.ID); return err == nil && r.Sent == 1 })
	cancelled, err := c.CancelRedrive(e.admin(), job.ID)
	if err != nil || cancelled.State != "cancelled" || cancelled.Ended.IsZero() {
		t.Fatalf("%+v, %v", cancelled, err)
	}
	if _, err := c.CancelRedrive(e.admin(), job.ID); !errors.Is(err, api.ErrConflict) {
		t.Errorf("cancelled twice: %v", err)
	}
	e.waitLetters("open", 19)
	e.wait("the audit entry", func() bool {
		page, err := e.audit.Entries(t.Context(), api.PageQuery{Search: "cancelled"})
		return err == nil && len(page.Items) == 1
	})
	done := e.waitEnded(e.redrive(api.RedriveRequest{Fingerprint: kind.ID, PerSecond: 1000}).ID)
	if done.Sent != 19 || done.Handled != 19 {
		t.Errorf("the rest: %+v", done)
	}
}
