package entity

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

func TestMailboxIsBoundedAndInOrder(t *testing.T) {
	store := newMemory()
	h := open(t, store, Config{MailboxSize: 3, MaxPending: 5})
	askSettled(t, h, "kim", deposit{1, "0"})
	askSettled(t, h, "lee", deposit{1, "0"})
	release := make(chan struct{})
	released := sync.OnceFunc(func() { close(release) })
	t.Cleanup(released) // before the host is stopped
	store.set(func(_ context.Context, method string) error {
		if method == "AppendGroup" {
			<-release
		}
		return nil
	}, nil)
	var all sync.WaitGroup
	begin := func(id, deposited string) {
		pending := h.Stats().Pending
		all.Go(func() {
			if _, err := h.Ask(t.Context(), id, deposit{1, deposited}); err != nil {
				t.Errorf("%s %s: %v", id, deposited, err)
			}
		})
		eventually(t, "it is in the mailbox", func() bool { return h.Stats().Pending == pending+1 })
	}
	for n := range 4 {
		begin("kim", fmt.Sprint(n+1))
	}
	if _, err := h.Ask(t.Context(), "kim", deposit{1, "5"}); !errors.Is(err, ErrBusy) {
		t.Errorf("one command more for the entity: %v", err)
	}
	begin("lee", "1")
	if _, err := h.Ask(t.Context(), "park", deposit{1, "1"}); !errors.Is(err, ErrBusy) {
		t.Errorf("one command more for the host: %v", err)
	}
	released()
	all.Wait()
	if view, err := h.Read(t.Context(), "kim"); err != nil || !slices.Equal(view.State.IDs, []string{"0", "1", "2", "3", "4"}) {
		t.Errorf("the order is %v, %v", view.State.IDs, err)
	}
	// A command is answered before it is counted as done.
	eventually(t, "nothing is pending", func() bool { return h.Stats().Pending == 0 })
	if s := h.Stats(); s.Busy != 2 {
		t.Errorf("the counts are %+v", s)
	}
}

// TestEntitiesDoNotWaitForEachOther carries on while one is being read.
func TestEntitiesDoNotWaitForEachOther(t *testing.T) {
	store := newMemory()
	h := open(t, store, Config{})
	reading, release := make(chan struct{}), make(chan struct{})
	first := true
	store.set(func(_ context.Context, method string) error {
		if method == "Events" && first {
			first = false
			close(reading)
			<-release
		}
		return nil
	}, nil)
	slow := make(chan int64)
	go func() { slow <- ask(t, h, "slow", deposit{Amount: 1}) }()
	<-reading
	ask(t, h, "kim", deposit{Amount: 1})
	close(release)
	if got := <-slow; got != 1 {
		t.Errorf("the slow one replied %d", got)
	}
}

func TestPassivation(t *testing.T) {
	store, time := newMemory(), newClock()
	h := open(t, store, Config{Clock: time.now, IdleTimeout: 10 * second, MaxLive: 3})
	live := func() int { return h.Stats().Live }
	for n := range 5 {
		askSettled(t, h, fmt.Sprint("e", n), deposit{Amount: int64(n + 1)})
		time.advance(second)
	}
	if live() != 3 {
		t.Errorf("%d entities are live, the bound is 3", live())
	}
	recovered := h.Stats().Recovered
	askSettled(t, h, "e2", balance{}) // was used longest ago, and is used now
	askSettled(t, h, "e9", deposit{Amount: 1})
	askSettled(t, h, "e2", balance{})
	if got := h.Stats().Recovered - recovered; got != 1 {
		t.Errorf("%d states were read, want that of the new one only", got)
	}
	time.advance(9 * second)
	if _, err := h.Read(t.Context(), "e2"); err != nil { // a Read is a use
		t.Fatal(err)
	}
	time.advance(2 * second)
	eventually(t, "the sweep leaves the one in use", func() bool { return live() == 1 })
	if got := askSettled(t, h, "e0", balance{}); got != 1 {
		t.Errorf("one that left comes back with %d", got)
	}
}

// askSettled waits for the turn's end too, a moment after its reply: it counts as
// use then.
func askSettled(t testing.TB, h *accountHost, id string, c command) int64 {
	t.Helper()
	reply := ask(t, h, id, c)
	eventually(t, "the turn's end", func() bool { return h.Stats().Pending == 0 })
	return reply
}

const second = time.Second

func TestPassivationByBytes(t *testing.T) {
	d := accounts(t)
	d.Size = func(s account) int { return int(s.Balance) }
	h, err := NewEventSourced(d, newMemory(), quietly(Config{MaxLiveBytes: 100}))
	run(t, h, err)
	for n := range 10 {
		askSettled(t, h, fmt.Sprint("e", n), deposit{Amount: 30})
	}
	if s := h.Stats(); s.Live != 3 || s.Bytes != 90 {
		t.Errorf("%d are live with %d bytes", s.Live, s.Bytes)
	}
}

// TestMemoryPerIdleEntity bounds what an entity needs beside its state, and that it
// needs no goroutine.
func TestMemoryPerIdleEntity(t *testing.T) {
	const entities, most = 30_000, 2048
	d := accounts(t)
	d.Initial = func(string) account { return account{} }
	h, err := NewEventSourced(d, stateless{newMemory()}, quietly(Config{MaxLive: entities}))
	run(t, h, err)
	goroutines := runtime.NumGoroutine()
	before := heap()
	const askers = 16
	var all sync.WaitGroup
	for asker := range askers {
		all.Go(func() {
			for n := asker; n < entities; n += askers {
				if _, err := h.Ask(t.Context(), fmt.Sprintf("order-%08d", n), deposit{Amount: 1}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	each := float64(heap()-before) / entities
	t.Logf("%.0f bytes per entity", each)
	if each > most {
		t.Errorf("%.0f bytes per idle entity, want at most %d", each, most)
	}
	if s := h.Stats(); s.Live != entities {
		t.Errorf("%d are live", s.Live)
	}
	if now := runtime.NumGoroutine(); now > goroutines+10 {
		t.Errorf("%d goroutines, before there were %d", now, goroutines)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// stateless takes everything and keeps nothing.
type stateless struct{ *memory }

func (s stateless) AppendGroup(_ context.Context, writes []journal.Write) ([]journal.Result, error) {
	all := make([]journal.Result, len(writes))
	for i, w := range writes {
		all[i].Appended = journal.Appended{SeqNr: w.After + int64(len(w.Events)), Time: time.Unix(0, 0)}
	}
	return all, nil
}
