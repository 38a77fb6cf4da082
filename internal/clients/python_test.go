package clients_test

import (
	"encoding/json"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestConfluentPython is librdkafka as Python programs have it: administration, producers with every
// compression, groups with static members that rebalance cooperatively, transactions.
func TestConfluentPython(t *testing.T) {
	folder := testenv.ConfluentPython(t)
	test := func(t *testing.T, c cluster) {
		t.Parallel()
		login, err := json.Marshal(c.librdkafka("SCRAM-SHA-512"))
		if err != nil {
			t.Fatal(err)
		}
		same(t, testenv.Output(t, "python3", "testdata/confluent.py", folder, c.addr, c.prefix, string(login)), `{
			"exists": "TOPIC_ALREADY_EXISTS", "described": ["t", 3, true], "missing": "UNKNOWN_TOPIC_OR_PART", "cluster": [1, true],
			"settings": ["delete,compact", "604800000", "3000"], "subtracted": ["delete", false],
			"left": [0, 0, 0, 0, 0], "delivered": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], "large": "MSG_SIZE_TOO_LARGE",
			"offsets": {"earliest": [0, -1], "latest": [15, -1], "max": [14, 42], "since": [4, 11]}, "low": 2,
			"read": [2, [["h", "1"]], "zstd-2", 42], "committed": 7, "times": 12, "marks": [2, 15],
			"group": ["STABLE", "range", 1, 3], "listed": ["EMPTY"], "altered": [[0, 5]],
			"shared": [1, 2], "same": true, "moved": true,
			"aborted": -1001, "etl": 15, "fenced": "_FENCED",
			"visible": ["NONE-2", "GZIP-0", "GZIP-1", "GZIP-2", "SNAPPY-0", "SNAPPY-1", "SNAPPY-2", "LZ4-0", "LZ4-1", "LZ4-2", "ZSTD-0", "ZSTD-1", "ZSTD-2"],
			"hidden": true, "then": ["open"],
			"user": [["SCRAM_SHA_256", 8192]], "no user": "RESOURCE_NOT_FOUND", "deleted": "UNKNOWN_TOPIC_OR_PART"
		}`)
	}
	t.Run("in process", func(t *testing.T) { test(t, startSecured(t)) })
	t.Run("Apache Kafka", func(t *testing.T) { test(t, apacheKafka(t)) })
}

// same compares two objects in JSON, by their parts.
func same(t *testing.T, got, want string) {
	t.Helper()
	a, b := parts(t, got), parts(t, want)
	for name := range b {
		if a[name] != b[name] {
			t.Errorf("%s: %s, want %s", name, a[name], b[name])
		}
	}
	if len(a) != len(b) {
		t.Errorf("got %d parts, want %d: %s", len(a), len(b), got)
	}
}

func parts(t *testing.T, object string) map[string]string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(object), &all); err != nil {
		t.Fatalf("%v in %q", err, object)
	}
	texts := map[string]string{}
	for name, part := range all {
		text, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}
