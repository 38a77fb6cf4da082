package debezium

import (
	"bytes"
	"encoding/json"
	"slices"
)

// varies are the parts of a value that differ from run to run: when a record was made, and
// by which version.
var varies = []string{"ts_ms", "ts_us", "ts_ns"}

// ofSnapshot are the parts of a source that differ from snapshot to snapshot: when and where
// in the log it was made.
var ofSnapshot = []string{"ts_ms", "ts_us", "ts_ns", "lsn", "txId", "sequence", "ord", "file", "pos", "gtid"}

// ofJava is the name of an object of Java, with its address, which Debezium gives for the
// table of a message of the log.
var ofJava = []byte("$LogicalDecodingMessageId@")

// Blank replaces the parts of a value that differ from run to run with 0; all else is as it
// was, byte for byte.
func Blank(value []byte) []byte {
	snapshot := isSnapshot(value)
	var out bytes.Buffer
	done := 0
	err := walk(value, func(path []string, from, to int) {
		if !blanked(path, snapshot) && !bytes.Contains(value[from:to], ofJava) {
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

func isSnapshot(value []byte) bool {
	var v struct{ Source struct{ Snapshot any } }
	_ = json.Unmarshal(payload(value), &v)
	return v.Source.Snapshot != nil && v.Source.Snapshot != "false" && v.Source.Snapshot != false
}
