// Package side is what an application that is measured and the one that measures have in
// common.
package side

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Reporter prints the progress of this process.
type Reporter struct {
	Out *json.Encoder
	// Look fills in State and Records.
	Look func() Progress

	mu sync.Mutex
}

// UntilEnd prints until in has ended or failed has an error; each line of in is asked for.
func (r *Reporter) UntilEnd(ctx context.Context, in *bufio.Reader, failed <-chan error) error {
	lines := make(chan error)
	go func() { // ends with the process's input
		for {
			_, err := in.ReadString('\n')
			lines <- err
			if err != nil {
				return
			}
		}
	}()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case err := <-lines:
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
		case err := <-failed:
			return fmt.Errorf("the application ended: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
		r.Print()
	}
}

// Print one line.
func (r *Reporter) Print() {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.Look()
	p.CPU, p.RSS, p.Peak = cpuSeconds(), status("VmRSS:"), status("VmHWM:")
	_ = r.Out.Encode(p)
}

// cpuSeconds are those of this process.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// status is a field of /proc/self/status in bytes; 0 where there is no Linux.
func status(field string) int64 {
	data, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(data)) {
		if kb, ok := strings.CutPrefix(line, field); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 10, 64)
			return n * 1024
		}
	}
	return 0
}
