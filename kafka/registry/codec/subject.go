package codec

import "fmt"

// Strategy names the subject of a topic's keys or values, whose schema has a record of that full
// name, "" where it is no record.
type Strategy func(topic string, key bool, record string) (string, error)

// TopicName is one schema per topic: orders-value. It is the default.
func TopicName(topic string, key bool, _ string) (string, error) {
	if topic == "" {
		return "", fmt.Errorf("%w: subjects are named after the topic, and there is none", ErrConfig)
	}
	if key {
		return topic + "-key", nil
	}
	return topic + "-value", nil
}

// RecordName is one schema per record, in all topics: com.example.Order.
func RecordName(_ string, _ bool, record string) (string, error) {
	if record == "" {
		return "", fmt.Errorf("%w: subjects are named after the record, and the schema is none", ErrConfig)
	}
	return record, nil
}

// TopicRecordName is one schema per record and topic: orders-com.example.Order.
func TopicRecordName(topic string, _ bool, record string) (string, error) {
	if topic == "" || record == "" {
		return "", fmt.Errorf("%w: subjects are named after topic and record, and these are %q and %q", ErrConfig, topic, record)
	}
	return topic + "-" + record, nil
}
