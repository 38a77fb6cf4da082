package killtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// TestFolderIsOneProcess: a second process is refused and told whose the folder is, whatever
// the first is doing, and has it when the first was killed.
func TestFolderIsOneProcess(t *testing.T) {
	w := newWorld(t, broker.Fsync, t.TempDir())
	for range 3 {
		w.start()
		second := w.config
		second.Addr = freeAddr(t)
		p := launch(t, second)
		<-p.child.Done()
		if want := fmt.Sprint(w.broker.pid()); !strings.Contains(p.said.String(), refused) || !strings.Contains(p.said.String(), want) {
			t.Errorf("the second process said %q, want the process %s named", &p.said, want)
		}
		_, err := broker.Start(t.Context(), broker.Config{Addr: second.Addr, DataDir: second.DataDir})
		if !errors.Is(err, broker.ErrFolderInUse) {
			t.Errorf("got %v", err)
		}
		w.broker.kill()
	}
	b, err := broker.Start(t.Context(), broker.Config{Addr: w.config.Addr, DataDir: w.config.DataDir})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := testservers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}
