package apachetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// names gives what differs between any two servers, as ids, names of their own.
type names struct {
	topics    map[[16]byte]string
	producers map[int64]string
	members   map[string]string
}

func newNames() *names {
	return &names{topics: map[[16]byte]string{}, producers: map[int64]string{}, members: map[string]string{}}
}

func called[K comparable](known map[K]string, what string, id K) string {
	if known[id] == "" {
		known[id] = fmt.Sprintf("%s%d", what, len(known))
	}
	return known[id]
}

// text is an answer in words, one field after the other, in an order that does not depend
// on the server's. What people read, times and sizes are left out.
func (n *names) text(resp kmsg.Response) string {
	if r, ok := resp.(*kmsg.ProduceResponse); ok {
		forgetStarts(r)
	}
	return n.value("", reflect.ValueOf(resp).Elem())
}

var leftOut = map[string]bool{
	"Version": true, "UnknownTags": true, "ThrottleMillis": true, "ErrorMessage": true, "Host": true, "Port": true,
	"ClusterID": true, "Dir": true, "Size": true, "TotalBytes": true, "UsableBytes": true, "LogDir": true, "Documentation": true,
	"ClientID": true, "ClientHost": true, "LastTimestamp": true, "Timestamp": true, "CoordinatorEpoch": true,
	"StartTimestamp": true, "LogAppendTime": true, "Rack": true, "RecordBatches": true, "LeaderEpoch": true, "SessionID": true,
}

// forgetStarts leaves out of errors where logs start, which says nothing then.
func forgetStarts(r *kmsg.ProduceResponse) {
	for _, t := range r.Topics {
		for i := range t.Partitions {
			if t.Partitions[i].ErrorCode != 0 {
				t.Partitions[i].LogStartOffset = -1
			}
		}
	}
}

// notOurs are settings of Apache Kafka's topics that we have not.
var notOurs = map[string]bool{
	"compression.gzip.level": true, "compression.lz4.level": true, "compression.zstd.level": true,
	"local.retention.bytes": true, "local.retention.ms": true, "remote.log.copy.disable": true, "remote.log.delete.on.disable": true,
	"min.insync.replicas": true, // Apache Kafka has another source for it where replicas are elected
}

func (n *names) value(field string, v reflect.Value) string {
	switch x := v.Interface().(type) {
	case [16]byte:
		return n.topic(x)
	case int16:
		if strings.HasSuffix(field, "ErrorCode") {
			return code(x)
		}
	case int64:
		if field == "ProducerID" && x >= 0 {
			return n.producer(x)
		}
	case string:
		if field == "MemberID" && x != "" || field == "LeaderID" && x != "" {
			return called(n.members, "member", x)
		}
	case []byte:
		return fmt.Sprintf("%q", x)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		return n.value(field, v.Elem())
	case reflect.Struct:
		return n.fields(v)
	case reflect.Slice:
		return n.list(v)
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v.Interface())
}

func (n *names) producer(id int64) string {
	if name := n.producers[id]; name != "" {
		return name
	}
	return "other"
}

func (n *names) topic(id [16]byte) string {
	if id == ([16]byte{}) {
		return "none"
	}
	if name := n.topics[id]; name != "" {
		return name
	}
	return "other"
}

func code(c int16) string {
	if c == 0 {
		return "ok"
	}
	return kerr.TypedErrorForCode(c).Message
}

func (n *names) fields(v reflect.Value) string {
	var all []string
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; !leftOut[name] {
			all = append(all, name+":"+n.value(name, v.Field(i)))
		}
	}
	return "{" + strings.Join(all, " ") + "}"
}

func (n *names) list(v reflect.Value) string {
	var all []string
	for i := range v.Len() {
		item := v.Index(i)
		if item.Kind() == reflect.Struct {
			if name := item.FieldByName("Name"); name.IsValid() && notOurs[name.String()] {
				continue
			}
		}
		all = append(all, n.value("", item))
	}
	slices.Sort(all)
	return "[" + strings.Join(all, " ") + "]"
}
