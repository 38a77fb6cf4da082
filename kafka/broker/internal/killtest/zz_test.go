package killtest

import (
	"context"
	"testing"
	"time"
	"os"
	"strings"
	"syscall"
	"fmt"

	"github.com/pabal-dev/pabal/kafka/broker"
)

func TestZZ(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := newWorld(t, broker.Fsync, t.TempDir())
	var ls []workload
	which := os.Getenv("ZZ")
	numbers := newSequences(w, "numbers")
	if strings.Contains(which, "n") {
		ls = append(ls, numbers)
	}
	if strings.Contains(which, "t") {
		ls = append(ls, newTransactions(w))
	}
	if strings.Contains(which, "v") {
		ls = append(ls, newVersions(w))
	}
	if strings.Contains(which, "p") {
		ls = append(ls, newPositions(w))
	}
	if strings.Contains(which, "r") {
		ls = append(ls, newReaders(w, "numbers"))
	}
	if strings.Contains(which, "s") {
		ls = append(ls, newRetainedBySize(w))
	}
	if strings.Contains(which, "m") {
		ls = append(ls, newTrimmed(w))
	}
	if strings.Contains(which, "c") {
		ls = append(ls, newChanges(w))
	}
	w.begin(ctx, ls...)
	for range 5 {
		time.Sleep(time.Second)
		for _, l := range ls {
			s, _ := l.did()
			fmt.Printf("%s: %s\n", l.name(), s)
		}
	}
	if os.Getenv("QUIT") != "" {
		w.broker.child.Signal(syscall.SIGQUIT)
		<-w.broker.child.Done()
		fmt.Println(w.broker.said.String())
		os.Exit(0)
	}
	w.finish(ctx)
}
