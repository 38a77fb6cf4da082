package debezium

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// maxShown differences are reported in full per topic: one that repeats tells no more.
const maxShown = 3

// Compare reports where ours differ from the reference's: topics, number of records, keys
// and headers, and values but for what varies between two runs.
func Compare(t testing.TB, reference, ours Topics) {
	t.Helper()
	for _, d := range Differences(reference, ours) {
		t.Error(d)
	}
}

// Differences says in words where ours differ, in order of topic and record.
func Differences(reference, ours Topics) []string {
	var found []string
	topics := maps.Clone(reference)
	maps.Copy(topics, ours)
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		found = append(found, inTopic(topic, reference[topic], ours[topic])...)
	}
	return found
}

func inTopic(topic string, reference, ours []Record) []string {
	var found []string
	if len(reference) != len(ours) {
		found = append(found, fmt.Sprintf("%s: the reference has %d records, ours %d\n  reference: %s\n  ours:      %s", topic,
			len(reference), len(ours), keys(reference), keys(ours)))
	}
	different := 0
	for i := range min(len(reference), len(ours)) {
		d := inRecord(reference[i], ours[i])
		if d == "" {
			continue
		}
		if different++; different <= maxShown {
			found = append(found, fmt.Sprintf("%s, record %d:\n%s", topic, i, d))
		}
	}
	if different > maxShown {
		found = append(found, fmt.Sprintf("%s: %d records differ", topic, different))
	}
	return found
}

// keys shows the first records of a topic, and which are missing.
func keys(records []Record) string {
	const most = 12
	var shown []string
	for _, r := range records[:min(len(records), most)] {
		kind := "tombstone"
		if r.Value != nil {
			kind = operation(r.Value)
		}
		shown = append(shown, fmt.Sprintf("%s %.60s", kind, payload(r.Key)))
	}
	return strings.Join(shown, ", ")
}

func operation(value []byte) string {
	var v struct{ Op string }
	_ = json.Unmarshal(payload(value), &v)
	return v.Op
}

// payload is what a converter with schemas puts into an envelope of its own.
func payload(text []byte) []byte {
	var v struct {
		Schema  json.RawMessage
		Payload json.RawMessage
	}
	if json.Unmarshal(text, &v) == nil && v.Schema != nil && v.Payload != nil {
		return v.Payload
	}
	return text
}

func inRecord(reference, ours Record) string {
	var found []string
	if d := inBytes("key", reference.Key, ours.Key); d != "" {
		found = append(found, d)
	}
	if d := inBytes("value", Blank(reference.Value), Blank(ours.Value)); d != "" {
		found = append(found, d)
	}
	if len(reference.Headers) != len(ours.Headers) {
		found = append(found, fmt.Sprintf("  the reference has the headers %s, ours %s", show(reference.Headers), show(ours.Headers)))
		return strings.Join(found, "\n")
	}
	for i, h := range reference.Headers {
		o := ours.Headers[i]
		if h.Key != o.Key || h.Key != runID && !same(h.Value, o.Value) {
			found = append(found, fmt.Sprintf("  header %d: the reference has %s=%s, ours %s=%s", i, h.Key, h.Value, o.Key, o.Value))
		}
	}
	return strings.Join(found, "\n")
}

// runID is a header with a number that each start of a task chooses.
const runID = "__debezium.context.runId"

func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

func show(headers []Header) string {
	var all []string
	for _, h := range headers {
		all = append(all, h.Key+"="+string(h.Value))
	}
	return "[" + strings.Join(all, " ") + "]"
}

// inBytes names the parts of two texts of JSON that differ; where only their form differs it
// shows that.
func inBytes(what string, reference, ours []byte) string {
	if same(reference, ours) {
		return ""
	}
	if reference == nil || ours == nil {
		return fmt.Sprintf("  %s: the reference has %s, ours %s", what, orNull(reference), orNull(ours))
	}
	if paths := inJSON(reference, ours); len(paths) > 0 {
		return "  " + what + ": " + strings.Join(paths, "\n  "+what+": ")
	}
	const around = 60
	at := 0
	for at < min(len(reference), len(ours)) && reference[at] == ours[at] {
		at++
	}
	from := max(0, at-around)
	return fmt.Sprintf("  %s, from byte %d: the reference has …%s…, ours …%s…", what, from,
		reference[from:min(len(reference), at+around)], ours[from:min(len(ours), at+around)])
}

func orNull(text []byte) string {
	if text == nil {
		return "null"
	}
	return string(text)
}

// inJSON returns "path: the reference has a, ours b" for each difference in content or order.
func inJSON(reference, ours []byte) []string {
	a, b := leaves(reference), leaves(ours)
	var found []string
	have := map[string]string{}
	for _, l := range b {
		have[l.path] = l.value
	}
	for _, l := range a {
		o, ok := have[l.path]
		delete(have, l.path)
		if !ok {
			found = append(found, fmt.Sprintf("%s: the reference has %s, ours nothing", l.path, l.value))
		} else if o != l.value {
			found = append(found, fmt.Sprintf("%s: the reference has %s, ours %s", l.path, l.value, o))
		}
	}
	for _, l := range b {
		if _, more := have[l.path]; more {
			found = append(found, fmt.Sprintf("%s: the reference has nothing, ours %s", l.path, l.value))
		}
	}
	const most = 15
	if len(found) > most {
		found = append(found[:most], fmt.Sprintf("and %d more", len(found)-most))
	}
	return found
}

type leaf struct{ path, value string }

// leaves are the parts of a text that hold no others, in their order.
func leaves(text []byte) []leaf {
	var all []leaf
	_ = walk(text, func(path []string, from, to int) {
		all = append(all, leaf{strings.Join(path, "."), string(text[from:to])})
	})
	return all
}
