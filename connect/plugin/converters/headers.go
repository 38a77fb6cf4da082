package converters

import (
	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Headers are the header converters: SimpleHeaderConverter, and the converters that Kafka Connect
// also has for headers.
func Headers() []plugin.HeaderPlugin {
	all := []plugin.HeaderPlugin{{
		Info: info("org.apache.kafka.connect.storage.SimpleHeaderConverter", config.Definition{}),
		New:  func(config.Values) (plugin.HeaderConverter, error) { return Simple{}, nil },
	}}
	for _, p := range kafka() {
		all = append(all, plugin.HeaderPlugin{Info: p.Info, New: func(c config.Values) (plugin.HeaderConverter, error) {
			made, err := p.New(c, false)
			return asHeader{made}, err
		}})
	}
	return all
}

// Simple is org.apache.kafka.connect.storage.SimpleHeaderConverter: values as text, and back what
// the text looks like.
type Simple struct{}

// EncodeHeader writes text; nil is no bytes.
func (Simple) EncodeHeader(_ string, h plugin.Header) ([]byte, error) {
	if h.Value == nil {
		return nil, nil
	}
	text, err := converter.FormatText(h.Value)
	return []byte(text), err
}

// DecodeHeader finds out what the text stands for.
func (Simple) DecodeHeader(_, key string, b []byte) (plugin.Header, error) {
	if b == nil {
		return plugin.Header{Key: key}, nil
	}
	s, v, err := converter.ParseText(string(b))
	return plugin.Header{Key: key, Schema: s, Value: v}, err
}

// asHeader uses a converter of values.
type asHeader struct{ converter.Converter }

func (c asHeader) EncodeHeader(topic string, h plugin.Header) ([]byte, error) {
	return c.Encode(topic, h.Schema, h.Value)
}

func (c asHeader) DecodeHeader(topic, key string, b []byte) (plugin.Header, error) {
	s, v, err := c.Decode(topic, b)
	return plugin.Header{Key: key, Schema: s, Value: v}, err
}
