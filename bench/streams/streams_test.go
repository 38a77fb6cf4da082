package streams

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

func testStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{addr: kafkatest.Start(t).Addr(), dir: t.TempDir()}
	if err := errors.Join(build(t.Context(), s.dir), s.connect()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	return s
}

// Our side of each kind, as a process, on the in-process broker, with its check.
func TestOurSideIsMeasured(t *testing.T) {
	s := testStage(t)
	o := options{rounds: 1, records: 20_000, keys: 50, bytes: 10, partitions: 2}
	in, err := s.input(t.Context(), "in", o, zipf(o.keys))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.makeTopic(t.Context(), "table", o.partitions); err != nil {
		t.Fatal(err)
	}
	early := func(i int) ([]byte, []byte, int64) { return keyText(i), []byte("x"), int64(i) }
	if err := s.load(t.Context(), "table", o.keys, early); err != nil {
		t.Fatal(err)
	}
	checks := map[string]func(context.Context, task, workload) error{
		"count": s.sumsUp(outOf, true), "window": s.sumsUp(outOf, true), "join": s.asMany,
	}
	for kind, check := range checks {
		base := task{Kind: kind, Table: "table", CommitMs: 20, WindowMs: 100, CacheBytes: 1 << 20}
		results, err := s.contend(t.Context(), o, io.Discard, base, []contender{{kind, ours, in, nil, check}})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if r := results[kind][0]; r.perSecond <= 0 || r.perCPU <= 0 || r.peak < 1e6 {
			t.Errorf("%s gave %+v", kind, r)
		}
	}
}

// A run that went wrong gives no figures.
func TestChecksFindWhatIsMissing(t *testing.T) {
	s := testStage(t)
	if err := s.makeTopic(t.Context(), "out", 2); err != nil {
		t.Fatal(err)
	}
	err := s.load(t.Context(), "out", 30, func(i int) ([]byte, []byte, int64) {
		return keyText(i % 10), binary.BigEndian.AppendUint64(nil, uint64(i/10+1)), 1
	})
	if err != nil {
		t.Fatal(err)
	}
	for records, good := range map[int]bool{30: true, 29: false, 31: false} {
		if err := s.sumsUp(outOf, true)(t.Context(), task{Out: "out"}, workload{records: records}); (err == nil) != good {
			t.Errorf("30 counted of %d records: %v", records, err)
		}
		if err := s.asMany(t.Context(), task{Out: "out"}, workload{records: records}); (err == nil) != good {
			t.Errorf("30 of %d records: %v", records, err)
		}
	}
}
