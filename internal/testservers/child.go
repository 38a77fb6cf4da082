package testservers

import (
	"os"
	"os/exec"
	"syscall"
)

// Child is a program of the test's own, to be killed, stopped and continued.
// It dies with this process, where the system can do that.
type Child struct{ p *process }

// StartChild starts cmd in a process group of its own.
func StartChild(cmd *exec.Cmd) (*Child, error) {
	p, err := startProcess(cmd, syscall.SIGKILL)
	if err != nil {
		return nil, err
	}
	return &Child{p}, nil
}

// Kill ends the child with SIGKILL and returns when it is gone.
func (c *Child) Kill() {
	_ = c.p.cmd.Process.Kill() // it fails where the child has ended already
	<-c.p.done
}

// Signal sends a signal and does not wait for what becomes of it.
func (c *Child) Signal(s os.Signal) error { return c.p.cmd.Process.Signal(s) }

// Done is closed when the child has ended; Err then says how, nil for exit
// code 0.
func (c *Child) Done() <-chan struct{} { return c.p.done }

// Err is read after Done.
func (c *Child) Err() error { return c.p.err }
