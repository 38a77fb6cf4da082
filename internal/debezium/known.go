package debezium

import (
	"maps"
	"regexp"
	"slices"
)

// Known is a difference that a comparison passes over, so that all others are found.
type Known struct {
	// Mode and Topic where it is; "" are all modes. The topic is without its prefix.
	Mode, Topic string
	// Paths matches the parts of a value, such as "after.name"; nil is the whole topic.
	Paths *regexp.Regexp
	// Why the two differ.
	Why string
}

// Without is topics but for what is known to differ in a mode.
func (topics Topics) Without(mode string, known []Known) Topics {
	topics = maps.Clone(topics)
	for _, k := range known {
		topic := mode + "." + k.Topic
		records, there := topics[topic]
		if !there || k.Mode != "" && k.Mode != mode {
			continue
		}
		if k.Paths == nil {
			delete(topics, topic)
			continue
		}
		records = slices.Clone(records)
		for i, r := range records {
			records[i].Value = rewrite(r.Value, func(path []string, _ []byte) bool { return k.Paths.MatchString(joined(path)) })
		}
		topics[topic] = records
	}
	return topics
}
