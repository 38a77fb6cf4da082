// Package avro measures how large the order system's events are as Avro and as JSON, and how fast
// they are written and read: with Pabal's codec, with encoding/json, and with Java's Avro library.
package avro

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
)

// plan says how much is measured.
type plan struct {
	rounds int
	// orders that the events are of.
	orders int
	// pace is how long each side writes, or reads, in a round; warm is how long before the first.
	pace, warm time.Duration
}

// Run measures in rounds that take turns, each side on one goroutine or thread; figures are medians
// of the rounds:
//
//   - size_ratio_json: bytes of all events' values in Confluent's wire format over those as JSON;
//   - encode_per_s, decode_per_s: events per second with package codec, known schemas;
//   - json_encode_per_s, json_decode_per_s: with encoding/json;
//   - java_encode_per_s, java_decode_per_s: with Java's Avro, in the same wire format;
//   - ratio_json, ratio_java: the smaller of encoding's and decoding's pace over theirs.
//
// Every event that was read must be the one that was written, by all three, or there are no figures.
func Run(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	p := plan{}
	flags := flag.NewFlagSet("avro", flag.ContinueOnError)
	flags.IntVar(&p.rounds, "rounds", 5, "rounds")
	flags.IntVar(&p.orders, "orders", 500, "orders that the events are of")
	flags.DurationVar(&p.pace, "pace", time.Second, "how long each side writes, or reads, in a round")
	flags.DurationVar(&p.warm, "warm", 5*time.Second, "how long each side writes, or reads, before the first round")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if p.rounds < 1 || p.orders < 1 || p.pace <= 0 || p.warm < 0 {
		return nil, errors.New("every number must be above 0")
	}
	e, err := newEvents(ctx, p.orders)
	if err != nil {
		return nil, err
	}
	defer e.close()
	java, err := startJava(ctx, e)
	if err != nil {
		return nil, err
	}
	defer java.stop()
	fmt.Fprintf(w, "%d events; %s\n", e.count(), java.name)
	return p.measure(ctx, e, java, w)
}

// side writes or reads all events again and again, and tells how many a second.
type side func(pace time.Duration) (float64, error)

func (p plan) measure(ctx context.Context, e *events, java *java, w io.Writer) (map[string]float64, error) {
	sides := []struct {
		name string
		run  side
	}{
		{"encode_per_s", e.pace(e.encodeAvro)}, {"json_encode_per_s", e.pace(e.encodeJSON)}, {"java_encode_per_s", java.pace("encode")},
		{"decode_per_s", e.pace(e.decodeAvro)}, {"json_decode_per_s", e.pace(e.decodeJSON)}, {"java_decode_per_s", java.pace("decode")},
	}
	for _, s := range sides {
		if _, err := s.run(p.warm); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	r := map[string][]float64{}
	for round := range p.rounds {
		fmt.Fprintf(w, "round %d:", round+1)
		for _, s := range sides {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			perSecond, err := s.run(p.pace)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			r[s.name] = append(r[s.name], perSecond)
			fmt.Fprintf(w, " %s %.0f", s.name, perSecond)
		}
		fmt.Fprintln(w)
	}
	figures := map[string]float64{"size_ratio_json": e.sizeRatio(), "avro_bytes": e.bytesOfAvro(), "json_bytes": e.bytesOfJSON()}
	for name, values := range r {
		figures[name] = measure.Median(values)
	}
	for _, other := range []string{"json", "java"} {
		figures["ratio_"+other] = min(
			measure.RatioOf(r["encode_per_s"], r[other+"_encode_per_s"]), measure.RatioOf(r["decode_per_s"], r[other+"_decode_per_s"]))
	}
	return figures, nil
}
