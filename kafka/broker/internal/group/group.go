package group

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// state is where a group is in Kafka's classic protocol. A group that is dead
// is not in memory any more.
type state string

const (
	empty               state = "Empty"
	preparingRebalance  state = "PreparingRebalance"
	completingRebalance state = "CompletingRebalance"
	stable              state = "Stable"
	dead                state = "Dead"
)

const consumerProtocol = "consumer"

// group is what the coordinator knows of one group.
type group struct {
	id           string
	state        state
	previous     state
	since        time.Time // of the state
	stored       bool      // the log holds its metadata
	protocolType string    // empty for groups that only commit offsets
	protocol     string    // empty while none is chosen
	generation   int32
	leader       string

	members     map[string]*member
	static      map[string]string // group.instance.id -> member id
	pendingJoin map[string]bool   // ids that were given out and not joined with yet
	pendingSync map[string]bool
	supported   map[string]int // protocol -> members that have it
	awaiting    int            // members with a waiting join
	joins       uint64
	joinedLate  bool // somebody joined during the delay of the first rebalance
	bytes       int  // of members' protocols

	subscribed      map[string]bool // topics
	knowsSubscribed bool

	offsets map[partition]offset
	pending map[partition]map[int64]pendingOffset // by producer id
}

func newGroup(id string, now time.Time) *group {
	return &group{
		id: id, state: empty, previous: dead, since: now,
		members: map[string]*member{}, static: map[string]string{},
		pendingJoin: map[string]bool{}, pendingSync: map[string]bool{}, supported: map[string]int{},
		offsets: map[partition]offset{}, pending: map[partition]map[int64]pendingOffset{},
	}
}

func (g *group) transition(to state, now time.Time) {
	g.previous, g.state, g.since = g.state, to, now
}

// ordered are the members in the order in which they joined.
func (g *group) ordered() []*member {
	return slices.SortedFunc(maps.Values(g.members), func(a, b *member) int { return cmp.Compare(a.joined, b.joined) })
}

func (g *group) add(m *member, protocolType string) {
	if len(g.members) == 0 {
		g.protocolType = protocolType
	}
	if m.instance != nil {
		g.static[*m.instance] = m.id
	}
	if g.leader == "" {
		g.leader = m.id
	}
	g.joins++
	m.joined = g.joins
	g.members[m.id] = m
	g.count(m.protocols, 1)
	if m.join != nil {
		g.awaiting++
	}
	delete(g.pendingJoin, m.id)
}

// remove forgets a member or an id that was given out; who waits for its
// answers must have got them.
func (g *group) remove(id string) {
	delete(g.pendingJoin, id)
	delete(g.pendingSync, id)
	m := g.members[id]
	if m == nil {
		return
	}
	delete(g.members, id)
	g.count(m.protocols, -1)
	if m.join != nil {
		g.awaiting--
	}
	if m.instance != nil && g.static[*m.instance] == id {
		delete(g.static, *m.instance)
	}
	if g.leader == id {
		g.leader = ""
		if rest := g.ordered(); len(rest) > 0 {
			g.leader = rest[0].id
		}
	}
}

// count adds or takes away one member's protocols.
func (g *group) count(protocols []kmsg.JoinGroupRequestProtocol, sign int) {
	for _, p := range protocols {
		if g.supported[p.Name] += sign; g.supported[p.Name] == 0 {
			delete(g.supported, p.Name)
		}
	}
	g.bytes += sign * protocolBytes(protocols)
}

// supports says whether a member with these protocols can join.
func (g *group) supports(protocolType string, protocols []kmsg.JoinGroupRequestProtocol) bool {
	if g.state == empty {
		return protocolType != "" && len(protocols) > 0
	}
	return g.protocolType == protocolType && slices.ContainsFunc(protocols, func(p kmsg.JoinGroupRequestProtocol) bool {
		return g.supported[p.Name] == len(g.members)
	})
}

// selectProtocol lets each member vote for the first of its protocols that all
// have. Of equal ones it takes the first by name, to be repeatable.
func (g *group) selectProtocol() string {
	common := map[string]bool{}
	for name, n := range g.supported {
		common[name] = n == len(g.members)
	}
	votes := map[string]int{}
	for _, m := range g.members {
		votes[m.vote(common)]++
	}
	chosen := ""
	for _, name := range slices.Sorted(maps.Keys(votes)) {
		if name != "" && votes[name] > votes[chosen] {
			chosen = name
		}
	}
	return chosen
}

// nextGeneration starts a generation with the members there are.
func (g *group) nextGeneration(now time.Time) {
	g.generation++
	clear(g.pendingSync)
	if len(g.members) == 0 {
		g.protocol, g.leader = "", ""
		g.transition(empty, now)
	} else {
		g.protocol = g.selectProtocol()
		g.transition(completingRebalance, now)
	}
	g.computeSubscribed()
}

// electJoined gives the lead to somebody who has joined again, unless the
// leader has. It says whether there is such a leader.
func (g *group) electJoined() bool {
	leader := g.members[g.leader]
	if leader == nil || leader.join != nil {
		return leader != nil
	}
	for _, m := range g.ordered() {
		if m.join != nil {
			g.leader = m.id
			return true
		}
	}
	return false
}

func (g *group) allJoined() bool {
	return g.awaiting == len(g.members) && len(g.pendingJoin) == 0
}

// rebalanceTimeout is that of the member who gives the most time.
func (g *group) rebalanceTimeout() time.Duration {
	var longest time.Duration
	for _, m := range g.members {
		longest = max(longest, m.rebalanceTimeout)
	}
	return longest
}

// checkMember refuses who is no member, or whose place another has taken.
func (g *group) checkMember(id string, instance *string) *kerr.Error {
	if instance != nil {
		current, ok := g.static[*instance]
		if !ok {
			return kerr.UnknownMemberID
		}
		if current != id {
			return kerr.FencedInstanceID
		}
	}
	if g.members[id] == nil {
		return kerr.UnknownMemberID
	}
	return nil
}

// computeSubscribed reads the topics out of the members' metadata, whose first
// version every later one begins with.
func (g *group) computeSubscribed() {
	g.subscribed, g.knowsSubscribed = map[string]bool{}, false
	if g.protocolType != consumerProtocol {
		return
	}
	if len(g.members) > 0 && g.protocol == "" {
		return
	}
	for _, m := range g.members {
		topics, ok := subscribedTopics(m.metadata(g.protocol))
		if !ok {
			g.subscribed = map[string]bool{}
			return
		}
		for _, topic := range topics {
			g.subscribed[topic] = true
		}
	}
	g.knowsSubscribed = true
}

// subscribesTo says whether a member reads a topic. Consumers whose metadata
// cannot be read may read any.
func (g *group) subscribesTo(topic string) bool {
	if g.knowsSubscribed {
		return g.subscribed[topic]
	}
	return g.protocolType == consumerProtocol
}
