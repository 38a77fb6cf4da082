package node

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// TestManyPartitions are made with one call, and opened again, clean and killed.
func TestManyPartitions(t *testing.T) {
	topics, each := 300, 4
	if testing.Short() {
		topics = 50
	}
	o := Options{FS: vfs.OS, Dir: t.TempDir()}
	n := open(t, o)
	var asked []NewTopic
	for i := range topics {
		asked = append(asked, NewTopic{Name: fmt.Sprint("t", i), Partitions: each})
	}
	began := time.Now()
	made, errs := n.Create(asked, false)
	t.Logf("made %d partitions in %v", topics*each, time.Since(began))
	for i, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
		if i%50 == 0 {
			if err := put(made[i].Partition(0), "v"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, end := range []func() error{n.Close, func() error { n.Kill(); return nil }} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		before := heap()
		began := time.Now()
		n = open(t, o)
		t.Logf("opened in %v with %d KiB a partition", time.Since(began), (heap()-before)>>10/uint64(topics*each))
		if s := n.Stats(); s.Partitions != topics*each+3 {
			t.Errorf("%d partitions", s.Partitions)
		}
		if used := (heap() - before) / uint64(topics*each); used > 32<<10 {
			t.Errorf("%d bytes a partition", used)
		}
	}
	var names []string
	for _, a := range asked {
		names = append(names, a.Name)
	}
	began = time.Now()
	for _, err := range n.Delete(names...) {
		if err != nil {
			t.Fatal(err)
		}
	}
	n.removing.Wait()
	t.Logf("deleted in %v", time.Since(began))
	checkNoOrphans(t, "after all were deleted", n)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
