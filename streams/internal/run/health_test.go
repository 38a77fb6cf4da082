package run

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestStoppedStoresEndTheApplication: where the disk refused a line of the list of tables, only
// a new start can tell what the disk has.
func TestStoppedStoresEndTheApplication(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 2, "in", "out")
	cfg := configure(t, k)
	var broken atomic.Bool
	disk := diskWith(t, cfg.StateDir)
	cfg.FS = errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && strings.Contains(op.Path, "MANIFEST") {
			return errorfs.ErrInjected
		}
		return nil
	}))
	in, out := client(t, k), newOutput(t, k)
	r := begin(t, cfg)
	feed(t, k, in, 100)
	out.await(t, 100)
	broken.Store(true)
	total := int64(100)
	testenv.Wait(t, "it ends", 90*time.Second, func() bool {
		feed(t, k, in, 10)
		total += 10
		select {
		case <-r.Done():
			return true
		default:
			return false
		}
	})
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "start the application again") || r.State() != Errored {
		t.Errorf("it is %s and says %v", r.State(), err)
	}
	broken.Store(false)
	begin(t, cfg)
	out.await(t, total)
}
