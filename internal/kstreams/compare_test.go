package kstreams

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// explained are the differences that are meant or are Kafka Streams' own, and how cases do
// without them.
var explained = []struct{ what, how string }{
	{"tombstones pass MapValues and FlatMapValues of a stream without a call of the function",
		"Functions.java passes nulls on"},
	{"functions cannot return null, except Map and FlatMap of a stream",
		"the catalogue's others do not"},
	{"without windows and a record cache, Kafka Streams forwards an aggregate's initial value as the old value of a key's first change, so that the next aggregation subtracts what was never added; with a cache it does not, and ours does not",
		"Aggregations.java has initializers of null"},
	{"Kafka Streams' driver has one task, with one stream time, for all sub-topologies; an application and our driver have one each",
		"oneStreamTime"},
	{"in Kafka Streams' memory, not on its disk, a tombstone moves the time of a join's store",
		"compare runs such a case again on disk"},
	{"a join window of no length and without grace keeps nothing in Kafka Streams, so that nothing meets; ours joins equal times",
		"joinedStreams makes none"},
	{"emitted on close, windows that a jump of stream time takes past their retention are lost by Kafka Streams; ours emits them",
		"Topologies.java gives them more retention"},
	{"a tombstone of the very time of the latest version leaves no trace in Kafka Streams' versioned stores, so that an older value that comes later is the latest; ours stays deleted",
		"distinctTimes"},
	{"a cogroup of two repartitioned groups without names cannot be built by Kafka Streams, and one of windows without a store's name has no serde for them",
		"cogrouped gives names"},
}

// difference says where results differ; "" is nowhere.
func difference(c *Case, theirs, ours *Result) string {
	for i := range min(len(theirs.Steps), len(ours.Steps)) {
		if d := rowsDiffer(theirs.Steps[i], ours.Steps[i]); d != "" {
			return fmt.Sprintf("after event %d (%s):\n%s", i, c.Events[i], d)
		}
	}
	if len(theirs.Steps) != len(ours.Steps) || (theirs.Error == "") != (ours.Error == "") {
		return fmt.Sprintf("Kafka Streams came to event %d, error %q; ours to event %d, error %q", theirs.At, theirs.Error, ours.At, ours.Error)
	}
	if d := rowsDiffer(contentsOf(theirs, ours), contentsOf(ours, ours)); d != "" {
		return "at the end, in stores:\n" + d
	}
	if a, b := described(theirs), described(ours); a != b {
		return "descriptions:\n" + linesApart("Kafka Streams", a, b) + linesApart("ours", b, a)
	}
	return ""
}

// linesApart are the lines of a that b has not.
func linesApart(who, a, b string) string {
	var out strings.Builder
	others := slices.Collect(strings.Lines(b))
	for line := range strings.Lines(a) {
		if !slices.Contains(others, line) {
			fmt.Fprintf(&out, "  %-13s %s", who, line)
		}
	}
	return out.String()
}

// described is a description without how functions are named and in which order it lists lines
// and names.
func described(r *Result) string {
	var lines []string
	for line := range strings.Lines(extractor.ReplaceAllString(r.Description, "(function)")) {
		for _, mark := range []string{"--> ", "<-- ", "stores: ["} {
			if before, list, ok := strings.Cut(strings.TrimRight(line, "\n"), mark); ok {
				names := strings.Split(strings.TrimSuffix(list, "])"), ", ")
				slices.Sort(names)
				line = before + mark + strings.Join(names, ", ") + "\n"
			}
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

var extractor = regexp.MustCompile(`\(extractor class: [^)]*\)`)

// contentsOf are the rows of the stores that ours reads, sorted: in which order a windowed store
// lists its windows is not the same in all of Kafka Streams' stores.
func contentsOf(r, ours *Result) map[string][]Row {
	out := map[string][]Row{}
	for name := range ours.Stores {
		out[name] = slices.SortedFunc(slices.Values(r.Stores[name]), func(a, b Row) int { return strings.Compare(a.String(), b.String()) })
	}
	return out
}

// rowsDiffer compares rows by topic or store.
func rowsDiffer(theirs, ours map[string][]Row) string {
	names := map[string]bool{}
	for name := range theirs {
		names[name] = true
	}
	for name := range ours {
		names[name] = true
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a, o := rowsText(theirs[name]), rowsText(ours[name]); a != o {
			fmt.Fprintf(&b, "  %s: Kafka Streams %s\n  %s  ours          %s\n", name, a, strings.Repeat(" ", len(name)), o)
		}
	}
	return b.String()
}

func rowsText(rows []Row) string {
	if len(rows) == 0 {
		return "nothing"
	}
	all := make([]string, len(rows))
	for i, r := range rows {
		all[i] = r.String()
	}
	return strings.Join(all, " ")
}
