package streams

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams/state"
)

// threeInstances have two partitions of six each.
func threeInstances(t *testing.T) *fleet {
	f := newFleet(t, 3, 6)
	for i, in := range f.all {
		f.place(in, true, true, 0, int32(2*i), int32(2*i+1))
	}
	return f
}

// keyAt is a key of one of the partitions of an instance.
func (f *fleet) keyAt(i int) string {
	for n := 0; ; n++ {
		if key := fmt.Sprintf("k%03d", n); partitionOf([]byte(key), f.partitions)/2 == int32(i) {
			return key
		}
	}
}

func TestGetAcrossInstances(t *testing.T) {
	f := threeInstances(t)
	f.fill(100)
	a := f.all[0]
	local, routed := a.counts(), a.counts(Routed(nil))
	for i := range 100 {
		key := fmt.Sprintf("k%03d", i)
		if v, ok, err := routed.Get(t.Context(), key); err != nil || !ok || v != int64(i) {
			t.Fatalf("%s is %d, %v, %v", key, v, ok, err)
		}
		v, ok, err := local.Get(t.Context(), key)
		switch owner := partitionOf([]byte(key), 6) / 2; {
		case owner == 0 && (err != nil || !ok || v != int64(i)):
			t.Fatalf("%s is %d, %v, %v", key, v, ok, err)
		case owner > 0:
			place, told := ElsewhereOf(err)
			if !errors.Is(err, ErrElsewhere) || !told || place.Active.Process != f.all[owner].name || !strings.Contains(err.Error(), f.all[owner].server.URL) {
				t.Fatalf("%s of %d: %v", key, owner, err)
			}
		}
	}
	if _, ok, err := routed.Get(t.Context(), "nobody"); ok || err != nil {
		t.Errorf("a key that is not there: %v, %v", ok, err)
	}
}

func listed[K, V any](t *testing.T, seq iter.Seq2[state.Pair[K, V], error]) (out []string) {
	t.Helper()
	for p, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(p.Key, "=", p.Value))
	}
	slices.Sort(out)
	return out
}

func TestIterationAcrossInstances(t *testing.T) {
	f := threeInstances(t)
	f.fill(1000) // several pages of each
	s := f.all[1].counts(Routed(nil))
	if got := listed(t, s.All(t.Context())); len(got) != 1000 || got[7] != "k007=7" {
		t.Errorf("%d entries, %v…", len(got), got[:min(8, len(got))])
	}
	if got := listed(t, s.Range(t.Context(), "k010", "k019")); len(got) != 10 || got[0] != "k010=10" || got[9] != "k019=19" {
		t.Errorf("%v", got)
	}
	if got := listed(t, s.ReverseRange(t.Context(), "k010", "k019")); len(got) != 10 {
		t.Errorf("%v", got)
	}
	if got := listed(t, s.Prefix(t.Context(), []byte("k12"))); len(got) != 10 || got[0] != "k120=120" {
		t.Errorf("%v", got)
	}
}

func TestWindowsAcrossInstances(t *testing.T) {
	f := threeInstances(t)
	f.fill(100)
	for i, in := range f.all {
		q, err := wait(t.Context(), in, "windows", []QueryOption{Routed(nil)}, asWindow[string, int64])
		if err != nil {
			t.Fatal(err)
		}
		w := &WindowStore[string, int64]{q}
		if v, ok, err := w.Fetch(t.Context(), "k042", 1000); err != nil || !ok || v != 421 {
			t.Fatalf("instance %d: %d, %v, %v", i, v, ok, err)
		}
		if _, ok, err := w.Fetch(t.Context(), "k042", 1001); err != nil || ok {
			t.Fatalf("instance %d: there is no such window: %v, %v", i, ok, err)
		}
		want := []string{"{k042 {1000 2000}}=421", "{k042 {2000 3000}}=422"}
		if got := listed(t, w.FetchRange(t.Context(), "k042", 1, 2000)); !slices.Equal(got, want) {
			t.Errorf("instance %d: %v", i, got)
		}
		if got := listed(t, w.FetchKeys(t.Context(), "k040", "k049", 0, 1000)); len(got) != 20 {
			t.Errorf("instance %d: %v", i, got)
		}
		if got := listed(t, w.FetchAll(t.Context(), 0, 2000)); len(got) != 300 {
			t.Errorf("instance %d: %d windows", i, len(got))
		}
	}
}

func TestSessionsAcrossInstances(t *testing.T) {
	f := threeInstances(t)
	f.fill(50)
	q, err := wait(t.Context(), f.all[2], "sessions", []QueryOption{Routed(nil)}, asSession[string, int64])
	if err != nil {
		t.Fatal(err)
	}
	s := &SessionStore[string, int64]{q}
	want := []string{"{k042 {0 100}}=4200", "{k042 {10000 10100}}=4202", "{k042 {5000 5100}}=4201"}
	if got := listed(t, s.Fetch(t.Context(), "k042")); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if got := listed(t, s.Find(t.Context(), "k042", 5000, 9999)); !slices.Equal(got, want[2:]) {
		t.Errorf("%v", got)
	}
	if got := listed(t, s.All(t.Context())); len(got) != 150 {
		t.Errorf("%d sessions", len(got))
	}
}

// TestOwnerDown: said clearly, or answered by a copy, by choice.
func TestOwnerDown(t *testing.T) {
	f := threeInstances(t)
	a, b := f.all[0], f.all[1]
	key := f.keyAt(1)
	p := partitionOf([]byte(key), 6)
	f.place(a, false, true, 7, p) // a's copy lacks 7
	f.fill(20)
	strict, stale, fresh := a.counts(Routed(nil)), a.counts(Routed(nil), AllowStale(10)), a.counts(Routed(nil), AllowStale(5))
	b.server.Close()
	if _, _, err := strict.Get(t.Context(), key); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), b.server.URL) {
		t.Errorf("without copies: %v", err)
	}
	if _, ok, err := stale.Get(t.Context(), key); err != nil || !ok {
		t.Errorf("a copy that lacks 7 of 10: %v, %v", ok, err)
	}
	if _, _, err := fresh.Get(t.Context(), key); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a copy that lacks 7 of 5: %v", err)
	}
	if _, ok, err := a.counts(AllowStale(-1)).Get(t.Context(), key); err != nil || !ok {
		t.Errorf("the copy here: %v, %v", ok, err)
	}
	// From a third instance, which has no copy.
	if _, ok, err := f.all[2].counts(Routed(nil), AllowStale(10)).Get(t.Context(), key); err != nil || !ok {
		t.Errorf("the copy of another: %v, %v", ok, err)
	}
	if err := lastError(strict.All(t.Context())); !errors.Is(err, ErrUnreachable) {
		t.Errorf("an iteration: %v", err)
	}
}

func lastError[E any](seq iter.Seq2[E, error]) (last error) {
	for _, err := range seq {
		last = err
	}
	return last
}

// TestNoCircle: instances that believe each other to have a partition ask once.
func TestNoCircle(t *testing.T) {
	f := newFleet(t, 2, 1)
	a, b := f.all[0], f.all[1]
	f.place(b, true, true, 0, 0)
	f.take(b, 0)
	f.change(func() { b.host.Active = append(b.host.Active, f.all[0].task0()) }) // it is said to, and has not
	_, _, err := a.counts(Routed(nil)).Get(t.Context(), "k")
	if !errors.Is(err, ErrNotReady) {
		t.Errorf("got %v", err)
	}
	if a.asked > 0 || b.asked == 0 || b.asked > attempts {
		t.Errorf("a was asked %d times, b %d", a.asked, b.asked)
	}
}

func TestRestoring(t *testing.T) {
	f := newFleet(t, 1, 2)
	in := f.all[0]
	f.place(in, true, false, 3, 0, 1)
	f.fill(10)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := wait(ctx, in, "counts", nil, asKeyValue[string, int64])
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrNotReady) || !strings.Contains(err.Error(), "being restored") {
		t.Errorf("got %v", err)
	}
	if _, ok, err := in.counts(AllowStale(3)).Get(t.Context(), "k001"); err != nil || !ok {
		t.Errorf("stale: %v, %v", ok, err)
	}
	ready := make(chan error)
	go func() {
		_, err := wait(t.Context(), in, "counts", nil, asKeyValue[string, int64])
		ready <- err
	}()
	f.place(in, true, true, 0, 0)
	select {
	case err := <-ready:
		t.Fatalf("one partition is still missing: %v", err)
	case <-time.After(10 * time.Millisecond):
	}
	f.place(in, true, true, 0, 1)
	if err := <-ready; err != nil {
		t.Error(err)
	}
	in.err = errors.New("out of luck")
	close(in.ended)
	f.place(in, true, false, 3, 0)
	if _, err := wait(t.Context(), in, "counts", nil, asKeyValue[string, int64]); !errors.Is(err, in.err) {
		t.Errorf("got %v", err)
	}
}

func TestWrongStores(t *testing.T) {
	f := threeInstances(t)
	in := f.all[0]
	_, missing := wait(t.Context(), in, "nothing", nil, asKeyValue[string, int64])
	_, kind := wait(t.Context(), in, "counts", nil, asWindow[string, int64])
	_, value := wait(t.Context(), in, "counts", nil, asKeyValue[string, string])
	_, key := wait(t.Context(), in, "counts", nil, asKeyValue[int64, int64])
	_, session := wait(t.Context(), in, "windows", nil, asSession[string, int64])
	for i, err := range []error{missing, kind, value, key, session} {
		if !errors.Is(err, ErrNoStore) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if _, err := wait(t.Context(), in, "counts", nil, asKeyValue[string, state.Timestamped[int64]]); err != nil {
		t.Errorf("with timestamps: %v", err)
	}
}

func TestGlobalStore(t *testing.T) {
	f := newFleet(t, 1, 6) // no partition of anything else
	in := f.all[0]
	s := f.storeOf("everywhere")
	b := in.db.NewBatch()
	value := append(number(5), "v"...) // with its time
	b.Set(in.space(s, -1), []byte("k"), value)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	q, err := wait(t.Context(), in, "everywhere", nil, asKeyValue[string, string])
	if err != nil {
		t.Fatal(err)
	}
	if v, ok, err := (&Store[string, string]{q}).Get(t.Context(), "k"); err != nil || !ok || v != "v" {
		t.Errorf("%q, %v, %v", v, ok, err)
	}
}

// TestHandOver: reads while partitions move between instances are right or say that they are
// not ready, never wrong.
func TestHandOver(t *testing.T) {
	f := newFleet(t, 2, 1)
	a, b := f.all[0], f.all[1]
	f.place(a, true, true, 0, 0)
	f.place(b, false, true, 0, 0)
	f.fill(10)
	s := a.counts(Routed(nil))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			from, to := a, b
			if i%2 == 1 {
				from, to = b, a
			}
			f.take(from, 0)
			f.place(to, true, true, 0, 0)
		}
	}()
	right := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		v, ok, err := s.Get(t.Context(), "k007")
		switch {
		case err == nil && ok && v == 7:
			right++
		case !errors.Is(err, ErrNotReady) && !errors.Is(err, ErrElsewhere):
			t.Fatalf("%d, %v, %v", v, ok, err)
		}
	}
	if right == 0 {
		t.Error("no read succeeded")
	}
}
