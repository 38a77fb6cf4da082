package killtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testservers"
)

// process is the broker in a process of its own.
type process struct {
	cmd     *exec.Cmd
	child   *testservers.Child
	opening chan struct{} // closed when it begins to open its folder
	serving chan struct{} // closed when it serves
	said    output
}

// launch starts a broker, and does not wait until it serves.
func launch(t testing.TB, c childConfig) *process {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{opening: make(chan struct{}), serving: make(chan struct{})}
	p.said.heard = map[string]chan struct{}{opening: p.opening, serving: p.serving}
	cmd := exec.Command(os.Args[0])
	p.cmd = cmd
	cmd.Env = append(os.Environ(), envChild+"="+string(text))
	cmd.Stdout, cmd.Stderr = &p.said, &p.said
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if p.child, err = testservers.StartChild(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// startTimeout is for machines that are slow or shared.
const startTimeout = 2 * time.Minute

// await waits until the broker serves, or says why it does not.
func (p *process) await() error {
	select {
	case <-p.serving:
		return nil
	case <-p.child.Done():
		return fmt.Errorf("the broker ended before it served: %v\n%s", p.child.Err(), &p.said)
	case <-time.After(startTimeout):
		return fmt.Errorf("the broker does not serve after %v\n%s", startTimeout, &p.said)
	}
}

// kill is SIGKILL.
func (p *process) kill() { p.child.Kill() }

// stop is SIGTERM, upon which the broker must end well.
func (p *process) stop() error {
	if err := p.child.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.child.Done():
	case <-time.After(startTimeout):
		return fmt.Errorf("the broker does not stop within %v\n%s", startTimeout, &p.said)
	}
	if err := p.child.Err(); err != nil {
		return fmt.Errorf("stop: %w\n%s", err, &p.said)
	}
	return nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// ended says that the process is gone, though nobody killed it.
func (p *process) ended() bool {
	select {
	case <-p.child.Done():
		return true
	default:
		return false
	}
}

// broken is where the process told of a race, a panic or one of the signs.
func (p *process) broken(signs ...string) string {
	text := p.said.String()
	for _, sign := range append(signs, "DATA RACE", "panic: ", "fatal error: ") {
		if at := strings.Index(text, sign); at >= 0 {
			return text[max(0, at-200):min(len(text), at+4000)]
		}
	}
	return ""
}

// output keeps what a process says, and closes a channel when it says that line.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	line  []byte
	heard map[string]chan struct{}
}

const mostOutput = 1 << 20

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text.Len() < mostOutput {
		o.text.Write(b)
	}
	for _, c := range b {
		if c != '\n' {
			o.line = append(o.line, c)
			continue
		}
		if heard, ok := o.heard[string(o.line)]; ok {
			close(heard)
			delete(o.heard, string(o.line))
		}
		o.line = o.line[:0]
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
