package txn_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestCrashAtEveryStep commits and aborts one transaction after another with a
// crash after each of the n first events, for every n, an event being that a
// set of records becomes durable or a marker arrives.
func TestCrashAtEveryStep(t *testing.T) {
	for _, version := range []int16{4, 5} {
		for _, commit := range []bool{true, false} {
			for n := 0; ; n++ {
				if events := crashAfter(t, version, commit, n); events < n {
					break
				}
			}
		}
	}
}

// crashAfter returns how many events there were.
func crashAfter(t *testing.T, version int16, commit bool, n int) (events int) {
	c := newCluster(t, 2)
	p := &producer{cluster: c, name: "x", version: version, tags: new(int), had: none}
	for len(p.attempts) < 4 {
		p.step()
		if p.current != nil {
			p.current.commit = commit
		}
		if events == n {
			c.crash()
			events++
		}
		if c.event() {
			events++
		}
	}
	p.endings = true
	for p.current != nil {
		p.step()
		c.event()
	}
	c.settle()
	c.check([]*producer{p})
	for _, a := range p.attempts {
		if !a.acked {
			t.Errorf("version %d, crash after %d events: %+v did not end", version, n, a)
		}
	}
	return events
}

// event lets one thing happen: the nearest to the end of a transaction.
func (c *cluster) event() bool {
	if c.groupLog.Release(1)+c.txnLog.Release(1) > 0 {
		return true
	}
	if len(c.markers) == 0 {
		return false
	}
	c.deliver(0, false, false)
	return true
}

// TestRandomCrashes lets several producers, some of which take each other's
// transactional id, run into crashes, lost answers, repeated markers and
// timeouts.
func TestRandomCrashes(t *testing.T) {
	random := testenv.Rand(t)
	committed, attempts := 0, 0
	for range testenv.Sized(20, 1000) {
		c := newCluster(t, 4)
		tags := new(int)
		var producers []*producer
		for i, name := range []string{"x", "x", "y", "z"} {
			producers = append(producers, &producer{cluster: c, name: name, version: 4 + int16(i%2), random: random, tags: tags, had: none})
		}
		for range 1200 {
			switch n := random.IntN(200); {
			case n < 2:
				c.crash()
			case n < 3:
				c.pass(time.Duration(random.IntN(40)) * time.Second)
			case n < 5:
				c.pass(100 * time.Millisecond)
			case n < 60:
				c.txnLog.Release(1 + random.IntN(3))
			case n < 80:
				c.groupLog.Release(1 + random.IntN(3))
			case n < 120:
				if len(c.markers) > 0 {
					c.deliver(random.IntN(len(c.markers)), random.IntN(8) == 0, random.IntN(4) == 0)
				}
			default:
				producers[random.IntN(len(producers))].step()
			}
		}
		c.finish(producers)
		c.check(producers)
		for _, p := range producers {
			for _, a := range p.attempts {
				if attempts++; a.acked && a.commit {
					committed++
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	if committed*5 < attempts {
		t.Errorf("only %d of %d transactions committed: the test does little", committed, attempts)
	}
	t.Logf("%d of %d transactions committed", committed, attempts)
}

// finish lets open transactions time out and end.
func (c *cluster) finish(producers []*producer) {
	c.settle()
	for range 3 {
		c.pass(2 * time.Minute)
		c.settle()
	}
}
