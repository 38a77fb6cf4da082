package eostest

import (
	"fmt"
	"time"
)

// series are the values of each key in their order.
type series map[string][]int64

func (s series) add(key string, v int64) { s[key] = append(s[key], v) }

func (s series) last(key string) (v int64, ok bool) {
	if all := s[key]; len(all) > 0 {
		return all[len(all)-1], true
	}
	return 0, false
}

// lasts is what a store has at the end.
func (s series) lasts() map[string]int64 {
	out := map[string]int64{}
	for k := range s {
		out[k], _ = s.last(k)
	}
	return out
}

func (s series) size() (n int) {
	for _, all := range s {
		n += len(all)
	}
	return n
}

// expect computes every output of the topology. Of groups only the last value of each is
// known: their records come from several partitions.
func expect(sent [partitions][]input) map[string]series {
	out := map[string]series{}
	for _, topic := range outputs {
		out[topic] = series{}
	}
	for _, all := range sent {
		for _, in := range all {
			expectOne(out, in)
		}
		expectClosed(out, all)
	}
	total := map[string]int64{}
	for key, n := range out[count].lasts() {
		total[groupOf(key)] += n
	}
	for group, n := range total {
		out[groups].add(group, n)
	}
	return out
}

func expectOne(out map[string]series, in input) {
	out[echo].add(in.key, in.value)
	fold := func(topic string, f func(a, b int64) int64) int64 {
		v := in.value
		if before, ok := out[topic].last(in.key); ok {
			v = f(before, v)
		}
		out[topic].add(in.key, v)
		return v
	}
	fold(minimum, lower)
	fold(maximum, higher)
	s := fold(sum, add)
	n := int64(len(out[echo][in.key]))
	out[count].add(in.key, n)
	if n > 1 { // before, there is no count yet when the sum changes
		out[mixed].add(in.key, mix(s, n-1))
	}
	out[mixed].add(in.key, mix(s, n))
	w := nameOf(in)
	out[windows].add(w, int64(len(out[windows][w])+1))
}

// expectClosed windows of a partition: its last record closes all but its own.
func expectClosed(out map[string]series, all []input) {
	var now int64
	for _, in := range all {
		now = max(now, in.at)
	}
	for _, in := range all {
		if startOf(in)+(windowSize+windowGrace).Milliseconds() > now {
			continue
		}
		w := nameOf(in)
		n, _ := out[windows].last(w)
		out[closed][w] = []int64{n}
	}
}

func startOf(in input) int64 { return in.at - in.at%int64(windowSize/time.Millisecond) }

func nameOf(in input) string { return fmt.Sprintf("%s@%d", in.key, startOf(in)) }
