package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// child is the process of a service, or of the broker, started again whenever it ends.
type child struct {
	settings settings
	self     []string
	logPath  string
	owner    *children

	mu       sync.Mutex
	cmd      *exec.Cmd
	stdin    io.WriteCloser
	murdered bool // by crash
	ending   bool
	done     chan struct{} // closed when the supervisor has ended
}

// begin starts the process, waits until it is ready and then watches over it.
func (c *child) begin(ctx context.Context) error {
	exited, err := c.launch()
	if err != nil {
		return fmt.Errorf("start %s: %w", c.settings.title(), err)
	}
	ready, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	first := make(chan error, 1)
	c.done = make(chan struct{})
	go func() {
		defer close(c.done)
		err := <-exited
		cancel(errEnded)
		first <- err
		c.supervise(err)
	}()
	if err = c.settings.awaitReady(ready); err == nil {
		return nil
	}
	c.forgo()
	if errors.Is(err, errEnded) {
		return errors.New(lastLine(c.logPath))
	}
	return err
}

var errEnded = errors.New("it ended")

// launch starts a process; exited delivers its end.
func (c *child) launch() (exited <-chan error, err error) {
	c.mu.Lock()
	c.murdered = false
	c.mu.Unlock()
	log, err := os.OpenFile(c.logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	spec, err := json.Marshal(c.settings)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(c.self[0], append(c.self[1:len(c.self):len(c.self)], "service", c.settings.Name)...)
	cmd.Stdout, cmd.Stderr = log, log
	dieWithParent(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	started := make(chan error)
	c.owner.spawn <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.cmd, c.stdin = cmd, stdin
	if c.ending {
		_ = stdin.Close()
	}
	c.mu.Unlock()
	_, _ = stdin.Write(append(spec, '\n')) // where it fails the child ended, and Wait says so
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return ended, nil
}

const (
	quickEnd  = 5 * time.Second
	quickEnds = 5
)

// supervise starts the process again each time it ended, until told to end it
// or until it keeps ending by itself.
func (c *child) supervise(err error) {
	quick := 0
	for {
		switch {
		case c.isEnding():
			return
		case c.wasMurdered():
			quick = 0
		default:
			c.owner.unexpected(c, err)
			if quick++; quick == quickEnds {
				c.owner.giveUp(c)
				return
			}
		}
		begun := time.Now()
		exited, failed := c.launch()
		if failed != nil {
			err = failed
			continue
		}
		err = <-exited
		if time.Since(begun) > quickEnd {
			quick = 0
		}
	}
}

func (c *child) isEnding() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending
}

func (c *child) wasMurdered() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.murdered
}

// crash kills the process; false where it was not running.
func (c *child) crash() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil || c.murdered || c.ending {
		return false
	}
	if c.cmd.Process.Kill() != nil {
		return false
	}
	c.murdered = true
	return true
}

// forgo makes the next end the last one, and asks for it.
func (c *child) forgo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	if c.stdin != nil {
		_ = c.stdin.Close()
	}
}

// end asks the process to stop by closing its input, and kills it where ctx
// ends first.
func (c *child) end(ctx context.Context) error {
	c.forgo()
	if c.done == nil {
		return nil
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
	}
	c.mu.Lock()
	_ = c.cmd.Process.Kill()
	c.mu.Unlock()
	<-c.done
	return fmt.Errorf("%s did not stop in time and was killed", c.settings.title())
}
