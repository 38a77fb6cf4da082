package brokers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/pabal-dev/pabal/internal/testservers"
)

// process is a broker that is a program of ours: a Server as testservers has it.
type process struct {
	file string // the program
	args []string
	addr string
	log  string // what it prints

	cmd   *exec.Cmd
	ended chan struct{}
	err   error // how it ended; read it after ended
}

// newProcess is one that serves a data folder at a free address.
func newProcess(file, dir string, args ...string) (*process, error) {
	addr, err := testservers.FreeAddr()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	args = append([]string{"-addr", addr, "-dir", filepath.Join(dir, "data")}, args...)
	return &process{file: file, args: args, addr: addr, log: filepath.Join(dir, "log")}, nil
}

// launch starts it and does not wait until it serves.
func (p *process) launch() error {
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	p.cmd = exec.Command(p.file, p.args...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	endWithUs(p.cmd)
	p.ended = make(chan struct{})
	started := make(chan error)
	go p.run(started)
	return <-started
}

// run keeps its thread until the process has ended: Linux ends the process with that thread.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.err = p.cmd.Wait()
		close(p.ended)
	}
}

// Restart stops it where it runs, starts it, and waits until it takes connections.
func (p *process) Restart(ctx context.Context) error {
	if err := errors.Join(p.Stop(), p.launch()); err != nil {
		return err
	}
	return p.answers(ctx)
}

// answers waits until it takes connections.
func (p *process) answers(ctx context.Context) error {
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.ended:
			words, _ := os.ReadFile(p.log)
			return fmt.Errorf("%s ended at once (%v): %s", filepath.Base(p.file), p.err, words[max(0, len(words)-2000):])
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(time.Millisecond):
		}
	}
}

// PID is the process's number, 0 where none runs.
func (p *process) PID() int {
	if !p.runs() {
		return 0
	}
	return p.cmd.Process.Pid
}

func (p *process) runs() bool {
	if p.ended == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stopTimeout is how long a clean stop may take.
const stopTimeout = time.Minute

// Stop ends it in order.
func (p *process) Stop() error {
	if !p.runs() {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("%s does not stop within %s", filepath.Base(p.file), stopTimeout), p.Kill())
	}
	if p.err != nil {
		words, _ := os.ReadFile(p.log)
		return fmt.Errorf("%s: %w: %s", filepath.Base(p.file), p.err, words[max(0, len(words)-2000):])
	}
	return nil
}

// Kill ends it as kill -9 does.
func (p *process) Kill() error {
	if !p.runs() {
		return nil
	}
	err := p.cmd.Process.Kill()
	<-p.ended
	return err
}

// Close ends it; its folder is the caller's.
func (p *process) Close() error { return p.Kill() }
