package log_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
)

func keyed(key, value string) batch.Record {
	r := batch.Record{Timestamp: 1, Key: []byte(key)}
	if value != "" {
		r.Value = []byte(value)
	}
	return r
}

// left is the records that are in a log, as offset:key=value.
func left(t *testing.T, l *log.Log, committed bool) []string {
	t.Helper()
	found, err := readAll(l, committed)
	must(t, err)
	var all []string
	for o, r := range found {
		all = append(all, fmt.Sprintf("%02d:%s=%s", o, r.key, r.value))
	}
	slices.Sort(all)
	return all
}

// compactAll compacts everything that was appended, whatever the segment.
func compactAll(t *testing.T, w *world, memory int) {
	t.Helper()
	w.now = w.now.Add(time.Hour) // a new segment
	must(t, w.log.Maintain())
	w.log.SetHighWatermark(1 << 60)
	_, err := w.log.Compact(memory)
	must(t, err)
}

func TestCompactionKeepsTheLastOfEachKey(t *testing.T) {
	w := empty(t, log.Config{Compact: true, SegmentAge: time.Hour, DeleteRetention: 24 * time.Hour})
	for i := range 10 {
		appendOne(t, w, batch.Build(batch.Header{ProducerID: -1},
			keyed(fmt.Sprint("k", i%3), fmt.Sprint(i)), keyed(fmt.Sprint("once", i), "x")))
	}
	appendOne(t, w, batch.Build(batch.Header{ProducerID: -1}, keyed("k0", "")))
	compactAll(t, w, 1<<20)
	want := []string{"01:once0=x", "03:once1=x", "05:once2=x", "07:once3=x", "09:once4=x", "11:once5=x", "13:once6=x",
		"14:k1=7", "15:once7=x", "16:k2=8", "17:once8=x", "19:once9=x", "20:k0="}
	if got := left(t, w.log, false); !slices.Equal(got, want) {
		t.Fatalf("left %q", got)
	}
	w.now = w.now.Add(25 * time.Hour)
	appendOne(t, w, batch.Build(batch.Header{ProducerID: -1}, keyed("new", "x")))
	compactAll(t, w, 1<<20)
	if got := left(t, w.log, false); len(got) != 13 || got[12] != "21:new=x" {
		t.Fatalf("the tombstone's time is over; left %q", got)
	}
}

func TestCompactionOfTransactions(t *testing.T) {
	w := empty(t, log.Config{Compact: true, SegmentAge: time.Hour, DeleteRetention: time.Minute})
	transactional := func(id int64, sequence int32, r batch.Record) {
		appendOne(t, w, batch.Build(batch.Header{ProducerID: id, BaseSequence: sequence, Attributes: 0x10}, r))
	}
	end := func(id int64, commit bool) {
		at, err := w.log.AppendMarker(batch.Marker{ProducerID: id, Commit: commit}, 0, nil)
		must(t, err)
		w.log.SetHighWatermark(at.Last + 1)
	}
	appendOne(t, w, batch.Build(batch.Header{ProducerID: -1}, keyed("a", "live"))) // 0
	transactional(1, 0, keyed("a", "aborted"))                                     // 1
	end(1, false)                                                                  // 2
	transactional(2, 0, keyed("b", "committed"))                                   // 3
	end(2, true)                                                                   // 4
	transactional(3, 0, keyed("b", "open"))                                        // 5
	compactAll(t, w, 1<<20)
	if got := left(t, w.log, false); len(got) != 4 {
		t.Fatalf("compacted past the last stable offset: %q", got)
	}
	end(3, true)                              // 6
	transactional(1, 1, keyed("c", "second")) // 7
	end(1, true)                              // 8
	compactAll(t, w, 1<<20)
	if got, want := left(t, w.log, false), []string{"00:a=live", "05:b=open", "07:c=second"}; !slices.Equal(got, want) {
		t.Fatalf("left %q", got)
	}
	before := markers(t, w.log)
	w.now = w.now.Add(time.Hour)
	transactional(1, 2, keyed("d", "x"))
	end(1, true)
	compactAll(t, w, 1<<20)
	if got := markers(t, w.log); !slices.Equal(before, []int64{2, 4, 6, 8}) || !slices.Equal(got, []int64{4, 6, 8, 10}) {
		t.Fatalf("markers at %v, then at %v", before, got)
	}
}

// markers returns the offsets of the control batches.
func markers(t *testing.T, l *log.Log) (offsets []int64) {
	t.Helper()
	got, err := l.Read(0, 1<<20, false, nil)
	must(t, err)
	for data := got.Data; len(data) > 0; {
		h, err := batch.Verify(data)
		must(t, err)
		if h.Control() {
			offsets = append(offsets, h.BaseOffset)
		}
		data = data[h.Size:]
	}
	return offsets
}

// TestLagKeepsRecords: what is younger than the lag stays.
func TestLagKeepsRecords(t *testing.T) {
	w := empty(t, log.Config{Compact: true, SegmentBytes: 200, MinCompactionLag: time.Hour})
	for i := range 20 {
		appendOne(t, w, batch.Build(batch.Header{ProducerID: -1}, batch.Record{Timestamp: w.now.UnixMilli(), Key: []byte("k"), Value: fmt.Append(nil, i)}))
	}
	if _, all := w.log.Dirty(); all != 0 {
		t.Fatalf("%d bytes could be compacted", all)
	}
	_, err := w.log.Compact(1 << 20)
	must(t, err)
	if got := left(t, w.log, false); len(got) != 20 {
		t.Fatalf("left %q", got)
	}
	w.now = w.now.Add(2 * time.Hour)
	c, err := w.log.Compact(1 << 20)
	must(t, err)
	if got := left(t, w.log, false); len(got) > 4 || c.After >= c.Before {
		t.Fatalf("left %q, %+v", got, c)
	}
}
