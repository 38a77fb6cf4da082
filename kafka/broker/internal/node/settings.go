package node

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// defaults are the broker's settings of a moment: those changed at run time, those given
// at the start, and Kafka's own. It is not changed.
type defaults struct {
	own, given map[string]string
}

func (d *defaults) value(name string) string {
	if v, ok := d.own[name]; ok {
		return v
	}
	return d.fallback(name)
}

// fallback is what a setting is unless it was changed at run time.
func (d *defaults) fallback(name string) string {
	if v, ok := d.given[name]; ok {
		return v
	}
	for _, u := range units[name] {
		if v, ok := d.given[u.name]; ok {
			return times(v, u.millis)
		}
	}
	if r := brokerSettings.byName[name]; r != nil {
		return r.value
	}
	return ""
}

func times(value string, millis int64) string {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return value // -1 is for ever in all units
	}
	return strconv.FormatInt(n*millis, 10)
}

func (d *defaults) has(name string) bool {
	_, own := d.own[name]
	return own || d.isGiven(name)
}

// isGiven says whether a setting is, in some unit.
func (d *defaults) isGiven(name string) bool {
	_, given := d.given[name]
	for _, u := range units[name] {
		_, other := d.given[u.name]
		given = given || other
	}
	return given
}

// topic is a topic's setting where the topic has none of its own.
func (d *defaults) topic(r *rule) string {
	if r.synonym == "" {
		return r.value
	}
	return d.value(r.synonym)
}

func (d *defaults) list() []Setting {
	var all []Setting
	for _, r := range brokerSettings.rules {
		_, own := d.own[r.name]
		_, given := d.given[r.name]
		all = append(all, Setting{Name: r.name, Value: d.value(r.name), Own: own, Given: given,
			Dynamic: r.dynamic, Default: d.fallback(r.name), Type: int8(r.kind.typ), Doc: r.doc, Values: d.values(r.name)})
	}
	return all
}

// values are those of a setting of the broker.
func (d *defaults) values(name string) (all []Value) {
	if v, ok := d.own[name]; ok {
		all = append(all, Value{name, v, kmsg.ConfigSourceDynamicDefaultBrokerConfig})
	}
	if v := d.fallback(name); d.isGiven(name) {
		all = append(all, Value{name, v, kmsg.ConfigSourceStaticBrokerConfig})
	}
	return append(all, Value{name, brokerSettings.byName[name].value, kmsg.ConfigSourceDefaultConfig})
}

// checkGiven refuses settings of the broker that there are not, or not with such a value.
func checkGiven(settings map[string]string) error {
	for name, value := range settings {
		r := brokerSettings.byName[name]
		if r == nil {
			return unknownBroker(name)
		}
		if err := r.check(value); err != nil {
			return err
		}
	}
	return nil
}

func checkDynamic(settings map[string]string) error {
	for name := range settings {
		if r := brokerSettings.byName[name]; r != nil && !r.dynamic {
			return invalid("%s cannot be changed while the broker runs: start it with another value", name)
		}
	}
	return checkGiven(settings)
}

func checkTopic(settings map[string]string) error {
	for name, value := range settings {
		r := topicSettings.byName[name]
		if r == nil {
			return unknownTopic(name)
		}
		if err := r.check(value); err != nil {
			return err
		}
	}
	return nil
}

// settings are a topic's of a moment. It is not changed.
type settings struct {
	own      map[string]string
	defaults *defaults

	log             log.Config
	maxMessageBytes int
	dirtyRatio      float64
	maxLag          time.Duration
	before, after   int64 // milliseconds that timestamps may be off
}

func newSettings(own map[string]string, d *defaults) *settings {
	s := &settings{own: own, defaults: d}
	policy := s.value("cleanup.policy")
	s.maxLag = s.duration("max.compaction.lag.ms")
	s.log = log.Config{
		SegmentBytes:     s.whole("segment.bytes"),
		SegmentAge:       s.duration("segment.ms"),
		RetentionTime:    atLeastOne(s.duration("retention.ms")),
		RetentionBytes:   atLeastOne(s.whole("retention.bytes")),
		Compact:          strings.Contains(policy, "compact"),
		Delete:           strings.Contains(policy, "delete"),
		MinCompactionLag: s.duration("min.compaction.lag.ms"),
		DeleteRetention:  negative(s.duration("delete.retention.ms")),
		ProducerExpiry:   milliseconds(number(d.value("producer.id.expiration.ms"))),
		LogAppendTime:    s.value("message.timestamp.type") == "LogAppendTime",
	}
	if s.log.Compact {
		s.log.SegmentAge = min(s.log.SegmentAge, s.maxLag)
	}
	s.maxMessageBytes = int(s.whole("max.message.bytes"))
	s.dirtyRatio, _ = strconv.ParseFloat(s.value("min.cleanable.dirty.ratio"), 64)
	s.before, s.after = s.whole("message.timestamp.before.max.ms"), s.whole("message.timestamp.after.max.ms")
	return s
}

// atLeastOne and negative keep zero from being a default of package log.
func atLeastOne[T ~int64](v T) T {
	if v == 0 {
		return 1
	}
	return v
}

func negative(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

func (s *settings) value(name string) string {
	if v, ok := s.own[name]; ok {
		return v
	}
	return s.defaults.topic(topicSettings.byName[name])
}

func (s *settings) whole(name string) int64            { return number(s.value(name)) }
func (s *settings) duration(name string) time.Duration { return milliseconds(s.whole(name)) }
func milliseconds(ms int64) time.Duration {
	return time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

// number is of a value that was checked.
func number(value string) int64 {
	n, _ := strconv.ParseInt(value, 10, 64)
	return n
}

func (s *settings) list() []Setting {
	all := make([]Setting, 0, len(topicSettings.rules))
	for _, r := range topicSettings.rules {
		_, own := s.own[r.name]
		all = append(all, Setting{Name: r.name, Value: s.value(r.name), Own: own, Given: !own && r.synonym != "" && s.defaults.has(r.synonym),
			Dynamic: true, Default: s.defaults.topic(r), Type: int8(r.kind.typ), Doc: r.doc, Synonym: r.synonym, Values: s.values(r)})
	}
	return all
}

// values are those of a topic's setting.
func (s *settings) values(r *rule) (all []Value) {
	if v, ok := s.own[r.name]; ok {
		all = append(all, Value{r.name, v, kmsg.ConfigSourceDynamicTopicConfig})
	}
	if r.synonym == "" {
		return append(all, Value{r.name, r.value, kmsg.ConfigSourceDefaultConfig})
	}
	return append(all, s.defaults.values(r.synonym)...)
}
