package group

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestRandomRequestsHarmNobody sends requests whose every field is random, of
// every version, and expects one answer each, now or when members are put out.
func TestRandomRequestsHarmNobody(t *testing.T) {
	random := testenv.Rand(t)
	w := newWorld(t, func(c *Config) {
		c.MinSessionTimeout = 1
		c.InitialRebalanceDelay = -1
		c.MaxGroups = 20
		c.MaxGroupSize = 5
		c.MaxTxnBytes = 2000
	})
	asked, answered := 0, 0
	k := &known{generations: []any{1}}
	fill := func(req any) { fillRandom("", reflect.ValueOf(req).Elem(), random.IntN, k) }
	states := map[state]int{}
	for range testenv.Sized(4_000, 60_000) {
		asked++
		switch random.IntN(14) {
		case 0, 1, 2:
			req := kmsg.NewPtrJoinGroupRequest()
			fill(req)
			w.JoinGroup(Client{ID: "c"}, req, func(resp *kmsg.JoinGroupResponse) {
				answered++
				k.learn(resp)
			})
		case 3, 4, 12, 13:
			send(w.SyncGroup, kmsg.NewPtrSyncGroupRequest(), fill, &answered)
		case 5:
			send(w.Heartbeat, kmsg.NewPtrHeartbeatRequest(), fill, &answered)
		case 6:
			send(w.LeaveGroup, kmsg.NewPtrLeaveGroupRequest(), fill, &answered)
		case 7:
			send(w.OffsetCommit, kmsg.NewPtrOffsetCommitRequest(), fill, &answered)
		case 8:
			send(w.TxnOffsetCommit, kmsg.NewPtrTxnOffsetCommitRequest(), fill, &answered)
		case 9:
			send(w.OffsetFetch, kmsg.NewPtrOffsetFetchRequest(), fill, &answered)
		case 10:
			send(w.OffsetDelete, kmsg.NewPtrOffsetDeleteRequest(), fill, &answered)
			asked++
			w.EndTxn(Marker{ProducerID: int64(random.IntN(4)), Epoch: 3, Commit: true}, func(error) { answered++ })
		case 11:
			asked += 2
			send(w.DescribeGroups, kmsg.NewPtrDescribeGroupsRequest(), fill, &answered)
			send(w.ListGroups, kmsg.NewPtrListGroupsRequest(), fill, &answered)
			send(w.DeleteGroups, kmsg.NewPtrDeleteGroupsRequest(), fill, &answered)
		}
		w.log.Settle()
		for _, g := range w.groups {
			states[g.state]++
		}
		if random.IntN(20) == 0 {
			w.pass(time.Duration(random.IntN(5000)) * time.Millisecond)
		}
		if len(w.log.Sets) > 300 && random.IntN(100) == 0 {
			w.checkStart(w.log.Records(), w.kept(), w.rest())
		}
		if len(w.log.Sets) > 2000 {
			w.Stop()
			w.log.Sets = nil
			w.crash()
			if answered != asked {
				t.Fatalf("%d requests, %d answers", asked, answered)
			}
		}
	}
	w.Stop()
	if answered != asked {
		t.Errorf("%d requests, %d answers", asked, answered)
	}
	for _, s := range []state{empty, preparingRebalance, completingRebalance, stable} {
		if states[s] < 1 {
			t.Errorf("groups were %v: the test does little", states)
		}
	}
	for _, g := range w.groups {
		if len(g.members) > 10 || g.awaiting != 0 {
			t.Errorf("group %s has %d members, %d waiting", g.id, len(g.members), g.awaiting)
		}
	}
}

func send[Req, Resp any](f func(Req, func(*Resp)), req Req, fill func(any), answered *int) {
	fill(req)
	f(req, func(*Resp) { *answered++ })
}

// plausible are values that make a field fit what others did.
func plausible(field string, k *known) []any {
	switch field {
	case "Group", "Groups":
		return []any{"g", "h"}
	case "MemberID":
		return append([]any{""}, k.members...)
	case "Protocol", "Name":
		return []any{"range"}
	case "ProtocolType":
		return []any{"consumer"}
	case "Topic":
		return []any{"t", "u"}
	case "SessionTimeoutMillis", "RebalanceTimeoutMillis":
		return []any{20_000, 60_000}
	case "Generation":
		return k.generations
	}
	return nil
}

// known are the member ids and generations that were last told.
type known struct{ members, generations []any }

func (k *known) learn(resp *kmsg.JoinGroupResponse) {
	if resp.MemberID != "" {
		k.members = append(k.members, resp.MemberID)
		k.members = k.members[max(0, len(k.members)-4):]
	}
	if resp.ErrorCode == 0 {
		k.generations = append(k.generations, int(resp.Generation))
		k.generations = k.generations[max(0, len(k.generations)-3):]
	}
}

// fillRandom sets a field to a plausible value nine times out of ten.
func fillRandom(field string, v reflect.Value, intN func(int) int, k *known) {
	likely := plausible(field, k)
	if intN(10) == 0 {
		likely = nil
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "UnknownTags" {
				fillRandom(name, v.Field(i), intN, k)
			}
		}
	case reflect.String:
		if likely == nil {
			likely = append([]any{"", "g", "h", "t", "consumer", "range"}, k.members...)
		}
		v.SetString(likely[intN(len(likely))].(string))
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if likely == nil {
			likely = []any{-1, 0, 1, 2, 3, 5, 9, 100}
		}
		v.SetInt(int64(likely[intN(len(likely))].(int)))
	case reflect.Bool:
		v.SetBool(intN(2) == 0)
	case reflect.Pointer:
		v.SetZero()
		if intN(4) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fillRandom(field, v.Elem(), intN, k)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), intN(3), 3))
		for i := range v.Len() {
			if v.Type().Elem().Kind() != reflect.Uint8 {
				fillRandom(field, v.Index(i), intN, k)
			}
		}
	}
}

// TestOnePartitionManyTimes in one request, of a group with a long name, is bounded: the
// log would have the name once for each.
func TestOnePartitionManyTimes(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxSetBytes = 10_000 })
	id := strings.Repeat("g", 1000)
	req := commitRequest(id, "t", 0, 7)
	one := req.Topics[0].Partitions[0]
	for range 1000 {
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, one)
	}
	answers := must(t, call(w, w.OffsetCommit, req)).Topics[0].Partitions
	wantError(t, "the first", errorOf(answers[0].ErrorCode), nil)
	if n := len(w.log.Records()); n > 10 {
		t.Errorf("%d records", n)
	}
	wantError(t, "the last", errorOf(answers[1000].ErrorCode), kerr.InvalidCommitOffsetSize)
	w.wantOffset(id, "t", 7)

	before := len(w.log.Records())
	txn := txnRequest(id, "t", 8, 1, 0)
	two := txn.Topics[0].Partitions[0]
	for range 1000 {
		txn.Topics[0].Partitions = append(txn.Topics[0].Partitions, two)
	}
	pending := must(t, call(w, w.TxnOffsetCommit, txn)).Topics[0].Partitions
	wantError(t, "the last of a transaction", errorOf(pending[1000].ErrorCode), kerr.InvalidCommitOffsetSize)
	if n := len(w.log.Records()) - before; n > 10 {
		t.Errorf("%d records of a transaction", n)
	}
}
