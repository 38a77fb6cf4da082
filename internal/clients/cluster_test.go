package clients_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// cluster is what a client is run against. Others use Apache Kafka at the same time: the prefix
// keeps names apart.
type cluster struct {
	addr, prefix string
	kafka        bool   // Apache Kafka
	ca           string // the certificate that clients trust, where they have to authenticate as admin
}

// start runs a broker of ours that keeps its log in a folder, until the test ends.
func start(t *testing.T, changes ...func(*broker.Config)) cluster {
	t.Helper()
	c := broker.Config{
		Addr: "127.0.0.1:0", DataDir: t.TempDir(), NoAutoCreate: true,
		MinSessionTimeout: time.Second, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	for _, change := range changes {
		change(&c)
	}
	b, err := broker.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return cluster{addr: b.Addr(), prefix: testenv.Prefix(t)}
}

// Who clients authenticate as, where they have to.
const admin, password = "admin", "secret of the admin"

// startSecured is start of a broker to which clients encrypt, at which they authenticate, and where rules
// decide what they may do.
func startSecured(t *testing.T, changes ...func(*broker.Config)) cluster {
	t.Helper()
	certificate, _ := testenv.Certificate(t)
	c := start(t, append(changes, func(c *broker.Config) {
		c.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
		c.Users = map[string]string{admin: password}
		c.ACLs, c.SuperUsers = true, []string{"User:" + admin}
	})...)
	c.ca, _ = testenv.CertificateFiles(t, certificate)
	return c
}

// librdkafka are the settings of clients on it that authenticate.
func (c cluster) librdkafka(mechanism string) map[string]string {
	if c.ca == "" {
		return map[string]string{}
	}
	return map[string]string{"security.protocol": "SASL_SSL", "ssl.ca.location": c.ca,
		"sasl.mechanism": mechanism, "sasl.username": admin, "sasl.password": password}
}

// onBoth tests a client on our broker and then what the test expects on Apache Kafka.
func onBoth(t *testing.T, test func(*testing.T, cluster)) {
	t.Run("in process", func(t *testing.T) { test(t, start(t)) })
	t.Run("Apache Kafka", func(t *testing.T) { test(t, apacheKafka(t)) })
}

// onOurs is onBoth of what takes Apache Kafka long: that is left to long runs.
func onOurs(t *testing.T, test func(*testing.T, cluster)) {
	t.Run("in process", func(t *testing.T) { test(t, start(t)) })
	if testenv.Long() {
		t.Run("Apache Kafka", func(t *testing.T) { test(t, apacheKafka(t)) })
	}
}

func apacheKafka(t *testing.T) cluster {
	return cluster{addr: strings.Join(testenv.Kafka(t), ","), prefix: testenv.Prefix(t), kafka: true}
}

// client is one of ours, to prepare and to check.
func (c cluster) client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(strings.Split(c.addr, ",")...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// topic makes a topic and returns its name.
func (c cluster) topic(t *testing.T, name string, partitions int32) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := kadm.NewClient(c.client(t)).CreateTopic(ctx, partitions, 1, nil, c.prefix+name); err != nil {
		t.Fatal(err)
	}
	return c.prefix + name
}

// committed are the records of a topic that a reader of what is committed sees, up to its end.
func (c cluster) committed(t *testing.T, topic string) (records []*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	client := c.client(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%d records were read: %v", len(records), err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				records = append(records, r)
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return records
}
