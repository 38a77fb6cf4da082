package debezium

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const patience = 20 * time.Second

// Reference is the real one.
type Reference struct {
	url      string
	brokers  []string
	client   *kgo.Client
	prefixes map[string]string // topic.prefix by connector
}

// StartReference starts Apache Kafka and a worker of Kafka Connect for the test.
func StartReference(t testing.TB) *Reference {
	t.Helper()
	kafka := testenv.StartKafka(t, "auto.create.topics.enable=false")
	connect := testenv.StartDebezium(t, []string{kafka.Addr})
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.Addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &Reference{url: connect.URL, brokers: []string{kafka.Addr}, client: client, prefixes: map[string]string{}}
}

// Start implements Side.
func (r *Reference) Start(t testing.TB, name string, config map[string]string) {
	t.Helper()
	r.prefixes[name] = config["topic.prefix"]
	config = maps.Clone(config)
	config["topic.creation.default.partitions"] = "1"
	config["topic.creation.default.replication.factor"] = "1"
	config["topic.creation.default.retention.ms"] = "-1"        // records have times of long ago
	if strings.Contains(config["connector.class"], "MariaDb") { // it keeps a history of definitions
		config["schema.history.internal.kafka.bootstrap.servers"] = strings.Join(r.brokers, ",")
		config["schema.history.internal.kafka.topic"] = "definitions-" + name
	}
	r.request(t, http.MethodPost, "/connectors", map[string]any{"name": name, "config": config}, http.StatusCreated)
	testenv.Wait(t, name+" to run in Kafka Connect", patience, func() bool { return r.running(t, name) })
}

func (r *Reference) running(t testing.TB, name string) bool {
	var status struct {
		Connector state
		Tasks     []state
	}
	if err := json.Unmarshal(r.request(t, http.MethodGet, "/connectors/"+name+"/status", nil, http.StatusOK, http.StatusNotFound), &status); err != nil {
		t.Fatal(err)
	}
	for _, s := range append(status.Tasks, status.Connector) {
		if s.State == "FAILED" {
			t.Fatalf("%s failed in Kafka Connect: %s", name, s.Trace)
		}
		if s.State != "RUNNING" {
			return false
		}
	}
	return len(status.Tasks) > 0
}

type state struct{ State, Trace string }

// Has implements Side.
func (r *Reference) Has(t testing.TB, topic string, records int) bool {
	t.Helper()
	ends, err := kadm.NewClient(r.client).ListCommittedOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	end, ok := ends.Lookup(topic, 0)
	if ok && end.Err == nil && len(r.read(t, topic, end.Offset)) >= records {
		return true
	}
	for name, prefix := range r.prefixes {
		if belongs(topic, prefix) {
			r.running(t, name) // it may have failed
		}
	}
	return false
}

// Stop implements Side.
func (r *Reference) Stop(t testing.TB, name string) Topics {
	t.Helper()
	r.running(t, name)
	r.request(t, http.MethodPut, "/connectors/"+name+"/stop", nil, http.StatusNoContent)
	testenv.Wait(t, name+" to stop in Kafka Connect", patience, func() bool {
		return bytes.Contains(r.request(t, http.MethodGet, "/connectors/"+name+"/status", nil, http.StatusOK), []byte(`"tasks":[]`))
	})
	ends, err := kadm.NewClient(r.client).ListCommittedOffsets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	topics := Topics{}
	for topic, partitions := range ends {
		if belongs(topic, r.prefixes[name]) {
			topics[topic] = r.read(t, topic, partitions[0].Offset)
		}
	}
	return topics
}

// read returns what is committed in a topic's only partition, up to an offset.
func (r *Reference) read(t testing.TB, topic string, end int64) []Record {
	t.Helper()
	if end == 0 {
		return nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var records []Record
	for next := int64(0); next < end; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read %s up to %d: %v", topic, end, err)
		}
		fetches.EachRecord(func(k *kgo.Record) {
			next = k.Offset + 1
			if !k.Attrs.IsControl() {
				records = append(records, fromKafka(k))
			}
		})
	}
	return records
}

func fromKafka(k *kgo.Record) Record {
	r := Record{Key: k.Key, Value: k.Value, Time: k.Timestamp.UnixMilli()}
	for _, h := range k.Headers {
		r.Headers = append(r.Headers, Header(h))
	}
	return r
}

// request returns the answer's body; a status that is not among the wanted fails the test.
// A worker whose group is being rebalanced is asked again.
func (r *Reference) request(t testing.TB, method, path string, body any, want ...int) []byte {
	t.Helper()
	var answer []byte
	testenv.Wait(t, "Kafka Connect to answer "+method+" "+path, patience, func() bool {
		var status int
		status, answer = r.once(t, method, path, body)
		if slices.Contains(want, status) {
			return true
		}
		if status != http.StatusConflict || !bytes.Contains(answer, []byte("rebalance")) {
			t.Fatalf("%s %s: %d %s", method, path, status, answer)
		}
		return false
	})
	return answer
}

func (r *Reference) once(t testing.TB, method, path string, body any) (int, []byte) {
	t.Helper()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, r.url+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	got, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	answer, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(fmt.Errorf("%s %s: %w", method, path, err))
	}
	return got.StatusCode, answer
}
