package apachetest

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

func describeConfigs(kind kmsg.ConfigResourceType, name string, keys ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrDescribeConfigsRequest()
		req.IncludeSynonyms, req.IncludeDocumentation = true, true
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName, r.ConfigNames = kind, name, keys
		if keys == nil {
			r.ConfigNames = []string{}
		}
		req.Resources = append(req.Resources, r)
		return req
	}
}

// withoutSynonyms because Apache Kafka tells of none where the default is in other units.
func withoutSynonyms(request func(*side) kmsg.Request) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := request(s).(*kmsg.DescribeConfigsRequest)
		req.IncludeSynonyms = false
		return req
	}
}

func alterConfigs(only bool, kind kmsg.ConfigResourceType, name string, pairs ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrAlterConfigsRequest()
		req.ValidateOnly = only
		r := kmsg.NewAlterConfigsRequestResource()
		r.ResourceType, r.ResourceName = kind, name
		for i := 0; i < len(pairs); i += 2 {
			c := kmsg.NewAlterConfigsRequestResourceConfig()
			c.Name, c.Value = pairs[i], &pairs[i+1]
			r.Configs = append(r.Configs, c)
		}
		req.Resources = append(req.Resources, r)
		return req
	}
}

type op struct {
	name  string
	op    kmsg.IncrementalAlterConfigOp
	value string // "null" is none
}

const (
	set      = kmsg.IncrementalAlterConfigOpSet
	unset    = kmsg.IncrementalAlterConfigOpDelete
	add      = kmsg.IncrementalAlterConfigOpAppend
	subtract = kmsg.IncrementalAlterConfigOpSubtract

	ofTopic  = kmsg.ConfigResourceTypeTopic
	ofBroker = kmsg.ConfigResourceTypeBroker
)

func change(only bool, kind kmsg.ConfigResourceType, name string, ops ...op) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		req.ValidateOnly = only
		r := kmsg.NewIncrementalAlterConfigsRequestResource()
		r.ResourceType, r.ResourceName = kind, name
		for _, o := range ops {
			c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			c.Name, c.Op, c.Value = o.name, o.op, &o.value
			if o.value == "null" {
				c.Value = nil
			}
			r.Configs = append(r.Configs, c)
		}
		req.Resources = append(req.Resources, r)
		return req
	}
}

var someConfigs = []string{"retention.ms", "cleanup.policy", "max.message.bytes", "segment.bytes", "compression.type"}

func configsScript() []step {
	look := step{name: "look", request: withoutSynonyms(describeConfigs(ofTopic, "s-a", someConfigs...))}
	broker := step{name: "look at the broker", request: describeConfigs(ofBroker, "1", "log.cleanup.policy", "message.max.bytes")}
	synonyms := step{name: "synonyms", request: describeConfigs(ofTopic, "s-a", "cleanup.policy", "max.message.bytes", "segment.bytes")}
	return []step{
		{name: "create", request: create(false, topic("s-a", 1, with("retention.ms", "1000")))},
		look,
		{name: "unknown settings", request: describeConfigs(ofTopic, "s-a", "retention", "")},
		{name: "unknown topic", request: describeConfigs(ofTopic, "s-none", someConfigs...)},
		{name: "bad topic", request: describeConfigs(ofTopic, "a b", someConfigs...)},
		{name: "no topic", request: describeConfigs(ofTopic, "", someConfigs...)},
		broker,
		{name: "another broker", request: describeConfigs(ofBroker, "2", "log.retention.ms")},
		{name: "a broker that is no number", request: describeConfigs(ofBroker, "x", "log.retention.ms")},
		{name: "all brokers", request: describeConfigs(ofBroker, "", "log.retention.ms")},
		{name: "loggers", request: describeConfigs(kmsg.ConfigResourceTypeBrokerLogger, "1", "x"), differs: "its loggers have no levels"},
		{name: "no kind", request: describeConfigs(0, "x", "x")},
		{name: "unknown kind", request: describeConfigs(99, "x", "x")},

		{name: "set", request: change(false, ofTopic, "s-a", op{"max.message.bytes", set, "5000"}, op{"cleanup.policy", add, "compact"})}, look, synonyms,
		{name: "unset", request: change(false, ofTopic, "s-a", op{"max.message.bytes", unset, "null"}, op{"cleanup.policy", subtract, "delete"})}, look,
		{name: "unset what is not set", request: change(false, ofTopic, "s-a", op{"segment.bytes", unset, "null"})}, look,
		{name: "unset with a value", request: change(false, ofTopic, "s-a", op{"retention.ms", unset, "17"})}, look,
		{name: "add what is there", request: change(false, ofTopic, "s-a", op{"cleanup.policy", add, "compact"})}, look,
		{name: "subtract what is not there", request: change(false, ofTopic, "s-a", op{"cleanup.policy", subtract, "delete"})}, look,
		{name: "add two", request: change(false, ofTopic, "s-a", op{"cleanup.policy", add, "delete,compact"})}, look,
		{name: "subtract all", request: change(false, ofTopic, "s-a", op{"cleanup.policy", subtract, "delete,compact"}), differs: "nothing would be deleted or compacted then"},
		{name: "set both", request: change(false, ofTopic, "s-a", op{"cleanup.policy", set, "compact,delete"})}, look,
		{name: "add a bad value", request: change(false, ofTopic, "s-a", op{"cleanup.policy", add, "burn"})}, look,
		{name: "add to no list", request: change(false, ofTopic, "s-a", op{"retention.ms", add, "1"})},
		{name: "set null", request: change(false, ofTopic, "s-a", op{"retention.ms", set, "null"})},
		{name: "add null", request: change(false, ofTopic, "s-a", op{"cleanup.policy", add, "null"})},
		{name: "set an unknown one", request: change(false, ofTopic, "s-a", op{"retention", set, "1"})},
		{name: "unset an unknown one", request: change(false, ofTopic, "s-a", op{"retention", unset, "null"})},
		{name: "set a bad value", request: change(false, ofTopic, "s-a", op{"retention.ms", set, "soon"}, op{"segment.bytes", set, "1048576"})}, look,
		{name: "set twice", request: change(false, ofTopic, "s-a", op{"retention.ms", set, "1"}, op{"retention.ms", set, "2"})}, look,
		{name: "unknown operation", request: change(false, ofTopic, "s-a", op{"retention.ms", 9, "1"}), differs: "the error says what is wrong"},
		{name: "nothing", request: change(false, ofTopic, "s-a")},
		{name: "validate", request: change(true, ofTopic, "s-a", op{"retention.ms", set, "7"})}, look,
		{name: "validate a bad value", request: change(true, ofTopic, "s-a", op{"retention.ms", set, "soon"})},
		{name: "change an unknown topic", request: change(false, ofTopic, "s-none", op{"retention.ms", set, "7"})},
		{name: "change a bad topic", request: change(false, ofTopic, "a b", op{"retention.ms", set, "7"})},
		{name: "change no topic", request: change(false, ofTopic, "", op{"retention.ms", set, "7"}), differs: "it is a bad name"},
		{name: "change no kind", request: change(false, 0, "x", op{"retention.ms", set, "7"})},
		{name: "change a resource twice", request: func(s *side) kmsg.Request {
			req := change(false, ofTopic, "s-a", op{"retention.ms", set, "7"})(s).(*kmsg.IncrementalAlterConfigsRequest)
			req.Resources = append(req.Resources, req.Resources[0])
			return req
		}}, look,

		{name: "replace", request: alterConfigs(false, ofTopic, "s-a", "retention.ms", "2000")}, look,
		{name: "replace, only validate", request: alterConfigs(true, ofTopic, "s-a", "retention.ms", "3000")}, look,
		{name: "replace with a bad value", request: alterConfigs(false, ofTopic, "s-a", "retention.ms", "soon")}, look,
		{name: "replace with an unknown one", request: alterConfigs(false, ofTopic, "s-a", "retention", "1")}, look,
		{name: "replace with nothing", request: alterConfigs(false, ofTopic, "s-a")}, look,
		{name: "replace in an unknown topic", request: alterConfigs(false, ofTopic, "s-none", "retention.ms", "1")},

		{name: "set one of all brokers", request: change(false, ofBroker, "", op{"log.retention.ms", set, "77777"})},
		{name: "look at all brokers", request: withoutSynonyms(describeConfigs(ofBroker, ""))},
		{name: "unset one of all brokers", request: change(false, ofBroker, "", op{"log.retention.ms", unset, "null"})},
		{name: "set one of a broker", request: change(false, ofBroker, "1", op{"log.retention.ms", set, "77777"})},
		{name: "look at one", request: withoutSynonyms(describeConfigs(ofBroker, "1", "log.retention.ms"))},
		{name: "unset one of a broker", request: change(false, ofBroker, "1", op{"log.retention.ms", unset, "null"})},
		{name: "set an unknown one of the broker", request: change(false, ofBroker, "1", op{"log.retention", set, "1"}), differs: "unknown settings are refused"},
		{name: "set one of the broker that cannot change", request: change(false, ofBroker, "1", op{"auto.create.topics.enable", set, "true"}), differs: "the error is that of settings"},
		{name: "set a bad value of the broker", request: change(false, ofBroker, "1", op{"log.retention.ms", set, "soon"}), differs: "the error is that of settings"},
		{name: "change another broker", request: change(false, ofBroker, "2", op{"log.retention.ms", set, "1"})},
		{name: "change a broker that is no number", request: change(false, ofBroker, "x", op{"log.retention.ms", set, "1"})},
		{name: "end", request: deletion(named("s-a"))},
	}
}
