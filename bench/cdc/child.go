package cdc

import (
	"os/exec"
	"runtime"
)

// child is a process that does not outlive this one.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // how it ended; read it after ended
}

// startChild in a goroutine that keeps its thread until the child has ended: Linux ends the child
// with that thread.
func startChild(cmd *exec.Cmd) (*child, error) {
	endWithUs(cmd)
	c := &child{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(c.ended)
		}
	}()
	return c, <-started
}

// wait for its end.
func (c *child) wait() error {
	<-c.ended
	return c.err
}
