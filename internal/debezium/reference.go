package debezium

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// patience is for an idle machine that compares several databases at once.
const patience = time.Minute

// Reference is the real one.
type Reference struct {
	url      string
	connect  *testservers.Server
	brokers  []string
	client   *kgo.Client
	reader   *reader
	prefixes map[string]string // topic.prefix by connector
	asked    time.Time         // when the connectors were asked whether they failed
}

// StartReference starts Apache Kafka and a worker of Kafka Connect for the test.
func StartReference(t testing.TB) *Reference {
	t.Helper()
	// The session is long, as a broker of a busy machine is fenced else, and topics cannot be made.
	kafka := testenv.StartKafka(t, "auto.create.topics.enable=false", "broker.session.timeout.ms=120000")
	return startReference(t, kafka.Addr)
}

// StartReferenceInProcess is StartReference on a broker of package kafka/broker.
func StartReferenceInProcess(t testing.TB) *Reference {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Addr: "127.0.0.1:0", DataDir: t.TempDir(), NoAutoCreate: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return startReference(t, b.Addr())
}

func startReference(t testing.TB, kafka string) *Reference {
	t.Helper()
	connect := testenv.StartDebezium(t, []string{kafka})
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &Reference{url: connect.URL, connect: connect, brokers: []string{kafka}, client: client, reader: startReader(t, []string{kafka}), prefixes: map[string]string{}}
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

// Sent implements Side.
func (r *Reference) Sent(t testing.TB, topic string) []Record {
	t.Helper()
	if time.Since(r.asked) >= time.Second {
		for name, prefix := range r.prefixes {
			if belongs(topic, prefix) {
				r.running(t, name) // it may have failed
			}
		}
		r.asked = time.Now()
	}
	return slices.Clone(r.reader.has(t, topic).records)
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
		if end := partitions[0].Offset; end > 0 && belongs(topic, r.prefixes[name]) {
			testenv.Wait(t, "all of "+topic, patience, func() bool { return r.reader.has(t, topic).next >= end })
			topics[topic] = r.reader.has(t, topic).records
		}
	}
	return topics
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
