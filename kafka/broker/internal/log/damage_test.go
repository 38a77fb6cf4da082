package log_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

// filled is a log of n batches of one record each, in segments of about ten.
func filled(t *testing.T, fs *simfs.FS, n int) *world {
	t.Helper()
	w := newWorld(testenv.Rand(t), fs, log.Config{SegmentBytes: 800, RetentionTime: -1})
	must(t, w.open())
	for i := range n {
		b := batch.Build(batch.Header{ProducerID: -1}, batch.Record{Timestamp: int64(1000 + i), Key: []byte("k"), Value: fmt.Appendf(nil, "v%04d", i)})
		appendOne(t, w, b)
	}
	return w
}

func appendOne(t testing.TB, w *world, b []byte) log.Appended {
	t.Helper()
	h, err := batch.Verify(b)
	must(t, err)
	at, err := w.log.Append(b, h, 0, nil)
	must(t, err)
	w.log.SetHighWatermark(at.Last + 1)
	return at
}

// TestTornTail: every length of the last file opens to the batches that are whole.
func TestTornTail(t *testing.T) {
	fs := simfs.New()
	w := newWorld(testenv.Rand(t), fs, log.Config{})
	must(t, w.open())
	for range 3 {
		appendOne(t, w, batch.Build(batch.Header{ProducerID: -1}, batch.Record{Value: []byte("value")}))
	}
	name := folder + "/00000000000000000000.log"
	f, err := fs.Open(name)
	must(t, err)
	size, err := f.Size()
	must(t, err)
	for length := range size {
		left := fs.Kill()
		g, err := left.Open(name)
		must(t, err)
		must(t, g.Truncate(length))
		w.fs = left
		must(t, w.open())
		if got, want := w.log.Offsets().Next, length/(size/3); got != want {
			t.Fatalf("of %d bytes are left %d batches, want %d", length, got, want)
		}
		if r := w.log.Report(); (len(r.Truncated) == 1) != (length%(size/3) != 0) || len(r.Quarantined) > 0 {
			t.Fatalf("of %d bytes: %+v", length, r)
		}
	}
}

// TestSyncedEndIsMissing: a file that lost what the checkpoint vouches for is told of, though
// it ends with a whole batch.
func TestSyncedEndIsMissing(t *testing.T) {
	fs := simfs.New()
	w := newWorld(testenv.Rand(t), fs, log.Config{})
	must(t, w.open())
	for range 2 {
		appendOne(t, w, batch.Build(batch.Header{ProducerID: -1}, batch.Record{Value: []byte("value")}))
	}
	must(t, w.log.Checkpoint())
	left := fs.Kill()
	f, err := left.Open(folder + "/00000000000000000000.log")
	must(t, err)
	size, err := f.Size()
	must(t, err)
	must(t, f.Truncate(size/2))
	w.fs = left
	must(t, w.open())
	if r := w.log.Report(); len(r.Quarantined) != 1 || w.log.Offsets().Next != 2 {
		t.Errorf("%+v, %+v", r, w.log.Offsets())
	}
}

// TestCutTailStaysCut: the power does not bring back what was cut off, where other batches are
// by then.
func TestCutTailStaysCut(t *testing.T) {
	fs := simfs.New()
	w := newWorld(testenv.Rand(t), fs, log.Config{})
	must(t, w.open())
	one := func() []byte {
		return batch.Build(batch.Header{ProducerID: -1}, batch.Record{Value: []byte("value")})
	}
	appendOne(t, w, one())
	must(t, w.log.Checkpoint())
	size := int64(len(one()))
	appendOne(t, w, one())
	appendOne(t, w, one())
	left := fs.Kill()
	must(t, left.Flip(folder+"/00000000000000000000.log", size+70, 1))
	w.fs = left
	must(t, w.open())
	if w.log.Offsets().Next != 1 {
		t.Fatalf("%+v", w.log.Offsets())
	}
	for range 20 {
		w.fs = left.Crash(w.rnd)
		must(t, w.open())
		if r := w.log.Report(); r.Scanned > 0 || len(r.Truncated)+len(r.Quarantined) > 0 {
			t.Fatalf("the tail is back: %+v", r)
		}
	}
}

// TestKilledWhileMending ends the process at each operation of opening a damaged log: what is
// damaged is kept, or told of when it is opened again.
func TestKilledWhileMending(t *testing.T) {
	fs := simfs.New()
	w := filled(t, fs, 45)
	must(t, w.log.Checkpoint())
	must(t, fs.Remove(folder+"/checkpoint"))
	must(t, fs.Flip(folder+"/00000000000000000000.log", 100, 1))
	var all []*simfs.FS
	damaged := fs.Kill()
	damaged.Hook(func(simfs.Op) error { all = append(all, damaged.Kill()); return nil })
	w.fs = damaged
	must(t, w.open())
	for i, left := range all {
		w.fs = left
		must(t, w.open())
		names, err := left.ReadDir(folder)
		must(t, err)
		kept := slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, ".quarantine") })
		if !kept {
			t.Errorf("killed before operation %d of %d: nothing of the damage is kept: %q, %+v", i, len(all), names, w.log.Report())
		}
	}
}

// TestFlippedBytes: whatever byte of whatever file is changed, with or without the
// checkpoint, records are lost only where a report names the file, and what was there is
// kept under another name. Nothing is made up.
func TestFlippedBytes(t *testing.T) {
	fs := simfs.New()
	w := filled(t, fs, 45)
	rnd := w.rnd
	must(t, w.log.Checkpoint())
	for i := range 5 {
		appendOne(t, w, batch.Build(batch.Header{ProducerID: -1}, batch.Record{Key: []byte("k"), Value: fmt.Appendf(nil, "v%04d", 45+i)}))
	}
	names, err := fs.ReadDir(folder)
	must(t, err)
	for range testenv.Sized(150, 10_000) {
		left := fs.Kill()
		name := folder + "/" + names[rnd.IntN(len(names))]
		if rnd.IntN(2) == 0 {
			must(t, left.Remove(folder+"/checkpoint"))
			if name == folder+"/checkpoint" {
				continue
			}
		}
		f, err := left.Open(name)
		must(t, err)
		size, err := f.Size()
		must(t, err)
		if size == 0 {
			continue
		}
		at := rnd.Int64N(size)
		must(t, left.Flip(name, at, 1<<rnd.IntN(8)))
		w.fs = left
		must(t, w.open())
		checkFlipped(t, w, left, name, at)
	}
}

func checkFlipped(t *testing.T, w *world, left *simfs.FS, name string, at int64) {
	t.Helper()
	found, err := readAll(w.log, false)
	if err != nil { // damage of synced data, which is not read at opening: a reader is told
		if !strings.Contains(err.Error(), ".log") && !strings.Contains(err.Error(), "read at") {
			t.Fatalf("%s at %d: %v", name, at, err)
		}
		return
	}
	for offset, r := range found {
		if r.value != fmt.Sprintf("v%04d", offset) {
			t.Fatalf("%s at %d: offset %d has %+v", name, at, offset, r)
		}
	}
	report := w.log.Report()
	if len(found) < 50 && len(report.Quarantined)+len(report.Truncated) == 0 {
		t.Fatalf("%s at %d: %d of 50 records are there, and nothing is said", name, at, len(found))
	}
	if len(found) < 49 {
		for _, d := range report.Quarantined {
			if _, err := left.Open(d.As); err != nil {
				t.Fatalf("%v: %v", d, err)
			}
		}
		if len(report.Quarantined) == 0 {
			t.Fatalf("%s at %d: %d of 50 records are there, and none are kept: %+v", name, at, len(found), report)
		}
	}
}

// TestDamageInTheMiddleLeavesAGap: a byte of an older segment costs one batch, not the
// rest of the segment.
func TestDamageInTheMiddleLeavesAGap(t *testing.T) {
	fs := simfs.New()
	w := filled(t, fs, 45)
	left := fs.Kill()
	must(t, left.Remove(folder+"/checkpoint"))
	must(t, left.Flip(folder+"/00000000000000000000.log", 75*3+70, 1))
	w.fs = left
	for again := range 2 {
		must(t, w.open())
		found, err := readAll(w.log, false)
		must(t, err)
		if _, there := found[3]; len(found) != 44 || there {
			t.Fatalf("%d records; %+v", len(found), w.log.Report())
		}
		q := w.log.Report().Quarantined
		if (again == 0) != (len(q) == 1) || again == 0 && (q[0].Offset != 3 || !strings.HasSuffix(q[0].As, ".quarantine")) {
			t.Fatalf("opened %d times before: %v", again, q)
		}
		must(t, w.log.Close())
	}
}

// TestDamagedBatchIsReadAround: of synced data, which opening does not read, one damaged byte
// costs the readers of one batch an answer. Those of all others have theirs, unless the batch
// seems to have their offsets.
func TestDamagedBatchIsReadAround(t *testing.T) {
	fs := simfs.New()
	w := filled(t, fs, 45)
	must(t, w.log.Checkpoint())
	const file, size, batches = folder + "/00000000000000000000.log", 74, 10
	for at := range int64(size) {
		left := fs.Kill()
		must(t, left.Flip(file, 3*size+at, 1<<(at%8)))
		if at%2 == 0 {
			must(t, left.Remove(folder+"/00000000000000000000.index"))
		}
		w.fs = left
		must(t, w.open())
		for offset := range int64(batches) {
			b, err := w.log.Read(offset, 1<<20, false, nil)
			if err != nil {
				if offset != 3 || !errors.Is(err, batch.ErrCorrupt) || !strings.Contains(err.Error(), file) {
					t.Fatalf("byte %d: offset %d: %v", at, offset, err)
				}
				continue
			}
			h, err := batch.Verify(b.Data) // as readers do
			lastDelta := at >= 23 && at < 27
			if err == nil && h.BaseOffset != offset || err != nil && offset != 3 && !lastDelta {
				t.Fatalf("byte %d: offset %d: got %d, %v", at, offset, h.BaseOffset, err)
			}
		}
	}
}
