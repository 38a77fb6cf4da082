package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pabal-dev/pabal/batch"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
)

func TestTransientErrorsAreWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemStore(refuse, refuse, lose, refuse, none)
		w := writer(t, s, journal.WriterConfig{})
		defer stop(t, w)
		began := time.Now()
		got, err := w.Append(t.Context(), oneEvent("a|1", 0, "w", "x"))
		if err != nil || got.SeqNr != 1 || got.Time != time.UnixMicro(1).UTC() || len(s.events["a|1"]) != 1 {
			t.Errorf("got %+v, %v; stored %v", got, err, s.events)
		}
		if waited := time.Since(began); waited < 150*time.Millisecond || waited > 300*time.Millisecond {
			t.Errorf("waited %s, want 20+40+80+160 ms or half of it", waited)
		}
	})
}

func TestATransactionThatHangsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := writer(t, newMemStore(hang, none), journal.WriterConfig{Timeout: 5 * time.Second})
		defer stop(t, w)
		began := time.Now()
		got, err := w.Append(t.Context(), oneEvent("a|1", 0, "w", "x"))
		if waited := time.Since(began).Truncate(time.Second); err != nil || got.SeqNr != 1 || waited != 5*time.Second {
			t.Errorf("got %+v, %v after %s, want it to be written after 5s", got, err, waited)
		}
	})
}

func TestRetriesEndWithTheCallersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemStore()
		s.fault = func() fault { return refuse }
		w := writer(t, s, journal.WriterConfig{})
		defer stop(t, w)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := w.Append(ctx, oneEvent("a|1", 0, "w", "x"))
		if !errors.Is(err, journal.ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errAway) {
			t.Errorf("got %v, want ErrUnknown, the deadline and what the database said", err)
		}
	})
}

// TestLostAnswers: the first try meets the fault, then something happens behind the
// Writer's back, then it tries again.
func TestLostAnswers(t *testing.T) {
	mine := oneEvent("a|1", 1, "w", "mine")
	two := journal.Write{PersistenceID: "a|1", After: 1, Writer: "w", Events: []journal.NewEvent{{Payload: payload("x")}, {Payload: payload("y")}}}
	anonymous := oneEvent("a|1", 1, "", "mine")
	nothing := func(*memStore) {}
	appends := func(w journal.Write) func(*memStore) { return func(s *memStore) { s.append(w) } }
	tests := []struct {
		name   string
		write  journal.Write
		fault  fault
		behind func(*memStore)
		want   error // nil: written
		seqNr  int64
	}{
		{"committed", mine, lose, nothing, nil, 2},
		{"not committed", mine, refuse, nothing, nil, 2},
		{"several events", two, lose, nothing, nil, 3},
		{"committed, and somebody went on", mine, lose, appends(oneEvent("a|1", 2, "other", "theirs")), nil, 2},
		{"somebody else was first", mine, refuse, appends(oneEvent("a|1", 1, "other", "theirs")), journal.ErrConflict, 0},
		{"somebody else wrote the same", mine, refuse, appends(oneEvent("a|1", 1, "other", "mine")), journal.ErrConflict, 0},
		{"somebody else wrote less", two, refuse, appends(oneEvent("a|1", 1, "other", "x")), journal.ErrConflict, 0},
		{"the same, of nobody", anonymous, lose, nothing, journal.ErrUnknown, 0},
		{"another, of nobody", anonymous, refuse, appends(oneEvent("a|1", 1, "", "theirs")), journal.ErrConflict, 0},
		{"committed and deleted", mine, lose, func(s *memStore) { s.events["a|1"][1].Deleted = true }, journal.ErrUnknown, 0},
		{"half of it deleted", two, lose, func(s *memStore) { s.events["a|1"][1].Deleted = true }, nil, 3},
		{"all forgotten", mine, lose, func(s *memStore) { delete(s.events, "a|1") }, journal.ErrUnknown, 0},
		{"not committed, and another one deleted", two, refuse, func(s *memStore) {
			s.append(oneEvent("a|1", 1, "other", "theirs"))
			s.events["a|1"][1].Deleted = true
		}, journal.ErrConflict, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newMemStore()
			s.append(oneEvent("a|1", 0, "before", "x"))
			tries := 0
			s.fault = func() fault {
				if tries++; tries == 1 {
					return test.fault
				}
				if tries == 2 {
					test.behind(s)
				}
				return none
			}
			w := writer(t, s, journal.WriterConfig{Backoff: batch.Backoff{Min: 1, Max: 1}})
			defer stop(t, w)
			got, err := w.Append(t.Context(), test.write)
			if !errors.Is(err, test.want) || test.want == nil && err != nil {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if got.SeqNr != test.seqNr || (test.want == nil) == got.Time.IsZero() {
				t.Errorf("got %+v, want sequence number %d", got, test.seqNr)
			}
		})
	}
}

func TestTheLookMayFailToo(t *testing.T) {
	for _, test := range []struct {
		looks []error
		want  error
	}{{[]error{errAway, errAway, nil}, nil}, {[]error{errBroken}, journal.ErrUnknown}} {
		s := newMemStore(lose)
		s.looks = func() error {
			err := test.looks[0]
			test.looks = test.looks[1:]
			return err
		}
		w := writer(t, s, journal.WriterConfig{Backoff: batch.Backoff{Min: 1, Max: 1}})
		if got, err := w.Append(t.Context(), oneEvent("a|1", 0, "w", "x")); !errors.Is(err, test.want) || test.want == nil && got.SeqNr != 1 {
			t.Errorf("got %+v, %v; want %v", got, err, test.want)
		}
		stop(t, w)
	}
}

func TestAfterALostAnswerAnErrorLeavesItOpen(t *testing.T) {
	w := writer(t, newMemStore(lose, broken), journal.WriterConfig{Backoff: batch.Backoff{Min: 1, Max: 1}})
	defer stop(t, w)
	if _, err := w.Append(t.Context(), oneEvent("a|1", 0, "w", "x")); !errors.Is(err, journal.ErrUnknown) || !errors.Is(err, errBroken) {
		t.Errorf("got %v, want ErrUnknown and the database's error", err)
	}
}

func TestLostAnswersOfStates(t *testing.T) {
	mine := journal.StateWrite{PersistenceID: "a|1", Revision: 2, Payload: payload("mine")}
	erase := journal.StateWrite{PersistenceID: "a|1", Revision: 2, Delete: true}
	hard := journal.StateWrite{PersistenceID: "a|1", Revision: 2, Delete: true, Hard: true}
	theirs := journal.StateWrite{PersistenceID: "a|1", Revision: 2, Payload: payload("theirs")}
	nothing := func(*memStore) {}
	writes := func(w journal.StateWrite) func(*memStore) { return func(s *memStore) { s.writeState(w) } }
	tests := []struct {
		name   string
		write  journal.StateWrite
		fault  fault
		behind func(*memStore)
		want   error
	}{
		{"not committed", mine, refuse, nothing, nil},
		{"committed: the table cannot tell by whom", mine, lose, nothing, journal.ErrUnknown},
		{"somebody else was first", mine, refuse, writes(theirs), journal.ErrConflict},
		{"somebody went on", mine, lose, writes(journal.StateWrite{PersistenceID: "a|1", Revision: 3}), journal.ErrUnknown},
		{"somebody deleted it", mine, refuse, writes(erase), journal.ErrConflict},
		{"a delete meets a state", erase, refuse, writes(theirs), journal.ErrConflict},
		{"a delete is there", erase, lose, nothing, journal.ErrUnknown},
		{"the row is gone", hard, lose, nothing, journal.ErrUnknown},
		{"the row was made anew", mine, refuse, func(s *memStore) {
			delete(s.states, "a|1")
		}, journal.ErrUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newMemStore()
			s.writeState(journal.StateWrite{PersistenceID: "a|1", Revision: 1, Payload: payload("first")})
			tries := 0
			s.fault = func() fault {
				if tries++; tries == 1 {
					return test.fault
				}
				test.behind(s)
				return none
			}
			w := writer(t, s, journal.WriterConfig{Backoff: batch.Backoff{Min: 1, Max: 1}})
			defer stop(t, w)
			got, err := w.WriteState(t.Context(), test.write)
			if !errors.Is(err, test.want) || test.want == nil && (err != nil || got.SeqNr != 2) {
				t.Errorf("got %+v, %v; want %v", got, err, test.want)
			}
		})
	}
}

// TestRivalsUnderFaults: several incarnations write the same entities while the
// database fails at random. What was acknowledged is there, once, and as its
// writer's; what was a conflict is not.
func TestRivalsUnderFaults(t *testing.T) {
	random := testenv.Rand(t) // its seed is the time, which stands still in there
	synctest.Test(t, func(t *testing.T) {
		s := newMemStore()
		faults := rand.New(rand.NewPCG(random.Uint64(), 0))
		s.fault = func() fault { return []fault{none, none, none, none, refuse, lose}[faults.IntN(6)] }
		const rivals, entities, each = 3, 8, 120
		l := &ledger{s: s, acknowledged: map[string]string{}, refused: map[string]bool{}}
		var writers []*journal.Writer
		var running sync.WaitGroup
		for r := range rivals {
			w := writer(t, s, journal.WriterConfig{Groups: 2})
			writers = append(writers, w)
			for e := range entities {
				own := rand.New(rand.NewPCG(random.Uint64(), 0))
				running.Go(func() { l.write(t, w, fmt.Sprintf("a|%d", e), fmt.Sprintf("rival %d, entity %d", r, e), own, each) })
			}
		}
		running.Wait()
		for _, w := range writers {
			stop(t, w)
		}
		l.check(t)
	})
}

// ledger remembers what writers were told.
type ledger struct {
	s            *memStore
	mu           sync.Mutex
	acknowledged map[string]string // place -> payload
	refused      map[string]bool   // payload
}

func (l *ledger) write(t *testing.T, w *journal.Writer, id, by string, random *rand.Rand, count int) {
	for n := range count {
		highest, err := l.s.HighestSeqNrs(t.Context(), []string{id})
		if err != nil {
			t.Error(err)
			return
		}
		time.Sleep(time.Duration(random.IntN(50)) * time.Millisecond) // to let rivals come between
		data := fmt.Sprintf("%s, write %d", by, n)
		got, err := w.Append(t.Context(), oneEvent(id, highest[0], by, data))
		l.mu.Lock()
		switch {
		case err == nil:
			place := fmt.Sprint(id, got.SeqNr)
			if other, taken := l.acknowledged[place]; taken {
				t.Errorf("%s is acknowledged to %q and %q", place, other, data)
			}
			l.acknowledged[place] = data
		case errors.Is(err, journal.ErrConflict):
			l.refused[data] = true
		default:
			t.Error(err)
		}
		l.mu.Unlock()
	}
}

func (l *ledger) check(t *testing.T) {
	total := 0
	for id, events := range l.s.events {
		for i, e := range events {
			total++
			data := string(e.Payload.Data)
			if e.SeqNr != int64(i)+1 || l.refused[data] || l.acknowledged[fmt.Sprint(id, e.SeqNr)] != data {
				t.Errorf("%s at %d: %q is stored, refused: %v, acknowledged: %q", id, e.SeqNr, data, l.refused[data], l.acknowledged[fmt.Sprint(id, e.SeqNr)])
			}
		}
	}
	if total != len(l.acknowledged) || total == 0 || len(l.refused) == 0 {
		t.Errorf("%d events are stored, %d were acknowledged, %d refused", total, len(l.acknowledged), len(l.refused))
	}
	t.Logf("%d written, %d conflicts, %d groups", total, len(l.refused), len(l.s.groups))
}
