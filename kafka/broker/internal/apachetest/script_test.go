package apachetest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// step is a request to both sides, after those before it.
type step struct {
	name string
	// request makes it. Topics, groups and ids are fresh in each run.
	request func(*side) kmsg.Request
	// differs says why the answers do.
	differs string
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
		got, want := play(t, ours, req, v), play(t, apache, s.request(apache), v)
		switch {
		case got != want && s.differs == "":
			t.Errorf("%s (%s version %d):\nours   %s\napache %s", s.name, kmsg.NameForKey(req.Key()), v, got, want)
		case got == want && s.differs != "" && newest:
			t.Errorf("%s (%s version %d) does not differ: %s", s.name, kmsg.NameForKey(req.Key()), v, got)
		}
	}
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
	newSide(t, "Apache Kafka", apache).warm(t)
	for _, newest := range []bool{false, true} {
		for name, script := range map[string]func() []step{
			"topics": topicsScript, "configs": configsScript, "cluster": clusterScript,
			"groups": groupsScript, "transactions": transactionsScript, "records": recordsScript,
		} {
			t.Run(name, func(t *testing.T) {
				run(t, script(), newest, newSide(t, "ours", ours), newSide(t, "apache", apache))
			})
		}
	}
}

func fix(req kmsg.Request) func(*side) kmsg.Request {
	return func(*side) kmsg.Request { return req }
}
