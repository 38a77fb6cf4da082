package broker_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

func send(t *testing.T, client *kgo.Client, value string) error {
	t.Helper()
	return client.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte(value)}).FirstErr()
}

// eager is a client that tries again at once.
func eager(t *testing.T, c *kafkatest.Cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	backoff := kgo.RetryBackoffFn(func(int) time.Duration { return 5 * time.Millisecond })
	return c.Client(t, append(opts, backoff, kgo.MetadataMinAge(10*time.Millisecond))...)
}

func withTopic(t *testing.T, changes ...func(*broker.Config)) *kafkatest.Cluster {
	t.Helper()
	c := kafkatest.Start(t, changes...)
	c.Topics(t, "t")
	return c
}

func TestProduceIsRefused(t *testing.T) {
	c := withTopic(t)
	client := eager(t, c)
	c.RefuseProduce(kerr.NotEnoughReplicas, 2) // clients try that again
	if err := send(t, client, "a"); err != nil {
		t.Errorf("refused twice: %v", err)
	}
	c.RefuseProduce(kerr.PolicyViolation, -1)
	if err := send(t, client, "b"); !errors.Is(err, kerr.PolicyViolation) {
		t.Errorf("refused for ever: %v", err)
	}
	c.RefuseProduce(nil, 0)
	if err := send(t, client, "c"); err != nil {
		t.Errorf("no more refused: %v", err)
	}
	if got := consume(t, c.Broker, "t", 2); !strings.Contains(got, "a") || strings.Contains(got, "b") {
		t.Errorf("the log has %q", got)
	}
}

// TestCoordinatorsMove: clients look for them and find them again.
func TestCoordinatorsMove(t *testing.T) {
	c := withTopic(t)
	group := eager(t, c, kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	producer := eager(t, c, kgo.TransactionalID("x"))
	for range 3 {
		c.MoveCoordinators(3)
		if err := producer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := send(t, producer, "a"); err != nil {
			t.Fatal(err)
		}
		c.MoveCoordinators(2)
		if err := producer.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
	}
	if err := send(t, c.Client(t), "b"); err != nil {
		t.Fatal(err)
	}
	for read := 0; read == 0; {
		fetches := group.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		read += fetches.NumRecords()
	}
	c.MoveCoordinators(2)
	if err := group.CommitUncommittedOffsets(t.Context()); err != nil {
		t.Errorf("commit: %v", err)
	}
}

func TestSyncIsSlow(t *testing.T) {
	const slow = 50 * time.Millisecond
	for name, where := range map[string]func(*broker.Config){
		"in memory": func(*broker.Config) {},
		"folder":    func(b *broker.Config) { b.DataDir = t.TempDir() },
	} {
		c := withTopic(t, where)
		client := eager(t, c)
		c.SlowSync(slow)
		began := time.Now()
		if err := send(t, client, "a"); err != nil || time.Since(began) < slow {
			t.Errorf("%s: acknowledged after %v, %v", name, time.Since(began), err)
		}
	}
}

// TestReportDoesNotHang: it is looked at when the disk does not answer.
func TestReportDoesNotHang(t *testing.T) {
	c := withTopic(t, func(b *broker.Config) { b.DataDir = t.TempDir() })
	client := eager(t, c)
	c.SlowSync(6 * time.Second)
	answered := make(chan error, 1)
	write := func() { // which the coordinator's log keeps each time
		req := kmsg.NewPtrInitProducerIDRequest()
		req.TransactionalID, req.TransactionTimeoutMillis = kmsg.StringPtr("x"), 1000
		_, err := req.RequestWith(t.Context(), client)
		answered <- err
	}
	go write()
	testenv.Wait(t, "a report without what waits for the disk", time.Minute, func() bool {
		select {
		case err := <-answered: // before a report came to miss the answer
			if err != nil {
				t.Fatal(err)
			}
			go write()
		default:
		}
		return strings.Contains(c.Report().Failed, "the disk has not answered")
	})
	c.SlowSync(0)
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// TestConnectionsAreCut: what was acknowledged is in the log once, whatever is cut when.
func TestConnectionsAreCut(t *testing.T) {
	c := withTopic(t)
	client := eager(t, c)
	for i := range 20 {
		if i%2 == 0 {
			c.CutAfter(i % 5)
		} else {
			c.CutConnections()
		}
		if err := send(t, client, string(rune('a'+i))); err != nil {
			t.Fatal(err)
		}
	}
	c.CutAfter(-1)
	if got := strings.Fields(consume(t, c.Broker, "t", 20)); len(got) != 20 {
		t.Errorf("the log has %v", got)
	}
}

// TestFullDisk: nothing is acknowledged that is not kept. With room again it goes on, or
// says that it has to be started again; what it acknowledged is there.
func TestFullDisk(t *testing.T) {
	folder := t.TempDir()
	c := withTopic(t, func(b *broker.Config) { b.DataDir = folder })
	if err := send(t, c.Client(t), "kept"); err != nil {
		t.Fatal(err)
	}
	c.FailDisk(syscall.ENOSPC)
	client := c.Client(t, kgo.RecordDeliveryTimeout(2*time.Second), kgo.RecordRetries(3))
	if err := send(t, client, "lost"); err == nil {
		t.Error("it was acknowledged")
	}
	c.FailDisk(nil)
	if err := send(t, client, "after"); err != nil && c.Report().Failed == "" {
		t.Errorf("there is room again, and the broker is well: %v", err)
	}
	c.Kill()
	again := kafkatest.Start(t, func(b *broker.Config) { b.DataDir = folder })
	if err := send(t, again.Client(t), "next"); err != nil {
		t.Fatal(err)
	}
	if got := consume(t, again.Broker, "t", 2); !strings.Contains(got, "kept") || !strings.Contains(got, "next") {
		t.Errorf("the log has %q", got)
	}
}

// TestClockIsMoved: retention has records go without a wait.
func TestClockIsMoved(t *testing.T) {
	c := kafkatest.Start(t)
	admin := kadm.NewClient(c.Client(t))
	hour := "3600000"
	if _, err := admin.CreateTopic(t.Context(), 1, 1, map[string]*string{"retention.ms": &hour}, "t"); err != nil {
		t.Fatal(err)
	}
	if err := send(t, c.Client(t), "old"); err != nil {
		t.Fatal(err)
	}
	c.Advance(30 * time.Minute)
	starts, err := admin.ListStartOffsets(t.Context(), "t")
	if at, _ := starts.Lookup("t", 0); err != nil || at.Offset != 0 {
		t.Errorf("after half an hour it begins at %d, %v", at.Offset, err)
	}
	c.Advance(time.Hour)
	starts, err = admin.ListStartOffsets(t.Context(), "t")
	if at, _ := starts.Lookup("t", 0); err != nil || at.Offset != 1 {
		t.Errorf("after an hour and a half it begins at %d, %v", at.Offset, err)
	}
}

func TestAnswersAreChosen(t *testing.T) {
	c := kafkatest.Start(t, func(b *broker.Config) { b.Faults.MaxVersions = kversion.V3_5_0() })
	c.Answer(kmsg.DescribeCluster, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.DescribeClusterResponse)
		resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return resp
	})
	_, err := kmsg.NewPtrDescribeClusterRequest().RequestWith(t.Context(), c.Client(t))
	resp, _ := kmsg.NewPtrDescribeClusterRequest().RequestWith(t.Context(), c.Client(t))
	if err != nil || resp.ErrorCode != kerr.ClusterAuthorizationFailed.Code {
		t.Errorf("got %+v, %v", resp, err)
	}
	c.Answer(kmsg.DescribeCluster, nil)
	if resp, err := kmsg.NewPtrDescribeClusterRequest().RequestWith(t.Context(), c.Client(t)); err != nil || resp.ErrorCode != 0 {
		t.Errorf("got %+v, %v", resp, err)
	}
	versions, err := kadm.NewClient(c.Client(t)).ApiVersions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		if newest, _ := v.KeyMaxVersion(int16(kmsg.EndTxn)); newest > 3 {
			t.Errorf("EndTxn is offered to version %d", newest)
		}
	}
}

// TestKillLosesNothing that was acknowledged, without a process of its own.
func TestKillLosesNothing(t *testing.T) {
	for _, d := range []broker.Durability{broker.Fsync, broker.OS} {
		config := broker.Config{Addr: "127.0.0.1:0", DataDir: t.TempDir(), Durability: d}
		b := start(t, config)
		produce(t, b, "t", "a", "b")
		b.Kill()
		b.Kill() // twice is allowed
		again := start(t, config)
		produce(t, again, "t", "c")
		if got := consume(t, again, "t", 3); got != "a b c" {
			t.Errorf("%s: got %s", d, got)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for name, c := range map[string]broker.Config{
		"an unknown durability":      {Durability: "perhaps"},
		"durability without folder":  {Durability: broker.Fsync},
		"a folder in memory":         {Durability: broker.Memory, DataDir: "x"},
		"no partitions":              {Partitions: -1},
		"rules for nobody":           {ACLs: true},
		"an address without port":    {Advertised: "kafka.example"},
		"a setting that there isn't": {Settings: map[string]string{"log.retention.years": "1"}},
	} {
		c.Addr = "127.0.0.1:0"
		if b, err := broker.Start(t.Context(), c); err == nil {
			b.Stop(t.Context())
			t.Errorf("%s: it started", name)
		} else if name != "a setting that there isn't" && !errors.Is(err, broker.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
