// Package brokers measures the broker of package kafka/broker beside Apache Kafka, and for
// reference beside franz-go's kfake and NATS JetStream. Each is a process of its own with a folder
// of its own on the same disk; all that speak Kafka's protocol get the same work from the same
// client. Rounds take turns, figures are medians, and what was acknowledged is read back: a
// side that lost, doubled or disordered anything gives no figures.
package brokers

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// options say what is measured, and how much.
type options struct {
	rounds     int
	sides      []string
	dir        string // for the data
	profiles   string
	partitions int
	duration   time.Duration // of what is timed by the clock

	small, large int // records of 100 bytes, of 1 KiB
	producers    int
	delay        time.Duration
	perCommit    int
	size         int
	bytes        int64
	cold         bool
}

// parse takes the flags of all the benchmarks and, in more, those of one.
func parse(name string, args []string, o options, more func(*options, *flag.FlagSet)) (options, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", o.rounds, "rounds that count")
	flags.StringVar(&o.dir, "dir", "", "folder for the data (default: a temporary one)")
	flags.StringVar(&o.profiles, "profiles", "", "existing folder for CPU profiles of our broker")
	flags.IntVar(&o.partitions, "partitions", o.partitions, "partitions of each topic")
	flags.DurationVar(&o.duration, "duration", o.duration, "time of what goes by the clock")
	sides := flags.String("sides", strings.Join(o.sides, ","), "sides to measure")
	if more != nil {
		more(&o, flags)
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	all := o.sides
	o.sides = strings.Split(*sides, ",")
	for _, side := range o.sides {
		if !slices.Contains(all, side) {
			return o, fmt.Errorf("there is no side %q here; there are: %s", side, strings.Join(all, ", "))
		}
	}
	if o.rounds < 1 || o.partitions < 1 || o.duration <= 0 {
		return o, errors.New("rounds, partitions and the duration must be above 0")
	}
	return o, nil
}

// rounded to four digits, and whole numbers from a thousand on.
func rounded(v float64) float64 {
	if v == 0 {
		return 0
	}
	digits := max(0, 3-int(math.Floor(math.Log10(math.Abs(v)))))
	scale := math.Pow10(digits)
	return math.Round(v*scale) / scale
}

// percentile of durations, which it sorts, in milliseconds.
func percentile(all []time.Duration, p float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return float64(all[min(int(p*float64(len(all))), len(all)-1)]) / float64(time.Millisecond)
}
