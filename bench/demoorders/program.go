package demoorders

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
)

// build compiles the program of the module above, and says how large it is.
func build(ctx context.Context, binary string, w io.Writer) error {
	if err := measure.Build(ctx, binary); err != nil {
		return err
	}
	info, err := os.Stat(binary)
	if err == nil {
		fmt.Fprintf(w, "binary: %.1f MB\n", float64(info.Size())/1e6)
	}
	return err
}

// report is what is read of the demo's.
type report struct {
	Orders struct {
		Placed, Approved, Cancelled, Stuck int64
	} `json:"orders"`
	Latency struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	} `json:"latency_ms"`
	Rate       float64 `json:"rate_per_s"`
	Invariants []struct {
		Name   string `json:"name"`
		OK     bool   `json:"ok"`
		Detail string `json:"detail"`
	} `json:"invariants"`
}

func command(ctx context.Context, binary string, flags ...string) *exec.Cmd {
	args := append([]string{"demo", "--output=json", "--port=0", "--kafka-port=0", "--console-port=0"}, flags...)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	return cmd
}

// demo runs the demo to its end and returns its report; where an invariant does
// not hold that is an error.
func demo(ctx context.Context, binary string, flags ...string) (report, error) {
	cmd := command(ctx, binary, flags...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return report{}, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args[1:], " "), err, tail(stderr.String()))
	}
	var r report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		return report{}, fmt.Errorf("the demo's report: %w", err)
	}
	return r, r.check()
}

func (r report) check() error {
	if r.Orders.Placed == 0 || r.Orders.Stuck > 0 || len(r.Invariants) == 0 {
		return fmt.Errorf("the demo's report is not one of a good run: %+v", r)
	}
	for _, i := range r.Invariants {
		if !i.OK {
			return fmt.Errorf("invariant %s does not hold: %s", i.Name, i.Detail)
		}
	}
	return nil
}

var errNoOrder = errors.New("the demo ended without an approved order")

// firstOrder is the time from the start of the process until it says that the
// first order was approved.
func firstOrder(ctx context.Context, binary string) (took time.Duration, err error) {
	cmd := command(ctx, binary, "--duration=1500ms")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if took == 0 && strings.HasPrefix(lines.Text(), "First order approved") {
			took = time.Since(begun)
		}
	}
	if err := errors.Join(lines.Err(), cmd.Wait()); err != nil {
		return 0, fmt.Errorf("a short demo: %w", err)
	}
	if took == 0 {
		return 0, errNoOrder
	}
	return took, nil
}

func tail(text string) string {
	const most = 2000
	return text[max(0, len(text)-most):]
}
