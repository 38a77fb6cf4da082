package group

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// The keys of deadlines. They hold the group itself: one of the same name that
// is made later has its own.
type (
	sessionKey struct {
		group  *group
		member string
	}
	joinKey struct{ group *group }
	syncKey struct{ group *group }
)

func sessionOf(g *group, member string) sessionKey { return sessionKey{g, member} }

// rebalanceOrComplete starts a rebalance, or ends the one under way if the last
// member has joined.
func (c *Coordinator) rebalanceOrComplete(g *group, reason string) {
	if g.state != preparingRebalance {
		c.prepareRebalance(g, reason)
		return
	}
	c.completeIfAllJoined(g)
}

// completeIfAllJoined ends a rebalance that waits for nobody. The first one of
// a group always takes its delay.
func (c *Coordinator) completeIfAllJoined(g *group) {
	if g.state == preparingRebalance && g.previous != empty && g.allJoined() {
		c.completeJoin(g)
	}
}

func (c *Coordinator) prepareRebalance(g *group, reason string) {
	if g.state == completingRebalance {
		c.failSyncs(g, kerr.RebalanceInProgress)
	}
	c.cancelSync(g)
	first := g.state == empty
	g.transition(preparingRebalance, c.config.Now())
	c.config.Logger.Info("consumer group rebalances", "group", g.id, "generation", g.generation, "reason", reason)
	switch {
	case first:
		delay := c.config.InitialRebalanceDelay
		c.delayFirst(g, delay, max(g.rebalanceTimeout()-delay, 0))
	case g.allJoined():
		c.completeJoin(g)
	default:
		c.completeJoinWithin(g, g.rebalanceTimeout())
	}
}

// delayFirst gives the members of a new group time to come, and more of it as
// long as some do, up to the rebalance timeout.
func (c *Coordinator) delayFirst(g *group, delay, remaining time.Duration) {
	c.core.Set(joinKey{g}, c.config.Now().Add(delay), func() {
		if !g.joinedLate || remaining == 0 {
			c.completeJoin(g)
			return
		}
		g.joinedLate = false
		next := min(c.config.InitialRebalanceDelay, remaining)
		c.delayFirst(g, next, max(remaining-delay, 0))
	})
}

// minRecheck is the least time before a group that none has joined again is
// looked at again, as members may ask for no time at all.
const minRecheck = time.Second

func (c *Coordinator) completeJoinWithin(g *group, timeout time.Duration) {
	c.core.Set(joinKey{g}, c.config.Now().Add(timeout), func() { c.completeJoin(g) })
}

// completeJoin ends the time to join: who has not is out, except static
// members, who keep their place until their session ends.
func (c *Coordinator) completeJoin(g *group) {
	c.core.Cancel(joinKey{g})
	for _, m := range g.ordered() {
		if m.join == nil && m.instance == nil {
			c.core.Cancel(sessionOf(g, m.id))
			g.remove(m.id)
		}
	}
	if !g.electJoined() && len(g.members) > 0 {
		c.completeJoinWithin(g, max(g.rebalanceTimeout(), minRecheck)) // until sessions end
		return
	}
	g.joinedLate = false
	g.nextGeneration(c.config.Now())
	if g.state == empty {
		c.storeEmpty(g)
		return
	}
	c.announce(g)
}

// announce tells all members of the new generation and expects them to sync.
func (c *Coordinator) announce(g *group) {
	members := g.ordered()
	for _, m := range members {
		c.answerJoin(g, m, g.joined(m))
		m.fresh = false
		c.expect(g, m)
		g.pendingSync[m.id] = true
	}
	generation := g.generation
	c.core.Set(syncKey{g}, c.config.Now().Add(g.rebalanceTimeout()), func() { c.expireSyncs(g, generation) })
}

// storeEmpty keeps that a group has lost its last member, with its generation,
// so that the next one is higher.
func (c *Coordinator) storeEmpty(g *group) {
	g.stored = true
	c.core.Append(g.record())
}

// expireSyncs puts out who learnt of a generation and never asked for its
// assignment.
func (c *Coordinator) expireSyncs(g *group, generation int32) {
	if g.generation != generation || g.state != completingRebalance && g.state != stable || len(g.pendingSync) == 0 {
		return
	}
	for _, m := range g.ordered() {
		if g.pendingSync[m.id] {
			c.core.Cancel(sessionOf(g, m.id))
			g.remove(m.id)
		}
	}
	c.prepareRebalance(g, "members did not sync in time")
}

func (c *Coordinator) cancelSync(g *group) {
	clear(g.pendingSync)
	c.core.Cancel(syncKey{g})
}

// expect arms the end of a member's session.
func (c *Coordinator) expect(g *group, m *member) { c.expectWithin(g, m, m.sessionTimeout) }

func (c *Coordinator) expectWithin(g *group, m *member, timeout time.Duration) {
	id := m.id
	c.core.Set(sessionOf(g, id), c.config.Now().Add(timeout), func() { c.expireSession(g, id) })
}

// expireSession puts out a member that was not heard of. One that waits for us
// is heard of when it has its answer.
func (c *Coordinator) expireSession(g *group, id string) {
	m := g.members[id]
	if m == nil || m.satisfied() {
		return
	}
	c.expel(g, m)
	c.afterRemoval(g, "member "+id+" was not heard of within its session timeout")
}

// expel removes a member and tells it so if it waits.
func (c *Coordinator) expel(g *group, m *member) {
	c.core.Cancel(sessionOf(g, m.id))
	c.answerJoin(g, m, joinError("", kerr.UnknownMemberID))
	c.answerSync(m, syncError(kerr.UnknownMemberID))
	g.remove(m.id)
}

// afterRemoval goes on without members that were removed.
func (c *Coordinator) afterRemoval(g *group, reason string) {
	switch g.state {
	case stable, completingRebalance:
		c.prepareRebalance(g, reason)
	case preparingRebalance:
		if g.allJoined() {
			c.completeJoin(g)
		}
	}
}

// dropPending forgets an id that was given out and not used.
func (c *Coordinator) dropPending(g *group, id string) {
	c.core.Cancel(sessionOf(g, id))
	g.remove(id)
	if g.state == preparingRebalance && g.allJoined() {
		c.completeJoin(g)
	}
}
