package killtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker"
)

const envChild = "PABAL_TEST_KILL_CHILD"

// childConfig is what the broker's process is told.
type childConfig struct {
	Addr, DataDir string
	Durability    broker.Durability
	Settings      map[string]string
	// ACLs has clients be admin, who may do everything.
	ACLs bool
	// Steps is by how much at most the process's clock is ahead of the system's, or behind
	// it: every 50 ms it steps to another time.
	Steps time.Duration
}

const admin, password = "admin", "secret"

func (c childConfig) users() map[string]string {
	if !c.ACLs {
		return nil
	}
	return map[string]string{admin: password}
}

// What a child says on its standard output, one a line.
const (
	opening = "opening"
	serving = "serving"
	refused = "refused " // and why
)

func TestMain(m *testing.M) {
	if text := os.Getenv(envChild); text != "" {
		os.Exit(serve(text))
	}
	os.Exit(m.Run())
}

// serve is the child: the broker until SIGTERM, or until its parent is gone.
func serve(text string) int {
	var c childConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	fmt.Println(opening)
	b, err := broker.Start(context.Background(), broker.Config{
		Addr: c.Addr, DataDir: c.DataDir, Durability: c.Durability, Settings: c.Settings,
		ACLs: c.ACLs, Users: c.users(), SuperUsers: []string{"User:" + admin},
		NoAutoCreate: true, MinSessionTimeout: 100 * time.Millisecond,
		Now:    (&steppingClock{steps: c.Steps}).now,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		fmt.Printf("%s%v\n", refused, err)
		return 3
	}
	fmt.Println(serving)
	orphaned := make(chan struct{})
	go func() {
		defer close(orphaned)
		_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin))
	}()
	select {
	case <-terminate:
	case <-orphaned:
		return 4
	}
	if err := b.Stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "stop:", err)
		return 5
	}
	return 0
}

// steppingClock is the system's, but for steps.
type steppingClock struct {
	steps time.Duration
	mu    sync.Mutex
	ahead time.Duration
	until time.Time
}

func (c *steppingClock) now() time.Time {
	now := time.Now()
	if c.steps == 0 {
		return now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.After(c.until) {
		c.ahead = rand.N(2*c.steps) - c.steps
		c.until = now.Add(50 * time.Millisecond)
	}
	return now.Add(c.ahead)
}
