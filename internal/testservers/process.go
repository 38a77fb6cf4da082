package testservers

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a running child and the goroutine that waits for it.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // how it ended; read it after done
}

// startProcess starts cmd in a process group of its own. Where the system can,
// the child gets deathSignal when this process dies.
func startProcess(cmd *exec.Cmd, deathSignal syscall.Signal) (*process, error) {
	isolate(cmd, deathSignal)
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// run keeps its thread for as long as the child lives: Linux sends the death
// signal when the thread that started the child ends, not the whole process.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop sends signal and waits; what has not ended after timeout is killed, and
// that is an error.
func (p *process) stop(signal syscall.Signal, timeout time.Duration) error {
	if err := sendSignal(p.cmd.Process, signal); err != nil && !p.ended() {
		return fmt.Errorf("signal process %d: %w", p.pid(), err)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(timeout):
		return fmt.Errorf("process %d did not stop within %s and was killed (%v)", p.pid(), timeout, p.killTree())
	}
}

// killTree kills the process and its descendants and waits for their end.
func (p *process) killTree() error {
	if p.ended() {
		return nil
	}
	gone := killAll(p.cmd.Process)
	<-p.done
	return gone()
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// logTo appends the output of cmd to file. The returned function closes this
// process's handle; the child keeps its own.
func logTo(cmd *exec.Cmd, file string) (func(), error) {
	out, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = out, out
	return func() { out.Close() }, nil
}
