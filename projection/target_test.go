package projection_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

// byManifest maps an event to a document by the name in its payload's manifest.
func byManifest(e projection.Envelope) (string, any, error) {
	switch e.Payload.Manifest {
	case "fails":
		return "", nil, errOfMapping
	case "skipped":
		return "", nil, nil
	case "deleted":
		return e.PersistenceID, nil, nil
	}
	return e.PersistenceID, e.Payload.Manifest, nil
}

var errOfMapping = errors.New("cannot be mapped")

func mapped(id string, seqNr int64, manifest string) projection.Envelope {
	return projection.Envelope{Event: journal.Event{PersistenceID: id, SeqNr: seqNr, Payload: journal.Payload{Manifest: manifest}}}
}

func TestChanges(t *testing.T) {
	for _, x := range []struct {
		name   string
		events []projection.Envelope
		want   []projection.Change
	}{
		{"none", nil, nil},
		{"each", []projection.Envelope{mapped("a", 1, "x"), mapped("b", 7, "y")}, []projection.Change{{"a", 1, "x"}, {"b", 7, "y"}}},
		{"the last of a document", []projection.Envelope{mapped("a", 1, "x"), mapped("b", 1, "b"), mapped("a", 2, "y")},
			[]projection.Change{{"a", 2, "y"}, {"b", 1, "b"}}},
		{"the last is not the latest", []projection.Envelope{mapped("a", 2, "y"), mapped("a", 1, "x")}, []projection.Change{{"a", 2, "y"}}},
		{"deleted and made again", []projection.Envelope{mapped("a", 1, "x"), mapped("a", 2, "deleted")}, []projection.Change{{"a", 2, nil}}},
		{"events that change nothing", []projection.Envelope{mapped("a", 1, "skipped"), mapped("b", 1, "b"), mapped("a", 2, "skipped")},
			[]projection.Change{{"b", 1, "b"}}},
	} {
		got, err := projection.Changes(byManifest, x.events)
		if err != nil || !slices.Equal(got, x.want) {
			t.Errorf("%s: %v, %v; want %v", x.name, got, err, x.want)
		}
	}
	if _, err := projection.Changes(byManifest, []projection.Envelope{mapped("a", 1, "x"), mapped("b", 3, "fails")}); !errors.Is(err, errOfMapping) {
		t.Errorf("a mapping that fails: %v", err)
	}
}

type target func(context.Context, []projection.Change) error

func (t target) Apply(ctx context.Context, changes []projection.Change) error { return t(ctx, changes) }

func TestInto(t *testing.T) {
	calls := 0
	handler := projection.Into(target(func(_ context.Context, changes []projection.Change) error {
		calls++
		return errOfMapping
	}), byManifest)
	if err := handler(t.Context(), []projection.Envelope{mapped("a", 1, "skipped")}); err != nil || calls > 0 {
		t.Errorf("nothing to change: %v, %d calls", err, calls)
	}
	if err := handler(t.Context(), []projection.Envelope{mapped("a", 1, "x")}); !errors.Is(err, errOfMapping) || calls != 1 {
		t.Errorf("a target that fails: %v, %d calls", err, calls)
	}
}

// TestUnavailableIsWaitedOut: it costs no attempt and skips nothing, whatever OnFailure
// says.
func TestUnavailableIsWaitedOut(t *testing.T) {
	journal := newMemJournal()
	journal.deliver(evs("p1", 3)...)
	var failures atomic.Int64
	seen := make(chan projection.Envelope, 10)
	c := config[*memTx]()
	c.OnFailure = projection.Skip
	c.Outside = func(_ context.Context, es []projection.Envelope) error {
		if failures.Add(1) < 8 {
			return errors.Join(projection.ErrUnavailable, errOfMapping)
		}
		for _, e := range es {
			seen <- e
		}
		return nil
	}
	p := start(t, onMemory(t).store, journal, c)
	for want := int64(1); want <= 3; want++ {
		select {
		case e := <-seen:
			if e.SeqNr != want || e.Attempt != 1 {
				t.Fatalf("attempt %d of event %d, want the first of %d", e.Attempt, e.SeqNr, want)
			}
		case <-time.After(soon):
			t.Fatalf("event %d did not come", want)
		}
	}
	wait(t, "offsets are stored", func() bool { return p.Stats().Handled == 3 })
	if s := p.Stats(); s.Skipped+s.Failed > 0 {
		t.Errorf("stats %+v", s)
	}
}
