package apachetest

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/twmb/franz-go/pkg/kerr"
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
	join := join("warm", "", 10_000)(s)
	begin := initProducer("warm", 10_000)(s)
	join.SetVersion(s.versions[join.Key()][1])
	begin.SetVersion(s.versions[begin.Key()][1])
	testenv.Wait(t, "the coordinators of "+s.name, time.Minute, func() bool {
		for _, kind := range []int8{0, 1} {
			find := coordinator(kind, "warm")(s)
			find.SetVersion(2)
			if resp, err := s.conn.ask(find); err != nil || resp.(*kmsg.FindCoordinatorResponse).ErrorCode != 0 {
				return false
			}
		}
		joined, err := s.conn.ask(join)
		began, err2 := s.conn.ask(begin)
		return err == nil && err2 == nil && joined.(*kmsg.JoinGroupResponse).ErrorCode == kerr.InconsistentGroupProtocol.Code &&
			began.(*kmsg.InitProducerIDResponse).ErrorCode == 0
	})
}
