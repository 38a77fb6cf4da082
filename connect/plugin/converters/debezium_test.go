package converters_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
)

func TestDelegates(t *testing.T) {
	for _, class := range []string{"io.debezium.converters.ByteArrayConverter", "io.debezium.converters.BinaryDataConverter"} {
		alone := newConverter(t, class, nil)
		if b, err := alone.Encode("t", data.Of(data.Bytes), []byte("x")); string(b) != "x" || err != nil {
			t.Errorf("%s: %q, %v", class, b, err)
		}
		if _, err := alone.Encode("t", data.Of(data.String), "x"); err == nil || !strings.Contains(err.Error(), "delegate.converter.type") {
			t.Error(err)
		}
		with := newConverter(t, class, map[string]string{
			"delegate.converter.type": "org.apache.kafka.connect.json.JsonConverter", "delegate.converter.type.schemas.enable": "false"})
		if b, err := with.Encode("t", data.Of(data.String), "x"); string(b) != `"x"` || err != nil {
			t.Errorf("%s: %q, %v", class, b, err)
		}
		if s, v, err := with.Decode("t", []byte("y")); string(v.([]byte)) != "y" || s.Type != data.Bytes || err != nil {
			t.Errorf("%s: %v, %v", class, v, err)
		}
	}
}

func TestRefusedByName(t *testing.T) {
	const events = "io.debezium.converters.CloudEventsConverter"
	for _, c := range []struct{ class, key, value, want string }{
		{events, "serializer.type", "avro", "there is no Avro converter"},
		{events, "data.serializer.type", "AVRO", "there is no Avro converter"},
		{events, "metadata.source", "header", "metadata of headers is not supported"},
		{events, "metadata.source", "value,id:header,type:generate", "id must be generated"},
		{events, "metadata.source", "value", "id and type must be generated"},
		{events, "opentelemetry.tracing.attributes.enable", "true", "not supported"},
		{"io.debezium.converters.ByteArrayConverter", "delegate.converter.type", "x.Y", "Class x.Y could not be found."},
	} {
		_, problems := find(t, c.class).Config.Parse(map[string]string{c.key: c.value})
		if len(problems) != 1 || problems[0].Key != c.key || !strings.Contains(problems[0].Message, c.want) {
			t.Errorf("%s=%s: %v", c.key, c.value, problems)
		}
	}
	for _, settings := range []map[string]string{nil, {"json.schemas.enable": "false", "metadata.source": "value,id:generate,type:generate"}} {
		newConverter(t, events, settings)
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]string{}
	for _, p := range converters.Plugins() {
		for _, name := range append([]string{p.Class}, p.Aliases...) {
			if seen[name] != "" {
				t.Errorf("%s is %s and %s", name, seen[name], p.Class)
			}
			seen[name] = p.Class
		}
		for _, k := range p.Config.Keys {
			if k.Doc == "" {
				t.Errorf("%s: %s says nothing about itself", p.Class, k.Name)
			}
		}
	}
}
