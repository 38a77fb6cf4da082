//go:build unix

package eostest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams"
)

// ground is an application of three instances with two standbys, under load.
type ground struct {
	*testing.T
	k      kafka.Config
	random *rand.Rand
	all    []*instance
	in     *generator
	out    *reader
	began  time.Time
}

// staticSession is long: a member may be back before it is missed, and the in-process broker
// forgets members that wait longer than their session for a rebalance.
const staticSession = 30 * time.Second

// newGround is up and running; static instances are known to the group by name.
func newGround(t *testing.T, k kafka.Config, perSecond int, static bool) *ground {
	g := &ground{T: t, k: k, random: testenv.Rand(t), began: time.Now()}
	makeTopics(t, k)
	dir := testenv.MemoryDir(t)
	for n := range 3 {
		name := fmt.Sprintf("instance-%d", n)
		s := settings{Brokers: k.Brokers, Prefix: k.Prefix, Dir: filepath.Join(dir, name), Standbys: 2}
		if static {
			s.Instance, s.Session = name, staticSession
		}
		g.all = append(g.all, newInstance(t, name, s))
	}
	g.out = newReader(t, k)
	g.in = newGenerator(t, k, g.random.Uint64(), 100, perSecond, func() int { return g.out.count(echo) })
	for _, i := range g.all {
		i.start()
	}
	g.running()
	g.settled("the start")
	return g
}

// say is the history that a failed test shows.
func (g *ground) say(format string, args ...any) {
	g.Helper()
	g.Logf("%6.1fs %s", time.Since(g.began).Seconds(), fmt.Sprintf(format, args...))
}

// await watches the instances meanwhile.
func (g *ground) await(what string, lacks func() string) {
	g.Helper()
	await(g, what, func() string {
		g.alive()
		return lacks()
	})
}

func (g *ground) alive() {
	g.Helper()
	for _, i := range g.all {
		i.alive()
	}
}

// running returns when every instance that is up has all of its tasks.
func (g *ground) running() {
	g.Helper()
	g.await("all instances run", func() string {
		var lacks []string
		for _, i := range g.all {
			if i.child != nil && i.state() != streams.Running {
				lacks = append(lacks, fmt.Sprintf("%s is %s", i.name, i.state()))
			}
		}
		return strings.Join(lacks, ", ")
	})
}

// settled returns when all that was sent until now has come out, also behind the
// repartition topic.
func (g *ground) settled(after string) {
	g.Helper()
	n := int(g.in.acked.Load())
	g.await("all input is processed after "+after, func() string {
		if echoed, high := g.out.count(echo), g.out.count(maximum); echoed < n || high < n {
			return fmt.Sprintf("%d and %d of %d", echoed, high, n)
		}
		return ""
	})
	g.say("%s: %d records processed", after, n)
}

func (g *ground) any() *instance { return g.all[g.random.IntN(len(g.all))] }

// bounce stops an instance in its orderly way and starts it again.
func (g *ground) bounce(i *instance) {
	g.Helper()
	i.stop()
	g.settled(i.name + " stopped")
	i.start()
	g.running()
}

// crash kills an instance; the others take over, unless it is back before it is missed.
func (g *ground) crash(i *instance) {
	g.Helper()
	i.kill()
	if g.random.IntN(2) == 0 {
		g.settled(i.name + " killed")
	}
	i.start()
	g.settled(i.name + " killed and back")
}

// crashTwo leaves one, who is killed when it has just begun to take over.
func (g *ground) crashTwo() {
	g.Helper()
	order := g.random.Perm(len(g.all))
	for _, n := range order[:2] {
		g.all[n].kill()
	}
	g.all[order[0]].start()
	g.await("the first is back", func() string {
		if g.all[order[0]].state() == streams.Created {
			return "it starts"
		}
		return ""
	})
	g.all[order[2]].kill()
	g.all[order[1]].start()
	g.all[order[2]].start()
	g.settled("all killed, two at once")
}

// zombie freezes an instance until the others have its tasks: what it does when it is back must
// not count.
func (g *ground) zombie(i *instance) {
	g.Helper()
	i.signal(syscall.SIGSTOP)
	g.settled(i.name + " frozen")
	i.signal(syscall.SIGCONT)
	g.settled(i.name + " thawed")
	g.running()
}

// hang freezes an instance until the brokers abort its transactions, and it is not missed yet.
func (g *ground) hang(i *instance) {
	g.Helper()
	i.signal(syscall.SIGSTOP)
	time.Sleep(transactionTimeout + 2*time.Second) // that is the fault
	i.signal(syscall.SIGCONT)
	g.settled(i.name + " hung longer than a transaction may")
}

// finish checks everything.
func (g *ground) finish() {
	g.Helper()
	g.in.finish()
	want := expect(g.in.sent)
	g.out.complete(want, g.alive)
	for _, i := range g.all {
		i.stop()
	}
	ctx, cancel := context.WithTimeout(g.Context(), patience)
	defer cancel()
	g.in.check()
	g.out.readToEnd(ctx)
	g.out.compare(want)
	dirs := []string{testenv.MemoryDir(g)} // has nothing: the changelogs alone count
	for _, i := range g.all[:times(1, 3)] {
		dirs = append(dirs, i.with.Dir)
	}
	for _, dir := range dirs {
		with := g.all[0].with
		with.Dir = dir
		checkStores(g.T, with, want)
	}
	g.say("%d records of input, %d keys of windows, outputs and stores equal", want[echo].size(), len(want[windows]))
}
