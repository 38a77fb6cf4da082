package group

import (
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestRandomRequestsHarmNobody sends requests whose every field is random, of
// every version, and expects one answer each, now or when members are put out.
func TestRandomRequestsHarmNobody(t *testing.T) {
	random := testenv.Rand(t)
	w := newWorld(t, func(c *Config) { c.MinSessionTimeout = 1; c.MaxGroups = 20; c.MaxGroupSize = 5; c.MaxTxnBytes = 2000 })
	asked, answered := 0, 0
	var ids []string
	fill := func(req any) { fillRandom(reflect.ValueOf(req).Elem(), random.IntN, &ids) }
	for range testenv.Sized(10_000, 500_000) {
		asked++
		switch random.IntN(12) {
		case 0, 1, 2:
			req := kmsg.NewPtrJoinGroupRequest()
			fill(req)
			w.JoinGroup(Client{ID: "c"}, req, func(resp *kmsg.JoinGroupResponse) {
				answered++
				if resp.MemberID != "" {
					ids = append(ids, resp.MemberID)[max(0, len(ids)-20):]
				}
			})
		case 3, 4:
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
	for _, g := range w.groups {
		if len(g.members) > 5 || g.awaiting != 0 {
			t.Errorf("group %s has %d members, %d waiting", g.id, len(g.members), g.awaiting)
		}
	}
}

func send[Req, Resp any](f func(Req, func(*Resp)), req Req, fill func(any), answered *int) {
	fill(req)
	f(req, func(*Resp) { *answered++ })
}

// fillRandom sets fields to few values, so that requests fit one another.
func fillRandom(v reflect.Value, intN func(int) int, ids *[]string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "UnknownTags" {
				fillRandom(v.Field(i), intN, ids)
			}
		}
	case reflect.String:
		pool := append([]string{"", "g", "h", "t", "consumer", "range"}, *ids...)
		v.SetString(pool[intN(len(pool))])
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64([]int{-1, 0, 1, 2, 3, 5, 9, 100}[intN(8)]))
	case reflect.Bool:
		v.SetBool(intN(2) == 0)
	case reflect.Pointer:
		v.SetZero()
		if intN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fillRandom(v.Elem(), intN, ids)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), intN(3), 3))
		for i := range v.Len() {
			if v.Type().Elem().Kind() != reflect.Uint8 {
				fillRandom(v.Index(i), intN, ids)
			}
		}
	}
}
