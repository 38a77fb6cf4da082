package wire

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// servedKeys are all that a broker of this kind may serve.
var servedKeys = []kmsg.Key{
	kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets, kmsg.Metadata, kmsg.OffsetForLeaderEpoch, kmsg.ApiVersions,
	kmsg.FindCoordinator, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.LeaveGroup,
	kmsg.OffsetCommit, kmsg.OffsetFetch, kmsg.OffsetDelete, kmsg.DescribeGroups, kmsg.ListGroups, kmsg.DeleteGroups,
	kmsg.ConsumerGroupHeartbeat, kmsg.ConsumerGroupDescribe,
	kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.EndTxn, kmsg.TxnOffsetCommit,
	kmsg.DescribeProducers, kmsg.DescribeTransactions, kmsg.ListTransactions, kmsg.WriteTxnMarkers,
	kmsg.CreateTopics, kmsg.DeleteTopics, kmsg.CreatePartitions, kmsg.DeleteRecords,
	kmsg.DescribeConfigs, kmsg.AlterConfigs, kmsg.IncrementalAlterConfigs,
	kmsg.DescribeCluster, kmsg.DescribeLogDirs, kmsg.DescribeTopicPartitions,
	kmsg.DescribeACLs, kmsg.CreateACLs, kmsg.DeleteACLs, kmsg.SASLHandshake, kmsg.SASLAuthenticate,
	kmsg.DescribeUserSCRAMCredentials, kmsg.AlterUserSCRAMCredentials,
	kmsg.AlterPartitionAssignments, kmsg.ListPartitionReassignments, kmsg.ElectLeaders,
	kmsg.DescribeClientQuotas, kmsg.AlterClientQuotas, kmsg.CreateDelegationToken, kmsg.DescribeDelegationToken,
	kmsg.DescribeQuorum, kmsg.UpdateFeatures, kmsg.GetTelemetrySubscriptions, kmsg.PushTelemetry, kmsg.ListConfigResources,
	kmsg.AlterReplicaLogDirs, kmsg.UnregisterBroker,
}

// TestLayouts: what kmsg writes in any version, the layout learned from it fits exactly,
// and what is cut anywhere it does not fit.
func TestLayouts(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, key := range servedKeys {
		for version := range kmsg.RequestForKey(key.Int16()).MaxVersion() + 1 {
			l, err := layoutOf(key.Int16(), version)
			if err != nil {
				t.Errorf("%s version %d: %v", key.Name(), version, err)
				continue
			}
			for range 8 {
				req := kmsg.RequestForKey(key.Int16())
				req.SetVersion(version)
				fill(random, reflect.ValueOf(req).Elem(), 0)
				req.SetVersion(version)
				body := req.AppendTo(nil)
				if _, ok := l.check(body); !ok {
					t.Fatalf("%s version %d does not fit: %x of %+v", key.Name(), version, body, req)
				}
				if cut := random.IntN(len(body) + 1); cut < len(body) {
					if _, ok := l.check(body[:cut]); ok {
						t.Fatalf("%s version %d fits cut to %d: %x", key.Name(), version, cut, body)
					}
				}
			}
		}
	}
}

// fill gives random values to all that has any.
func fill(random *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(random.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(int8(random.Uint32())))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(uint64(uint8(random.Uint32())))
	case reflect.Float64:
		v.SetFloat(random.Float64())
	case reflect.String:
		v.SetString(strings.Repeat("x", random.IntN(140))) // two bytes of a varint at times
	case reflect.Array:
		for i := range v.Len() {
			fill(random, v.Index(i), depth)
		}
	case reflect.Slice:
		if random.IntN(4) == 0 {
			return
		}
		n := random.IntN(4)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(random, v.Index(i), depth+1)
		}
	case reflect.Pointer:
		if random.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(random, v.Elem(), depth+1)
		}
	case reflect.Struct:
		if tags, ok := v.Addr().Interface().(*kmsg.Tags); ok {
			if random.IntN(8) == 0 {
				tags.Set(200+uint32(random.IntN(200)), []byte("tag"))
			}
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(random, v.Field(i), depth)
			}
		}
	}
}

// TestProduceIsDecodedAsKmsgDoes, of random requests, whole and damaged.
func TestProduceIsDecodedAsKmsgDoes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	used := kmsg.NewPtrProduceRequest()
	for range 2000 {
		req := kmsg.NewPtrProduceRequest()
		fill(random, reflect.ValueOf(req).Elem(), 0)
		req.Version = 3 + int16(random.IntN(11))
		body := req.AppendTo(nil)
		used.Version = req.Version
		if _, err := decodeProduce(used, body); err != nil {
			t.Fatalf("version %d: %v", req.Version, err)
		}
		if again := used.AppendTo(nil); !reflect.DeepEqual(again, untagged(req).AppendTo(nil)) {
			t.Fatalf("version %d: %x became %x", req.Version, body, again)
		}
		forget(used)
		cut := random.IntN(len(body))
		if _, err := decodeProduce(used, body[:cut]); err == nil {
			t.Fatalf("version %d, cut to %d: %x", req.Version, cut, body)
		}
	}
}

func untagged(req *kmsg.ProduceRequest) *kmsg.ProduceRequest {
	req.UnknownTags = kmsg.Tags{}
	for i := range req.Topics {
		t := &req.Topics[i]
		t.UnknownTags = kmsg.Tags{}
		for j := range t.Partitions {
			t.Partitions[j].UnknownTags = kmsg.Tags{}
		}
	}
	return req
}

func TestSizeClasses(t *testing.T) {
	for n := 1; n <= mostBuffer; n += 1 + n/97 {
		b := GetBuffer(n)
		if len(b.B) != n || n > 5000 && cap(b.B) > n+n/4 {
			t.Fatalf("a buffer of %d has %d of %d bytes", n, len(b.B), cap(b.B))
		}
		class, size := sizeClass(max(n, leastBuffer))
		if size < n || class < 0 || class >= len(pools) {
			t.Fatalf("%d is of class %d with %d bytes", n, class, size)
		}
		if next, nextSize := sizeClass(size + 1); next != class+1 || nextSize <= size {
			t.Fatalf("after class %d of %d comes %d of %d", class, size, next, nextSize)
		}
		b.Put()
	}
}

// TestDecodedMemoryIsBounded, for elements of few bytes on the wire have many in memory.
func TestDecodedMemoryIsBounded(t *testing.T) {
	l, err := layoutOf(int16(kmsg.Metadata), 9)
	if err != nil {
		t.Fatal(err)
	}
	of := func(topics int) []byte {
		req := kmsg.NewPtrMetadataRequest()
		req.Version, req.Topics = 9, make([]kmsg.MetadataRequestTopic, topics)
		return req.AppendTo(nil)
	}
	if memory, ok := l.check(of(100_000)); !ok || memory < 100_000*16 {
		t.Errorf("%v, %d bytes", ok, memory)
	}
	if _, ok := l.check(of(mostDecoded / 16)); ok {
		t.Error("more than there may be")
	}
}
