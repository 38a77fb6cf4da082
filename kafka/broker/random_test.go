package broker_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestRandomRequestsHarmNobody sends well-formed requests with contents nobody
// would send, from several connections at once, so that they meet topics,
// groups and transactions in every state. A panic of the broker ends this test
// binary.
func TestRandomRequestsHarmNobody(t *testing.T) {
	random := testenv.Rand(t)
	for _, dir := range []string{"", t.TempDir()} {
		config := broker.Config{Addr: "127.0.0.1:0", DataDir: dir, MinSessionTimeout: time.Millisecond, Logger: slog.New(slog.DiscardHandler)}
		b := start(t, config)
		known := &known{}
		until := time.Now().Add(1500 * time.Millisecond)
		var senders sync.WaitGroup
		for range 6 {
			s := &sender{addr: b.Addr(), known: known, random: rand.New(rand.NewPCG(random.Uint64(), 0))}
			senders.Go(func() {
				for time.Now().Before(until) {
					s.send()
				}
				s.close()
			})
		}
		senders.Wait()
		stillServes(t, b)
		stop(t, b)
		if dir != "" {
			consume(t, start(t, config), "after", 1)
		}
	}
}

// known are ids that the broker gave out; requests that name them reach further.
type known struct {
	mu        sync.Mutex
	producers []int64
	members   []string
}

func (k *known) learn(resp kmsg.Response) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch r := resp.(type) {
	case *kmsg.InitProducerIDResponse:
		k.producers = append(k.producers, r.ProducerID)
	case *kmsg.JoinGroupResponse:
		k.members = append(k.members, r.MemberID)
	case *kmsg.ConsumerGroupHeartbeatResponse:
		if r.MemberID != nil {
			k.members = append(k.members, *r.MemberID)
		}
	}
}

type sender struct {
	addr   string
	known  *known
	random *rand.Rand
	conn   net.Conn
}

func (s *sender) close() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

func (s *sender) send() {
	if s.conn == nil {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			return
		}
		s.conn = conn
	}
	req := kmsg.RequestForKey(int16(s.random.IntN(kmsg.MaxKey + 1)))
	if req == nil {
		return
	}
	version := int16(s.random.IntN(int(req.MaxVersion()) + 1))
	s.fill(reflect.ValueOf(req).Elem(), "")
	req.SetVersion(version)
	raw := framed(req)
	if len(raw) > 12 && s.random.IntN(20) == 0 { // and some that are not well-formed
		raw[12+s.random.IntN(len(raw)-12)] = byte(s.random.IntN(256))
	}
	s.conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := s.conn.Write(raw); err != nil || !s.answer(req) {
		s.close()
	}
}

func (s *sender) answer(req kmsg.Request) bool {
	var size [4]byte
	if _, err := io.ReadFull(s.conn, size[:]); err != nil {
		return false
	}
	answer := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(s.conn, answer); err != nil {
		return false
	}
	resp := req.ResponseKind()
	begin := 4
	if resp.IsFlexible() && resp.Key() != int16(kmsg.ApiVersions) {
		begin++
	}
	if len(answer) >= begin && resp.ReadFrom(answer[begin:]) == nil {
		s.known.learn(resp)
	}
	return true
}

// fill gives every field a value that is often sensible.
func (s *sender) fill(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Pointer:
		if s.random.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			s.fill(v.Elem(), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "UnknownTags" {
				s.fill(v.Field(i), f.Name)
			}
		}
	case reflect.Slice:
		s.fillSlice(v, name)
	case reflect.String:
		v.SetString(s.word(name))
	case reflect.Bool:
		v.SetBool(s.random.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(s.number(name))
	}
}

func (s *sender) fillSlice(v reflect.Value, name string) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		if name == "Records" {
			v.SetBytes(s.batch())
		} else if s.random.IntN(4) > 0 {
			v.SetBytes(s.noise(40))
		}
		return
	}
	list := reflect.MakeSlice(v.Type(), s.random.IntN(4), 4)
	for i := range list.Len() {
		s.fill(list.Index(i), name)
	}
	v.Set(list)
}

func (s *sender) word(name string) string {
	words := []string{"", "t0", "t1", "g0", "tx0", "range", "i0", "p0", "../x", "a.b", "a_b", "*", "compact", "retention.ms", "0", "-1", strings.Repeat("x", 300), "\x00"}
	if s.random.IntN(4) == 0 {
		return words[s.random.IntN(len(words))]
	}
	few := s.random.IntN(2)
	switch name {
	case "Group", "Groups":
		return fmt.Sprint("g", few)
	case "Topic", "Topics":
		return fmt.Sprint("t", few)
	case "TransactionalID", "TransactionID", "TransactionalIDs":
		return fmt.Sprint("tx", few)
	case "ProtocolType":
		return "consumer"
	case "MemberID":
		s.known.mu.Lock()
		defer s.known.mu.Unlock()
		if n := len(s.known.members); n > 0 {
			return s.known.members[n-1-s.random.IntN(min(n, 6))]
		}
	}
	return fmt.Sprint("p", few)
}

func (s *sender) number(name string) int64 {
	odd := []int64{math.MinInt64, math.MaxInt64, math.MinInt32, math.MaxInt32, -5, -4, -3, -2, 1000, 30_000}
	switch {
	case s.random.IntN(5) == 0:
		return odd[s.random.IntN(len(odd))]
	case name == "ProducerID":
		s.known.mu.Lock()
		defer s.known.mu.Unlock()
		if n := len(s.known.producers); n > 0 {
			return s.known.producers[n-1-s.random.IntN(min(n, 6))]
		}
	case strings.HasSuffix(name, "Millis"):
		return s.random.Int64N(50)
	}
	return s.random.Int64N(5) - 1
}

func (s *sender) noise(most int) []byte {
	b := make([]byte, s.random.IntN(most))
	for i := range b {
		b[i] = byte(s.random.IntN(256))
	}
	return b
}

// batch is a record batch with a right checksum, and something else wrong in
// many cases.
func (s *sender) batch() []byte {
	return sealedBatch(func(b *kmsg.RecordBatch) {
		switch s.random.IntN(8) {
		case 0:
			b.NumRecords = int32(s.number(""))
			b.LastOffsetDelta = b.NumRecords - 1
		case 1:
			b.FirstTimestamp, b.MaxTimestamp = s.number(""), s.number("")
		case 2:
			b.Attributes = int16(s.random.IntN(1 << 7))
		case 3:
			b.Records = s.noise(60)
		case 4, 5:
			b.ProducerID, b.ProducerEpoch, b.FirstSequence = s.number("ProducerID"), int16(s.random.IntN(3)), s.random.Int32N(4)
			b.Attributes = int16(s.random.IntN(2) << 4)
		case 6:
			b.ProducerID, b.ProducerEpoch, b.FirstSequence = s.number(""), int16(s.number("")), int32(s.number(""))
		}
	})
}
