package streams

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka"
)

func TestConfigSaysEveryProblemAtOnce(t *testing.T) {
	_, err := New(&Topology{}, Config{
		ApplicationID: "a b", InstanceID: "c/d", DeadLetterTopic: "..", Guarantee: 7, Workers: -1, Standbys: -1,
		CommitInterval: time.Minute, TransactionTimeout: time.Second, SessionTimeout: time.Second, HeartbeatInterval: time.Second,
		MemoryBytes: 1, CacheBytes: -1, Endpoint: "here",
	})
	for _, want := range []string{"ApplicationID", "InstanceID", "DeadLetterTopic", "Guarantee", "Workers", "Standbys", "CommitInterval",
		"HeartbeatInterval", "MemoryBytes", "CacheBytes", "Endpoint", "no brokers"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %s in: %v", want, err)
		}
	}
	if !errors.Is(err, ErrConfig) {
		t.Error("it is no ErrConfig")
	}
}

func TestZeroConfigIsGood(t *testing.T) {
	if err := (Config{ApplicationID: "a", Kafka: kafka.Config{Brokers: []string{"b"}}}).validate(); err != nil {
		t.Error(err)
	}
}
