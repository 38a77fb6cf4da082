package server_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestEveryVersionIsServed asks for everything that is offered, in each version, on one
// connection. Answers are decoded whole, and none of them is an error.
func TestEveryVersionIsServed(t *testing.T) {
	w := start(t, secured)
	c := w.dial()
	wantCode(t, "authenticate", c.login("admin", "secret").ErrorCode, nil)
	s := newScene(w, c)
	for _, api := range w.APIs() {
		for v := api.Min; v <= api.Max; v++ {
			req := s.request(api.Key, v)
			resp, err := c.try(req)
			if err != nil {
				t.Fatalf("%s version %d: %v", kmsg.NameForKey(api.Key), v, err)
			}
			for _, code := range codes(resp) {
				if code != 0 && !expected(req, code) {
					t.Errorf("%s version %d: %s", kmsg.NameForKey(api.Key), v, named(code))
				}
			}
		}
	}
}

// secured has everybody authenticate and rules decide.
func secured(w *world) {
	w.config.Passwords = map[string]string{"admin": "secret", "alice": "alices"}
	w.config.ACLs, w.config.SuperUsers = true, []string{"User:admin"}
}

// TestWhatIsNotOfferedEndsTheConnection tries the versions beside those that are offered.
func TestWhatIsNotOfferedEndsTheConnection(t *testing.T) {
	w := start(t)
	offered := map[int16][2]int16{int16(kmsg.ApiVersions): {0, 127}}
	for _, api := range w.APIs() {
		offered[api.Key] = [2]int16{api.Min, api.Max}
	}
	for key := range int16(kmsg.MaxKey + 1) {
		req := kmsg.RequestForKey(key)
		if req == nil {
			continue
		}
		for v := range req.MaxVersion() + 1 {
			if o, ok := offered[key]; ok && v >= o[0] && v <= o[1] {
				continue
			}
			req.SetVersion(v)
			if resp, err := w.dial().try(req); err == nil || isTimeout(err) {
				t.Errorf("%s version %d is answered: %v, %v", kmsg.NameForKey(key), v, resp, err)
			}
		}
	}
}

// TestOldestClientsOfToday has the versions that clients in use begin with.
func TestOldestClientsOfToday(t *testing.T) {
	w := start(t)
	offered := map[int16][2]int16{}
	for _, api := range w.APIs() {
		offered[api.Key] = [2]int16{api.Min, api.Max}
	}
	for key, needs := range neededBy {
		for client, span := range needs {
			if o, ok := offered[int16(key)]; !ok || o[0] > span[1] || o[1] < span[0] {
				t.Errorf("%s knows %s in versions %d to %d, offered are %v", client, key.Name(), span[0], span[1], o)
			}
		}
	}
}

// TestProduceIsToldFromVersionZero has older librdkafka compress, as Kafka has it.
func TestProduceIsToldFromVersionZero(t *testing.T) {
	w := start(t)
	c := w.dial()
	for _, k := range ask[*kmsg.ApiVersionsResponse](c, kmsg.NewPtrApiVersionsRequest()).ApiKeys {
		if k.ApiKey == int16(kmsg.Produce) && k.MinVersion != 0 {
			t.Errorf("Produce is told from version %d on", k.MinVersion)
		}
	}
	req := produceTo(2, "t")
	if _, err := c.try(req); err == nil || isTimeout(err) {
		t.Errorf("version 2 is answered: %v", err)
	}
}

// neededBy are versions that clients know.
var neededBy = map[kmsg.Key]map[string][2]int16{
	kmsg.Produce:          {"kafkajs 2": {0, 7}, "librdkafka 1.0": {0, 7}, "sarama": {0, 7}},
	kmsg.Fetch:            {"kafkajs 2": {0, 11}, "librdkafka 1.0": {0, 11}, "sarama": {0, 11}},
	kmsg.ListOffsets:      {"kafkajs 2": {0, 3}, "librdkafka 1.0": {0, 1}, "sarama": {0, 4}},
	kmsg.Metadata:         {"kafkajs 2": {0, 6}, "librdkafka 1.0": {0, 2}, "kafka-python 2": {0, 8}},
	kmsg.OffsetCommit:     {"kafkajs 2": {0, 5}, "librdkafka 1.0": {1, 7}, "kafka-python 2": {0, 3}},
	kmsg.OffsetFetch:      {"kafkajs 2": {0, 4}, "librdkafka 1.0": {1, 1}, "kafka-python 2": {0, 3}},
	kmsg.FindCoordinator:  {"kafkajs 2": {0, 2}, "librdkafka 1.0": {0, 1}, "kafka-python 2": {0, 1}},
	kmsg.JoinGroup:        {"kafkajs 2": {0, 5}, "librdkafka 1.0": {0, 2}, "kafka-python 2": {0, 2}},
	kmsg.SyncGroup:        {"kafkajs 2": {0, 3}, "librdkafka 1.0": {0, 1}, "kafka-python 2": {0, 1}},
	kmsg.Heartbeat:        {"kafkajs 2": {0, 3}, "librdkafka 1.0": {0, 1}, "kafka-python 2": {0, 1}},
	kmsg.LeaveGroup:       {"kafkajs 2": {0, 3}, "librdkafka 1.0": {0, 0}, "kafka-python 2": {0, 1}},
	kmsg.DescribeGroups:   {"kafkajs 2": {0, 2}, "kafka-python 2": {0, 3}},
	kmsg.ListGroups:       {"kafkajs 2": {0, 2}, "librdkafka 1.0": {0, 0}},
	kmsg.SASLHandshake:    {"kafkajs 2": {0, 1}, "librdkafka 1.0": {0, 1}},
	kmsg.SASLAuthenticate: {"kafkajs 2": {0, 1}, "librdkafka 1.0": {0, 0}},
	kmsg.CreateTopics:     {"kafkajs 2": {0, 3}, "librdkafka 1.0": {0, 2}, "sarama": {0, 2}},
	kmsg.DeleteTopics:     {"kafkajs 2": {0, 1}, "librdkafka 1.0": {0, 1}},
	kmsg.DescribeConfigs:  {"kafkajs 2": {0, 2}, "librdkafka 1.0": {0, 1}},
	kmsg.DescribeACLs:     {"kafkajs 2": {0, 1}, "librdkafka 2": {0, 1}},
	kmsg.InitProducerID:   {"kafkajs 2": {0, 1}, "librdkafka 1.0": {0, 0}},
	kmsg.EndTxn:           {"kafkajs 2": {0, 1}, "librdkafka 1.4": {0, 1}},
}
