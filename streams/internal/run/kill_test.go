package run

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
)

// child is what a process is told that a test kills.
type child struct {
	Brokers []string
	Prefix  string
	Dir     string
	// Point at whose Nth time it kills itself; "" runs until it is killed.
	Point Point
	Nth   int
}

const envChild = "PABAL_TEST_STREAMS_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(envChild); text != "" {
		runChild(text)
	}
	os.Exit(m.Run())
}

func runChild(text string) {
	var c child
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	cfg := baseConfig(kafka.Config{Brokers: c.Brokers, Prefix: c.Prefix, Logger: slog.New(slog.DiscardHandler)})
	cfg.InstanceID = "one" // who comes back needs not wait for the session of who was killed
	cfg.StateDir, cfg.Logger = c.Dir, slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg.Fault = func(p Point) error {
		if p == c.Point {
			if c.Nth--; c.Nth == 0 {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}
		return nil
	}
	r := New(cfg)
	if err := r.Start(context.Background()); err != nil {
		panic(err)
	}
	io.Copy(io.Discard, os.Stdin) // until the test is gone, too
	os.Exit(1)
}

// TestKill9 kills processes that run with stores on disk: two of three times between the end
// of the transaction and the store's batch, else at any time.
func TestKill9(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		random := testenv.Rand(t)
		kills := testenv.Sized(12, 300)
		makeTopics(t, k, 3, "in", "out")
		c := child{Brokers: k.Brokers, Prefix: k.Prefix, Dir: t.TempDir()}
		in, out := client(t, k), newOutput(t, k)
		var total int64
		for n := range kills {
			c.Point, c.Nth = AfterEnd, 1+random.IntN(4)
			if n%3 == 2 {
				c.Point = ""
			}
			p := startChild(t, c)
			for began, life := time.Now(), time.Duration(random.IntN(300))*time.Millisecond; !p.ended(); {
				feed(t, k, in, 50)
				total += 50
				if c.Point == "" && time.Since(began) > life {
					p.cmd.Process.Kill()
				}
			}
		}
		cfg := configure(t, k)
		cfg.InstanceID, cfg.StateDir = "one", c.Dir
		begin(t, cfg)
		out.await(t, total)
	})
}

type process struct {
	cmd  *exec.Cmd
	over chan struct{}
}

func startChild(t testing.TB, c child) *process {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(os.Args[0]), over: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), envChild+"="+string(text))
	var said bytes.Buffer
	p.cmd.Stderr = &said
	if _, err := p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.over)
		p.cmd.Wait()
		if p.cmd.ProcessState.Exited() {
			t.Errorf("a process ended by itself: %s", strings.TrimSpace(said.String()))
		}
	}()
	t.Cleanup(func() { p.cmd.Process.Kill(); <-p.over })
	return p
}

func (p *process) ended() bool {
	select {
	case <-p.over:
		return true
	case <-time.After(10 * time.Millisecond):
		return false
	}
}
