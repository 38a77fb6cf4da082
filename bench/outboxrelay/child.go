package outboxrelay

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// ChildName is the benchmark's name on the command line of a child process.
const ChildName = "outbox-relay-child"

// task is what a child is told on its standard input.
type task struct {
	Place place
	// Rows to move; 0: go on until standard input ends.
	Rows int
}

// start is a child process that moves rows; stop ends one without a number of rows.
func start(ctx context.Context, who string, t task) (cmd *exec.Cmd, out *bufio.Scanner, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, nil, err
	}
	cmd = exec.CommandContext(ctx, self, ChildName, who)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, nil, err
	}
	stop = func() { _ = stdin.Close() }
	if err := json.NewEncoder(stdin).Encode(t); err != nil {
		stop()
		return nil, nil, nil, errors.Join(err, cmd.Wait())
	}
	return cmd, bufio.NewScanner(stdout), stop, nil
}

// spawn lets a child move a backlog.
func spawn(ctx context.Context, who string, t task) (done drained, err error) {
	cmd, out, stop, err := start(ctx, who, t)
	if err != nil {
		return drained{}, err
	}
	defer stop()
	for out.Scan() {
		_ = json.Unmarshal(out.Bytes(), &done) // libraries may print too
	}
	if err := cmd.Wait(); err != nil {
		return drained{}, fmt.Errorf("%s: %w", who, err)
	}
	if done.Rows == 0 {
		return drained{}, fmt.Errorf("%s gave no result", who)
	}
	return done, nil
}

// Child is a process that moves rows: with Pabal's relay or with Watermill's
// forwarder, as in says; its result is JSON on out.
func Child(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 || args[0] != pabal && args[0] != watermill {
		return fmt.Errorf("expected %s or %s", pabal, watermill)
	}
	var t task
	if err := json.NewDecoder(in).Decode(&t); err != nil {
		return err
	}
	if t.Rows == 0 {
		return relayUntil(ctx, t, in, out)
	}
	move := relay
	if args[0] == watermill {
		move = forward
	}
	done, err := move(ctx, t)
	if err != nil {
		return err
	}
	if done.RSS, err = peakMemory(); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(done)
}

// relay is Pabal's side: the relay with its defaults.
func relay(ctx context.Context, t task) (done drained, err error) {
	err = withRelay(ctx, t, func(r *outbox.Relay) error {
		done, err = watch(ctx, t.Rows, func() int64 { return r.Stats().Removed })
		return err
	})
	return done, err
}

func withRelay(ctx context.Context, t task, do func(*outbox.Relay) error) error {
	db, err := postgres.Open(ctx, t.Place.Database, postgres.Config{Logger: quiet})
	if err != nil {
		return err
	}
	defer db.Close()
	r, err := outbox.NewRelay(db, t.Place.kafka(), outbox.RelayConfig{Logger: quiet})
	if err != nil {
		return err
	}
	if err := r.Start(ctx); err != nil {
		return err
	}
	return errors.Join(do(r), r.Stop(ctx))
}

// relayUntil runs the relay until in ends; its first line says that it runs.
func relayUntil(ctx context.Context, t task, in io.Reader, out io.Writer) error {
	return withRelay(ctx, t, func(*outbox.Relay) error {
		fmt.Fprintln(out, "running")
		_, err := io.Copy(io.Discard, in)
		return err
	})
}

// watchTimeout is how long nothing may move.
const watchTimeout = time.Minute

// watch times the rows from the first look that sees any to the last.
func watch(ctx context.Context, rows int, moved func() int64) (drained, error) {
	var began, changed = time.Time{}, time.Now()
	var first, before int64
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		n := moved()
		now := time.Now()
		switch {
		case n >= int64(rows) && n > first && !began.IsZero():
			return drained{Rows: int(n - first), Took: now.Sub(began)}, nil
		case n >= int64(rows):
			return drained{}, errors.New("everything moved at the first look: use more rows")
		case n > before && began.IsZero():
			began, first = now, n
		}
		if n > before {
			before, changed = n, now
		}
		if now.Sub(changed) > watchTimeout {
			return drained{}, fmt.Errorf("%d of %d rows moved, and none for %s", n, rows, watchTimeout)
		}
		select {
		case <-ctx.Done():
			return drained{}, ctx.Err()
		case <-tick.C:
		}
	}
}

// peakMemory is this process's largest resident memory so far, in MB (10^6).
func peakMemory() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("resident memory is read from /proc, which is Linux's: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 64)
			return n * 1024 / 1e6, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmHWM")
}
