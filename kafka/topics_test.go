package kafka_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// controlled is a cluster that answers requests of a kind by answer, where that is not
// nil. One goroutine asks it.
func controlled(t *testing.T, kind kmsg.Key, answer func(kmsg.Request) kmsg.Response) kafka.Config {
	t.Helper()
	cluster := kafkatest.Start(t)
	cluster.Answer(kind, answer)
	return cluster.Config
}

// lagging does not show topics at the first looks at them; look is told the number of
// each, from 1.
func lagging(t *testing.T, hidden int, look func(int)) kafka.Config {
	looks := 0
	return controlled(t, kmsg.Metadata, func(r kmsg.Request) kmsg.Response {
		req := r.(*kmsg.MetadataRequest)
		if len(req.Topics) == 0 {
			return nil // about the brokers alone
		}
		looks++
		look(looks)
		if looks > hidden {
			return nil
		}
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		for _, asked := range req.Topics {
			topic := kmsg.NewMetadataResponseTopic()
			topic.Topic, topic.ErrorCode = asked.Topic, kerr.UnknownTopicOrPartition.Code
			resp.Topics = append(resp.Topics, topic)
		}
		return resp
	})
}

// A broker learns of a topic after the controller has made it.
func TestTopicsAreShown(t *testing.T) {
	looks := make(chan int, 10)
	c := lagging(t, 3, func(n int) { looks <- n })
	if err := kafka.EnsureTopics(t.Context(), client(t, c), c, kafka.Topic{Name: "a"}, kafka.Topic{Name: "b"}); err != nil {
		t.Fatal(err)
	}
	if len(looks) != 4 {
		t.Errorf("it returned after %d looks; the fourth shows the topics", len(looks))
	}
}

func TestTopicsAreNeverShown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := lagging(t, 1000, func(n int) {
		if n == 3 {
			cancel()
		}
	})
	if err := kafka.EnsureTopics(ctx, client(t, c), c, kafka.Topic{Name: "slow"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if err := kafka.EnsureTopics(ctx, client(t, c), c, kafka.Topic{Name: "slow"}); err == nil || !strings.Contains(err.Error(), "slow") {
		t.Errorf("got %v", err)
	}
}

// A topic on its way out exists for who makes it, and is gone for who looks.
func TestATopicOnItsWayOut(t *testing.T) {
	asked := make(chan bool, 10)
	c := controlled(t, kmsg.CreateTopics, func(r kmsg.Request) kmsg.Response {
		asked <- true
		if len(asked) > 1 {
			return nil
		}
		resp := r.ResponseKind().(*kmsg.CreateTopicsResponse)
		topic := kmsg.NewCreateTopicsResponseTopic()
		topic.Topic, topic.ErrorCode = "leaving", kerr.TopicAlreadyExists.Code
		resp.Topics = append(resp.Topics, topic)
		return resp
	})
	if err := kafka.EnsureTopics(t.Context(), client(t, c), c, kafka.Topic{Name: "leaving"}); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 2 {
		t.Errorf("it was asked for %d times", len(asked))
	}
}

// tooFewBrokers answers that there are too few brokers for the topic "patient".
func tooFewBrokers(r kmsg.Request) kmsg.Response {
	resp := r.ResponseKind().(*kmsg.CreateTopicsResponse)
	topic := kmsg.NewCreateTopicsResponseTopic()
	topic.Topic, topic.ErrorCode = "patient", kerr.InvalidReplicationFactor.Code
	resp.Topics = append(resp.Topics, topic)
	return resp
}

// Brokers that stay too few are no reason to wait for ever.
func TestBrokersThatAreTooFew(t *testing.T) {
	t.Parallel()
	c := controlled(t, kmsg.CreateTopics, tooFewBrokers)
	err := kafka.EnsureTopics(t.Context(), client(t, c), c, kafka.Topic{Name: "patient"})
	if !errors.Is(err, kerr.InvalidReplicationFactor) || !strings.Contains(err.Error(), "fewer replicas") {
		t.Errorf("got %v, want what to do", err)
	}
}

// A broker that the controller has not heard of for a while is none of the available ones.
func TestBrokersThatComeBack(t *testing.T) {
	back := make(chan bool)
	asked := make(chan bool, 1000)
	c := controlled(t, kmsg.CreateTopics, func(r kmsg.Request) kmsg.Response {
		asked <- true
		select {
		case <-back:
			return nil
		default:
		}
		return tooFewBrokers(r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range 3 {
			<-asked
		}
		cancel()
	}()
	err := kafka.EnsureTopics(ctx, client(t, c), c, kafka.Topic{Name: "patient"})
	if !errors.Is(err, kerr.InvalidReplicationFactor) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want what Kafka said, too", err)
	}
	go func() {
		for range 3 {
			<-asked
		}
		close(back)
	}()
	if err := kafka.EnsureTopics(t.Context(), client(t, c), c, kafka.Topic{Name: "patient"}); err != nil {
		t.Fatal(err)
	}
}
