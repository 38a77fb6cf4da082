package debezium

import (
	"bytes"
	"slices"
	"strings"
)

// varies are the parts of a value that differ from run to run: when a record was made, and
// by which version.
var varies = []string{"ts_ms", "ts_us", "ts_ns"}

// ofSnapshot are the parts of a source that differ from snapshot to snapshot: when and where
// in the log it was made.
var ofSnapshot = []string{"ts_ms", "ts_us", "ts_ns", "lsn", "txId", "sequence", "ord", "file", "pos", "gtid"}

// noTable begins what stands for the table of a message of the log: Debezium gives the name
// of an object of Java, with its address.
var noTable = []string{`"io.debezium.connector.postgresql.LogicalDecodingMessageMonitor`, `"LOGICAL_DECODING_MESSAGE"`}

// Blank replaces the parts of a value that differ from run to run with 0; all else is as it
// was, byte for byte.
func Blank(value []byte) []byte {
	snapshot := isSnapshot(value)
	return rewritten(value, walkPayload, func(path []string, text []byte) bool {
		return blanked(path, snapshot) || slices.ContainsFunc(noTable, func(start string) bool { return bytes.HasPrefix(text, []byte(start)) })
	})
}

// rewrite replaces parts that hold no others with 0.
func rewrite(value []byte, replaced func(path []string, text []byte) bool) []byte {
	return rewritten(value, walk, replaced)
}

func rewritten(value []byte, walk func([]byte, func(path []string, from, to int)) error, replaced func(path []string, text []byte) bool) []byte {
	var out bytes.Buffer
	done := 0
	err := walk(value, func(path []string, from, to int) {
		if !replaced(path, value[from:to]) {
			return
		}
		out.Write(value[done:from])
		out.WriteByte('0')
		done = to
	})
	if err != nil || done == 0 {
		return value
	}
	out.Write(value[done:])
	return out.Bytes()
}

func joined(path []string) string { return strings.Join(path, ".") }

func blanked(path []string, snapshot bool) bool {
	if len(path) > 1 && path[0] == "payload" {
		path = path[1:]
	}
	switch {
	case len(path) == 1:
		return slices.Contains(varies, path[0])
	case len(path) == 2 && path[0] == "source":
		return path[1] == "version" || snapshot && slices.Contains(ofSnapshot, path[1])
	default:
		return false
	}
}

// isSnapshot says whether a value's source tells of a snapshot.
func isSnapshot(value []byte) (is bool) {
	_ = walkPayload(value, func(path []string, from, to int) {
		if n := len(path); n > 1 && path[n-2] == "source" && path[n-1] == "snapshot" && (n == 2 || n == 3 && path[0] == "payload") {
			text := string(value[from:to])
			is = text != "null" && text != "false" && text != `"false"`
		}
	})
	return is
}
