package group

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/coord/coordtest"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kept writes out what of a coordinator must survive: offsets, pending ones,
// and groups in the states that the log knows.
func (c *Coordinator) kept() string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(c.groups)) {
		g := c.groups[id]
		for _, p := range g.partitions() {
			fmt.Fprintln(&b, id, p, g.offsets[p], g.pending[p])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.txns)) {
		fmt.Fprintln(&b, id, len(c.txns[id].offsets), c.txns[id].bytes)
	}
	return b.String()
}

// rest writes out the groups that are at rest, which the log knows whole.
func (c *Coordinator) rest() map[string]string {
	groups := map[string]string{}
	for id, g := range c.groups {
		if g.stored && (g.state == stable || g.state == empty) {
			v := g.metadata()
			if g.state == empty { // dropped members may have been its last
				v.Leader = nil
			}
			groups[id] = fmt.Sprintf("%v %x %v %v", g.state, v.AppendTo(nil), g.static, g.subscribed)
		}
	}
	return groups
}

// TestCrashAfterEveryRecord runs random requests, and then starts from every
// beginning of the log, whole and compacted: what is there is what was there
// when the log ended so.
func TestCrashAfterEveryRecord(t *testing.T) {
	random := testenv.Rand(t)
	for range testenv.Sized(5, 400) {
		w := newWorld(t)
		kept := map[int]string{len(w.log.Sets): w.kept()}
		rest := map[int]map[string]string{len(w.log.Sets): w.rest()}
		s := &script{world: w, random: random}
		for range 150 {
			s.step()
			kept[len(w.log.Sets)] = w.kept()
			rest[len(w.log.Sets)] = w.rest()
		}
		for n, want := range kept {
			records := (&coordtest.Log{Sets: w.log.Sets[:n]}).Records()
			for _, log := range [][]keylog.Record{records, keylog.Compact(records, false), keylog.Compact(records, true)} {
				w.checkStart(log, want, rest[n])
			}
		}
	}
}

func (w *world) checkStart(records []keylog.Record, kept string, rest map[string]string) {
	w.t.Helper()
	after := &world{t: w.t, log: &coordtest.Log{Held: true}, now: w.now, config: w.config}
	after.start(records)
	if got := after.kept(); got != kept {
		w.t.Fatalf("after a crash with %d records there is\n%s\nwant\n%s", len(records), got, kept)
	}
	got := after.rest()
	for id, want := range rest {
		if got[id] != want {
			w.t.Fatalf("after a crash with %d records group %s is\n%s\nwant\n%s", len(records), id, got[id], want)
		}
	}
}

// script does random things that random clients might.
type script struct {
	*world
	random  *rand.Rand
	members []*kmsg.JoinGroupRequest
	gen     map[string]int32
}

func (s *script) pick(names ...string) string { return names[s.random.IntN(len(names))] }

func (s *script) step() {
	g, topic := s.pick("g", "h"), s.pick("t", "u")
	producer := int64(4000 + s.random.IntN(3))
	switch s.random.IntN(12) {
	case 0, 1:
		s.joinSome(g)
	case 2, 3, 4:
		s.syncAll()
	case 5:
		if len(s.members) > 0 {
			i := s.random.IntN(len(s.members))
			s.leave(s.members[i])
			s.members = slices.Delete(s.members, i, i+1)
		}
	case 6:
		s.pass(time.Duration(s.random.IntN(9)) * time.Second)
	case 7:
		s.commitTxn(txnRequest(g, topic, s.random.Int64N(100), producer, 0))
	case 8:
		s.end(Marker{ProducerID: producer, Commit: s.random.IntN(2) == 0})
	case 9:
		s.remove(g, topic)
	default:
		req := commitRequest(g, topic, int32(s.random.IntN(2)), s.random.Int64N(100))
		if len(s.members) > 0 && s.random.IntN(3) > 0 {
			m := s.members[s.random.IntN(len(s.members))]
			req.Group, req.MemberID, req.InstanceID, req.Generation = m.Group, m.MemberID, m.InstanceID, s.gen[m.MemberID]
		}
		s.commit(req)
	}
}

func (s *script) joinSome(g string) {
	if s.gen == nil {
		s.gen = map[string]int32{}
	}
	req := joinRequest(g, "")
	req.Protocols[0].Metadata = subscription(s.pick("t", "u"))
	if s.random.IntN(2) == 0 {
		req.InstanceID = kmsg.StringPtr(s.pick("a", "b"))
	} else if len(s.members) > 0 && s.random.IntN(2) == 0 {
		req = s.members[s.random.IntN(len(s.members))]
	}
	s.JoinGroup(Client{ID: "c"}, req, func(resp *kmsg.JoinGroupResponse) {
		if resp.MemberID != "" && resp.MemberID != req.MemberID {
			req.MemberID = resp.MemberID
			s.members = append(s.members, req)
		}
		if resp.ErrorCode == 0 {
			s.gen[resp.MemberID] = resp.Generation
		}
	})
	s.log.Settle()
}

func (s *script) syncAll() {
	for _, m := range s.members {
		s.sync(m, s.gen[m.MemberID], m.MemberID, s.pick("A", "B"))
	}
}

func (s *script) remove(g, topic string) {
	switch s.random.IntN(3) {
	case 0:
		req := kmsg.NewPtrDeleteGroupsRequest()
		req.Groups = []string{g}
		call(s.world, s.DeleteGroups, req)
	case 1:
		s.TopicDeleted(topic, func(error) {})
	case 2:
		req := kmsg.NewPtrOffsetDeleteRequest()
		req.Group = g
		req.Topics = []kmsg.OffsetDeleteRequestTopic{{Topic: topic, Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}}}}
		call(s.world, s.OffsetDelete, req)
	}
	s.log.Settle()
}

// TestAcknowledgedOffsetsSurvive compares with a list of what was asked for:
// after a crash an offset is the last acknowledged one, or one asked for later.
func TestAcknowledgedOffsetsSurvive(t *testing.T) {
	random := testenv.Rand(t)
	for range testenv.Sized(50, 3000) {
		w := newWorld(t)
		w.log.Held = true
		m := model{asked: map[string][]int64{}, acked: map[string]int{}}
		for crashes := 0; crashes < 3; {
			switch random.IntN(12) {
			case 0, 1, 2, 3:
				w.log.Release(1 + random.IntN(3))
			case 4:
				w.crash()
				m.check(w)
				crashes++
			case 5, 6:
				m.end(w, random.IntN(2) == 0)
			case 7, 8:
				m.pend(w, pickTopic(random))
			default:
				m.commit(w, pickTopic(random))
			}
		}
	}
}

func pickTopic(random *rand.Rand) string { return []string{"t", "u"}[random.IntN(2)] }

type model struct {
	next    int64
	asked   map[string][]int64 // by topic, in order; -1 stands in front
	acked   map[string]int     // the last of them that was acknowledged, plus one
	pending map[string]int64   // acknowledged, in the open transaction
	ended   bool               // its end was asked for
}

func (m *model) ask(topic string, offset int64) (acknowledge func()) {
	m.asked[topic] = append(m.asked[topic], offset)
	at := len(m.asked[topic])
	return func() { m.acked[topic] = max(m.acked[topic], at) }
}

func (m *model) commit(w *world, topic string) {
	m.next++
	ack := m.ask(topic, m.next)
	w.OffsetCommit(commitRequest("g", topic, 0, m.next), func(resp *kmsg.OffsetCommitResponse) {
		if resp.Topics[0].Partitions[0].ErrorCode == 0 {
			ack()
		}
	})
}

// pend commits an offset in the transaction and waits for it, as clients do.
func (m *model) pend(w *world, topic string) {
	if m.ended {
		return
	}
	m.next++
	offset := m.next
	w.TxnOffsetCommit(txnRequest("g", topic, offset, 4000, 0), func(resp *kmsg.TxnOffsetCommitResponse) {
		if m.pending == nil {
			m.pending = map[string]int64{}
		}
		m.pending[topic] = offset
	})
	w.log.Release(1000)
}

// end sends a marker until it is acknowledged, as the coordinator of
// transactions does, also after crashes.
func (m *model) end(w *world, commit bool) {
	if m.ended || len(m.pending) == 0 {
		return
	}
	m.ended = true
	var acks []func()
	for _, topic := range slices.Sorted(maps.Keys(m.pending)) {
		if commit {
			acks = append(acks, m.ask(topic, m.pending[topic]))
		}
	}
	for acknowledged := false; !acknowledged; {
		w.EndTxn(Marker{ProducerID: 4000, Commit: commit}, func(err error) { acknowledged = err == nil })
		if m.next%3 == 0 {
			w.crash()
			m.next++
			continue
		}
		w.log.Release(1000)
	}
	for _, ack := range acks {
		ack()
	}
	m.pending, m.ended = nil, false
}

func (m *model) check(w *world) {
	w.t.Helper()
	for topic, asked := range m.asked {
		got := int64(-1)
		if g := w.groups["g"]; g != nil {
			if o, ok := g.offsets[partition{topic, 0}]; ok {
				got = o.Offset
			}
		}
		possible := append([]int64{-1}, asked...)[m.acked[topic]:]
		if !slices.Contains(possible, got) {
			w.t.Fatalf("the offset of %s is %d; asked for %v, of which %d acknowledged", topic, got, asked, m.acked[topic])
		}
		i := m.acked[topic] + slices.Index(possible, got)
		m.asked[topic], m.acked[topic] = asked[:i:i], i // later ones are lost
	}
	for topic, offset := range m.pending {
		if o := w.groups["g"].pending[partition{topic, 0}][4000]; o.Offset != offset {
			w.t.Fatalf("the pending offset of %s is %d, want %d", topic, o.Offset, offset)
		}
	}
}
