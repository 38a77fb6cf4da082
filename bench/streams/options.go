package streams

import (
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"strconv"
)

// options say how much is measured.
type options struct {
	rounds, records, keys, uniformKeys int
	bytes, commitMs                    int
	cacheBytes                         int64
	partitions                         int32
}

func parse(name string, args []string, o options, more func(*options, *flag.FlagSet)) (options, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 5, "rounds")
	flags.IntVar(&o.records, "records", o.records, "records of an input")
	flags.IntVar(&o.keys, "keys", o.keys, "keys")
	flags.IntVar(&o.bytes, "bytes", 100, "bytes of a value")
	flags.IntVar(&o.commitMs, "commit", o.commitMs, "milliseconds between commits")
	flags.Int64Var(&o.cacheBytes, "cache", o.cacheBytes, "bytes of the record cache of each side")
	partitions := flags.Int("partitions", 4, "partitions of the topics")
	if more != nil {
		more(&o, flags)
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.partitions = int32(*partitions)
	if o.rounds < 1 || o.records < 1000 || o.keys < 1 || o.bytes < 1 || o.commitMs < 1 || *partitions < 1 {
		return o, errors.New("every number must be above 0, and there are at least 1000 records")
	}
	return o, nil
}

// keyText is the n-th key, of 16 bytes.
func keyText(n int) []byte {
	const digits = 12
	b := append(make([]byte, 0, 4+digits), "key-"...)
	s := strconv.Itoa(n)
	for range digits - len(s) {
		b = append(b, '0')
	}
	return append(b, s...)
}

// zipf picks some keys often, most seldom.
func zipf(keys int) func() int {
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 1)), 1.1, 1, uint64(keys-1))
	return func() int { return int(z.Uint64()) }
}

// uniform picks each as often.
func uniform(keys int) func() int {
	r := rand.New(rand.NewPCG(1, 1))
	return func() int { return r.IntN(keys) }
}

// payload is n bytes that do not compress to nothing.
func payload(n int) []byte {
	r := rand.New(rand.NewPCG(2, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func rounded(figures map[string]float64) map[string]float64 {
	for name, v := range figures {
		digits := 100.0
		if v >= 1000 {
			digits = 1
		}
		figures[name] = math.Round(v*digits) / digits
	}
	return figures
}
