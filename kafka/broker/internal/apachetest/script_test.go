package apachetest

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// step is a request to both sides, after those before it.
type step struct {
	name string
	// request makes it. Topics, groups and ids are fresh in each run.
	request func(*side) kmsg.Request
	// differs says why the answers do, since a version.
	differs string
	since   int16
}

// run plays a script on both sides, with each request in the oldest or the newest version
// that both serve.
func run(t *testing.T, script []step, newest bool, ours, apache *side) {
	for _, s := range script {
		req := s.request(ours)
		v, ok := version(req, newest, ours, apache)
		if !ok {
			t.Errorf("%s: not served by both", s.name)
			continue
		}
		if v < s.since {
			s.differs = ""
		}
		got, want := play(t, ours, req, v), play(t, apache, s.request(apache), v)
		for until := time.Now().Add(settled); got != want && s.differs == "" && (reads(req) || passes(got+want)) && time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
			if passes(got) {
				got = play(t, ours, s.request(ours), v)
			}
			if reads(req) || passes(want) {
				want = play(t, apache, s.request(apache), v)
			}
		}
		switch {
		case got != want && s.differs == "":
			got, want = apart(got, want)
			t.Errorf("%s (%s version %d):\nours   %s\napache %s", s.name, kmsg.NameForKey(req.Key()), v, got, want)
		case got == want && s.differs != "":
			t.Errorf("%s (%s version %d) does not differ: %s", s.name, kmsg.NameForKey(req.Key()), v, got)
		}
	}
}

// settled is how long what a server has decided takes to be everywhere in it.
const settled = time.Minute

// passes says whether an answer may be another one soon.
func passes(answer string) bool {
	for _, e := range []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.ConcurrentTransactions,
		kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator, kerr.LeaderNotAvailable,
	} {
		if strings.Contains(answer, e.Message) {
			return true
		}
	}
	return false
}

// reads says whether a request changes nothing, so that it may be asked again.
func reads(req kmsg.Request) bool {
	switch req.(type) {
	case *kmsg.MetadataRequest, *kmsg.DescribeConfigsRequest, *kmsg.DescribeTopicPartitionsRequest, *kmsg.DescribeLogDirsRequest,
		*kmsg.FetchRequest, *kmsg.ListOffsetsRequest, *kmsg.OffsetFetchRequest, *kmsg.DescribeTransactionsRequest, *kmsg.ListTransactionsRequest:
		return true
	}
	return false
}

// apart leaves out most of what two texts begin and end with alike.
func apart(a, b string) (string, string) {
	const kept = 100
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	n = max(0, n-kept)
	a, b = a[n:], b[n:]
	m := 0
	for m < min(len(a), len(b)) && a[len(a)-1-m] == b[len(b)-1-m] {
		m++
	}
	m = max(0, m-kept)
	return a[:len(a)-m], b[:len(b)-m]
}

func play(t testing.TB, s *side, req kmsg.Request, version int16) string {
	req.SetVersion(version)
	resp, err := s.conn.ask(req)
	if err != nil {
		s.conn = dial(t, s.addr)
		return "no answer"
	}
	s.learn(resp)
	return s.text(resp)
}

// learn notes the ids of topics.
func (s *side) learn(resp kmsg.Response) {
	switch r := resp.(type) {
	case *kmsg.InitProducerIDResponse:
		s.producing(r)
	case *kmsg.CreateTopicsResponse:
		for _, t := range r.Topics {
			if t.ErrorCode == 0 {
				s.topics[t.TopicID] = t.Topic
			}
		}
	case *kmsg.MetadataResponse:
		for _, t := range r.Topics {
			if t.ErrorCode == 0 && t.Topic != nil {
				s.topics[t.TopicID] = *t.Topic
			}
		}
	}
	delete(s.topics, [16]byte{})
}

// id is that of a topic, once it was learnt.
func (s *side) id(topic string) [16]byte {
	for id, name := range s.topics {
		if name == topic {
			return id
		}
	}
	return [16]byte{}
}

func TestAnswers(t *testing.T) {
	ours, apache := startOurs(t, nil), startApache(t)
	newSide(t, "ours", ours).warm(t)
	newSide(t, "apache", apache).warm(t)
	for _, newest := range []bool{false, true} {
		for _, s := range []struct {
			name   string
			script func() []step
		}{
			{"topics", topicsScript}, {"configs", configsScript}, {"cluster", clusterScript},
			{"groups", groupsScript}, {"transactions", transactionsScript}, {"records", recordsScript},
		} {
			t.Run(s.name, func(t *testing.T) {
				run(t, s.script(), newest, newSide(t, "ours", ours), newSide(t, "apache", apache))
			})
		}
	}
}

func fix(req kmsg.Request) func(*side) kmsg.Request {
	return func(*side) kmsg.Request { return req }
}
