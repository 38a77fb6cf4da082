package cdc

import (
	"slices"

	"github.com/pabal-dev/pabal/bench/measure"
)

// run is what one side made of the changes.
type run struct {
	perSecond float64
	cpu       float64 // seconds per change
	rss       float64 // the most so far, in MB (10^6)
}

// results are the figures of every round, by name.
type results map[string][]float64

// names of the sides' figures: pace, CPU and memory.
var names = map[string][3]string{
	inProcess: {"pabal_per_s", "pabal_cpu_s", "rss_mb"},
	ours:      {"kafka_per_s", "kafka_cpu_s", "rss_mb"},
	tuned:     {"debezium_per_s", "debezium_cpu_s", "debezium_rss_mb"},
	standard:  {"debezium_default_per_s", "debezium_default_cpu_s", "debezium_rss_mb"},
}

const million = 1e6

func (r results) add(side string, one run) {
	for i, v := range []float64{one.perSecond, one.cpu * million, one.rss} {
		name := names[side][i]
		r[name] = append(r[name], v)
	}
}

// figures are medians, of ratios those of the rounds' ratios, and of memory the most.
func (r results) figures() map[string]float64 {
	all := map[string]float64{}
	for name, values := range r {
		all[name] = rounded(measure.Median(values))
	}
	for _, name := range []string{"rss_mb", "debezium_rss_mb"} {
		if len(r[name]) > 0 {
			all[name] = rounded(slices.Max(r[name]))
		}
	}
	for name, of := range map[string][2]string{
		"ratio_debezium":         {"kafka_per_s", "debezium_per_s"},
		"ratio_debezium_default": {"kafka_per_s", "debezium_default_per_s"},
		"ratio_cpu":              {"kafka_cpu_s", "debezium_cpu_s"},
	} {
		if a, b := r[of[0]], r[of[1]]; len(a) > 0 && len(a) == len(b) {
			all[name] = rounded(measure.RatioOf(a, b))
		}
	}
	return all
}
