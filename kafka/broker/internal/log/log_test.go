package log_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

func timed(ms ...int64) []byte {
	var rs []batch.Record
	for _, m := range ms {
		rs = append(rs, batch.Record{Timestamp: m, Value: []byte("0123456789")})
	}
	return batch.Build(batch.Header{ProducerID: -1}, rs...)
}

func empty(t *testing.T, config log.Config) *world {
	t.Helper()
	w := newWorld(testenv.Rand(t), simfs.New(), config)
	must(t, w.open())
	return w
}

func TestReadIsBounded(t *testing.T) {
	w := filled(t, simfs.New(), 40)
	for offset := range int64(40) {
		for _, most := range []int{0, 1, 100, 200, 1 << 20} {
			got, err := w.log.Read(offset, most, false, nil)
			must(t, err)
			h, err := batch.Verify(got.Data)
			if err != nil || h.BaseOffset != offset {
				t.Fatalf("read at %d: %+v, %v", offset, h, err)
			}
			if len(got.Data) > max(most, h.Size) {
				t.Fatalf("read at %d of at most %d bytes returned %d", offset, most, len(got.Data))
			}
		}
	}
	for offset, wrong := range map[int64]bool{-1: true, 40: false, 41: true} {
		if got, err := w.log.Read(offset, 100, false, nil); errors.Is(err, log.ErrOffsetOutOfRange) != wrong || len(got.Data) > 0 {
			t.Errorf("read at %d: %v", offset, err)
		}
	}
	b := timed(1)
	h, err := batch.Parse(b)
	must(t, err)
	_, err = w.log.Append(b, h, 0, nil)
	must(t, err)
	if got, err := w.log.Read(40, 100, false, nil); err != nil || len(got.Data) > 0 {
		t.Errorf("past the high watermark: %d bytes, %v", len(got.Data), err)
	}
}

func TestReadUsesTheBuffer(t *testing.T) {
	w := filled(t, simfs.New(), 5)
	buf := make([]byte, 1<<20)
	got, err := w.log.Read(1, 1000, false, buf)
	must(t, err)
	if &got.Data[0] != &buf[75] && &got.Data[0] != &buf[len(timed(1))] && cap(got.Data) < 1<<19 {
		t.Error("the batches are not in the buffer")
	}
}

func TestLargeBatchesAreRead(t *testing.T) {
	w := empty(t, log.Config{})
	for i := range 20 {
		appendOne(t, w, batch.Build(batch.Header{ProducerID: -1}, batch.Record{Value: make([]byte, 1+(i%3)*40_000)}))
	}
	for offset := range int64(20) {
		got, err := w.log.Read(offset, 10, false, nil)
		must(t, err)
		if h, err := batch.Verify(got.Data); err != nil || h.BaseOffset != offset {
			t.Fatalf("read at %d: %+v, %v", offset, h, err)
		}
	}
}

func TestOffsetsByTime(t *testing.T) {
	w := empty(t, log.Config{SegmentBytes: 300})
	appendOne(t, w, timed(100, 300, 200)) // 0-2
	appendOne(t, w, timed(250, 260))      // 3-4
	appendOne(t, w, timed(900, 500))      // 5-6
	appendOne(t, w, timed(400))           // 7
	for ms, want := range map[int64]int64{0: 0, 100: 0, 101: 1, 300: 1, 301: 5, 900: 5, 901: -1} {
		if got, err := w.log.ByTime(ms, false); err != nil || got.Offset != want {
			t.Errorf("at %d: %+v, %v, want %d", ms, got, err, want)
		}
	}
	if got, err := w.log.MaxTimestamp(false); err != nil || got != (log.Found{Offset: 5, Timestamp: 900}) {
		t.Errorf("%+v, %v", got, err)
	}
	_, err := w.log.DeleteRecords(6)
	must(t, err)
	if got, err := w.log.ByTime(0, false); err != nil || got.Offset != 6 {
		t.Errorf("after the start: %+v, %v", got, err)
	}
	if got, err := w.log.MaxTimestamp(false); err != nil || got.Offset != 6 {
		t.Errorf("after the start: %+v, %v", got, err)
	}
}

func TestEpochs(t *testing.T) {
	w := empty(t, log.Config{})
	for i, epoch := range []int32{1, 1, 4} {
		b := timed(int64(i))
		h, err := batch.Parse(b)
		must(t, err)
		_, err = w.log.Append(b, h, epoch, nil)
		must(t, err)
	}
	for range 2 {
		for asked, want := range map[int32][2]int64{0: {0, 0}, 1: {1, 2}, 3: {1, 2}, 4: {4, 3}, 5: {-1, -1}} {
			if epoch, end := w.log.EpochEnd(asked); int64(epoch) != want[0] || end != want[1] {
				t.Errorf("epoch %d: %d, %d, want %v", asked, epoch, end, want)
			}
		}
		must(t, w.log.Close())
		must(t, w.open())
	}
}

func TestRetentionByTime(t *testing.T) {
	w := empty(t, log.Config{SegmentBytes: 200, RetentionTime: time.Minute})
	now := w.now.UnixMilli()
	for _, ms := range []int64{now - 120_000, now + 1e12, 5, now} { // past, far future, oldest, present
		appendOne(t, w, timed(ms))
		appendOne(t, w, timed(ms))
	}
	must(t, w.log.Maintain())
	if o := w.log.Offsets(); o.Start != 2 {
		t.Fatalf("only what is old at the front goes: %+v", o)
	}
	w.now = w.now.Add(2 * time.Minute)
	must(t, w.log.Maintain())
	for range 2 {
		if o := w.log.Offsets(); o.Start != 8 || o.Next != 8 || w.log.Size() != 0 {
			t.Fatalf("emptied: %+v, %d bytes", o, w.log.Size())
		}
		must(t, w.log.Close())
		must(t, w.open())
	}
	if at := appendOne(t, w, timed(now)); at.Base != 8 {
		t.Fatalf("an emptied log went on at %d", at.Base)
	}
}

func TestRetentionBySize(t *testing.T) {
	w := empty(t, log.Config{SegmentBytes: 200, RetentionTime: -1, RetentionBytes: 300})
	for range 20 {
		appendOne(t, w, timed(1))
	}
	must(t, w.log.Maintain())
	if size := w.log.Size(); size < 300 || size > 600 {
		t.Fatalf("%d bytes are left", size)
	}
}

func TestCompactedTopicsAreNotRetained(t *testing.T) {
	w := empty(t, log.Config{SegmentBytes: 200, Compact: true, RetentionTime: time.Millisecond, RetentionBytes: 1})
	for range 20 {
		appendOne(t, w, timed(1))
	}
	w.now = w.now.Add(time.Hour)
	must(t, w.log.Maintain())
	if o := w.log.Offsets(); o.Start != 0 {
		t.Fatalf("%+v", o)
	}
}

func TestDeleteRecords(t *testing.T) {
	w := filled(t, simfs.New(), 40)
	if _, err := w.log.DeleteRecords(41); !errors.Is(err, log.ErrOffsetOutOfRange) {
		t.Fatalf("past the end: %v", err)
	}
	for _, c := range [][2]int64{{15, 15}, {3, 15}, {-1, 40}} {
		if start, err := w.log.DeleteRecords(c[0]); err != nil || start != c[1] || w.log.Offsets().Start != c[1] {
			t.Fatalf("to %d: %d, %v", c[0], start, err)
		}
	}
}

func TestLogAppendTime(t *testing.T) {
	w := empty(t, log.Config{LogAppendTime: true})
	if at := appendOne(t, w, timed(5)); at.Timestamp != w.now.UnixMilli() {
		t.Fatalf("%+v", at)
	}
	if got, err := w.log.ByTime(6, false); err != nil || got.Timestamp != w.now.UnixMilli() {
		t.Fatalf("%+v, %v", got, err)
	}
}

// TestOpenReadsLittle: a closed log is not read; one that was killed from its checkpoint on.
func TestOpenReadsLittle(t *testing.T) {
	fs := simfs.New()
	w := filled(t, fs, 45)
	must(t, w.log.Checkpoint())
	appendOne(t, w, timed(1))
	w.fs = fs.Kill()
	must(t, w.open())
	if n := w.log.Report().Scanned; n != int64(len(timed(1))) {
		t.Errorf("%d bytes were read", n)
	}
	must(t, w.log.Close())
	must(t, w.open())
	if n := w.log.Report().Scanned; n != 0 {
		t.Errorf("closed, and %d bytes were read", n)
	}
}

func ExampleDamage() {
	fmt.Println(log.Damage{File: "topic-0/00.log", At: 120, Offset: 7, Reason: "CRC"})
	// Output: topic-0/00.log: damaged at byte 120, offset 7 (CRC); cut off
}
