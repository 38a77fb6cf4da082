//go:build unix

package faults_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/internal/testservers"
)

// program is a process that is started again whenever it ends, with a proxy
// before its Kafka and, where it has one, its PostgreSQL.
type program struct {
	name    string
	trap    trap
	log     string
	env     []string
	kafka   *wire.Proxy
	db      *wire.Proxy // nil with SQLite
	kills   atomic.Int64
	ends    atomic.Int64 // by itself
	excused atomic.Bool  // ends by itself are part of the fault

	mu     sync.Mutex
	child  *testservers.Child
	ending bool
	watch  sync.WaitGroup
}

// line starts the proxies; it comes before start.
func (p *program) line(t testing.TB, kafka, postgres string) {
	t.Helper()
	var err error
	if p.kafka, err = wire.Listen(kafka, wire.Kafka, p.trap.watch); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kafka.Close)
	if postgres == "" {
		return
	}
	if p.db, err = wire.Listen(postgres, wire.Postgres, p.trap.watch); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.db.Close)
}

// start runs it until the test ends.
func (p *program) start(t testing.TB, role string, settings any) {
	t.Helper()
	p.log = filepath.Join(t.TempDir(), p.name+".log")
	p.env = environment(role, settings)
	if err := p.launch(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop()
		if n := p.ends.Load(); n > 0 {
			t.Errorf("%s ended %d times by itself", p.name, n)
		}
		data, err := os.ReadFile(p.log)
		if strings.Contains(string(data), "DATA RACE") || strings.Contains(string(data), "panic:") {
			t.Errorf("%s has a data race or panicked", p.name)
		}
		if t.Failed() {
			t.Logf("the end of the log of %s (%v):\n%s", p.name, err, data[max(0, len(data)-6000):])
		}
	})
}

func (p *program) launch() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ending {
		return nil
	}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, out, out
	child, err := testservers.StartChild(cmd)
	if err != nil {
		return err
	}
	p.child = child
	p.watch.Go(func() { p.supervise(child) })
	return nil
}

// restartPause keeps a program that ends at once from taking all of the machine.
const restartPause = 50 * time.Millisecond

func (p *program) supervise(child *testservers.Child) {
	<-child.Done()
	p.mu.Lock()
	ending, killed := p.ending, p.child != child
	p.mu.Unlock()
	if ending {
		return
	}
	if !killed {
		if !p.excused.Load() {
			p.ends.Add(1)
		}
		time.Sleep(restartPause)
	}
	if err := p.launch(); err != nil {
		p.ends.Add(1)
	}
}

// kill -9; it returns when the process is gone. It is started again.
func (p *program) kill() {
	p.mu.Lock()
	child := p.child
	p.child = nil
	p.mu.Unlock()
	if child == nil {
		return // between two lives
	}
	child.Kill()
	p.kills.Add(1)
	tally.kills.Add(1)
}

// leave ends it in its orderly way; it returns when the process is gone. It is
// started again.
func (p *program) leave() {
	p.mu.Lock()
	child := p.child
	p.child = nil
	p.mu.Unlock()
	if child == nil {
		return // between two lives
	}
	_ = child.Signal(syscall.SIGTERM)
	select {
	case <-child.Done():
	case <-time.After(20 * time.Second):
		child.Kill()
	}
}

func (p *program) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child != nil {
		_ = p.child.Signal(s)
	}
}

// stop ends it for good, in its orderly way.
func (p *program) stop() {
	p.mu.Lock()
	p.ending = true
	child := p.child
	p.mu.Unlock()
	if child != nil {
		_ = child.Signal(syscall.SIGCONT)
		_ = child.Signal(syscall.SIGTERM)
		select {
		case <-child.Done():
		case <-time.After(20 * time.Second):
			child.Kill()
		}
	}
	p.watch.Wait()
}

// killAt kills it at the nth such point.
func (p *program) killAt(where spot, nth int) <-chan struct{} {
	return p.trap.set(where, nth, func(wire.Point) bool {
		p.kill()
		return false
	})
}

// killTwice kills it at the first point, and again at the nth second one of its
// next life.
func (p *program) killTwice(first, second spot, nth int) {
	p.trap.set(first, 1, func(wire.Point) bool {
		p.kill()
		p.killAt(second, nth)
		return false
	})
}

// cutAt cuts all of its connections to that server at the nth such point.
func (p *program) cutAt(where spot, nth int) <-chan struct{} {
	return p.trap.set(where, nth, func(at wire.Point) bool {
		p.excused.Store(true)
		tally.cuts.Add(1)
		if at.Server == "kafka" {
			p.kafka.Cut()
		} else {
			p.db.Cut()
		}
		return false
	})
}
