package cluster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestGroupsOfTheNewProtocol (KIP-848) are described and guarded like the others.
func TestGroupsOfTheNewProtocol(t *testing.T) {
	e := newEnv(t, kafka.Config{Brokers: testenv.Kafka(t)}, cluster.Config{})
	topic := e.topic("new-protocol", 2)
	spread(e, topic, 2, 10)
	group := e.kafka.Group("new")
	c, err := kafka.NewClient(e.kafka, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ServerSideBalancer(), kgo.ClientID("the-member"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for read := 0; read < 10; {
		fetches := c.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		read += fetches.NumRecords()
	}
	if err := c.CommitUncommittedOffsets(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitListed(t, e, group)
	g, err := e.cluster.Group(t.Context(), group)
	if err != nil || g.Members != 1 || g.MemberList[0].ClientID != "the-member" || len(g.MemberList[0].Assigned) != 2 || g.State != "Stable" || g.Lag != 0 || g.Problem != "" {
		t.Errorf("got %+v, %v", g, err)
	}
	if _, err := e.cluster.Reset(admin(t), api.ResetRequest{Group: group, Topic: topic, To: "earliest"}); err == nil || !strings.Contains(err.Error(), "the-member") {
		t.Errorf("a reset with a member: %v", err)
	}
	c.Close()
	testenv.Wait(t, "the group to be moved", patience, func() bool {
		_, err := e.cluster.Reset(admin(t), api.ResetRequest{Group: group, Topic: topic, To: "offset:2"})
		return err == nil
	})
	if g, err := e.cluster.Group(t.Context(), group); err != nil || g.Lag != 6 {
		t.Errorf("after the reset: %+v, %v", g, err)
	}
}

// TestCompactedTopics have gaps; pages go over them in both directions.
func TestCompactedTopics(t *testing.T) {
	server := testenv.StartKafka(t, "log.cleaner.backoff.ms=100")
	e := newEnv(t, kafka.Config{Brokers: []string{server.Addr}}, cluster.Config{})
	topic := e.topicWith("compacted", 1, map[string]*string{
		"cleanup.policy": kadm.StringPtr("compact"), "segment.ms": kadm.StringPtr("100"),
		"min.cleanable.dirty.ratio": kadm.StringPtr("0.001"), "min.compaction.lag.ms": kadm.StringPtr("0"),
	})
	now := time.Now()
	put := func(i int, key string) {
		e.produce(&kgo.Record{Topic: topic, Key: []byte(key), Value: fmt.Append(nil, i), Timestamp: now.Add(time.Duration(i) * time.Second)})
	}
	for i := range 40 {
		put(i, fmt.Sprint("k", i%4)) // of each key the last stays: 36 to 39
	}
	n := 40
	testenv.Wait(t, "the cleaner", time.Minute, func() bool {
		put(n, "roll") // a segment ends when something comes after it
		n++
		first := e.messages(api.MessageQuery{Topic: topic, From: "earliest", Limit: 1})
		return values(first) == "36" // it cleans in steps: before the last one, older values of a key are still there
	})
	for _, from := range []string{"earliest", "latest"} {
		var got []string
		q := api.MessageQuery{Topic: topic, From: from, Limit: 2}
		for {
			m := e.messages(q)
			page := strings.Fields(values(m))
			if from == "latest" {
				got = append(page, got...)
			} else {
				got = append(got, page...)
			}
			if q.From = m.Next; m.Next == "" {
				break
			}
		}
		if all := strings.Join(got, " "); !strings.HasPrefix(all, "36 37 38 39 ") || got[len(got)-1] != fmt.Sprint(n-1) {
			t.Errorf("from %s: got %s", from, all)
		}
	}
	if m := e.messages(api.MessageQuery{Topic: topic, From: "offset:5", Limit: 4}); values(m) != "36 37 38 39" || m.Note != "" {
		t.Errorf("from a gap: got %s, note %q", values(m), m.Note)
	}
	at := "time:" + now.Add(10*time.Second).UTC().Format(time.RFC3339Nano)
	if m := e.messages(api.MessageQuery{Topic: topic, From: at, Limit: 4}); values(m) != "36 37 38 39" {
		t.Errorf("from a time in a gap: got %s", values(m))
	}
}

// TestABrokerOfThreeIsAway: what it had is named, all else is shown.
func TestABrokerOfThreeIsAway(t *testing.T) {
	testenv.Full(t)
	nodes := testenv.StartKafkaCluster(t)
	var brokers []string
	for _, n := range nodes {
		brokers = append(brokers, n.Addr)
	}
	e := newEnv(t, kafka.Config{Brokers: brokers}, cluster.Config{})
	topic := e.topic("spread", 6)
	spread(e, topic, 6, 30)
	if got := values(e.messages(api.MessageQuery{Topic: topic, From: "earliest"})); got != numbers(0, 30) {
		t.Fatalf("got %s", got)
	}
	group := e.kafka.Group("g")
	e.commit(group, topic, 0, 0, 0, 0, 0, 0)
	if err := nodes[2].Kill(); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the others to notice", time.Minute, func() bool {
		shown, err := e.cluster.Topic(t.Context(), topic)
		return err == nil && shown.Problem != ""
	})
	shown, err := e.cluster.Topic(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	lost := map[int32]bool{}
	for _, p := range shown.Partitions {
		if p.Problem != "" {
			lost[p.Partition] = true
		}
	}
	var want []string
	for i := range 30 {
		if !lost[int32(i%6)] {
			want = append(want, fmt.Sprint(i))
		}
	}
	t.Logf("%s: %v", shown.Problem, lost)
	if len(lost) == 0 || len(lost) == 6 {
		t.Fatalf("lost %v", lost)
	}
	for _, from := range []string{"earliest", "latest"} {
		begun := time.Now()
		m := e.messages(api.MessageQuery{Topic: topic, From: from})
		if values(m) != strings.Join(want, " ") || !strings.Contains(m.Note, "is left out") {
			t.Errorf("from %s: got %s, note %s", from, values(m), m.Note)
		}
		t.Logf("from %s: %s, note %q", from, time.Since(begun), m.Note)
	}
	topics, err := e.cluster.Topics(t.Context(), api.TopicQuery{})
	if err != nil || len(topics.Items) != 1 || topics.Items[0].Problem == "" || topics.Items[0].Records != -1 {
		t.Errorf("got %+v, %v", topics, err)
	}
	testenv.Wait(t, "the group's coordinator to move", time.Minute, func() bool {
		g, err := e.cluster.Group(t.Context(), group)
		return err == nil && g.Lag == -1 && len(g.Offsets) == 6 && g.Problem != ""
	})
}
