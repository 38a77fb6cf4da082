package node

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

// TestKillAnswersAll that wait for a sync that takes long, and writes nothing afterwards.
func TestKillAnswersAll(t *testing.T) {
	fs := simfs.New()
	o := Options{FS: fs, Dir: "data"}
	n := open(t, o)
	p := create(t, n, "t", 1).Partition(0)
	syncing, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	fs.Hook(func(op simfs.Op) error {
		if op.Kind == "sync" && strings.Contains(op.Name, journalFolder) {
			once.Do(func() { close(syncing) })
			<-release
		}
		return nil
	})
	const count = 50
	answers := make(chan error, count)
	for range count {
		b, h := record(n.o.Now())
		p.Append(b, h, nil, func(_ log.Appended, err error) { answers <- err })
	}
	<-syncing
	var killed sync.WaitGroup
	killed.Go(n.Kill)
	for !n.closed.Load() {
		runtime.Gosched()
	}
	close(release)
	killed.Wait()
	acknowledged := int64(0)
	for range count {
		switch err := <-answers; {
		case err == nil:
			acknowledged++
		case !errors.Is(err, ErrClosed):
			t.Errorf("an append: %v", err)
		}
	}
	ops := fs.Ops()
	n.Maintain()
	if _, errs := n.Create([]NewTopic{{Name: "u", Partitions: 1}}, false); !errors.Is(errs[0], ErrClosed) {
		t.Errorf("create: %v", errs[0])
	}
	if err := n.Delete("t")[0]; !errors.Is(err, ErrClosed) {
		t.Errorf("delete: %v", err)
	}
	if fs.Ops() != ops {
		t.Error("something is written after Kill")
	}
	if at := open(t, o).Topic("t").Partition(0).Log().Offsets(); at.Next < acknowledged {
		t.Errorf("%d were acknowledged, %d are there", acknowledged, at.Next)
	}
}

func TestEndTwice(t *testing.T) {
	for _, end := range []func(*Node) error{(*Node).Close, func(n *Node) error { n.Kill(); return nil }} {
		n := open(t, Options{})
		for range 2 {
			if err := errors.Join(end(n), n.Close()); err != nil {
				t.Error(err)
			}
			n.Kill()
		}
	}
}
