package node

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestDefaultsAreAllowed by their own rules, and documented.
func TestDefaultsAreAllowed(t *testing.T) {
	for _, table := range []*table{topicSettings, brokerSettings} {
		for i, r := range table.rules {
			if err := r.check(r.value); err != nil && r.value != "" {
				t.Errorf("%s: %v", r.name, err)
			}
			if r.doc == "" || r.kind.typ == kmsg.ConfigTypeUnknown {
				t.Errorf("%s has no text or no type", r.name)
			}
			if i > 0 && table.rules[i-1].name >= r.name {
				t.Errorf("%s comes after %s", r.name, table.rules[i-1].name)
			}
		}
	}
	for _, r := range topicSettings.rules {
		if r.synonym != "" && brokerSettings.byName[r.synonym] == nil {
			t.Errorf("%s: the broker has no %s", r.name, r.synonym)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        string // in the error; "" is none
	}{
		{"cleanup.policy", "compact, delete", ""},
		{"cleanup.policy", "compact,delete", ""},
		{"cleanup.policy", "compacted", "compact"},
		{"cleanup.policy", "", "delete"},
		{"compression.type", "producer", ""},
		{"compression.type", "zstd", "producer"},
		{"delete.retention.ms", "-1", "from 0"},
		{"max.compaction.lag.ms", "0", "from 1"},
		{"max.message.bytes", "3000000000", "2147483647"},
		{"message.timestamp.type", "logappendtime", "LogAppendTime"},
		{"min.cleanable.dirty.ratio", "0.01", ""},
		{"min.cleanable.dirty.ratio", "NaN", "from 0 to 1"},
		{"min.cleanable.dirty.ratio", "1.5", "from 0 to 1"},
		{"min.insync.replicas", "2", ""},
		{"min.insync.replicas", "0", "from 1"},
		{"preallocate", "yes", "true or false"},
		{"remote.storage.enable", "true", "false"},
		{"retention.bytes", "-1", ""},
		{"retention.ms", "-2", "from -1"},
		{"retention.ms", "7d", "whole number"},
		{"retention.ms", "9223372036854775807", ""},
		{"retention.ms", "9223372036854775808", "whole number"},
		{"segment.bytes", "13", "from 14"},
		{"log.retention.ms", "1", "a topic's is retention.ms"},
		{"retention", "1", "not a setting"},
		{"message.max.bytes", "1", "max.message.bytes"},
	} {
		err := checkTopic(map[string]string{c.name: c.value})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s=%s: %v", c.name, c.value, err)
		case c.want == "":
		case !errors.Is(err, kerr.InvalidConfig) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.name):
			t.Errorf("%s=%s: %v, want it to say %q", c.name, c.value, err, c.want)
		}
	}
}

func TestBrokerSettingsAreChecked(t *testing.T) {
	for name, want := range map[string]string{
		"retention.ms": "log.retention.ms", "num.partition": "not a setting", "log.retention.day": "not a setting",
	} {
		_, err := Open(t.Context(), Options{FS: nil, Settings: map[string]string{name: "1"}})
		if !errors.Is(err, kerr.InvalidConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := open(t, Options{})
	for settings, want := range map[[2]string]string{
		{"num.partitions", "3"}:     "start it with",
		{"log.retention.ms", "x"}:   "whole number",
		{"no.such.setting", "1"}:    "not a setting",
		{"message.max.bytes", "-1"}: "from 0",
	} {
		err := n.SetBrokerSettings(map[string]string{settings[0]: settings[1]}, false)
		if !errors.Is(err, kerr.InvalidConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", settings, err)
		}
	}
}

// setting is one of a list.
func setting(t *testing.T, all []Setting, name string) Setting {
	t.Helper()
	for _, s := range all {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no %s", name)
	return Setting{}
}

// TestWhichSettingCounts: the topic's own, then the broker's of run time, then those given
// at the start, then the default; milliseconds before minutes before hours.
func TestWhichSettingCounts(t *testing.T) {
	n := open(t, Options{Settings: map[string]string{"log.retention.hours": "2", "log.retention.minutes": "5", "log.roll.hours": "3", "message.max.bytes": "2000"}})
	topic := create(t, n, "t", 1)
	check := func(name, value string, own, given bool, fallback string) {
		t.Helper()
		s := setting(t, topic.Settings(), name)
		if s.Value != value || s.Own != own || s.Given != given || s.Default != fallback {
			t.Errorf("%+v", s)
		}
		if topic.Setting(name) != value {
			t.Errorf("%s is %s", name, topic.Setting(name))
		}
	}
	check("retention.ms", "300000", false, true, "300000")
	check("segment.ms", "10800000", false, true, "10800000")
	check("flush.ms", forever, false, false, forever)
	check("max.message.bytes", "2000", false, true, "2000")
	if topic.MaxMessageBytes() != 2000 {
		t.Errorf("%d bytes", topic.MaxMessageBytes())
	}
	if err := n.SetBrokerSettings(map[string]string{"log.retention.ms": "7", "message.max.bytes": "3000"}, false); err != nil {
		t.Fatal(err)
	}
	check("retention.ms", "7", false, true, "7")
	if err := n.SetSettings("t", map[string]string{"retention.ms": "8"}, false); err != nil {
		t.Fatal(err)
	}
	check("retention.ms", "8", true, false, "7")
	if topic.MaxMessageBytes() != 3000 {
		t.Errorf("%d bytes", topic.MaxMessageBytes())
	}
	s := setting(t, n.BrokerSettings(), "log.retention.ms")
	if s.Value != "7" || !s.Own || s.Given || !s.Dynamic || s.Default != "300000" {
		t.Errorf("%+v", s)
	}
	if err := n.SetBrokerSettings(nil, false); err != nil || n.BrokerSetting("log.retention.ms") != "300000" {
		t.Errorf("%v, %s", err, n.BrokerSetting("log.retention.ms"))
	}
	if err := n.SetSettings("t", nil, false); err != nil {
		t.Fatal(err)
	}
	check("retention.ms", "300000", false, true, "300000")
	if n.BrokerSetting("no.such") != "" || topic.Setting("no.such") != "" {
		t.Error("there is a setting no.such")
	}
}

// TestSettingsOfLogs has no zero become a default, and no large number overflow.
func TestSettingsOfLogs(t *testing.T) {
	d := &defaults{given: map[string]string{"producer.id.expiration.ms": "1000"}}
	c := newSettings(map[string]string{"retention.ms": "0", "retention.bytes": "0", "delete.retention.ms": "0", "cleanup.policy": "compact", "max.compaction.lag.ms": "60000"}, d).log
	if c.RetentionTime != 1 || c.RetentionBytes != 1 || c.DeleteRetention >= 0 || c.SegmentAge != time.Minute || !c.Compact || c.Delete || c.ProducerExpiry != time.Second {
		t.Errorf("%+v", c)
	}
	c = newSettings(map[string]string{"retention.ms": forever, "segment.ms": forever, "cleanup.policy": "compact,delete"}, d).log
	if c.RetentionTime < 100*365*24*time.Hour || c.SegmentAge < 100*365*24*time.Hour || !c.Compact || !c.Delete {
		t.Errorf("%+v", c)
	}
	c = newSettings(map[string]string{"retention.ms": "-1"}, d).log
	if c.RetentionTime >= 0 || c.Compact || !c.Delete {
		t.Errorf("%+v", c)
	}
}

func TestPartitionsByDefault(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want int
	}{{Options{}, 4}, {Options{Partitions: 2}, 2}, {Options{Partitions: 2, Settings: map[string]string{"num.partitions": "3"}}, 3}} {
		n := open(t, c.o)
		if got := len(create(t, n, "t", -1).Partitions()); got != c.want {
			t.Errorf("%+v: %d partitions", c.o, got)
		}
	}
}

// TestInternalTopics cannot be deleted or changed so that they forget, and Security is not seen.
func TestInternalTopics(t *testing.T) {
	n := open(t, Options{Settings: map[string]string{"log.message.timestamp.type": "LogAppendTime"}})
	if len(n.Topics()) != 2 || n.Topic(Security) != nil || n.TopicByID(n.catalog.Load().byName[Security].ID) != nil {
		t.Errorf("topics: %v", n.Topics())
	}
	if err := n.Delete(Offsets)[0]; !errors.Is(err, kerr.InvalidTopicException) {
		t.Errorf("delete: %v", err)
	}
	for _, s := range []map[string]string{{"cleanup.policy": "delete"}, {"cleanup.policy": "compact,delete"}, {}} {
		if err := n.SetSettings(Offsets, s, false); !errors.Is(err, kerr.InvalidConfig) {
			t.Errorf("%v: %v", s, err)
		}
	}
	if err := n.SetSettings(Offsets, map[string]string{"cleanup.policy": "compact", "segment.bytes": "1000"}, false); err != nil {
		t.Error(err)
	}
	_, errs := n.Create([]NewTopic{{Name: Security, Partitions: 1}}, false)
	if !errors.Is(errs[0], kerr.TopicAlreadyExists) {
		t.Errorf("create: %v", errs[0])
	}
	if err := n.AddPartitions(Txns, 2, false); !errors.Is(err, kerr.InvalidPartitions) {
		t.Errorf("more partitions: %v", err)
	}
}

func TestDeletionDisabled(t *testing.T) {
	n := open(t, Options{Settings: map[string]string{"delete.topic.enable": "false"}})
	create(t, n, "t", 1)
	if err := n.Delete("t")[0]; !errors.Is(err, kerr.TopicDeletionDisabled) || n.Topic("t") == nil {
		t.Error(err)
	}
	if err := n.Delete("u")[0]; !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Error(err)
	}
}

func TestValidateOnlyChangesNothing(t *testing.T) {
	n := open(t, Options{})
	create(t, n, "t", 1)
	err := errors.Join(n.AddPartitions("t", 3, true), n.SetSettings("t", map[string]string{"retention.ms": "1"}, true), n.SetBrokerSettings(map[string]string{"log.retention.ms": "1"}, true))
	if err != nil {
		t.Error(err)
	}
	if topic := n.Topic("t"); len(topic.Partitions()) != 1 || topic.Setting("retention.ms") != "604800000" {
		t.Errorf("%d partitions, %s", len(topic.Partitions()), topic.Setting("retention.ms"))
	}
}
