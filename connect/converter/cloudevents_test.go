package converter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
)

func change(connector string, more ...data.Field) (*data.Schema, *data.Struct) {
	row := data.StructOf("s.public.t.Value", data.Field{Name: "id", Schema: data.Of(data.Int32)}).AsOptional()
	source := data.StructOf("io.debezium.connector.postgresql.Source", append([]data.Field{
		{Name: "version", Schema: data.Of(data.String)}, {Name: "connector", Schema: data.Of(data.String)}, {Name: "name", Schema: data.Of(data.String)},
		{Name: "ts_ms", Schema: data.Of(data.Int64)}, {Name: "sequence", Schema: data.OptionalOf(data.String)}, {Name: "txId", Schema: data.OptionalOf(data.Int64)},
		{Name: "lsn", Schema: data.OptionalOf(data.Int64)}}, more...)...)
	tx := data.StructOf("event.block", data.Field{Name: "id", Schema: data.Of(data.String)}, data.Field{Name: "total_order", Schema: data.Of(data.Int64)},
		data.Field{Name: "data_collection_order", Schema: data.Of(data.Int64)}).AsOptional()
	s := data.StructOf("s.public.t.Envelope", data.Field{Name: "before", Schema: row}, data.Field{Name: "after", Schema: row}, data.Field{Name: "source", Schema: source},
		data.Field{Name: "transaction", Schema: tx}, data.Field{Name: "op", Schema: data.Of(data.String)})
	from := data.NewStruct(source)
	copy(from.Values, []any{"3.6.1.Final", connector, "s", int64(1578923739738), nil, int64(565), int64(29274832)})
	return s, &data.Struct{Schema: s, Values: []any{nil, &data.Struct{Schema: row, Values: []any{int32(7)}}, from,
		&data.Struct{Schema: tx, Values: []any{"565:1", int64(1), int64(2)}}, "c"}}
}

func TestCloudEvents(t *testing.T) {
	const head = `{"id":"name:s;lsn:29274832;txId:565;sequence:null","source":"/debezium/postgresql/s","specversion":"1.0",` +
		`"type":"io.debezium.connector.postgresql.DataChangeEvent","time":"2020-01-13T13:55:39.738Z","datacontenttype":"application/json"`
	const extensions = `,"iodebeziumop":"c","iodebeziumversion":"3.6.1.Final","iodebeziumconnector":"postgresql","iodebeziumname":"s","iodebeziumtsms":"1578923739738",` +
		`"iodebeziumsequence":null,"iodebeziumtxId":"565","iodebeziumlsn":"29274832","iodebeziumtxid":"565:1","iodebeziumtxtotalorder":"1","iodebeziumtxdatacollectionorder":"2"`
	const row = `{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"}],"optional":true,"name":"s.public.t.Value","field":`
	const payload = `{"before":null,"after":{"id":7}}`
	s, v := change("postgresql")
	for _, c := range []struct {
		c    *converter.CloudEvents
		want string
	}{
		{&converter.CloudEvents{Data: &converter.JSON{}}, head + extensions + `,"data":` + payload + `}`},
		{&converter.CloudEvents{Data: &converter.JSON{Schemas: true}, NoExtensions: true}, head + `,"data":{"schema":{"type":"struct","fields":[` + row + `"before"},` + row +
			`"after"}],"optional":false,"name":"io.debezium.connector.postgresql.Data"},"payload":` + payload + `}}`},
	} {
		b, err := c.c.Encode("t", s, v)
		if string(b) != c.want || err != nil {
			t.Errorf("got  %s\nwant %s; %v", b, c.want, err)
		}
		_, again, err := c.c.Decode("t", b)
		if err != nil {
			t.Fatal(err)
		}
		content, _ := again.(*data.Map).Get("data")
		if text := encode(t, &converter.JSON{}, nil, content); text != payload {
			t.Errorf("the data came back as %s", text)
		}
	}
}

func TestCloudEventsOfOthers(t *testing.T) {
	c := &converter.CloudEvents{Data: &converter.JSON{}}
	heartbeat := data.StructOf("Heartbeat")
	if b, err := c.Encode("t", heartbeat, data.NewStruct(heartbeat)); b != nil || err != nil {
		t.Errorf("a heartbeat is %s, %v", b, err)
	}
	if b, err := c.Encode("t", nil, nil); b != nil || err != nil {
		t.Errorf("a tombstone is %s, %v", b, err)
	}
	for connector, want := range map[string]string{"mysql": "name:s;file:b.1;pos:4", "mongodb": "name:s;ts:1578923739738;ord:2"} {
		s, v := change(connector, data.Field{Name: "file", Schema: data.Of(data.String)}, data.Field{Name: "pos", Schema: data.Of(data.Int64)}, data.Field{Name: "ord", Schema: data.Of(data.Int32)})
		copy(v.Get("source").(*data.Struct).Values[7:], []any{"b.1", int64(4), int32(2)})
		if b, err := c.Encode("t", s, v); err != nil || !strings.HasPrefix(string(b), `{"id":"`+want+`"`) || !strings.Contains(string(b), `"iodebeziumord":2,`) {
			t.Errorf("%s: %s, %v", connector, b, err)
		}
	}
	s, v := change("oracle")
	if _, err := c.Encode("t", s, v); err == nil || !strings.Contains(err.Error(), `No usable CloudEvents converters for connector type "oracle"`) {
		t.Error(err)
	}
	s, v = change("mysql")
	if _, err := c.Encode("t", s, v); !errors.Is(err, data.ErrData) {
		t.Error(err)
	}
	for _, text := range []string{`{"id":"1"}`, `[1]`, `{"id":"1","source":"s","specversion":"1.0","type":"t"}`, `{`} {
		if _, _, err := c.Decode("t", []byte(text)); !errors.Is(err, converter.ErrBytes) {
			t.Errorf("%s is an event: %v", text, err)
		}
	}
}
