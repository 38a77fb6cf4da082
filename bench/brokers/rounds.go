package brokers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/bench/measure"
)

// round is what one round measured, by the figures' names: those of a side begin with its name.
type round map[string]float64

// ratio is above's figure over below's, where both were measured.
func (r round) ratio(name, above, below string) {
	a, b := r[above], r[below]
	if a != 0 && b != 0 {
		r[name] = a / b
	}
}

// show writes those of a side.
func (r round) show(w io.Writer, title, side string) {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r)) {
		if short, ok := strings.CutPrefix(name, side+"_"); ok {
			all = append(all, fmt.Sprintf("%s %v", short, rounded(r[name])))
		}
	}
	fmt.Fprintf(w, "%s, %-5s  %s\n", title, side, strings.Join(all, ", "))
}

// warmUps are the turns that do not count: Java compiles meanwhile.
var warmUps = map[string]int{apache: 4}

// inRounds has the sides take turns, to warm up and then as often as asked, and returns the medians
// of what the rounds measured and of the ratios that compare takes in each.
func (s *stage) inRounds(ctx context.Context, o options, w io.Writer, turn func(*side, round) error, compare func(round)) (map[string]float64, error) {
	values := map[string][]float64{}
	for _, side := range s.sides {
		for range max(warmUps[side.name], 1) {
			r := round{}
			if err := errors.Join(ctx.Err(), turn(side, r)); err != nil {
				return nil, err
			}
			r.show(w, "warm-up", side.name)
		}
	}
	for n := range o.rounds {
		r := round{}
		for _, side := range s.sides {
			if err := errors.Join(ctx.Err(), turn(side, r)); err != nil {
				return nil, err
			}
			r.show(w, fmt.Sprintf("round %d", n+1), side.name)
		}
		compare(r)
		for name, value := range r {
			values[name] = append(values[name], value)
		}
	}
	medians := map[string]float64{}
	for name, all := range values {
		medians[name] = rounded(measure.Median(all))
	}
	return medians, nil
}

// smaller sets a figure to the smallest of some, so that it holds for all of them.
func smaller(figures map[string]float64, name string, of ...string) {
	for _, n := range of {
		if v, ok := figures[n]; ok && (figures[name] == 0 || v < figures[name]) {
			figures[name] = v
		}
	}
}

// withStage opens one, starts the sides with a durability, and closes it in the end.
func withStage(ctx context.Context, o options, durability string, do func(*stage) (map[string]float64, error)) (figures map[string]float64, err error) {
	s, err := openStage(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, name := range o.sides {
		if _, err := s.start(ctx, name, durability); err != nil {
			return nil, err
		}
	}
	return do(s)
}
