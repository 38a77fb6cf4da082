package streams

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/bench/streams/side"
)

// sample is a progress and when it was read.
type sample struct {
	side.Progress
	at time.Time
}

// process is an application that runs.
type process struct {
	name    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	started time.Time
	done    chan struct{} // closed when its output has ended

	mu      sync.Mutex
	samples []sample
	changed chan struct{} // closed with the next sample
}

// launch starts a command whose first line of input is the task, if there is one.
func launch(name string, cmd *exec.Cmd, first any) (*process, error) {
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: cmd, in: in, started: time.Now(), done: make(chan struct{}), changed: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go p.read(out)
	if first != nil {
		if err := json.NewEncoder(in).Encode(first); err != nil {
			return nil, errors.Join(err, p.kill())
		}
	}
	return p, nil
}

func (p *process) read(out io.Reader) {
	defer close(p.done)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		s := sample{at: time.Now()}
		if json.Unmarshal(lines.Bytes(), &s.Progress) != nil || s.State == "" {
			continue // libraries may print too
		}
		p.mu.Lock()
		p.samples = append(p.samples, s)
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
	}
}

// stallTimeout is how long nothing may move.
const stallTimeout = 5 * time.Minute

// wait returns the first sample that is so, among those that were read already too.
func (p *process) wait(ctx context.Context, what string, so func(sample) bool) (sample, error) {
	stalled := time.NewTimer(stallTimeout)
	defer stalled.Stop()
	var moved int64
	for next := 0; ; {
		p.mu.Lock()
		fresh, changed := p.samples[next:], p.changed
		p.mu.Unlock()
		for _, s := range fresh {
			if so(s) {
				return s, nil
			}
			if s.Records > moved {
				moved = s.Records
				stalled.Reset(stallTimeout)
			}
		}
		next += len(fresh)
		select {
		case <-changed:
		case <-p.done:
			return sample{}, fmt.Errorf("%s ended before %s", p.name, what)
		case <-stalled.C:
			return sample{}, fmt.Errorf("%s stands still for %s before %s", p.name, stallTimeout, what)
		case <-ctx.Done():
			return sample{}, ctx.Err()
		}
	}
}

// ask returns a sample of now.
func (p *process) ask(ctx context.Context) (sample, error) {
	asked := time.Now()
	if _, err := fmt.Fprintln(p.in); err != nil {
		return sample{}, fmt.Errorf("%s: %w", p.name, err)
	}
	return p.wait(ctx, "its answer", func(s sample) bool { return s.at.After(asked) })
}

// stop ends it in order.
func (p *process) stop() error {
	_ = p.in.Close()
	killer := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() })
	defer killer.Stop()
	<-p.done
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// kill ends it as kill -9 does.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	<-p.done
	_ = p.cmd.Wait()
	return err
}
