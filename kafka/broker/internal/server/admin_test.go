package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/server"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestTopicsAreDescribedInPages follows the cursor, with every size of page.
func TestTopicsAreDescribedInPages(t *testing.T) {
	w := start(t)
	c := w.dial()
	var want []string
	for i := range 5 {
		n := node.NewTopic{Name: fmt.Sprintf("t%d", i), Partitions: i + 1}
		if _, errs := w.node.Create([]node.NewTopic{n}, false); errs[0] != nil {
			t.Fatal(errs[0])
		}
		for p := range n.Partitions {
			want = append(want, fmt.Sprintf("%s-%d", n.Name, p))
		}
	}
	for limit := range int32(20) {
		req := kmsg.NewPtrDescribeTopicPartitionsRequest()
		req.ResponsePartitionLimit = limit
		var got []string
		for pages := 0; ; pages++ {
			resp := ask[*kmsg.DescribeTopicPartitionsResponse](c, req)
			n := 0
			for _, topic := range resp.Topics {
				for _, p := range topic.Partitions {
					got = append(got, fmt.Sprintf("%s-%d", *topic.Topic, p.Partition))
					n++
				}
			}
			if n > max(int(limit), 1) || pages > len(want) {
				t.Fatalf("limit %d: %d partitions on page %d", limit, n, pages)
			}
			if resp.NextCursor == nil {
				break
			}
			next := kmsg.DescribeTopicPartitionsRequestCursor(*resp.NextCursor)
			req.Cursor = &next
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %v", limit, got)
		}
	}
}

func TestSettingsOfTopics(t *testing.T) {
	w := start(t, setting("log.retention.ms", "5000"))
	s := newScene(w, w.dial())
	describe := func() kadm.ResourceConfig {
		t.Helper()
		all, err := w.admin().DescribeTopicConfigs(w.soon(), s.topic)
		if err != nil || all[0].Err != nil {
			t.Fatal(err, all)
		}
		return all[0]
	}
	want := func(name, value string, source kmsg.ConfigSource, synonyms ...string) {
		t.Helper()
		for _, c := range describe().Configs {
			if c.Key != name {
				continue
			}
			var from []string
			for _, s := range c.Synonyms {
				from = append(from, fmt.Sprintf("%s=%s %s", s.Key, *s.Value, s.Source))
			}
			if *c.Value != value || c.Source != source || !slices.Equal(from, synonyms) {
				t.Errorf("%s is %q of %s, synonyms %q; want %q of %s, %q", name, *c.Value, c.Source, from, value, source, synonyms)
			}
			return
		}
		t.Errorf("no %s", name)
	}
	change := func(want *kerr.Error, ops ...kmsg.IncrementalAlterConfigsRequestResourceConfig) {
		t.Helper()
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		req.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: s.topic, Configs: ops}}
		wantCode(t, fmt.Sprint(ops), ask[*kmsg.IncrementalAlterConfigsResponse](s.c, req).Resources[0].ErrorCode, want)
	}
	op := func(kind kmsg.IncrementalAlterConfigOp, name, value string) kmsg.IncrementalAlterConfigsRequestResourceConfig {
		return kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: name, Op: kind, Value: &value}
	}
	const (
		set, del  = kmsg.IncrementalAlterConfigOpSet, kmsg.IncrementalAlterConfigOpDelete
		add, take = kmsg.IncrementalAlterConfigOpAppend, kmsg.IncrementalAlterConfigOpSubtract
		own       = kmsg.ConfigSourceDynamicTopicConfig
		given     = kmsg.ConfigSourceStaticBrokerConfig
		byDefault = kmsg.ConfigSourceDefaultConfig
	)
	want("retention.ms", "5000", given, "log.retention.ms=5000 STATIC_BROKER_CONFIG", "log.retention.ms=604800000 DEFAULT_CONFIG")
	change(nil, op(set, "retention.ms", "7000"), op(add, "cleanup.policy", "compact"))
	want("retention.ms", "7000", own, "retention.ms=7000 DYNAMIC_TOPIC_CONFIG", "log.retention.ms=5000 STATIC_BROKER_CONFIG", "log.retention.ms=604800000 DEFAULT_CONFIG")
	want("cleanup.policy", "delete,compact", own, "cleanup.policy=delete,compact DYNAMIC_TOPIC_CONFIG", "log.cleanup.policy=delete DEFAULT_CONFIG")
	change(nil, op(take, "cleanup.policy", "delete"), op(del, "retention.ms", ""))
	want("cleanup.policy", "compact", own, "cleanup.policy=compact DYNAMIC_TOPIC_CONFIG", "log.cleanup.policy=delete DEFAULT_CONFIG")
	want("retention.ms", "5000", given, "log.retention.ms=5000 STATIC_BROKER_CONFIG", "log.retention.ms=604800000 DEFAULT_CONFIG")
	want("segment.bytes", "1073741824", byDefault, "log.segment.bytes=1073741824 DEFAULT_CONFIG")

	change(kerr.InvalidConfig, op(set, "retention.ms", "never"))
	change(kerr.InvalidConfig, op(set, "no.such.setting", "1"))
	change(kerr.InvalidConfig, op(add, "retention.ms", "1"))
	change(kerr.InvalidRequest, op(set, "retention.ms", "1"), op(set, "retention.ms", "2"))
	change(kerr.InvalidRequest, kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: "retention.ms", Op: set})
	change(kerr.InvalidConfig, op(set, "segment.ms", "60000"), op(set, "retention.ms", "never"))
	want("segment.ms", "604800000", byDefault, "log.roll.ms=604800000 DEFAULT_CONFIG") // all or none

	replace := kmsg.NewPtrAlterConfigsRequest()
	replace.Resources = []kmsg.AlterConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: s.topic,
		Configs: []kmsg.AlterConfigsRequestResourceConfig{{Name: "segment.ms", Value: kmsg.StringPtr("60000")}}}}
	replace.ValidateOnly = true
	ask[*kmsg.AlterConfigsResponse](s.c, replace)
	want("segment.ms", "604800000", byDefault, "log.roll.ms=604800000 DEFAULT_CONFIG")
	replace.ValidateOnly = false
	ask[*kmsg.AlterConfigsResponse](s.c, replace)
	want("segment.ms", "60000", own, "segment.ms=60000 DYNAMIC_TOPIC_CONFIG", "log.roll.ms=604800000 DEFAULT_CONFIG")
	want("cleanup.policy", "delete", byDefault, "log.cleanup.policy=delete DEFAULT_CONFIG")
}

func TestSettingsOfTheBroker(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	admin := w.admin()
	alter := func(name, value string) error {
		got, err := admin.AlterBrokerConfigs(w.soon(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}})
		if err != nil {
			t.Fatal(err)
		}
		return got[0].Err
	}
	if err := alter("log.retention.ms", "9000"); err != nil {
		t.Fatal(err)
	}
	if got := settingOf(s.c, s.topic, "retention.ms"); got != "9000" {
		t.Errorf("topics keep records %s ms", got)
	}
	for _, fixed := range []string{"num.partitions", "group.max.size", "no.such", "retention.ms"} {
		if err := alter(fixed, "3"); err == nil {
			t.Errorf("%s is changed while the broker runs", fixed)
		}
	}
	w.restart(w.kill)
	s.c = w.dial()
	if got := settingOf(s.c, s.topic, "retention.ms"); got != "9000" {
		t.Errorf("after a restart topics keep records %s ms", got)
	}
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Version = 1
	req.Resources = []kmsg.DescribeConfigsRequestResource{
		{ResourceType: kmsg.ConfigResourceTypeBroker, ResourceName: "2"},
		{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "missing"},
		{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "a/b"},
		{ResourceType: 99, ResourceName: "x"},
	}
	wants := []*kerr.Error{kerr.InvalidRequest, kerr.UnknownTopicOrPartition, kerr.InvalidTopicException, kerr.InvalidRequest}
	for i, r := range ask[*kmsg.DescribeConfigsResponse](s.c, req).Resources {
		wantCode(t, r.ResourceName, r.ErrorCode, wants[i])
	}
}

// TestSettingsAreGoneBy has those heeded that concern requests.
func TestSettingsAreGoneBy(t *testing.T) {
	w := start(t, setting("delete.topic.enable", "false"), setting("auto.create.topics.enable", "false"),
		setting("group.max.size", "1"), setting("offset.metadata.max.bytes", "3"), setting("fetch.max.bytes", "1024"))
	s := newScene(w, w.dial())
	for version, want := range map[int16]*kerr.Error{1: kerr.InvalidRequest, 5: kerr.TopicDeletionDisabled} {
		del := kmsg.NewPtrDeleteTopicsRequest()
		del.Version, del.TopicNames = version, []string{s.topic}
		wantCode(t, "DeleteTopics", ask[*kmsg.DeleteTopicsResponse](s.c, del).Topics[0].ErrorCode, want)
	}
	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Version, metadata.AllowAutoTopicCreation = 9, true
	metadata.Topics = []kmsg.MetadataRequestTopic{{Topic: kmsg.StringPtr("new")}}
	wantCode(t, "Metadata", ask[*kmsg.MetadataResponse](s.c, metadata).Topics[0].ErrorCode, kerr.UnknownTopicOrPartition)
	group, _, _ := s.member()
	wantCode(t, "a second member", ask[*kmsg.JoinGroupResponse](s.c, join(0, group, "")).ErrorCode, kerr.GroupMaxSizeReached)
	noted := ask[*kmsg.OffsetCommitResponse](s.c, commitOffset(2, "g", "", -1, s.topic, 1))
	wantCode(t, "an offset with a note of four bytes", noted.Topics[0].Partitions[0].ErrorCode, kerr.OffsetMetadataTooLarge)
	for range 20 {
		ask[*kmsg.ProduceResponse](s.c, produceTo(9, s.topic, recordsOf(10)))
	}
	if got := ask[*kmsg.FetchResponse](s.c, s.request(int16(kmsg.Fetch), 11)).Topics[0].Partitions[0].RecordBatches; len(got) == 0 || len(got) > 1024 {
		t.Errorf("an answer has %d bytes of records", len(got))
	}
}

func TestTopicsThatCannotBe(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	create := func(change func(*kmsg.CreateTopicsRequestTopic)) kmsg.CreateTopicsResponseTopic {
		t.Helper()
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = s.name("topic"), 1, 1
		change(&topic)
		req := kmsg.NewPtrCreateTopicsRequest()
		req.Version, req.Topics = 5, []kmsg.CreateTopicsRequestTopic{topic}
		return ask[*kmsg.CreateTopicsResponse](s.c, req).Topics[0]
	}
	for want, changes := range map[*kerr.Error][]func(*kmsg.CreateTopicsRequestTopic){
		kerr.InvalidTopicException: {
			func(t *kmsg.CreateTopicsRequestTopic) { t.Topic = "" },
			func(t *kmsg.CreateTopicsRequestTopic) { t.Topic = ".." },
			func(t *kmsg.CreateTopicsRequestTopic) { t.Topic = "a b" },
			func(t *kmsg.CreateTopicsRequestTopic) { t.Topic = strings.Repeat("x", 250) },
		},
		kerr.TopicAlreadyExists:       {func(t *kmsg.CreateTopicsRequestTopic) { t.Topic = s.topic }},
		kerr.InvalidReplicationFactor: {func(t *kmsg.CreateTopicsRequestTopic) { t.ReplicationFactor = 3 }, func(t *kmsg.CreateTopicsRequestTopic) { t.ReplicationFactor = 0 }},
		kerr.InvalidPartitions: {
			func(t *kmsg.CreateTopicsRequestTopic) { t.NumPartitions = 0 },
			func(t *kmsg.CreateTopicsRequestTopic) { t.NumPartitions = -2 },
			func(t *kmsg.CreateTopicsRequestTopic) { t.NumPartitions = 1<<31 - 1 },
		},
		kerr.InvalidConfig: {
			func(t *kmsg.CreateTopicsRequestTopic) {
				t.Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "retention.ms", Value: kmsg.StringPtr("x")}}
			},
			func(t *kmsg.CreateTopicsRequestTopic) {
				t.Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "retention.ms"}}
			},
		},
		kerr.InvalidReplicaAssignment: {func(t *kmsg.CreateTopicsRequestTopic) {
			t.NumPartitions, t.ReplicationFactor = -1, -1
			t.ReplicaAssignment = []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Partition: 0, Replicas: []int32{7}}}
		}},
	} {
		for i, change := range changes {
			wantCode(t, fmt.Sprintf("%s %d", want.Message, i), create(change).ErrorCode, want)
		}
	}
	made := create(func(t *kmsg.CreateTopicsRequestTopic) { t.NumPartitions, t.ReplicationFactor = -1, -1 })
	if made.ErrorCode != 0 || made.NumPartitions != 2 || made.ReplicationFactor != 1 || len(made.Configs) == 0 {
		t.Errorf("with defaults: %+v", made)
	}
	for count, want := range map[int32]*kerr.Error{1: kerr.InvalidPartitions, 2: kerr.InvalidPartitions, 1 << 30: kerr.InvalidPartitions, -1: kerr.InvalidPartitions, 4: nil} {
		req := kmsg.NewPtrCreatePartitionsRequest()
		req.Topics = []kmsg.CreatePartitionsRequestTopic{{Topic: s.topic, Count: count}}
		wantCode(t, fmt.Sprintf("%d partitions", count), ask[*kmsg.CreatePartitionsResponse](s.c, req).Topics[0].ErrorCode, want)
		if want == nil {
			break
		}
	}
}

func TestOperationsOnTopics(t *testing.T) {
	w := start(t, with(func(c *server.Config) { c.ACLs, c.SuperUsers = true, []string{"User:ANONYMOUS"} }))
	s := newScene(w, w.dial())
	req := s.request(int16(kmsg.Metadata), 8).(*kmsg.MetadataRequest)
	resp := ask[*kmsg.MetadataResponse](s.c, req)
	if topic, cluster := resp.Topics[0].AuthorizedOperations, resp.AuthorizedOperations; topic != 0xdf8 || cluster != 0x1fa0 {
		t.Errorf("operations on the topic %#x, on the cluster %#x", topic, cluster)
	}
}
