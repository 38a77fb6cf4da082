package entity

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

func openWith(t testing.TB, store journal.Store, policy journal.SnapshotPolicy, c Config) *accountHost {
	t.Helper()
	d := accounts(t)
	d.Snapshot = policy
	h, err := NewEventSourced(d, store, quietly(c))
	return run(t, h, err)
}

func TestSnapshotsByPolicy(t *testing.T) {
	for name, policy := range map[string]journal.SnapshotPolicy{
		"every 3 events": {Every: 3},
		"by bytes":       {Bytes: 3 * int64(len(`{"by":1}`))},
		"by predicate":   {When: func(p journal.Progress) bool { return p.State.(account).Balance == 3 }},
	} {
		t.Run(name, func(t *testing.T) {
			store := newMemory()
			h := openWith(t, store, policy, Config{})
			for range 4 {
				ask(t, h, "kim", deposit{Amount: 1})
			}
			eventually(t, "a snapshot at 3", func() bool { return store.saved("account|kim") == 3 })
			read := store.count("Events")
			other := openWith(t, store, policy, Config{})
			if got := ask(t, other, "kim", balance{}); got != 4 || store.count("Events") != read+1 {
				t.Errorf("the recovered balance is %d", got)
			}
			for n, want := range map[int64]int64{1: 1, 2: 2, 3: 3, 4: 4, 0: 4} {
				view, err := other.StateAt(t.Context(), "kim", n)
				if err != nil || view.State.Balance != want {
					t.Errorf("the state at %d: %+v, %v", n, view, err)
				}
			}
			if _, err := other.StateAt(t.Context(), "kim", 5); !errors.Is(err, ErrVersion) {
				t.Errorf("the state at 5: %v", err)
			}
			if data, n, err := other.StateJSON(t.Context(), "kim", 2); err != nil || n != 2 || !strings.Contains(string(data), `"balance":2`) {
				t.Errorf("as JSON: %s, %d, %v", data, n, err)
			}
		})
	}
}

// TestSnapshotNeverBlocksTheWriter saves one that does not end, and one that fails.
func TestSnapshotNeverBlocksTheWriter(t *testing.T) {
	store := newMemory()
	saving, release := make(chan struct{}, 100), make(chan struct{})
	store.set(func(ctx context.Context, method string) error {
		if method == "SaveSnapshot" {
			saving <- struct{}{}
			<-release
			return errAway
		}
		return nil
	}, nil)
	h := openWith(t, store, journal.SnapshotPolicy{Every: 2}, Config{SnapshotsAtOnce: 1})
	for range 2 {
		ask(t, h, "kim", deposit{Amount: 1})
	}
	<-saving
	for range 5 {
		ask(t, h, "kim", deposit{Amount: 1})
		ask(t, h, "lee", deposit{Amount: 1})
	}
	if len(saving) > 0 {
		t.Error("more than one snapshot is on its way")
	}
	store.set(nil, nil)
	close(release)
	eventually(t, "the failure counts", func() bool { return h.Stats().SnapshotsFailed == 1 })
	ask(t, h, "lee", deposit{Amount: 1}) // was due since the second
	eventually(t, "the one that found no room is made up for", func() bool { return store.saved("account|lee") == 6 })
}

func TestUnreadableSnapshotIsReplaced(t *testing.T) {
	store := newMemory()
	h := openWith(t, store, journal.SnapshotPolicy{Every: 2}, Config{})
	for range 3 {
		ask(t, h, "kim", deposit{Amount: 1})
	}
	eventually(t, "a snapshot", func() bool { return store.saved("account|kim") == 2 })
	store.mu.Lock()
	s := store.snapshots["account|kim"]
	s.Payload.Data = []byte("!")
	store.snapshots["account|kim"] = s
	store.mu.Unlock()
	if got := ask(t, open(t, store, Config{}), "kim", deposit{Amount: 1}); got != 4 {
		t.Errorf("all events replayed make %d", got)
	}
	store.mu.Lock()
	store.events["account|kim"] = store.events["account|kim"][2:]
	store.mu.Unlock()
	_, err := open(t, store, Config{}).Ask(t.Context(), "kim", balance{})
	var broken *RecoveryError
	if !errors.As(err, &broken) || !strings.Contains(err.Error(), "number 2") || !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("without the events the snapshot had: %v", err)
	}
}

func TestDefinitionsAreChecked(t *testing.T) {
	store, types := newMemory(), registry(t, journal.TypeOf[moved]("moved"))
	for name, change := range map[string]func(*EventSourced[command, moved, account, int64]){
		"no type":                func(d *EventSourced[command, moved, account, int64]) { d.Type = "" },
		"a bar in the type":      func(d *EventSourced[command, moved, account, int64]) { d.Type = "a|b" },
		"no Decide":              func(d *EventSourced[command, moved, account, int64]) { d.Decide = nil },
		"no registry":            func(d *EventSourced[command, moved, account, int64]) { d.Registry = nil },
		"a negative policy":      func(d *EventSourced[command, moved, account, int64]) { d.Snapshot.Every = -1 },
		"no type for the states": func(d *EventSourced[command, moved, account, int64]) { d.Registry, d.Snapshot.Every = types, 5 },
	} {
		d := accounts(t)
		change(&d)
		if _, err := NewEventSourced(d, store, Config{}); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewEventSourced(accounts(t), store, Config{MaxLive: -1}); !errors.Is(err, ErrConfig) {
		t.Errorf("a negative bound: %v", err)
	}
	d := durableAccounts(t)
	d.Registry = types
	if _, err := NewDurable(d, store, Config{}); !errors.Is(err, ErrConfig) {
		t.Errorf("no type for the state: %v", err)
	}
}
