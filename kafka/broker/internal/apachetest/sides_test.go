package apachetest

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// side is one of the two servers.
type side struct {
	*names
	name, addr string
	conn       *conn
	versions   map[int16][2]int16
	// producer and epoch are those of the last InitProducerID.
	producer int64
	epoch    int16
}

func newSide(t testing.TB, name, addr string) *side {
	s := &side{names: newNames(), name: name, addr: addr, conn: dial(t, addr)}
	s.versions = s.conn.versions(t)
	return s
}

func startApache(t testing.TB, more ...string) string {
	t.Helper()
	return testenv.StartKafka(t, append([]string{"offsets.topic.num.partitions=1", "transaction.state.log.num.partitions=1"}, more...)...).Addr
}

// version is the oldest, or newest, version of a request that both serve; false where
// there is none.
func version(req kmsg.Request, newest bool, sides ...*side) (int16, bool) {
	low, high := int16(0), req.MaxVersion()
	if req.Key() == int16(kmsg.Produce) {
		low = 3 // older ones are offered, to old librdkafka, and refused
	}
	for _, s := range sides {
		v, ok := s.versions[req.Key()]
		if !ok {
			return 0, false
		}
		low, high = max(low, v[0]), min(high, v[1])
	}
	if newest {
		return high, low <= high
	}
	return low, low <= high
}

// warm has a server make its internal topics, and waits for their coordinators.
func (s *side) warm(t testing.TB) {
	t.Helper()
	ready := func(request func(*side) kmsg.Request) bool {
		req := request(s)
		req.SetVersion(s.versions[req.Key()][1])
		resp, err := s.conn.ask(req)
		if err != nil {
			t.Logf("%s: %s: %v", s.name, kmsg.NameForKey(req.Key()), err)
			s.conn = dial(t, s.addr)
			return false
		}
		return !passes(newNames().text(resp))
	}
	testenv.Wait(t, "the coordinators of "+s.name, time.Minute, func() bool {
		return ready(coordinator(0, "warm")) && ready(coordinator(1, "warm")) && ready(beat("warm", "me", 1)) && ready(initProducer("warm", 10_000))
	})
}
