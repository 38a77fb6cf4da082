package postgres

import (
	"strings"
	"testing"
)

// TestNothingIsHeededInSilence: what would have no effect is refused by name.
func TestNothingIsHeededInSilence(t *testing.T) {
	needed := map[string]string{"topic.prefix": "p", "database.hostname": "h", "database.user": "u", "database.dbname": "d"}
	for key, value := range map[string]string{
		"xmin.fetch.interval.ms": "1000", "guardrail.collections.max": "5", "snapshot.locking.mode": "shared",
		"signal.file": "signals.txt", "plugin.name": "decoderbufs", "slot.stream.params": "origin=none; binary = true",
	} {
		given := map[string]string{key: value}
		for k, v := range needed {
			given[k] = v
		}
		_, problems := definition().Parse(given)
		if len(problems) != 1 || problems[0].Key != key || !strings.Contains(problems[0].Message, "not supported") {
			t.Errorf("%s=%s: %v", key, value, problems)
		}
	}
	needed["notification.enabled.channels"], needed["signal.enabled.channels"] = "log,sink", "source,kafka"
	if _, problems := definition().Parse(needed); len(problems) > 0 {
		t.Errorf("what works is refused: %v", problems)
	}
}
