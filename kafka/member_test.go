package kafka_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
)

// memberLeavesDuringARebalance that does not end, because another member says nothing.
func memberLeavesDuringARebalance(t *testing.T, c kafka.Config) {
	topic := newTopic(t, c, kafka.Topic{Name: "waiting"})
	cl := client(t, c)
	for name, opts := range map[string][]kgo.Opt{"dynamic": nil, "static": {kgo.InstanceID("static")}} {
		group := c.Group(name)
		joinAndFallSilent(t, cl, group, topic)
		m, err := kafka.NewMember(c, append(opts, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.Balancers(kgo.RangeBalancer()))...)
		if err != nil {
			t.Fatal(err)
		}
		testenv.Wait(t, "the group to wait for the silent one", 30*time.Second, func() bool {
			groups, err := kadm.NewClient(cl).DescribeGroups(t.Context(), group)
			return err == nil && groups[group].State == "PreparingRebalance"
		})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		begun := time.Now()
		err = m.Leave(ctx)
		cancel()
		m.Close()
		if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took > silence/2 {
			t.Errorf("it left after %s: %v", took, err)
		}
	}
}

// silence is how long the group waits for a member.
const silence = time.Minute

func joinAndFallSilent(t *testing.T, cl *kgo.Client, group, topic string) {
	t.Helper()
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Topics = []string{topic}
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "range", meta.AppendTo(nil)
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.ProtocolType = group, "consumer"
	join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = int32(silence.Milliseconds()), int32(silence.Milliseconds())
	join.Protocols = append(join.Protocols, protocol)
	joined, err := join.RequestWith(t.Context(), cl)
	if err == nil && kerr.ErrorForCode(joined.ErrorCode) == kerr.MemberIDRequired {
		join.MemberID = joined.MemberID
		joined, err = join.RequestWith(t.Context(), cl)
	}
	if err == nil {
		err = kerr.ErrorForCode(joined.ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.MemberID, sync.Generation = group, joined.MemberID, joined.Generation
	sync.ProtocolType, sync.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
	mine := kmsg.NewSyncGroupRequestGroupAssignment()
	mine.MemberID = joined.MemberID
	sync.GroupAssignment = append(sync.GroupAssignment, mine)
	synced, err := sync.RequestWith(t.Context(), cl)
	if err == nil {
		err = kerr.ErrorForCode(synced.ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}
