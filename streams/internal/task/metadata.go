package task

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// metadata goes with a committed offset, in Kafka Streams' format: base64 of a version
// (2), the partition's time, and numbers of nodes.
type metadata struct {
	time   int64
	values map[string]int64
}

// streamTimeKey names the stream time among the numbers, where it is ahead of the records'.
const streamTimeKey = "pabal-stream-time"

const metadataVersion = 2

func (m metadata) encode() string {
	b := make([]byte, 0, 64)
	b = append(b, metadataVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(m.time))
	if len(m.values) > 0 {
		b = binary.BigEndian.AppendUint32(b, uint32(len(m.values)))
		for _, name := range slices.Sorted(maps.Keys(m.values)) {
			b = binary.BigEndian.AppendUint32(b, uint32(len(name)))
			b = append(b, name...)
			b = binary.BigEndian.AppendUint64(b, uint64(m.values[name]))
		}
	}
	return base64.StdEncoding.EncodeToString(b)
}

// mostMetadata is what brokers take with an offset by default, offset.metadata.max.bytes, before
// base64.
const mostMetadata = 4096 / 4 * 3

// fitting leaves out what brokers would refuse the whole commit for: the last numbers by name.
func (m metadata) fitting() (fits metadata, left []string) {
	const head, each = 1 + 8 + 4, 4 + 8
	size := head
	for name := range m.values {
		size += each + len(name)
	}
	if size <= mostMetadata {
		return m, nil
	}
	fits.time, size = m.time, head
	add := func(name string) {
		if size+each+len(name) > mostMetadata {
			left = append(left, name)
			return
		}
		size += each + len(name)
		fits.set(name, m.values[name])
	}
	if _, ok := m.values[streamTimeKey]; ok {
		add(streamTimeKey)
	}
	for _, name := range slices.Sorted(maps.Keys(m.values)) {
		if name != streamTimeKey {
			add(name)
		}
	}
	return fits, left
}

// decodeMetadata returns an unknown time with an error.
func decodeMetadata(s string) (metadata, error) {
	m := metadata{time: -1}
	if s == "" {
		return m, nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return m, err
	}
	if len(b) < 9 || b[0] != 1 && b[0] != metadataVersion {
		return m, fmt.Errorf("%d bytes of an unknown version", len(b))
	}
	m.time = int64(binary.BigEndian.Uint64(b[1:]))
	if b = b[9:]; len(b) == 0 {
		return m, nil
	}
	if m.values, err = decodeValues(b); err != nil {
		return metadata{time: -1}, err
	}
	return m, nil
}

var errShort = errors.New("the numbers of nodes are cut short")

func decodeValues(b []byte) (map[string]int64, error) {
	if len(b) < 4 {
		return nil, errShort
	}
	n := binary.BigEndian.Uint32(b)
	b = b[4:]
	values := map[string]int64{}
	for range n {
		if len(b) < 4 {
			return nil, errShort
		}
		size := uint64(binary.BigEndian.Uint32(b))
		b = b[4:]
		if uint64(len(b)) < size+8 {
			return nil, errShort
		}
		values[string(b[:size])] = int64(binary.BigEndian.Uint64(b[size:]))
		b = b[size+8:]
	}
	return values, nil
}

// merge keeps the higher numbers.
func (m *metadata) merge(other metadata) {
	for name, v := range other.values {
		if old, ok := m.values[name]; !ok || old < v {
			m.set(name, v)
		}
	}
}

func (m *metadata) set(name string, v int64) {
	if m.values == nil {
		m.values = map[string]int64{}
	}
	m.values[name] = v
}
