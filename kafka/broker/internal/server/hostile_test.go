package server_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/server"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestHostileFields asks with values that no client has a reason for. Whatever comes
// back, the broker goes on, soon and in little memory.
func TestHostileFields(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	hostile(t, seed, 1000)
}

func hostile(t *testing.T, seed uint64, requests int) {
	w := start(t, with(func(c *server.Config) { c.ACLs, c.SuperUsers = true, []string{"User:ANONYMOUS"} }))
	s := newScene(w, w.dial())
	s.hostile = true
	h := &hostileClient{Rand: rand.New(rand.NewPCG(seed, 0)), s: s}
	apis := w.APIs()
	var before, after runtime.MemStats
	for range requests {
		api := apis[h.IntN(len(apis))]
		req := h.request(api.Key, api.Min+int16(h.IntN(int(api.Max-api.Min)+1)))
		runtime.ReadMemStats(&before)
		h.send(req)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
			t.Fatalf("%d bytes of memory for %s %+v", took, kmsg.NameForKey(api.Key), req)
		}
	}
	h.close()
	client := w.client(kgo.DefaultProduceTopic("after"), kgo.AllowAutoTopicCreation())
	if err := client.ProduceSync(w.soon(), kgo.StringRecord("v")).FirstErr(); err != nil {
		t.Fatalf("afterwards: %v", err)
	}
}

// hostileClient is a connection that is made again when the broker ends it.
type hostileClient struct {
	*rand.Rand
	s    *scene
	c    *conn
	room int // for more elements of lists
}

func (h *hostileClient) close() {
	if h.c != nil {
		h.c.Close()
		h.c = nil
	}
}

// send has a request answered or refused. Only some may wait, for what does not come.
func (h *hostileClient) send(req kmsg.Request) {
	if h.c == nil {
		h.c = h.s.w.dial()
	}
	patience := 30 * time.Second
	switch r := req.(type) {
	case *kmsg.FetchRequest, *kmsg.JoinGroupRequest, *kmsg.SyncGroupRequest:
		patience = 20 * time.Millisecond
	case *kmsg.ProduceRequest:
		if r.Acks == 0 {
			patience = 20 * time.Millisecond
		}
	}
	h.c.patience = patience
	_, err := h.c.try(req)
	if isTimeout(err) && patience > time.Second {
		h.s.w.t.Fatalf("%s version %d hangs: %+v", kmsg.NameForKey(req.Key()), req.GetVersion(), req)
	}
	if errors.Is(err, errDecode) {
		h.s.w.t.Fatalf("%s version %d: %v: %+v", kmsg.NameForKey(req.Key()), req.GetVersion(), err, req)
	}
	if err != nil {
		h.close()
	}
}

// request is a plausible one of which some fields are not, or one with any fields.
func (h *hostileClient) request(key, version int16) kmsg.Request {
	h.room = 150
	if h.IntN(3) > 0 {
		h.s.again()
		req := h.s.request(key, version)
		h.change(reflect.ValueOf(req).Elem(), 0.15)
		req.SetVersion(version)
		return req
	}
	req := kmsg.RequestForKey(key)
	h.change(reflect.ValueOf(req).Elem(), 1)
	req.SetVersion(version)
	return req
}

// again makes the scene's topic anew where it was deleted.
func (s *scene) again() {
	if s.w.node.Topic(s.topic) == nil {
		if _, errs := s.w.node.Create([]node.NewTopic{{Name: s.topic, Partitions: 2}}, false); errs[0] != nil {
			s.w.t.Fatal(errs[0])
		}
		s.id = s.w.node.Topic(s.topic).ID
	}
}

// change gives fields other values, with a probability.
func (h *hostileClient) change(v reflect.Value, p float64) {
	if v.Type() == reflect.TypeFor[kmsg.Tags]() {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				h.change(v.Field(i), p)
			}
		}
		return
	case reflect.Pointer:
		if h.Float64() < p && h.IntN(2) == 0 {
			v.SetZero()
		} else if h.Float64() < p {
			v.Set(reflect.New(v.Type().Elem()))
		}
		if !v.IsNil() {
			h.change(v.Elem(), p)
		}
		return
	case reflect.Slice:
		h.changeSlice(v, p)
		return
	}
	if h.Float64() < p {
		h.set(v)
	}
}

func (h *hostileClient) changeSlice(v reflect.Value, p float64) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		if h.Float64() < p {
			v.SetBytes(h.bytes(v.Bytes()))
		}
		return
	}
	if h.Float64() < p {
		n := min([]int{0, 1, 2, 5, 100}[h.IntN(5)], h.room)
		h.room -= n
		all := reflect.MakeSlice(v.Type(), n, n)
		for i := range n {
			if i < v.Len() {
				all.Index(i).Set(v.Index(i))
			} else if v.Len() > 0 && h.IntN(2) == 0 {
				all.Index(i).Set(v.Index(0)) // twice the same
			} else {
				h.change(all.Index(i), 1)
			}
		}
		if v.Set(all); n == 0 && h.IntN(2) == 0 {
			v.SetZero()
		}
	}
	for i := range v.Len() {
		h.change(v.Index(i), p)
	}
}

func (h *hostileClient) bytes(was []byte) []byte {
	b := append([]byte(nil), was...)
	switch h.IntN(4) {
	case 0:
		return nil
	case 1:
		return b[:h.IntN(len(b)+1)]
	case 2:
		if len(b) > 0 {
			b[h.IntN(len(b))] ^= 1 << h.IntN(8)
		}
		return b
	}
	b = make([]byte, h.IntN(300))
	for i := range b {
		b[i] = byte(h.Uint32())
	}
	return b
}

var hostileNumbers = []int64{0, 1, 2, 3, 127, -1, -2, -3, -4, -5, math.MaxInt64, math.MinInt64, math.MaxInt32, math.MinInt32, math.MaxInt16, math.MinInt16}

func (h *hostileClient) set(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(h.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(hostileNumbers[h.IntN(len(hostileNumbers))])
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(h.Uint64() >> h.IntN(64))
	case reflect.Float64:
		v.SetFloat([]float64{0, -1, math.NaN(), math.Inf(1)}[h.IntN(4)])
	case reflect.String:
		v.SetString(h.text())
	case reflect.Array: // an id
		if id := reflect.ValueOf(h.s.id); h.IntN(2) == 0 {
			v.Set(id)
		} else {
			v.SetZero()
		}
	}
}

var hostileTexts = []string{
	"", ".", "..", "a", "scene", "other", "a/b", "../../etc", "\x00", "\xff\xfe", "%s%n", "1", "2", "é́", " ",
	"__consumer_offsets", "__transaction_state", "__pabal_security", "__cluster_metadata", "kafka-cluster", "User:admin", "*",
	"consumer", "range", "retention.ms", "log.retention.ms", "cleanup.policy", "9223372036854775808", "-1", "(((((((((((a*)*)*)*)*",
	"Ongoing", "txn-1", "group-1", "topic-1", "PLAIN", "SCRAM-SHA-256", strings.Repeat("n", 249), strings.Repeat("x", 250), strings.Repeat("long", 2000),
}

func (h *hostileClient) text() string { return hostileTexts[h.IntN(len(hostileTexts))] }

// TestHostileCounts has as many parts in requests as there is room for.
func TestHostileCounts(t *testing.T) {
	w := start(t)
	c := w.dial()
	s := newScene(w, c)
	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Version, metadata.AllowAutoTopicCreation = 9, true
	describe := kmsg.NewPtrDescribeGroupsRequest()
	coordinators := kmsg.NewPtrFindCoordinatorRequest()
	coordinators.Version = 4
	configs := kmsg.NewPtrDescribeConfigsRequest()
	configs.Version, configs.IncludeDocumentation, configs.IncludeSynonyms = 4, true, true
	for range 5_000 {
		name := s.name("many")
		metadata.Topics = append(metadata.Topics, kmsg.MetadataRequestTopic{Topic: &name})
		describe.Groups = append(describe.Groups, name)
		coordinators.CoordinatorKeys = append(coordinators.CoordinatorKeys, name)
		configs.Resources = append(configs.Resources, kmsg.DescribeConfigsRequestResource{ResourceType: kmsg.ConfigResourceTypeBroker})
	}
	offsets := kmsg.NewPtrOffsetFetchRequest()
	offsets.Version, offsets.Group = 5, s.committed()
	offsets.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: s.topic, Partitions: make([]int32, 200_000)}}
	producers := kmsg.NewPtrDescribeProducersRequest()
	producers.Topics = []kmsg.DescribeProducersRequestTopic{{Topic: s.topic, Partitions: make([]int32, 200_000)}}
	for _, req := range []kmsg.Request{metadata, describe, coordinators, configs, offsets, producers} {
		resp, err := c.try(req)
		if err != nil {
			t.Fatalf("%s: %v", kmsg.NameForKey(req.Key()), err)
		}
		if n := len(resp.AppendTo(nil)); n > 2<<20 {
			t.Errorf("%s: %d bytes", kmsg.NameForKey(req.Key()), n)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := w.admin().ListTopics(ctx); err != nil {
		t.Fatal(err)
	}
}
