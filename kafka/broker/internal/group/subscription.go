package group

import "encoding/binary"

// subscribedTopics reads the start of Kafka's ConsumerProtocolSubscription: an
// int16 version, then an int32 count of topics, each behind its int16 length.
func subscribedTopics(b []byte) (topics []string, ok bool) {
	if len(b) < 6 {
		return nil, false
	}
	n := int32(binary.BigEndian.Uint32(b[2:]))
	b = b[6:]
	for range n {
		if len(b) < 2 {
			return nil, false
		}
		length := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; length > len(b) {
			return nil, false
		}
		topics = append(topics, string(b[:length]))
		b = b[length:]
	}
	return topics, true
}
