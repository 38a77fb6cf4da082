package cluster_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
)

func clusterIsDescribed(t *testing.T, e *env) {
	c, err := e.cluster.Cluster(t.Context())
	if err != nil || c.ID == "" || len(c.Brokers) != 1 || c.Brokers[0].Port == 0 || c.Problem != "" || len(c.Seeds) == 0 {
		t.Errorf("got %+v, %v", c, err)
	}
}

func topicsAreListed(t *testing.T, e *env) {
	for _, name := range []string{"orders", "payments", "pabal.services", "Orders-old"} {
		e.topic(name, 2)
	}
	spread(e, e.kafka.Topic("orders"), 2, 5)
	names := func(q api.TopicQuery) (out []string, next string) {
		q.Search = e.kafka.Prefix + q.Search
		p, err := e.cluster.Topics(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Items {
			out = append(out, strings.TrimPrefix(s.Name, e.kafka.Prefix))
		}
		return out, p.Next
	}
	if got, next := names(api.TopicQuery{}); !slices.Equal(got, []string{"Orders-old", "orders", "payments"}) || next != "" {
		t.Errorf("got %v", got)
	}
	if got, _ := names(api.TopicQuery{Internal: true}); len(got) != 4 {
		t.Errorf("with internal: got %v", got)
	}
	if got, _ := names(api.TopicQuery{PageQuery: api.PageQuery{Search: "ORD"}}); len(got) != 2 {
		t.Errorf("search: got %v", got)
	}
	first, next := names(api.TopicQuery{PageQuery: api.PageQuery{Limit: 2}})
	second, end := names(api.TopicQuery{PageQuery: api.PageQuery{Limit: 2, Cursor: next}})
	if len(first) != 2 || !slices.Equal(second, []string{"payments"}) || end != "" {
		t.Errorf("pages: %v, %v, next %q", first, second, end)
	}
	p, err := e.cluster.Topics(t.Context(), api.TopicQuery{PageQuery: api.PageQuery{Search: e.kafka.Topic("orders")}})
	if err != nil || p.Total != 2 || p.Items[1].Records != 5 || p.Items[1].Partitions != 2 || p.Items[1].Replication != 1 || p.Items[1].Problem != "" {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := e.cluster.Topics(t.Context(), api.TopicQuery{PageQuery: api.PageQuery{Limit: 1000}}); !errors.Is(err, api.ErrInvalid) {
		t.Errorf("a page too large: %v", err)
	}
}

func topicIsShown(t *testing.T, e *env) {
	name := e.kafka.Topic("shown")
	if err := e.cluster.CreateTopic(t.Context(), api.NewTopic{Name: name, Partitions: 2, Config: map[string]string{"retention.ms": "1234567"}}); err != nil {
		t.Fatal(err)
	}
	spread(e, name, 2, 3)
	shown, err := e.cluster.Topic(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if len(shown.ID) != 32 || len(shown.Partitions) != 2 || shown.Records != 3 || shown.TopicSummary.Partitions != 2 {
		t.Errorf("got %+v", shown)
	}
	p := shown.Partitions[0]
	if p.End != 2 || p.Start != 0 || p.Stable != 2 || len(p.InSync) != 1 || p.Leader != p.Replicas[0] || p.Problem != "" {
		t.Errorf("partition 0: %+v", p)
	}
	i := slices.IndexFunc(shown.Config, func(c api.ConfigEntry) bool { return c.Name == "retention.ms" })
	if i < 0 || shown.Config[i].Value != "1234567" || shown.Config[i].Source != "topic" {
		t.Errorf("settings: %+v", shown.Config)
	}
	if !slices.ContainsFunc(shown.Config, func(c api.ConfigEntry) bool { return c.Source == "default" }) {
		t.Errorf("none is a default: %+v", shown.Config)
	}
	if _, err := e.cluster.Topic(t.Context(), e.kafka.Topic("none")); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func topicsAreMade(t *testing.T, e *env) {
	name := e.kafka.Topic("made")
	if err := e.cluster.CreateTopic(t.Context(), api.NewTopic{Name: name}); err != nil {
		t.Fatal(err)
	}
	if shown, err := e.cluster.Topic(t.Context(), name); err != nil || len(shown.Partitions) != 4 {
		t.Errorf("got %+v, %v", shown, err)
	}
	for _, tt := range []struct {
		topic api.NewTopic
		kind  error
		want  string
	}{
		{api.NewTopic{Name: name}, api.ErrConflict, "exists"},
		{api.NewTopic{}, api.ErrInvalid, "name"},
		{api.NewTopic{Name: "a b"}, api.ErrInvalid, "a b"},
		{api.NewTopic{Name: name + "-x", Partitions: -1}, api.ErrInvalid, "partitions"},
		{api.NewTopic{Name: name + "-x", Partitions: 1 << 30}, api.ErrInvalid, "partitions"},
		{api.NewTopic{Name: name + "-x", Replication: -2}, api.ErrInvalid, "replica"},
		{api.NewTopic{Name: name + "-x", Replication: 9}, api.ErrInvalid, "replication"},
		{api.NewTopic{Name: name + "-x", Config: map[string]string{"retention.ms": "soon"}}, api.ErrInvalid, "retention.ms"},
	} {
		if len(tt.topic.Config) > 0 && e.inProcess {
			continue // it takes any setting
		}
		err := e.cluster.CreateTopic(t.Context(), tt.topic)
		if !errors.Is(err, tt.kind) || !strings.Contains(strings.ToLower(err.Error()), tt.want) {
			t.Errorf("%+v: got %v, want %v with %q", tt.topic, err, tt.kind, tt.want)
		}
	}
}

func messagesAreProduced(t *testing.T, e *env) {
	topic := e.topic("produced", 4)
	first, err := e.cluster.Produce(t.Context(), api.ProduceRequest{Topic: topic, Key: "k", Value: `{"a":1}`, Headers: map[string]string{"h": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := e.cluster.Produce(t.Context(), api.ProduceRequest{Topic: topic, Key: "k", Tombstone: true})
	if err != nil || second.Partition != first.Partition || second.Offset != first.Offset+1 {
		t.Errorf("the same key went to %+v and %+v, %v", first, second, err)
	}
	chosen := (first.Partition + 1) % 4
	event, err := e.cluster.Produce(t.Context(), api.ProduceRequest{Topic: topic, Key: "k", Partition: &chosen, Type: "paid", Value: `{"b":2}`, Correlation: "c-1"})
	if err != nil || event.Partition != chosen || event.EventID == "" {
		t.Errorf("got %+v, %v", event, err)
	}
	binary, err := e.cluster.Produce(t.Context(), api.ProduceRequest{Topic: topic, Partition: ptr(int32(0)), ValueBase64: []byte{0, 255}})
	if err != nil || binary.Partition != 0 {
		t.Errorf("got %+v, %v", binary, err)
	}
	m := e.messages(api.MessageQuery{Topic: topic, Partition: &first.Partition, From: "earliest"})
	if len(m.Items) < 2 || m.Items[0].Value.Text != `{"a":1}` || m.Items[0].Headers[0].Value.Text != "v" || m.Items[1].Value.Format != "null" {
		t.Errorf("got %+v", m.Items)
	}
	m = e.messages(api.MessageQuery{Topic: topic, Filter: "correlation:c-1 type:paid"})
	if len(m.Items) != 1 || m.Items[0].Event.ID != event.EventID || m.Items[0].Event.Source == "" || m.Items[0].Event.Key != "k" {
		t.Errorf("got %+v", m.Items)
	}
	if _, err := e.cluster.Produce(t.Context(), api.ProduceRequest{Topic: topic, Value: strings.Repeat("x", 900_000)}); err != nil {
		t.Errorf("900,000 bytes: %v", err)
	}
}

func badMessages(t *testing.T, e *env) {
	topic := e.topic("refused", 2)
	for _, tt := range []struct {
		r    api.ProduceRequest
		kind error
		want string
	}{
		{api.ProduceRequest{Topic: e.kafka.Topic("none"), Value: "x"}, api.ErrNotFound, "there is no topic"},
		{api.ProduceRequest{Topic: "a/b", Value: "x"}, api.ErrInvalid, "a/b"},
		{api.ProduceRequest{Topic: topic, Partition: ptr(int32(2))}, api.ErrInvalid, "only 0 to 1"},
		{api.ProduceRequest{Topic: topic, Partition: ptr(int32(-1))}, api.ErrInvalid, "start at 0"},
		{api.ProduceRequest{Topic: topic, Value: strings.Repeat("x", 1<<20+1)}, api.ErrTooLarge, "at most"},
		{api.ProduceRequest{Topic: topic, Headers: map[string]string{"h": strings.Repeat("x", 1<<20)}}, api.ErrTooLarge, "at most"},
		{api.ProduceRequest{Topic: topic, Headers: map[string]string{"": "x"}}, api.ErrInvalid, "headers"},
		{api.ProduceRequest{Topic: topic, Value: "x", Tombstone: true, Key: "k"}, api.ErrInvalid, "one of"},
		{api.ProduceRequest{Topic: topic, Tombstone: true}, api.ErrInvalid, "key"},
		{api.ProduceRequest{Topic: topic, Value: "x", Correlation: "c"}, api.ErrInvalid, "type"},
		{api.ProduceRequest{Topic: topic, Value: "x", Type: "a\nb"}, api.ErrInvalid, "control"},
		{api.ProduceRequest{Topic: topic, Value: "x", Type: "t", Headers: map[string]string{"ce_id": "1"}}, api.ErrInvalid, "ce_id"},
	} {
		_, err := e.cluster.Produce(t.Context(), tt.r)
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60v: got %.300v, want %v with %q", tt.r, err, tt.kind, tt.want)
		}
	}
	if m := e.messages(api.MessageQuery{Topic: topic}); len(m.Items) > 0 {
		t.Errorf("something was written: %+v", m.Items)
	}
	if all, err := e.admin.ListTopics(t.Context()); err != nil || all.Has(e.kafka.Topic("none")) {
		t.Errorf("a topic was made: %v", err)
	}
	small := e.kafka.Topic("small")
	if err := e.cluster.CreateTopic(t.Context(), api.NewTopic{Name: small, Config: map[string]string{"max.message.bytes": "1000"}}); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(i * i >> 3)
	}
	if _, err := e.cluster.Produce(t.Context(), api.ProduceRequest{Topic: small, ValueBase64: noise}); !errors.Is(err, api.ErrTooLarge) {
		t.Errorf("larger than the topic's limit: %v", err)
	}
}
