package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// children runs the services as child processes, and kills them at random.
type children struct {
	all    []*child
	log    *slog.Logger
	random *rand.Rand

	broker  *children   // has the broker, where that is killed with them; else nil
	spawn   chan func() // run on one thread that lives as long as the children
	killing context.CancelFunc
	killed  chan struct{} // closed when killing has ended
	failure chan error

	mu    sync.Mutex
	count crashCount
}

func newChildren(all []settings, self []string, logs func(name string) (string, error), seed uint64, log *slog.Logger) (*children, error) {
	r := &children{
		log: log, random: rand.New(rand.NewPCG(seed, 0xc4a05)),
		spawn: make(chan func()), failure: make(chan error, 1),
	}
	for _, s := range all {
		path, err := logs(s.Name)
		if err != nil {
			return nil, err
		}
		r.all = append(r.all, &child{settings: s, self: self, logPath: path, owner: r})
	}
	return r, nil
}

func (r *children) start(ctx context.Context) error {
	go r.spawner()
	err := together(r.all, func(c *child) error { return c.begin(ctx) })
	if err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		return errors.Join(err, r.stop(stopping))
	}
	return nil
}

// disturb begins to kill, the broker too where it is a child.
func (r *children) disturb(ctx context.Context, broker *children) {
	killing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.broker, r.killing, r.killed = broker, cancel, make(chan struct{})
	go r.kill(killing)
}

// spawner starts every child from one thread: Linux kills a child when the
// thread that made it ends.
func (r *children) spawner() {
	runtime.LockOSThread()
	for start := range r.spawn {
		start()
	}
}

const (
	minPause = 1200 * time.Millisecond
	maxPause = 3200 * time.Millisecond
)

// brokerTurn is which of that many kills is the broker's.
const brokerTurn = 3

// kill kills a random service, or the broker, every few seconds, wherever it stands.
func (r *children) kill(ctx context.Context) {
	defer close(r.killed)
	for turn := 0; ; turn++ {
		if wait(ctx, minPause+time.Duration(r.random.Int64N(int64(maxPause-minPause)))) != nil {
			return
		}
		victim := r.all[r.random.IntN(len(r.all))]
		isBroker := r.broker != nil && turn%brokerTurn == 0
		if isBroker {
			victim = r.broker.all[0]
		}
		if !victim.crash() {
			continue
		}
		r.log.Info("killed", "service", victim.settings.Name)
		r.mu.Lock()
		r.count.Killed++
		if isBroker {
			r.count.Broker++
		}
		r.count.Last = victim.settings.Name
		r.mu.Unlock()
	}
}

func (r *children) endKilling() {
	if r.killing != nil {
		r.killing()
		<-r.killed
	}
}

func (r *children) settle(ctx context.Context) error {
	r.endKilling()
	if r.broker != nil {
		if err := r.broker.settle(ctx); err != nil {
			return err
		}
	}
	return together(r.all, func(c *child) error { return c.settings.awaitReady(ctx) })
}

func (r *children) stop(ctx context.Context) error {
	r.endKilling()
	err := together(r.all, func(c *child) error { return c.end(ctx) })
	close(r.spawn)
	return err
}

func (r *children) failed() <-chan error { return r.failure }

func (r *children) crashes() crashCount {
	r.mu.Lock()
	all := r.count
	r.mu.Unlock()
	if r.broker != nil {
		all.Unexpected += r.broker.crashes().Unexpected
	}
	return all
}

// unexpected records that a child ended by itself.
func (r *children) unexpected(c *child, err error) {
	r.log.Error("a service ended by itself", "service", c.settings.Name, "error", err, "log", c.logPath)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count.Unexpected++
}

// giveUp ends the demo because a child does not come up.
func (r *children) giveUp(c *child) {
	select {
	case r.failure <- fmt.Errorf("%s keeps ending by itself: %s (its log: %s)", c.settings.title(), lastLine(c.logPath), c.logPath):
	default:
	}
}

// lastLine is the last line a child wrote, which says why it ended.
func lastLine(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
